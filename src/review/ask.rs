//! `ask`: a person asks the party for more. The pipeline drafts the completion request, a person approves it.

use serde_json::json;

use super::{Flaw, Refusal, Result, Review, Words, act};
use crate::cases::{Act, Case, CaseId, EventKind, Localized, Person, Question};
use crate::triage::Step;

/// Most questions of one request.
const MOST_QUESTIONS: usize = 20;
/// Longest name of what is asked about, characters.
const LONGEST_NAME: usize = 64;

/// A question in the handler's words, in the language of the case.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuestionToAsk {
    /// Name of the field or attachment that would answer it, for example `supported_length`.
    #[schema(example = "supported_length")]
    pub about: String,
    /// The question.
    pub text: Words,
}

impl Review {
    /// Adds questions and sends the case through the rules again.
    ///
    /// # Errors
    /// [`Refusal::NotClaimed`], [`Refusal::Illegal`], [`Refusal::Invalid`].
    pub async fn ask(&self, person: &Person, id: CaseId, questions: Vec<QuestionToAsk>) -> Result<Case> {
        let flaws = flaws(&questions);
        if !flaws.is_empty() {
            return Err(Refusal::Invalid(flaws));
        }
        let (mut tx, mut case) = self.open(person, id).await?;
        self.require_judged(person, &case)?;
        self.require_claim(&case, person)?;
        let about: Vec<String> = questions.iter().map(|question| question.about.clone()).collect();
        let was: Vec<String> = case.file.open_questions().iter().map(|question| question.about.clone()).collect();
        case.file.asked.retain(|known| !about.contains(&known.about));
        case.file.asked.extend(questions.into_iter().map(question));
        case.file.transfer_to = None;
        case.file.hear = None;
        case.file.note_preparer(person);
        Self::reenter(&mut tx, &mut case, Act::Reenter, Step::Assess).await?;
        Self::finish(tx, case, act(person, EventKind::Asked, id, json!({ "about": about, "was": was }))).await
    }
}

fn flaws(questions: &[QuestionToAsk]) -> Vec<Flaw> {
    if questions.is_empty() || questions.len() > MOST_QUESTIONS {
        return vec![Flaw::new("/questions", "a request has 1 to 20 questions", "send the questions")];
    }
    let is_name = |name: &str| {
        (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    let bad = questions.iter().enumerate().filter(|(_, question)| !is_name(&question.about));
    bad.map(|(i, _)| {
        Flaw::new(&format!("/questions/{i}/about"), "this is no name of a field", "write the name, a–z, 0–9 and _")
    })
    .collect()
}

/// The handler writes in the language of the case; the letter is in one language, so one text serves.
fn question(asked: QuestionToAsk) -> Question {
    let text: String = asked.text.into();
    let text = Localized { fi: text.clone(), sv: text.clone(), en: Some(text) };
    Question { about: asked.about, text, rule: None, section: None }
}

//! Decisions: grant, partial, rejection, inadmissible, the answer to a document request, the decision on a claim, recovery,
//! and the correction of a decision. Reasons come from the rules' trace, one sentence a rule, each with its facts and the
//! words of the section in force.

use super::Material;
use super::letter::{Extras, Letter};
use super::request::DAYS_TO_APPROVE;
use crate::cases::{
    Assessment, CalculationStep, Citation, DraftContent, DraftKind, Evidence, Fact, Language, PartKind, Reason,
    RuleTrace, Ruling, write_date, write_value,
};
use crate::municipality::calendar;
use crate::municipality::format::ServiceFile;
use crate::triage::Error;
use crate::triage::gather::{LEFT_EMPTY, NO_SENDING_TIME};
use crate::triage::proposals::Prose;

/// Composes a decision of `kind` from the assessment.
pub fn compose(material: &Material<'_>, kind: DraftKind) -> Result<DraftContent, Error> {
    let assessment = material.file.assessment.as_ref().ok_or(Error::OutOfOrder { step: "compose", needs: "assess" })?;
    let mut letter = Letter::new(material, kind);
    let language = letter.blocks.language();
    let mut reasons = reasons(assessment, kind, language);
    let corrects = material.service.is_some_and(ServiceFile::corrects);
    if matches!(kind, DraftKind::ClaimDecision | DraftKind::Recovery) || corrects {
        answer(&mut reasons, &material.file.rulings);
    }
    reword(&mut reasons, material.prose);
    let amount = if kind.has_amount() { assessment.amount } else { None };
    let refuses = kind.refuses(Some(assessment.outcome));
    let deadline = amount
        .filter(|_| kind == DraftKind::Recovery)
        .and(material.service)
        .map(|service| calendar::end_of_period(material.at.today(), service.payment_days + DAYS_TO_APPROVE));
    letter.blocks.set("decides", if kind == DraftKind::Correction { "" } else { "x" });
    letter.blocks.set("deadline", deadline.map(|day| write_date(day, language)).unwrap_or_default());
    letter.blocks.set("amount", amount.map(|amount| amount.format(language)).unwrap_or_default());
    letter.blocks.set("asked", material.service.map_or("", |service| service.name.get(language)));
    letter.blocks.set("refused", step(assessment, "refused_costs", language));
    letter.blocks.set("document_title", title(material, assessment, language));
    letter.cards()?.heading()?.matter("matter-application")?;
    letter.block(PartKind::Operative, &kind.operative_text(Some(assessment.outcome)))?;
    let calculation = calculation(assessment, language);
    let computed = amount.is_some() || kind.grants();
    if computed && !calculation.is_empty() {
        letter.lines(PartKind::Calculation, "calculation", &calculation)?;
    }
    // A request in two lines may rest on nothing that anybody stated.
    let facts = facts(material, &reasons, language);
    if !facts.is_empty() {
        letter.lines(PartKind::Facts, "facts", &facts)?;
    }
    letter.heard()?;
    letter.lines(
        PartKind::Reasons,
        "reasons",
        &super::reason_lines(&material.desk.rulebook.library, &reasons, language),
    )?;
    let binds = kind.grants() || kind == DraftKind::Correction || amount.is_some();
    if binds && letter.blocks.has("conditions") {
        letter.block(PartKind::Conditions, "conditions")?;
    }
    let provisions = letter.provisions()?;
    let decider = letter.decider()?;
    letter.closing()?;
    let appeal = letter.appeal(refuses)?;
    // An answer that decides nothing goes to whoever asked, and to nobody else.
    if refuses || kind != DraftKind::DocumentAnswer {
        letter.block(PartKind::Notification, "notification")?;
    }
    Ok(letter.finish(Extras { reasons, provisions, amount, decider, appeal, deadline, refuses, ..Extras::default() }))
}

/// The reasons of a decision, one for each rule that it tells of.
fn reasons(assessment: &Assessment, kind: DraftKind, language: Language) -> Vec<Reason> {
    reasons_of(assessment, assessment.told(kind), language)
}

/// What these rules say, each with its facts and the words of its section.
pub(super) fn reasons_of<'a>(
    assessment: &Assessment,
    rules: impl Iterator<Item = &'a RuleTrace>,
    language: Language,
) -> Vec<Reason> {
    rules
        .map(|rule| Reason {
            text: rule.reason.get(language).trim().to_owned(),
            evidence: assessment.behind(rule),
            citations: vec![Citation {
                document: rule.section.document.clone(),
                version: rule.section.version,
                section: rule.section.section.clone(),
                language,
                quote: rule.quote.get(language).to_owned(),
            }],
            rule: Some(rule.rule.clone()),
        })
        .collect()
}

/// Puts what a person ruled and why into the reason of the rule: each demand of a claim is answered.
fn answer(reasons: &mut [Reason], rulings: &[Ruling]) {
    for reason in reasons {
        if let Some(ruling) = rulings.iter().find(|ruling| Some(&ruling.rule) == reason.rule.as_ref()) {
            reason.text.push(' ');
            reason.text.push_str(&ruling.reason.replace('\n', " "));
        }
    }
}

/// Puts a model's sentences in the place of code's. Rule, order, facts and the section that carries it stay; further
/// sections may be added.
fn reword(reasons: &mut [Reason], prose: Option<&Prose>) {
    for reason in reasons {
        let written = prose.and_then(|prose| prose.reasons.iter().find(|written| written.rule == reason.rule));
        let Some(written) = written else { continue };
        reason.text.clone_from(&written.text);
        for citation in &written.citations {
            if !reason.citations.contains(citation) {
                reason.citations.push(citation.clone());
            }
        }
    }
}

fn step(assessment: &Assessment, name: &str, language: Language) -> String {
    assessment
        .calculation
        .iter()
        .find(|step| step.name == name)
        .and_then(|step| written(step, language))
        .unwrap_or_default()
}

pub(super) fn written(step: &CalculationStep, language: Language) -> Option<String> {
    step.value.as_ref().map(|value| write_value(value, step.unit.as_deref(), language))
}

fn title(material: &Material<'_>, assessment: &Assessment, language: Language) -> String {
    material
        .desk
        .rulebook
        .library
        .version(&assessment.document, assessment.version)
        .map(|document| document.title(language).to_owned())
        .unwrap_or_default()
}

fn calculation(assessment: &Assessment, language: Language) -> Vec<String> {
    assessment
        .calculation
        .iter()
        .filter(|step| !step.hidden)
        .filter_map(|step| Some(format!("– {}: {}", step.label.get(language), written(step, language)?)))
        .collect()
}

/// The facts that the reasons rest on, with where each comes from: times first, then in the order of the form.
fn facts(material: &Material<'_>, reasons: &[Reason], language: Language) -> Vec<String> {
    lines_of(material, language, |fact| reasons.iter().any(|reason| reason.evidence.contains(&fact.name)))
}

/// Facts as a letter lists them.
pub(super) fn lines_of(material: &Material<'_>, language: Language, told: impl Fn(&Fact) -> bool) -> Vec<String> {
    let fields = material.service.map(|service| service.fields.as_slice()).unwrap_or_default();
    let history = |name: &str| material.service?.history.iter().find(|history| history.fact == name);
    let ours = material.ours();
    let position = |fact: &Fact| fields.iter().position(|field| field.name == fact.name).map_or(0, |at| at + 1);
    let mut used: Vec<&Fact> = material.file.facts.iter().filter(|fact| told(fact) && !says_nothing(fact)).collect();
    used.sort_by_key(|fact| position(fact));
    used.into_iter()
        .filter_map(|fact| {
            let field = fields.iter().find(|field| field.name == fact.name);
            let label = field.map(|field| field.label.get(language));
            let label = label.or_else(|| Some(history(&fact.name)?.label.get(language)));
            let label = label.or_else(|| clock_label(&fact.name, ours, language))?;
            let choice = field.and_then(|field| field.choices.get(&fact.value.plain()));
            let value = choice.map_or_else(
                || write_value(&fact.value, fact.unit.as_deref(), language),
                |choice| choice.get(language).to_owned(),
            );
            Some(format!("– {label}: {value} ({})", source(&fact.evidence, ours, language)))
        })
        .collect()
}

/// A field left empty, and a sending time that nobody gave, say nothing in a letter.
fn says_nothing(fact: &Fact) -> bool {
    matches!(&fact.evidence, Evidence::Computed { note, .. } if [LEFT_EMPTY, NO_SENDING_TIME].contains(&note.as_str()))
}

fn clock_label(name: &str, ours: bool, language: Language) -> Option<&'static str> {
    if ours && name == "received_at" {
        return Some(match language {
            Language::Fi => "Asia tuli vireille",
            Language::Sv => "Ärendet inleddes",
            Language::En => "Begun",
        });
    }
    Some(match (name, language) {
        ("received_at", Language::Fi) => "Hakemus saapui",
        ("received_at", Language::Sv) => "Ansökan kom in",
        ("received_at", Language::En) => "Received",
        ("sent_at", Language::Fi) => "Hakemus lähetettiin",
        ("sent_at", Language::Sv) => "Ansökan skickades",
        ("sent_at", Language::En) => "Sent",
        ("decision_date", Language::Fi) => "Oikaistavaksi vaadittu päätös tehtiin",
        ("decision_date", Language::Sv) => "Beslutet som kravet gäller fattades",
        ("decision_date", Language::En) => "Decided",
        ("claim_until", Language::Fi) => "Oikaisuvaatimuksen viimeinen päivä",
        ("claim_until", Language::Sv) => "Sista dag för begäran om omprövning",
        ("claim_until", Language::En) => "Last day of the claim",
        ("claim_date", Language::Fi) => "Oikaisuvaatimus saapui",
        ("claim_date", Language::Sv) => "Begäran om omprövning kom in",
        ("claim_date", Language::En) => "Claim received",
        ("window_opens", Language::Fi) => "Hakuajan ensimmäinen hetki",
        ("window_opens", Language::Sv) => "Första ansökningstidpunkt",
        ("window_opens", Language::En) => "First moment of the window",
        ("window_end", Language::Fi) => "Hakuajan viimeinen hetki",
        ("window_end", Language::Sv) => "Sista ansökningstidpunkt",
        ("window_end", Language::En) => "Last moment of the window",
        _ => return None,
    })
}

/// Where a fact comes from; what stands on a form of the office's own (`ours`) is its own data.
fn source(evidence: &Evidence, ours: bool, language: Language) -> String {
    let pick = |fi: &str, sv: &str, en: &str| match language {
        Language::Fi => fi.to_owned(),
        Language::Sv => sv.to_owned(),
        Language::En => en.to_owned(),
    };
    match evidence {
        Evidence::Form { .. } | Evidence::Text { .. } if ours => {
            pick("kunnan tiedot", "kommunens uppgifter", "municipal data")
        }
        Evidence::Form { .. } => pick("hakemus", "ansökan", "application"),
        Evidence::Text { .. } => pick("viesti", "meddelande", "message"),
        Evidence::Attachment { .. } => pick("liite", "bilaga", "attachment"),
        Evidence::Register { .. } => pick("kunnan tiedot", "kommunens uppgifter", "municipal data"),
        Evidence::Cases { .. } => {
            pick("kunnan asiarekisteri", "kommunens ärenderegister", "the municipality's register of cases")
        }
        Evidence::Computed { .. } => pick("järjestelmän tieto", "systemets uppgift", "system data"),
        Evidence::Person { .. } => pick("käsittelijän tieto", "handläggarens uppgift", "handler"),
    }
}

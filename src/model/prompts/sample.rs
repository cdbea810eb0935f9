//! Sample values of every prompt: what a prompt is checked with when it is read, and what its author is shown.

use super::{PromptId, Row, Values};
use crate::cases::Language;
use crate::model::masking::Masked;

/// Words in Finnish, Swedish and English.
type Words = [&'static str; 3];

const SECTION: &str = "private-road-grant@2026-01-01#s3";

const MESSAGE: Words = [
    "Hei! Haemme avustusta Harjuntielle. Tietä on viimeiselle talolle 390 metriä.\nTerveisin [person 1]",
    "Hej! Vi ansöker om understöd för Harjuntie. Vägen är 390 meter till sista huset.\nHälsningar [person 1]",
    "Hello! We apply for a grant for Harjuntie. The road is 390 metres to the last house.\nRegards, [person 1]",
];

const GRANT: Words = ["Yksityistieavustus", "Understöd till enskild väg", "Private road grant"];

const POTHOLE: Words = ["Vikailmoitus: kuoppa", "Felanmälan: grop i vägen", "Fault notice: pothole"];

const LENGTH: Words = [
    "Pituus viimeiselle pysyvästi asutulle kiinteistölle",
    "Längd till den sista fastigheten med fast bosättning",
    "Length to the last permanently inhabited property",
];

// The policy has no English text.
const REQUIREMENT: Words = [
    "Avustusta myönnetään tielle, jonka tuettava pituus on vähintään 400 metriä.",
    "Understöd beviljas för en väg vars stödberättigande längd är minst 400 meter.",
    "Avustusta myönnetään tielle, jonka tuettava pituus on vähintään 400 metriä.",
];

const SENTENCE: Words = [
    "Tien tuettava pituus on 390 m. Vaatimus on vähintään 400 m, eikä se täyty.",
    "Vägens stödberättigande längd är 390 m. Kravet är minst 400 m och uppfylls inte.",
    "The supported length of the road is 390 m. At least 400 m is required, so the requirement is not met.",
];

const QUESTION: Words = [
    "Päivittäkää tiekunnan tiedot yksityistierekisteriin.",
    "Uppdatera väglagets uppgifter i registret över enskilda vägar.",
    "Please bring the cooperative's entry in the register of private roads up to date.",
];

const LETTER: Words =
    ["ASIA\nYksityistieavustus: Harjuntie", "ÄRENDE\nUnderstöd till enskild väg: Harjuntie", "MATTER\nHarjuntie"];

/// Values of a case of the kind that the prompt is for, with letters in `language`.
#[must_use]
pub fn sample(prompt: PromptId, language: Language) -> Values {
    let record = if language == Language::Sv { Language::Sv } else { Language::Fi };
    let sources = [("text".to_owned(), Masked::public(pick(language, MESSAGE)))];
    let values = Values::new();
    match prompt {
        PromptId::Classify => values
            .word("record_language", record.code())
            .rows("labels", [label("private-road-grant", record, GRANT), label("RD1", record, POTHOLE)])
            .texts("sources", sources),
        PromptId::GatherFacts => values
            .word("record_language", record.code())
            .rows(
                "fields",
                [row([
                    ("name", "supported_length"),
                    ("label", pick(record, LENGTH)),
                    ("type", "number"),
                    ("unit", "m"),
                ])],
            )
            .texts("sources", sources),
        PromptId::ComposeDecision => composition("rejection", language)
            .rows("reasons", [reason(language)])
            .rows("questions", [])
            .texts("sources", sources),
        PromptId::ComposeCompletion => composition("completion", language)
            .rows("reasons", [])
            .rows("questions", [question(language)])
            .texts("sources", sources),
        PromptId::ComposeNotice => {
            composition("acknowledgement", language).rows("reasons", []).rows("questions", []).texts("sources", sources)
        }
        PromptId::Summarise => values
            .word("record_language", record.code())
            .word("kind", "rejection")
            .rows("facts", [fact(record)])
            .rows("reasons", [reason(record)])
            .rows("questions", [])
            .rows("flags", [row([("flag", "multiple-matters")])])
            .texts("sources", sources),
        PromptId::TranslateCheck => {
            let pair = [
                ("rule", "min-length"),
                ("original", pick(Language::Fi, SENTENCE)),
                ("letter", pick(language, SENTENCE)),
            ];
            values.word("record_language", "fi").word("letter_language", language.code()).rows("pairs", [row(pair)])
        }
    }
}

/// Values of a repair part.
#[must_use]
pub fn sample_of_repair() -> Values {
    let detail = format!("{SECTION}: the quote does not stand there byte for byte");
    Values::new().rows("findings", [row([("check", "K03"), ("detail", &detail)])])
}

/// What all compositions have.
fn composition(kind: &str, language: Language) -> Values {
    Values::new()
        .word("letter_language", language.code())
        .word("kind", kind)
        .rows("discretion", [])
        .rows("facts", [fact(language)])
        .texts("sections", [(SECTION.to_owned(), Masked::public(pick(language, REQUIREMENT)))])
        .text("letter", Masked::public(pick(language, LETTER)))
}

fn label(label: &str, language: Language, meaning: Words) -> Row {
    row([("label", label), ("meaning", pick(language, meaning))])
}

fn reason(language: Language) -> Row {
    row([
        ("rule", "min-length"),
        ("outcome", "not_met"),
        ("sentence", pick(language, SENTENCE)),
        ("evidence", "supported_length"),
        ("section", SECTION),
        ("quote", pick(language, REQUIREMENT)),
    ])
}

fn question(language: Language) -> Row {
    let section = "private-road-grant@2026-01-01#s2";
    row([("about", "register_current"), ("question", pick(language, QUESTION)), ("section", section)])
}

fn fact(language: Language) -> Row {
    row([("name", "supported_length"), ("label", pick(language, LENGTH)), ("value", "390 m"), ("from", "form")])
}

fn row<const N: usize>(columns: [(&'static str, &str); N]) -> Row {
    columns.into_iter().map(|(column, value)| (column, Masked::public(value))).collect()
}

const fn pick(language: Language, [fi, sv, en]: Words) -> &'static str {
    match language {
        Language::Fi => fi,
        Language::Sv => sv,
        Language::En => en,
    }
}

//! Sample values of every prompt: what a prompt is checked with when it is read, and what its author is shown.

use super::{PromptId, Row, Values};
use crate::cases::Language;
use crate::model::masking::Masked;

/// The section that the samples cite.
const SECTION: &str = "private-road-grant@2026-01-01#s3";

/// Values of a case of the kind that the prompt is for, with letters in `language`.
#[must_use]
pub fn sample(prompt: PromptId, language: Language) -> Values {
    let record = if language == Language::Sv { Language::Sv } else { Language::Fi };
    let sources = [("text".to_owned(), text(message(language)))];
    let values = Values::new();
    match prompt {
        PromptId::Classify => values
            .word("record_language", record.code())
            .rows(
                "labels",
                [
                    row([
                        ("label", "private-road-grant"),
                        (
                            "meaning",
                            pick(record, ["Yksityistieavustus", "Understöd till enskild väg", "Private road grant"]),
                        ),
                    ]),
                    row([
                        ("label", "RD1"),
                        (
                            "meaning",
                            pick(record, ["Vikailmoitus: kuoppa", "Felanmälan: grop i vägen", "Fault notice: pothole"]),
                        ),
                    ]),
                ],
            )
            .texts("sources", sources),
        PromptId::GatherFacts => values
            .word("record_language", record.code())
            .rows(
                "fields",
                [row([
                    ("name", "supported_length"),
                    (
                        "label",
                        pick(
                            record,
                            [
                                "Pituus viimeiselle pysyvästi asutulle kiinteistölle",
                                "Längd till den sista fastigheten med fast bosättning",
                                "Length to the last permanently inhabited property",
                            ],
                        ),
                    ),
                    ("type", "number"),
                    ("unit", "m"),
                ])],
            )
            .texts("sources", sources),
        PromptId::ComposeDecision | PromptId::ComposeCompletion | PromptId::ComposeNotice => values
            .word("letter_language", language.code())
            .word(
                "kind",
                if prompt == PromptId::ComposeDecision {
                    "rejection"
                } else if prompt == PromptId::ComposeCompletion {
                    "completion"
                } else {
                    "acknowledgement"
                },
            )
            .rows("reasons", [reason(language)])
            .rows("discretion", [])
            .rows("questions", [question(language)])
            .rows("facts", [fact(language)])
            .texts("sections", [(SECTION.to_owned(), text(section(language)))])
            .texts("sources", sources)
            .text(
                "letter",
                text(pick(
                    language,
                    [
                        "PERUSTELUT\n– Tien tuettava pituus on 390 m.",
                        "MOTIVERING\n– Vägens stödberättigande längd är 390 m.",
                        "REASONS\n– The length of the road is 390 m.",
                    ],
                )),
            ),
        PromptId::Summarise => values
            .word("record_language", record.code())
            .word("kind", "rejection")
            .rows("facts", [fact(record)])
            .rows("reasons", [reason(record)])
            .rows("questions", [])
            .rows("flags", [row([("flag", "multiple-matters")])])
            .texts("sources", sources),
        PromptId::TranslateCheck => values.word("record_language", "fi").word("letter_language", language.code()).rows(
            "pairs",
            [row([("rule", "min-length"), ("original", sentence(Language::Fi)), ("letter", sentence(language))])],
        ),
    }
}

/// Values of a repair part.
#[must_use]
pub fn sample_of_repair() -> Values {
    Values::new().rows(
        "findings",
        [row([
            ("check", "K03"),
            ("detail", "private-road-grant@2026-01-01#s3: the quote does not stand there byte for byte"),
        ])],
    )
}

fn text(words: &str) -> Masked<String> {
    Masked::public(words)
}

fn row<const N: usize>(columns: [(&'static str, &str); N]) -> Row {
    columns.into_iter().map(|(column, value)| (column, text(value))).collect()
}

const fn pick(language: Language, [fi, sv, en]: [&str; 3]) -> &str {
    match language {
        Language::Fi => fi,
        Language::Sv => sv,
        Language::En => en,
    }
}

const fn message(language: Language) -> &'static str {
    pick(
        language,
        [
            "Hei! Haemme avustusta Harjuntielle. Tietä on viimeiselle talolle 390 metriä.\nTerveisin [person 1]",
            "Hej! Vi ansöker om understöd för Harjuntie. Vägen är 390 meter till sista huset.\nHälsningar [person 1]",
            "Hello! We apply for a grant for Harjuntie. The road is 390 metres to the last house.\nRegards, [person 1]",
        ],
    )
}

const fn section(language: Language) -> &'static str {
    pick(
        language,
        [
            "Avustusta myönnetään tielle, jonka tuettava pituus on vähintään 400 metriä.",
            "Understöd beviljas för en väg vars stödberättigande längd är minst 400 meter.",
            "Understöd beviljas för en väg vars stödberättigande längd är minst 400 meter.",
        ],
    )
}

const fn sentence(language: Language) -> &'static str {
    pick(
        language,
        [
            "Tien tuettava pituus on 390 m. Vaatimus on vähintään 400 m, eikä se täyty.",
            "Vägens stödberättigande längd är 390 m. Kravet är minst 400 m och uppfylls inte.",
            "The supported length of the road is 390 m. The requirement of at least 400 m is not met.",
        ],
    )
}

fn reason(language: Language) -> Row {
    row([
        ("rule", "min-length"),
        ("outcome", "not_met"),
        ("sentence", sentence(language)),
        ("evidence", "supported_length"),
        ("section", SECTION),
        ("quote", section(language)),
    ])
}

fn question(language: Language) -> Row {
    row([
        ("about", "register_current"),
        (
            "question",
            pick(
                language,
                [
                    "Päivittäkää tiekunnan tiedot yksityistierekisteriin.",
                    "Uppdatera väglagets uppgifter i registret över enskilda vägar.",
                    "Please update the road register.",
                ],
            ),
        ),
        ("section", "private-road-grant@2026-01-01#s2"),
    ])
}

fn fact(language: Language) -> Row {
    row([
        ("name", "supported_length"),
        (
            "label",
            pick(
                language,
                [
                    "Pituus viimeiselle pysyvästi asutulle kiinteistölle",
                    "Längd till den sista fastigheten med fast bosättning",
                    "Length to the last permanently inhabited property",
                ],
            ),
        ),
        ("value", "390 m"),
        ("from", "form"),
    ])
}

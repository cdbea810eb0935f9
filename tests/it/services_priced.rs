//! Bookings, keys, documents, permits and feedback: what becomes of each sample of the inbox, in Finnish and in Swedish.

use serde_json::Value;
use vireille::cases::{AppealKind, CheckResult, DraftKind, RuleOutcome, Ruling};
use vireille::triage::proposals::Proposals;
use vireille::triage::{Proposal, Step};

use crate::support::desk::*;

/// A sample of Harjuvesi's inbox, with what it must become.
struct Expected {
    sample: &'static str,
    kind: DraftKind,
    fee: Option<&'static str>,
    decider: Option<&'static str>,
    appeal: AppealKind,
    /// The rules that a person must rule on before anybody can approve.
    left: &'static [&'static str],
}

const NONE: AppealKind = AppealKind::None;

#[rustfmt::skip]
const EXPECTED: &[Expected] = &[
    Expected { sample: "booking-gym", kind: DraftKind::Grant, fee: Some("68.10"), decider: Some("leisure-secretary"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "booking-old-list", kind: DraftKind::Grant, fee: Some("63.56"), decider: Some("leisure-secretary"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "booking-standing", kind: DraftKind::Grant, fee: Some("510.75"), decider: Some("leisure-director"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "booking-birthday", kind: DraftKind::Rejection, fee: None, decider: Some("leisure-secretary"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "booking-incomplete", kind: DraftKind::Completion, fee: None, decider: None, appeal: NONE, left: &[] },
    Expected { sample: "access-tag", kind: DraftKind::Grant, fee: None, decider: Some("leisure-director"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "access-key-swedish", kind: DraftKind::Grant, fee: None, decider: Some("leisure-secretary"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "access-minor", kind: DraftKind::Rejection, fee: None, decider: Some("leisure-secretary"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "access-too-long", kind: DraftKind::Completion, fee: None, decider: None, appeal: NONE, left: &[] },
    Expected { sample: "document-minutes", kind: DraftKind::DocumentAnswer, fee: Some("0.00"), decider: Some("chief-of-administration"), appeal: NONE, left: &[] },
    Expected { sample: "document-map-swedish", kind: DraftKind::DocumentAnswer, fee: Some("0.00"), decider: Some("chief-of-administration"), appeal: NONE, left: &[] },
    Expected { sample: "document-drawings", kind: DraftKind::DocumentAnswer, fee: Some("0.00"), decider: Some("building-inspector"), appeal: NONE, left: &["publicity", "pages-counted"] },
    Expected { sample: "document-own-data", kind: DraftKind::DocumentAnswer, fee: Some("0.00"), decider: Some("chief-of-administration"), appeal: NONE, left: &["own-data"] },
    Expected { sample: "document-incomplete", kind: DraftKind::Completion, fee: None, decider: None, appeal: NONE, left: &[] },
    Expected { sample: "permit-crane", kind: DraftKind::Grant, fee: Some("60.00"), decider: Some("street-master"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "permit-long", kind: DraftKind::Grant, fee: Some("1800.00"), decider: Some("technical-director"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "permit-dig", kind: DraftKind::Grant, fee: Some("190.00"), decider: Some("street-master"), appeal: AppealKind::A, left: &["appeal-route"] },
    Expected { sample: "permit-state-road", kind: DraftKind::Inadmissible, fee: None, decider: Some("street-master"), appeal: AppealKind::A, left: &[] },
    Expected { sample: "permit-incomplete", kind: DraftKind::Completion, fee: None, decider: None, appeal: NONE, left: &[] },
    Expected { sample: "feedback-thanks", kind: DraftKind::Acknowledgement, fee: None, decider: None, appeal: NONE, left: &[] },
    Expected { sample: "feedback-anonymous-swedish", kind: DraftKind::Acknowledgement, fee: None, decider: None, appeal: NONE, left: &[] },
    Expected { sample: "feedback-english", kind: DraftKind::Acknowledgement, fee: None, decider: None, appeal: NONE, left: &[] },
];

/// The sample as it stands in the inbox; its files by their names.
fn sample(name: &str) -> Value {
    let file = policies().join("harjuvesi/samples").join(format!("{name}.json"));
    let mut sample: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let names: Vec<Value> = sample["attachments"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|file| {
            let name = file.as_str().unwrap().rsplit('/').next();
            serde_json::json!({ "name": name, "media_type": "text/plain", "content": "S2FydHRhIC8ga2FydGE=" })
        })
        .collect();
    if !names.is_empty() {
        sample["attachments"] = names.into();
    }
    sample
}

fn failed(proposal: &Proposal) -> Vec<String> {
    let failed = proposal.checks.iter().filter(|check| check.result == CheckResult::Fail);
    failed.map(|check| format!("{}: {}", check.id, check.detail)).collect()
}

/// Every sample comes out as the price lists and the administrative regulations say, and nothing is wrong with its letter
/// once a person has ruled on what is left to them: in the language of the record, and in that of the party.
#[test]
fn every_sample_is_decided_by_whom_it_must_and_costs_what_it_must() {
    let bilingual = bilingual_desk();
    let mut letters = 0;
    for expected in EXPECTED {
        let submission = submission(&sample(expected.sample));
        let now = submission.received_at.to_string();
        for desk in [&*desk(), &bilingual] {
            let name = expected.sample;
            let (mut file, mut proposal) = triage_on(desk, &submission, &now);
            let open: Vec<String> = file
                .assessment
                .iter()
                .flat_map(|assessment| &assessment.rules)
                .filter(|rule| rule.outcome == RuleOutcome::Discretion)
                .map(|rule| rule.rule.to_string())
                .collect();
            assert_eq!(open, expected.left, "{name}");
            assert_eq!(failed(&proposal).is_empty(), open.is_empty(), "{name}: {:?}", failed(&proposal));
            for rule in &open {
                file.rulings.push(Ruling {
                    rule: rule.parse().unwrap(),
                    outcome: RuleOutcome::Met,
                    reason: "tarkistettu".to_owned(),
                    actor: "t".to_owned(),
                });
            }
            if !open.is_empty() {
                let circumstances = circumstances(&now);
                let assessed = desk.run(Step::Assess, &submission, file, &circumstances, &Proposals::none()).unwrap();
                let composed =
                    desk.run(Step::Compose, &submission, assessed.0, &circumstances, &Proposals::none()).unwrap();
                (file, proposal) = (composed.0, composed.1.unwrap());
            }
            assert_eq!(failed(&proposal), Vec::<String>::new(), "{name}");
            let content = &proposal.content;
            assert_eq!(content.kind, expected.kind, "{name}");
            assert_eq!(content.amount.map(|fee| fee.to_string()).as_deref(), expected.fee, "{name}");
            assert_eq!(content.decider.as_ref().map(|decider| decider.id.as_str()), expected.decider, "{name}");
            assert_eq!(content.appeal.kind, expected.appeal, "{name}");
            assert!(file.urgency.is_none() && content.work_order.is_none(), "{name}: nobody is sent out");
            letters += 1;
        }
    }
    assert_eq!(letters, 2 * EXPECTED.len());
}

/// A Swedish party is answered in Swedish where the municipality serves in it, with its own words for what was booked.
#[test]
fn letters_are_in_the_language_of_the_party() {
    let bilingual = bilingual_desk();
    let letter = |name: &str| {
        let submission = submission(&sample(name));
        let now = submission.received_at.to_string();
        triage_on(&bilingual, &submission, &now).1.content
    };
    let booking = letter("booking-standing");
    assert_eq!(booking.language.code(), "sv");
    assert!(booking.letter.contains("Lokalen bokas enligt ansökan.\nBokare: Harju gymnastikförening rf"));
    assert!(booking.letter.contains("Antal gånger: 15, samma tid varje vecka"), "{}", booking.letter);
    assert!(letter("permit-long").letter.contains("Tillstånd beviljas för den användning som anges i ansökan."));
    assert!(letter("feedback-anonymous-swedish").letter.contains("kan inte svara utan kontaktuppgifter"));
    assert!(letter("feedback-english").letter.contains("We answer within 10 working days"));
}

/// A sender cannot say of a document that it is public, nor how many pages it has: that is the office's.
#[test]
fn what_only_the_office_finds_out_is_not_taken_from_a_sender() {
    let mut request = sample("document-drawings");
    merge(&mut request, &serde_json::json!({ "fields": { "secrecy": "public", "pages": "1", "exists": true } }));
    let submission = submission(&request);
    let (file, proposal) = triage_on(&desk(), &submission, &submission.received_at.to_string());
    assert_eq!(file.facts.get("secrecy").unwrap().value.plain(), "not-checked");
    assert!(failed(&proposal).iter().any(|check| check.starts_with("K06")), "{:?}", failed(&proposal));
}

/// Who writes an e-mail for a document has said what they ask for and where to send it.
#[test]
fn a_document_asked_for_in_a_message_is_not_asked_for_again() {
    let mut message = sample("document-minutes");
    merge(
        &mut message,
        &serde_json::json!({ "fields": null, "text": "Pyydän kaikki tiepäätöstä koskevat sähköpostit." }),
    );
    let submission = submission(&message);
    let (file, _) = triage_on(&desk(), &submission, &submission.received_at.to_string());
    assert!(file.questions.is_empty(), "{:?}", file.questions);
    let due = file.due.unwrap().at.to_zoned(vireille::clock::helsinki()).date();
    assert_eq!(due.to_string(), "2026-02-16", "two weeks (julkisuuslaki 14 §)");
}

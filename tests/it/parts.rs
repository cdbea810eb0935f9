//! What a letter of each kind must have: every kind is made by the desk, in Finnish and in Swedish, and held to the list of
//! what belongs in it (hallintolaki 44 §) and to the instructions for appeal that it must or must not carry.

use std::sync::Arc;

use serde_json::json;
use vireille::cases::{
    AppealKind, CaseFile, CorrectionReason, DraftContent, DraftKind, HearingOrder, Language, PartKind, RuleOutcome,
    Submission,
};
use vireille::triage::Desk;

use crate::kinds::{archive, claim, dry, failed, gate, request};
use crate::letters::{OCTOBER, SEPTEMBER, about, correction_json, heard, known, recovery_json, ruling, withdrawn};
use crate::support::desk::*;

/// What every letter has: who writes, when and under which number; what it is about; what is done; whom to ask; and that a
/// machine helped.
const EVERY: [PartKind; 5] =
    [PartKind::Heading, PartKind::Matter, PartKind::Operative, PartKind::Contact, PartKind::AiStatement];
/// What it rests on: facts with their sources, criteria with the sections of the policy, and the law.
const GROUNDS: [PartKind; 3] = [PartKind::Facts, PartKind::Reasons, PartKind::Provisions];
/// Who decides on what power, and who is told.
const DECIDED: [PartKind; 2] = [PartKind::Decider, PartKind::Notification];
const AMOUNT: [PartKind; 2] = [PartKind::Calculation, PartKind::Conditions];
const ASKED: [PartKind; 3] = [PartKind::Questions, PartKind::Deadline, PartKind::Provisions];

/// The parts of a kind, besides those of every letter. A new kind has no row until somebody writes one.
fn required(content: &DraftContent) -> (Vec<PartKind>, AppealKind) {
    let party = [PartKind::Party];
    match content.kind {
        DraftKind::Grant | DraftKind::Partial => {
            ([&party[..], &GROUNDS, &DECIDED, &AMOUNT, &[PartKind::Appeal]].concat(), AppealKind::A)
        }
        DraftKind::Rejection | DraftKind::Inadmissible => {
            ([&party[..], &GROUNDS, &DECIDED, &[PartKind::Appeal]].concat(), AppealKind::A)
        }
        DraftKind::Completion => ([&party[..], &ASKED].concat(), AppealKind::None),
        // To whom it goes and why it is theirs stands in what is done.
        DraftKind::Transfer => ([&party[..], &[PartKind::Provisions]].concat(), AppealKind::None),
        // The facts that others gave stand among what the party may comment on.
        DraftKind::Hearing => ([&party[..], &ASKED, &[PartKind::Notification]].concat(), AppealKind::None),
        // Nobody has to give a name for either of these.
        DraftKind::Acknowledgement => (vec![PartKind::Deadline], AppealKind::None),
        DraftKind::DocumentAnswer if content.refuses => {
            ([&GROUNDS[..], &DECIDED, &[PartKind::Appeal]].concat(), AppealKind::C)
        }
        DraftKind::DocumentAnswer => {
            ([&GROUNDS[..], &[PartKind::Decider, PartKind::Calculation]].concat(), AppealKind::None)
        }
        DraftKind::Recovery => {
            let heard = [PartKind::Hearing, PartKind::Appeal];
            ([&party[..], &GROUNDS, &DECIDED, &AMOUNT, &heard].concat(), AppealKind::A)
        }
        DraftKind::ClaimDecision => ([&party[..], &GROUNDS, &DECIDED, &[PartKind::Appeal]].concat(), AppealKind::B),
        DraftKind::Correction => ([&party[..], &GROUNDS, &DECIDED, &[PartKind::Conditions]].concat(), AppealKind::None),
        DraftKind::Withdrawal => (party.to_vec(), AppealKind::None),
    }
}

/// What makes a letter of a kind: what is known of the case, what came in, and when.
type Made = (CaseFile, Submission, &'static str);

/// One way to each kind, in a language; none is forgotten that the product has.
fn made(desk: &Desk, kind: DraftKind, language: Language) -> Vec<Made> {
    let code = language.code();
    let swedish = language == Language::Sv;
    let road = |changes: serde_json::Value| {
        let mut json = road_json();
        merge(&mut json, &json!({ "fields": { "language": code } }));
        merge(&mut json, &changes);
        (CaseFile::default(), submission(&json), NOW)
    };
    match kind {
        DraftKind::Grant => vec![road(json!({}))],
        DraftKind::Partial => vec![road(json!({ "fields": { "cost_lighting": "700,00" } }))],
        DraftKind::Rejection => {
            vec![road(json!({ "fields": { "supported_length": "390", "total_length": "390" } }))]
        }
        DraftKind::Inadmissible => vec![road(json!({ "received_at": "2026-04-15T12:00:01Z" }))],
        DraftKind::Completion => vec![road(json!({ "fields": { "supported_length": null } }))],
        DraftKind::Transfer => {
            vec![road(json!({ "fields": { "road_name": "Koivulahden rantatie, Koivulahti" } }))]
        }
        DraftKind::Hearing => {
            let (_, submission, now) = road(json!({}));
            let order = HearingOrder {
                about: if swedish { "Vägen är stängd." } else { "Tie on suljettu." }.to_owned(),
                documents: vec![if swedish { "Foto" } else { "Kuva" }.to_owned()],
                actor: "0199f0a2".to_owned(),
            };
            vec![(CaseFile { hear: Some(Box::new(order)), ..gate(CorrectionReason::Measured) }, submission, now)]
        }
        DraftKind::Acknowledgement => {
            let words = if swedish {
                "Gatlyktan framför skolan lyser inte. Det är mörkt på gatan."
            } else {
                "Koulun edessä on yksi katuvalo pimeänä."
            };
            let notice = json!({
                "municipality": "harjuvesi", "service": "fault-notice", "received_at": "2026-04-20T08:00:00Z",
                "fields": { "description": words, "category": "LI1" }, "location": { "address": "Koulutie 3" }
            });
            vec![(CaseFile::default(), submission(&notice), NOW)]
        }
        DraftKind::DocumentAnswer => ["none", "part"]
            .map(|secrecy| {
                let fields = json!({ "exists": true, "secrecy": secrecy, "pages": 10, "language": code });
                (CaseFile::default(), request(&fields), NOW)
            })
            .to_vec(),
        DraftKind::Recovery => {
            let submission = submission(&recovery_json(code));
            let reason = if swedish { "Väglaget har inte svarat." } else { "Tiekunta ei ole vastannut." };
            let rulings = vec![ruling("reasonable", RuleOutcome::Met, reason)];
            vec![(CaseFile { rulings, ..heard(desk, &submission) }, submission, OCTOBER)]
        }
        DraftKind::ClaimDecision => {
            let mut json = claim(Some("HRJ/2026/00007"));
            merge(&mut json, &json!({ "municipality": "harjuvesi", "received_at": "2026-04-20T08:00:00Z" }));
            let (demand, grounds, reason) = if swedish {
                ("Vi kräver mer understöd.", "Längden är fel.", "Vägens längd räknades fel.")
            } else {
                ("Vaadimme enemmän avustusta.", "Pituus on väärin.", "Tien pituus laskettiin väärin.")
            };
            merge(&mut json, &json!({ "fields": { "language": code, "demand": demand, "grounds": grounds } }));
            let rulings = vec![ruling("merits", RuleOutcome::Met, reason)];
            vec![(CaseFile { about: Some(Box::new(about())), rulings, ..CaseFile::default() }, submission(&json), NOW)]
        }
        DraftKind::Correction => vec![(known(), submission(&correction_json(code, &json!({}))), SEPTEMBER)],
        DraftKind::Withdrawal => {
            let (_, submission, now) = road(json!({}));
            vec![(withdrawn(true), submission, now)]
        }
    }
}

#[test]
fn every_kind_of_letter_has_what_it_must_have() {
    let (_folder, archive) = archive();
    let mut rulebook = (*archive.rulebook).clone();
    rulebook.pack.municipality.languages = vec![Language::Fi, Language::Sv];
    let desk = Desk { rulebook: Arc::new(rulebook), ..archive };
    for kind in DraftKind::ALL {
        for language in [Language::Fi, Language::Sv] {
            for (file, submission, now) in made(&desk, *kind, language) {
                let (_, draft) = dry(&desk, file, &submission, now);
                let content = &draft.content;
                let what = format!("{kind} {}:\n{}", language.code(), content.letter);
                assert_eq!(failed(&draft.checks), Vec::<String>::new(), "{what}");
                assert_eq!((content.kind, content.language), (*kind, language), "{what}");
                let (parts, appeal) = required(content);
                let lacks = EVERY.iter().chain(&parts).find(|part| content.part(**part).is_none());
                assert_eq!(lacks, None, "{what}");
                assert_eq!(content.appeal.kind, appeal, "{what}");
                assert_eq!(content.part(PartKind::Appeal).is_some(), appeal != AppealKind::None, "{what}");
                assert_eq!(content.is_decision(), appeal != AppealKind::None, "what can be appealed: {what}");
                assert_eq!(content.decider.is_some(), parts.contains(&PartKind::Decider), "{what}");
                for part in &content.parts {
                    assert!(!part.text.trim().is_empty(), "`{}` says nothing: {what}", part.kind);
                }
            }
        }
    }
}

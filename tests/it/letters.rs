//! Matters that the office opens about a decision that was made: what was paid is recovered, a fault is corrected. Told on
//! the desk letter by letter, and on the service from the registry's form to the approval.

use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Value, json};
use vireille::cases::{
    About, AppealKind, CaseFile, CaseRef, CheckId, CorrectionReason, DraftContent, DraftKind, Evidence, Fact,
    FactCorrection, Hearing, Outcome, PartKind, Preparer, Role, RuleOutcome, Ruling, Submission, Withdrawal,
};
use vireille::intake::Earlier;
use vireille::triage::history::Others;
use vireille::triage::{Circumstances, Desk, Proposal};

use crate::kinds::{decided, dry, failed, fails, failures, rule};
use crate::pages::signed_in;
use crate::support::app::{TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::*;

/// The road grant of 10.4.2026 that all of these are about.
pub fn about() -> About {
    About {
        case: CaseRef {
            id: "0199f0a2-0000-7000-8000-000000000001".parse().unwrap(),
            number: "HRJ/2026/00007".to_owned(),
        },
        service: Some("private-road-grant".parse().unwrap()),
        kind: DraftKind::Grant,
        decided_on: "2026-04-10".parse().unwrap(),
        amount: Some("2585.00".parse().unwrap()),
        party: Some("Harjun tiekunta".to_owned()),
        decider: Some("technical-director".parse().unwrap()),
        body: Some("technical-board".parse().unwrap()),
        people: Vec::new(),
    }
}

pub fn ruling(rule: &str, outcome: RuleOutcome, reason: &str) -> Ruling {
    Ruling { rule: rule.parse().unwrap(), outcome, reason: reason.to_owned(), actor: "0199f0a2".to_owned() }
}

/// That the office opens a recovery of 585 euros, of a road grant that was paid on 30.4.2026.
pub fn recovery_json(language: &str) -> Value {
    let details = match language {
        "sv" => "Vägen plogades inte i mars. Enligt räkenskaperna användes 2 000,00 euro.",
        _ => "Tietä ei aurattu maaliskuussa. Tilinpäätöksen mukaan käytettiin 2 000,00 euroa.",
    };
    json!({ "id": "recovery", "municipality": "harjuvesi", "service": "recovery", "received_at": "2026-09-01T08:00:00Z",
        "fields": { "decision_number": "HRJ/2026/00007", "paid_amount": "2585,00", "paid_on": "2026-04-30", "ground": "unused",
            "details": details, "amount_concerned": "585,00", "language": language } })
}

pub const SEPTEMBER: &str = "2026-09-01T09:00:00Z";
pub const OCTOBER: &str = "2026-10-01T09:00:00Z";

pub fn known() -> CaseFile {
    CaseFile { about: Some(Box::new(about())), ..CaseFile::default() }
}

/// What the letter of the first of September asked about, after its time.
pub fn heard(desk: &Desk, submission: &Submission) -> CaseFile {
    let (file, _) = dry(desk, known(), submission, SEPTEMBER);
    let facts = file.adverse(true).iter().map(|one| (one.fact.name.clone(), one.fact.value.plain())).collect();
    let hearing = Hearing { order: None, facts, until: "2026-09-29".parse().unwrap(), answered: None };
    CaseFile { hearings: vec![hearing], ..known() }
}

#[test]
fn what_was_paid_is_recovered_once_the_party_was_heard() {
    for (language, desk, reason) in [
        ("fi", (*desk()).clone(), "Tiekunta ei ole esittänyt syytä, jonka vuoksi palauttaminen olisi kohtuutonta."),
        ("sv", bilingual_desk(), "Väglaget har inte framfört något skäl som skulle göra återbetalningen oskälig."),
    ] {
        let submission = submission(&recovery_json(language));
        let (file, hearing) = dry(&desk, known(), &submission, SEPTEMBER);
        assert_eq!(failed(&hearing.checks), Vec::<String>::new());
        assert_eq!((hearing.content.kind, hearing.content.appeal.kind), (DraftKind::Hearing, AppealKind::None));
        assert!(hearing.content.amount.is_none() && !hearing.content.is_decision());
        let told: Vec<&str> = file.adverse(true).iter().map(|one| one.fact.name.as_str()).collect();
        assert!(["ground", "details", "amount_concerned"].iter().all(|name| told.contains(name)), "{told:?}");
        insta::assert_snapshot!(format!("letter-recovery-hearing-{language}"), hearing.content.letter);

        // After its time a person weighs whether it would be unreasonable.
        let file =
            CaseFile { rulings: vec![ruling("reasonable", RuleOutcome::Met, reason)], ..heard(&desk, &submission) };
        let (file, recovery) = dry(&desk, file, &submission, OCTOBER);
        assert_eq!(failed(&recovery.checks), Vec::<String>::new());
        let content = &recovery.content;
        assert_eq!((content.kind, content.appeal.kind), (DraftKind::Recovery, AppealKind::A));
        assert_eq!(content.amount, Some("585.00".parse().unwrap()));
        assert_eq!(content.decider.as_ref().unwrap().id.as_str(), "technical-board");
        assert_eq!(content.decider.as_ref().unwrap().authority, "delegation/recovery/technical-board@2026-01-01");
        for part in
            [PartKind::Operative, PartKind::Calculation, PartKind::Hearing, PartKind::Conditions, PartKind::Appeal]
        {
            assert!(content.part(part).is_some(), "{part}");
        }
        insta::assert_snapshot!(format!("letter-recovery-{language}"), content.letter);

        let check = |file: &CaseFile, content: &DraftContent| {
            desk.check(&submission, file, content, &Preparer::Engine, None, &circumstances(OCTOBER))
        };
        // Nobody was heard, or they still had time: K11. No day to pay, or one too early: K13.
        assert!(fails(&check(&CaseFile { hearings: Vec::new(), ..file.clone() }, content), CheckId::K11));
        let mut early = file.clone();
        early.hearings[0].until = "2026-10-30".parse().unwrap();
        assert!(fails(&check(&early, content), CheckId::K11));
        for deadline in [None, Some("2026-10-15".parse().unwrap())] {
            assert!(fails(&check(&file, &DraftContent { deadline, ..content.clone() }), CheckId::K13));
        }
    }
}

#[test]
fn more_than_they_were_heard_on_is_heard_anew_and_less_is_not() {
    let desk = desk();
    let submission = submission(&recovery_json("fi"));
    let state = |name: &str, amount: &str| FactCorrection {
        name: name.to_owned(),
        read: None,
        stated: Some(Fact {
            name: name.to_owned(),
            value: vireille::cases::Value::Money(amount.parse().unwrap()),
            unit: Some("EUR".to_owned()),
            evidence: Evidence::Person { actor: "0199f0a2".to_owned(), reason: "Tositteet.".to_owned() },
        }),
        code: CorrectionReason::Measured,
        reason: "Tositteet.".to_owned(),
        actor: "0199f0a2".to_owned(),
        at: at(OCTOBER),
    };
    for (amount, kind) in [("700.00", DraftKind::Hearing), ("400.00", DraftKind::Recovery)] {
        let file = CaseFile { corrections: vec![state("amount_concerned", amount)], ..heard(&desk, &submission) };
        let (_, proposal) = dry(&desk, file, &submission, OCTOBER);
        assert_eq!(proposal.content.kind, kind, "{amount}");
    }
    // What it would be unreasonable to ask back is not asked back; all of it: nothing is recovered, and nobody is heard for it.
    let file = CaseFile { corrections: vec![state("waived", "585.00")], ..known() };
    let (_, nothing) = dry(&desk, file, &submission, OCTOBER);
    assert_eq!(failed(&nothing.checks), Vec::<String>::new());
    assert_eq!((nothing.content.kind, nothing.content.amount), (DraftKind::Recovery, None));
    assert!(nothing.content.letter.contains("Maksettua tukea ei peritä takaisin."), "{}", nothing.content.letter);
}

#[test]
fn what_the_office_has_not_filled_in_is_not_asked_of_the_party() {
    let mut json = recovery_json("fi");
    json["fields"]["paid_on"] = Value::Null;
    let (file, draft) = dry(&desk(), known(), &submission(&json), SEPTEMBER);
    assert_eq!(draft.content.kind, DraftKind::Recovery);
    assert!(fails(&draft.checks, CheckId::K06) && fails(&draft.checks, CheckId::K11), "{:?}", failed(&draft.checks));
    assert!(file.open_questions().iter().any(|question| question.about == "paid_on"));
    // Nobody is asked for more than was paid.
    let mut json = recovery_json("fi");
    json["fields"]["amount_concerned"] = "3000,00".into();
    let (_, draft) = dry(&desk(), heard(&desk(), &submission(&json)), &submission(&json), OCTOBER);
    assert!(fails(&draft.checks, CheckId::K06), "{:?}", failed(&draft.checks));
    // Without the decision nobody has the power.
    let (_, draft) = dry(&desk(), CaseFile::default(), &submission(&recovery_json("fi")), SEPTEMBER);
    assert!(draft.content.decider.is_none_or(|decider| decider.id.as_str() != "technical-board"));
}

#[tokio::test]
async fn only_the_office_opens_a_recovery_and_the_body_over_the_decider_decides_it() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (road, number) = decided(&app).await;
        app.now_is(SEPTEMBER);
        let mut json = recovery_json("fi");
        for key in ["municipality", "received_at"] {
            json.as_object_mut().unwrap().remove(key);
        }
        json["fields"]["decision_number"] = number.clone().into();
        let problem = app.residents().await.submit(&json).await.problem(422, "/problems/unknown-service");
        assert!(!problem.to_string().contains("recovery,"), "it is not offered either: {problem}");
        json["channel"] = "office".into();
        let handler = app.handler().await;
        let receipt = handler.submit(&json).await.expect(201).json;
        app.run_jobs().await;
        let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
        let page = handler.get(&case).await.expect(200).json;
        let fact = |name: &str| {
            let facts = page["facts"].as_array().unwrap();
            facts.iter().find(|fact| fact["name"] == name).unwrap()["value"].clone()
        };
        assert_eq!((fact("recipient"), fact("decided_amount")), (json!("Harjun tiekunta"), json!("2585.00")));
        assert_eq!(page["draft"]["content"]["kind"], "hearing");
        app.director().await.approve(&case).await.expect(200);
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["hearings"][0]["facts"]["amount_concerned"], "585.00");

        app.now_is(OCTOBER);
        handler.claim(&case).await.expect(200);
        handler.post(&format!("{case}/resume"), &json!({})).await.expect(200);
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!(draft["content"]["kind"], "recovery");
        assert!(failures(&draft).iter().all(|failed| failed.contains("K06")), "{:?}", failures(&draft));
        rule(&handler, &case, "reasonable", "met", "Tiekunta ei ole vastannut.").await;
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!(failures(&draft), Vec::<String>::new());
        app.director().await.approve(&case).await.problem(403, "/problems/beyond-power");
        let board = app.person(Role::Approver, "Teija Sihteeri", Some("technical-board")).await;
        let done = board.approve(&case).await.expect(200).json;
        assert_eq!((&done["case"]["status"], &done["decision"]["amount"]), (&json!("decided"), &json!("585.00")));

        let mut browser = signed_in(&app, &handler).await;
        let one = browser.get(&road.replace("/v1/", "/console/")).await;
        assert!(one.html.contains("Tätä päätöstä koskee asia") && one.html.contains("takaisinperintä"), "{}", one.html);
        let other = browser.get(&case.replace("/v1/", "/console/")).await;
        assert!(other.html.contains("Asia koskee päätöstä") && other.html.contains(&number), "{}", other.html);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn residents_find_no_form_of_the_offices() {
    let app = spawn_app().await;
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    let choose = browser.get("/console/register").await;
    assert!(choose.html.contains("Maksetun tuen takaisinperintä"), "{}", choose.html);
    let front = browser.get("/m/harjuvesi").await;
    assert!(front.html.contains("Oikaisuvaatimus") && !front.html.contains("Maksetun tuen takaisinperintä"));
    let refused = browser.post("/m/harjuvesi/forms", &[("service", "recovery")]).await;
    assert_eq!(refused.status, 404);
    app.stop().await;
}

/// That the office corrects that decision.
pub fn correction_json(language: &str, fields: &Value) -> Value {
    let cause = if language == "sv" { "Två siffror bytte plats." } else { "Kaksi numeroa vaihtoi paikkaa." };
    let mut json = json!({ "id": "correction", "municipality": "harjuvesi", "service": "decision-correction",
        "received_at": "2026-09-01T08:00:00Z", "fields": { "decision_number": "HRJ/2026/00007", "error_kind": "writing",
            "wrong_text": "1 654,00 €", "right_text": "1 645,00 €", "cause": cause, "language": language } });
    merge(&mut json["fields"], fields);
    json
}

#[test]
fn a_clear_error_is_put_right_with_a_note_and_no_new_time_for_appeal() {
    for (language, desk) in [("fi", (*desk()).clone()), ("sv", bilingual_desk())] {
        let submission = submission(&correction_json(language, &json!({})));
        let (file, draft) = dry(&desk, known(), &submission, SEPTEMBER);
        assert_eq!(failed(&draft.checks), Vec::<String>::new());
        let content = &draft.content;
        assert_eq!(
            (content.kind, content.appeal.kind, content.amount),
            (DraftKind::Correction, AppealKind::None, None)
        );
        assert!(!content.is_decision() && content.needs_power());
        assert_eq!(content.decider.as_ref().unwrap().id.as_str(), "technical-director", "who decided corrects");
        for part in
            [PartKind::Operative, PartKind::Reasons, PartKind::Provisions, PartKind::Conditions, PartKind::Decider]
        {
            assert!(content.part(part).is_some(), "{part}");
        }
        assert!(content.part(PartKind::Appeal).is_none());
        insta::assert_snapshot!(format!("letter-correction-{language}"), content.letter);

        // Its words are worked out, and it carries no instructions.
        let check = |content: &DraftContent| {
            desk.check(&submission, &file, content, &Preparer::Engine, None, &circumstances(SEPTEMBER))
        };
        let mut other = content.clone();
        let operative = other.parts.iter_mut().find(|part| part.kind == PartKind::Operative).unwrap();
        operative.text = operative.text.replace("Oikein", "Väärin").replace("Rätt lydelse", "Fel lydelse");
        assert!(fails(&check(&other), CheckId::K01));
        let mut other = content.clone();
        other.appeal.kind = AppealKind::A;
        assert!(fails(&check(&other), CheckId::K08));
        assert!(PartKind::Operative.is_worked_out(DraftKind::Correction));
        assert!(fails(&check(&DraftContent { decider: None, ..content.clone() }), CheckId::K09));
    }
}

#[test]
fn a_decision_on_wrong_grounds_is_made_anew_with_consent_where_it_is_worse() {
    let law = json!({ "error_kind": "law", "wrong_text": "Versio 2024-01-01", "right_text": "Versio 2026-01-01",
        "sum_changes": true, "right_amount": "2 700,00" });
    for (language, desk, reason) in [
        ("fi", (*desk()).clone(), "Hakuaika päättyi versiossa, joka tuli voimaan 1.1.2026."),
        ("sv", bilingual_desk(), "Ansökningstiden gick ut under den version som trädde i kraft 1.1.2026."),
    ] {
        let submission = submission(&correction_json(language, &law));
        let (_, draft) = dry(&desk, known(), &submission, SEPTEMBER);
        assert_eq!(draft.content.kind, DraftKind::Grant);
        assert!(fails(&draft.checks, CheckId::K06), "a person weighs whether the matter is decided anew");
        let file = CaseFile { rulings: vec![ruling("factual-error", RuleOutcome::Met, reason)], ..known() };
        let (_, draft) = dry(&desk, file, &submission, SEPTEMBER);
        assert_eq!(failed(&draft.checks), Vec::<String>::new());
        let content = &draft.content;
        assert_eq!((content.kind, content.appeal.kind), (DraftKind::Grant, AppealKind::A));
        assert_eq!(content.amount, Some("2700.00".parse().unwrap()));
        insta::assert_snapshot!(format!("letter-decided-anew-{language}"), content.letter);
    }

    // What is worse for the party is asked of it once a person has found the error, and never done without.
    let worse = json!({ "error_kind": "facts", "wrong_text": "Pituus 2 350 m", "right_text": "Pituus 2 100 m",
        "worse_for_party": true, "sum_changes": true, "right_amount": "2310,00" });
    let found = || ruling("factual-error", RuleOutcome::Met, "Pituus on rekisterissä 2 100 m.");
    for (language, desk) in [("fi", (*desk()).clone()), ("sv", bilingual_desk())] {
        let submission = submission(&correction_json(language, &worse));
        let file = CaseFile { rulings: vec![found()], ..known() };
        let (_, draft) = dry(&desk, file, &submission, SEPTEMBER);
        assert_eq!(failed(&draft.checks), Vec::<String>::new());
        assert_eq!(draft.content.kind, DraftKind::Completion);
        insta::assert_snapshot!(format!("letter-correction-consent-{language}"), draft.content.letter);
    }
    for (consent, kind) in [("given", DraftKind::Grant), ("refused", DraftKind::Rejection)] {
        let mut worse = worse.clone();
        worse["consent"] = consent.into();
        let submission = submission(&correction_json("fi", &worse));
        let (_, draft) = dry(&desk(), CaseFile { rulings: vec![found()], ..known() }, &submission, SEPTEMBER);
        assert_eq!((draft.content.kind, failed(&draft.checks)), (kind, Vec::new()), "{consent}");
    }
    // By its own doing no consent is needed; it is heard.
    let mut own = worse;
    own["party_caused"] = true.into();
    let submission = submission(&correction_json("fi", &own));
    let (_, draft) = dry(&desk(), CaseFile { rulings: vec![found()], ..known() }, &submission, SEPTEMBER);
    assert_eq!((draft.content.kind, failed(&draft.checks)), (DraftKind::Hearing, Vec::new()));
}

#[tokio::test]
async fn a_correction_is_noted_on_the_case_of_the_decision() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (road, number) = decided(&app).await;
        app.now_is(SEPTEMBER);
        let mut json = correction_json("fi", &json!({ "decision_number": number }));
        for key in ["municipality", "received_at"] {
            json.as_object_mut().unwrap().remove(key);
        }
        json["channel"] = "office".into();
        let handler = app.handler().await;
        let receipt = handler.submit(&json).await.expect(201).json;
        app.run_jobs().await;
        let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["route"]["because"], "delegation/corrections/technical-director@2004-01-01");
        assert_eq!(failures(&handler.draft(&case).await), Vec::<String>::new());
        // Nobody else corrects what the director decided.
        let board = app.person(Role::Approver, "Heli Hyvinvointi", Some("wellbeing-director")).await;
        board.approve(&case).await.problem(403, "/problems/beyond-power");
        let done = app.director().await.approve(&case).await.expect(200).json;
        let correction = done["case"]["number"].as_str().unwrap().to_owned();
        assert_eq!(done["case"]["status"], "decided");

        let events = handler.get(&format!("{road}/timeline")).await.expect(200).json;
        let noted: Vec<&Value> =
            events["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "corrected").collect();
        assert_eq!(noted.len(), 1, "{events}");
        assert_eq!(noted[0]["payload"]["correction"], json!(correction));
        let mut browser = signed_in(&app, &handler).await;
        let page = browser.get(&road.replace("/v1/", "/console/")).await;
        assert!(page.html.contains("päätöstä korjattu asiassa") && page.html.contains(&correction), "{}", page.html);
        let original = handler.get(&road).await.expect(200).json;
        assert_eq!(original["status"], "decided", "the decision stands, corrected");
        app.stop().await;
    })
    .await;
}

/// A case file that says that it was withdrawn on 20.4.2026.
pub fn withdrawn(by_party: bool) -> CaseFile {
    let withdrawal = Withdrawal { at: at(NOW), by_party, confirmed: false };
    CaseFile { withdrawal: Some(withdrawal), ..CaseFile::default() }
}

#[test]
fn what_is_withdrawn_is_confirmed_in_writing_and_nothing_is_decided() {
    let swedish = road_with(&json!({"fields": {"language": "sv"}}));
    for (language, desk, submission) in [("fi", (*desk()).clone(), road()), ("sv", bilingual_desk(), swedish)] {
        let (_, draft) = dry(&desk, withdrawn(true), &submission, NOW);
        assert_eq!(failed(&draft.checks), Vec::<String>::new());
        let content = &draft.content;
        assert_eq!(
            (content.kind, content.appeal.kind, content.amount),
            (DraftKind::Withdrawal, AppealKind::None, None)
        );
        assert!(!content.is_decision() && content.part(PartKind::Appeal).is_none() && content.decider.is_none());
        insta::assert_snapshot!(format!("letter-withdrawal-{language}"), content.letter);
    }
    // Whoever noted it for the party says so.
    let (_, draft) = dry(&desk(), withdrawn(false), &road(), NOW);
    assert!(draft.content.letter.contains("Kunta kirjasi 20.4.2026"), "{}", draft.content.letter);
}

#[tokio::test]
async fn a_withdrawn_application_is_closed_at_once_and_confirmed_by_a_person() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let handler = app.handler().await;
        let before = handler.draft(&case).await;
        let done = app.residents().await.post(&format!("{case}/withdraw"), &Value::Null).await.expect(200).json;
        assert_eq!(done["status"], "withdrawn", "closed at once");
        // Nobody grants what was withdrawn, however quick they are.
        let director = app.director().await;
        director.approve_as(&case, &crate::support::app::approval(&before)).await.problem(409, "/problems/final");
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!((&draft["content"]["kind"], failures(&draft)), (&json!("withdrawal"), Vec::new()));
        handler.claim(&case).await.problem(409, "/problems/final");

        // It stands in the queue until somebody has approved the letter.
        let mut browser = signed_in(&app, &director).await;
        let number = handler.get(&case).await.expect(200).json["number"].as_str().unwrap().to_owned();
        assert!(browser.get("/console").await.html.contains(&number));
        let page = browser.get(&case.replace("/v1/", "/console/")).await;
        assert!(page.html.contains("/approve"), "{}", page.html);
        let sent = director.approve(&case).await.expect(200).json;
        assert_eq!(sent["case"]["status"], "withdrawn");
        assert!(!browser.get("/console").await.html.contains(&number));
        director.approve(&case).await.expect(409);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_decided_stands_and_its_handler_sees_that_it_is_withdrawn_after_all() {
    let app = spawn_app().await;
    let (road, number) = decided(&app).await;
    app.residents().await.post(&format!("{road}/withdraw"), &Value::Null).await.expect(409);
    let message = json!({ "text": "Perumme hakemuksemme. Avustusta ei tarvitse maksaa.", "language": "fi" });
    app.residents().await.post(&format!("{road}/messages"), &message).await.expect(201);
    app.run_jobs().await;
    let handler = app.handler().await;
    assert_eq!(
        handler.get(&road).await.expect(200).json["status"],
        "decided",
        "the decision stands until it is changed"
    );
    let mut browser = signed_in(&app, &handler).await;
    let page = browser.get(&road.replace("/v1/", "/console/")).await;
    assert!(page.html.contains("Tätä päätöstä koskee asia"), "{}", page.html);
    let cases = handler.get("/v1/cases").await.expect(200).json;
    let new = cases["items"].as_array().unwrap().iter().find(|case| case["number"] != json!(number)).unwrap();
    let page = browser.get(&format!("/console/cases/{}", new["id"].as_str().unwrap())).await;
    assert!(page.html.contains("Asia koskee päätöstä") && page.html.contains(&number), "{}", page.html);
    app.stop().await;
}

/// The road's application as it is assessed beside earlier cases.
fn beside(earlier: &[Earlier], file: CaseFile) -> (CaseFile, Proposal) {
    let desk = desk();
    let ledger = desk.ledger(earlier).unwrap();
    let at = Circumstances { others: Others::Cases(&ledger), ..circumstances(NOW) };
    desk.dry_run_on(file, &road(), &at).now_or_never().unwrap().unwrap()
}

fn earlier(changes: &Value, outcome: Option<Outcome>) -> Earlier {
    let mut json = road_json();
    merge(&mut json, &json!({ "id": "HRJ/2026/00003", "received_at": "2026-02-10T08:15:00Z" }));
    merge(&mut json, changes);
    Earlier { submission: submission(&json), outcome }
}

#[test]
fn k22_an_account_that_is_another_partys_is_asked_about_before_anything_is_paid() {
    let other = json!({ "fields": { "cooperative_name": "Kivisalon tiekunta", "account_holder": "Kivisalon tiekunta",
        "road_name": "Kivisalontie", "register_unit": "999-2026-K54329", "business_id": null } });
    let (file, draft) = beside(&[earlier(&other, Some(Outcome::Granted))], CaseFile::default());
    assert_eq!(draft.content.kind, DraftKind::Completion, "the payment waits, and the applicant is asked");
    assert_eq!(
        (failed(&draft.checks), file.standing.account_of_others.clone()),
        (vec![], vec!["HRJ/2026/00003".to_owned()])
    );
    let letter = &draft.content.letter;
    assert!(letter.contains("on kunnan tietojen mukaan toisen saajan") && !letter.contains("Kivisalo"), "{letter}");

    // Whoever drafted a grant all the same is stopped, and told which case it is.
    let (_, grant) = dry(&desk(), CaseFile::default(), &road(), NOW);
    assert_eq!(grant.content.kind, DraftKind::Grant);
    let check = |file: &CaseFile| {
        let checks = desk().check(&road(), file, &grant.content, &Preparer::Engine, None, &circumstances(NOW));
        checks.into_iter().find(|check| check.id == CheckId::K22).unwrap()
    };
    let stopped = check(&file);
    assert!(stopped.blocks() && stopped.detail.contains("HRJ/2026/00003"), "{stopped:?}");
    assert!(!stopped.detail.contains("FI21"), "no account stands in a detail");

    // A person has looked: the account is theirs, or they may use it.
    let stated = FactCorrection {
        name: "iban".to_owned(),
        read: None,
        stated: Some(Fact {
            name: "iban".to_owned(),
            value: vireille::cases::Value::Text("FI2112345600000785".to_owned()),
            unit: None,
            evidence: Evidence::Person { actor: "0199f0a2".to_owned(), reason: "Valtuutus saatu.".to_owned() },
        }),
        code: CorrectionReason::PartyTold,
        reason: "Valtuutus saatu.".to_owned(),
        actor: "0199f0a2".to_owned(),
        at: at(NOW),
    };
    let looked = CaseFile { corrections: vec![stated], ..CaseFile::default() };
    let (file, draft) = beside(&[earlier(&other, Some(Outcome::Granted))], looked);
    assert_eq!((draft.content.kind, failed(&draft.checks)), (DraftKind::Grant, Vec::new()));
    assert!(check(&file).detail.contains("confirmed"));

    // The same party in an earlier year, and another account, are no matter.
    for known in [
        json!({ "received_at": "2025-02-10T08:15:00Z" }),
        json!({ "fields": { "cooperative_name": "Kivisalon tiekunta", "business_id": null, "iban": "FI37 1590 3000 0007 76" } }),
    ] {
        let (file, draft) = beside(&[earlier(&known, Some(Outcome::Granted))], CaseFile::default());
        assert!(file.standing.is_clear() && !fails(&draft.checks, CheckId::K22), "{known}");
    }
}

#[test]
fn k22_the_same_party_is_not_paid_for_the_same_thing_twice_in_a_year() {
    let desk = desk();
    let before = |changes: &Value, outcome| beside(&[earlier(changes, outcome)], CaseFile::default());
    // Whichever came first: one is granted.
    for changes in [json!({}), json!({ "received_at": "2026-03-20T08:15:00Z" })] {
        let (file, draft) = before(&changes, Some(Outcome::Granted));
        assert_eq!(file.standing.paid_already, ["HRJ/2026/00003"]);
        let check = draft.checks.iter().find(|check| check.id == CheckId::K22).unwrap();
        assert!(check.blocks() && check.detail.contains("HRJ/2026/00003"), "{check:?}");
        assert_eq!(draft.content.kind, DraftKind::Grant, "the rules are met all the same");
    }
    // Its name is written in another way, and the business id is the same.
    let known = json!({ "fields": { "cooperative_name": "Harjuntien tiekunta" } });
    let (file, _) = before(&known, Some(Outcome::Granted));
    assert_eq!(file.standing.paid_already, ["HRJ/2026/00003"]);

    // A person who has looked says what it is paid for.
    let stated = FactCorrection {
        name: "register_unit".to_owned(),
        read: None,
        stated: Some(Fact {
            name: "register_unit".to_owned(),
            value: vireille::cases::Value::Text("999-2019-K101".to_owned()),
            unit: None,
            evidence: Evidence::Person {
                actor: "0199f0a2".to_owned(),
                reason: "Tiekunnalla on kaksi tietä.".to_owned(),
            },
        }),
        code: CorrectionReason::PartyTold,
        reason: "Tiekunnalla on kaksi tietä.".to_owned(),
        actor: "0199f0a2".to_owned(),
        at: at(NOW),
    };
    let looked = CaseFile { corrections: vec![stated], ..CaseFile::default() };
    let (_, draft) = beside(&[earlier(&json!({}), Some(Outcome::Granted))], looked);
    assert!(!fails(&draft.checks, CheckId::K22));

    // Another year, another road, another purpose, a refusal, and what nobody has decided are no matter.
    for (changes, outcome) in [
        (json!({ "received_at": "2025-12-31T21:59:59Z" }), Some(Outcome::Granted)),
        (json!({ "fields": { "register_unit": "999-2019-K102" } }), Some(Outcome::Granted)),
        (json!({ "fields": { "grant_type": "improvement" } }), Some(Outcome::Granted)),
        (json!({}), Some(Outcome::Rejected)),
        (json!({}), None),
    ] {
        let (file, draft) = before(&changes, outcome);
        assert!(file.standing.is_clear() && !fails(&draft.checks, CheckId::K22), "{changes} {outcome:?}");
    }
    // Where no file says what is paid once, nobody looks.
    let mut unasked = (*desk).clone();
    let mut rulebook = (*unasked.rulebook).clone();
    rulebook.pack.services.get_mut(&"private-road-grant".parse().unwrap()).unwrap().paid_once = None;
    unasked.rulebook = Arc::new(rulebook);
    let ledger = unasked.ledger(&[earlier(&json!({}), Some(Outcome::Granted))]).unwrap();
    let at = Circumstances { others: Others::Cases(&ledger), ..circumstances(NOW) };
    let (file, _) = unasked.dry_run_on(CaseFile::default(), &road(), &at).now_or_never().unwrap().unwrap();
    assert!(file.standing.is_clear());
}

#[test]
fn k23_what_is_recovered_from_the_party_is_shown_and_refuses_nothing() {
    let mut json = recovery_json("fi");
    merge(
        &mut json,
        &json!({ "id": "HRJ/2026/00009", "received_at": "2026-02-10T08:15:00Z", "fields": { "recipient": "HARJUN tiekunta" } }),
    );
    let open = |outcome| Earlier { submission: submission(&json), outcome };
    for outcome in [Some(Outcome::Granted), None] {
        let (file, draft) = beside(&[open(outcome)], CaseFile::default());
        assert_eq!(file.standing.recoveries, ["HRJ/2026/00009"]);
        assert_eq!(draft.content.kind, DraftKind::Grant, "it is no ground to refuse");
        let check = draft.checks.iter().find(|check| check.id == CheckId::K23).unwrap();
        assert!(!check.blocks() && fails(&draft.checks, CheckId::K23) && check.detail.contains("HRJ/2026/00009"));
    }
    // What was not recovered after all, and what is recovered from others, is not shown.
    let mut theirs = json.clone();
    merge(&mut theirs, &json!({ "fields": { "recipient": "Kivisalon tiekunta" } }));
    let others = Earlier { submission: submission(&theirs), outcome: Some(Outcome::Granted) };
    for earlier in [open(Some(Outcome::Rejected)), others] {
        let (file, draft) = beside(&[earlier], CaseFile::default());
        assert!(file.standing.is_clear() && !fails(&draft.checks, CheckId::K23));
    }
}

#[tokio::test]
async fn an_account_of_another_that_came_first_stops_the_approval() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        decided(&app).await;
        app.now_is("2026-04-10T09:00:00Z");
        let mut other = web_road();
        merge(&mut other, &json!({ "id": "other", "fields": { "cooperative_name": "Kivisalon tiekunta",
            "account_holder": "Kivisalon tiekunta", "road_name": "Kivisalontie", "register_unit": "999-2026-K54329",
            "business_id": null } }));
        let case = app.drafted(&other).await;
        let handler = app.handler().await;
        let first = handler.draft(&case).await;
        assert_eq!(first["content"]["kind"], "completion", "{first}");
        handler.claim(&case).await.expect(200);
        let fact = json!({ "name": "iban", "value": "FI21 1234 5600 0007 85", "code": "party-told", "reason": "Valtuutus saatu." });
        handler.post(&format!("{case}/facts"), &json!({ "facts": [fact] })).await.expect(200);
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!((&draft["content"]["kind"], failures(&draft)), (&json!("grant"), Vec::new()));
        app.director().await.approve(&case).await.expect(200);
        app.stop().await;
    })
    .await;
}

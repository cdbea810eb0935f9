//! Kinds of letters that are neither a plain decision on an application nor an answer to a notice: hearing, the answer to a
//! document request, and the decision on a claim for revision.

use std::fs;
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Value, json};
use vireille::cases::{
    AppealKind, CaseFile, Check, CheckId, CheckResult, CorrectionReason, DraftContent, DraftKind, Evidence, Fact,
    FactCorrection, Hearing, PartKind, Preparer, Role, RuleOutcome, Ruling, Submission,
};
use vireille::policy::Rulebook;
use vireille::triage::{Desk, Proposal};

use crate::pages::signed_in;
use crate::support::app::{Caller, TestApp, spawn_app};
use crate::support::database::on_every_database;
use crate::support::desk::*;

pub fn failed(checks: &[Check]) -> Vec<String> {
    let failed = checks.iter().filter(|check| check.result == CheckResult::Fail);
    failed.map(|check| format!("{}: {}", check.id, check.detail)).collect()
}

pub fn fails(checks: &[Check], id: CheckId) -> bool {
    checks.iter().any(|check| check.id == id && check.result == CheckResult::Fail)
}

pub fn dry(desk: &Desk, file: CaseFile, submission: &Submission, now: &str) -> (CaseFile, Proposal) {
    desk.dry_run_on(file, submission, &circumstances(now)).now_or_never().unwrap().unwrap()
}

/// That somebody saw a closed gate on the road.
pub fn gate(code: CorrectionReason) -> CaseFile {
    let evidence = Evidence::Person { actor: "0199f0a2".to_owned(), reason: "Kuvassa on puomi.".to_owned() };
    let fact =
        Fact { name: "open_to_others".to_owned(), value: vireille::cases::Value::Flag(false), unit: None, evidence };
    let correction = FactCorrection {
        name: fact.name.clone(),
        read: None,
        stated: Some(fact),
        code,
        reason: "Kuvassa on puomi.".to_owned(),
        actor: "0199f0a2".to_owned(),
        at: at(NOW),
    };
    CaseFile { corrections: vec![correction], ..CaseFile::default() }
}

async fn see_the_gate(handler: &Caller, case: &str) {
    let fact = json!({ "name": "open_to_others", "value": false, "code": "measured", "reason": "Kuvassa on puomi." });
    handler.claim(case).await.expect(200);
    handler.post(&format!("{case}/facts"), &json!({ "facts": [fact] })).await.expect(200);
}

#[test]
fn what_others_saw_is_heard_before_anything_is_refused() {
    let (file, proposal) = dry(&desk(), gate(CorrectionReason::Measured), &road(), NOW);
    assert_eq!(failed(&proposal.checks), Vec::<String>::new());
    assert_eq!(proposal.content.kind, DraftKind::Hearing);
    assert!(!proposal.content.is_decision() && proposal.content.appeal.kind == AppealKind::None);
    assert_eq!(file.adverse(false).len(), 1);
    insta::assert_snapshot!("letter-hearing-fi", proposal.content.letter);

    let swedish = road_with(&json!({"fields": {"language": "sv"}}));
    let (_, proposal) = dry(&bilingual_desk(), gate(CorrectionReason::Measured), &swedish, NOW);
    assert_eq!(failed(&proposal.checks), Vec::<String>::new());
    insta::assert_snapshot!("letter-hearing-sv", proposal.content.letter);

    // What the party says of itself needs no hearing.
    for (file, submission) in [
        (gate(CorrectionReason::PartyTold), road()),
        (CaseFile::default(), road_with(&json!({"fields": {"open_to_others": false}}))),
    ] {
        let (_, proposal) = dry(&desk(), file, &submission, NOW);
        assert_eq!(proposal.content.kind, DraftKind::Rejection);
        assert_eq!(failed(&proposal.checks), Vec::<String>::new());
    }
}

#[test]
fn k11_catches_what_was_not_heard_and_a_letter_that_hears_on_nothing() {
    let desk = desk();
    let heard = Hearing {
        order: None,
        facts: [("open_to_others".to_owned(), "false".to_owned())].into(),
        until: "2026-04-10".parse().unwrap(),
        answered: None,
    };
    let file = CaseFile { hearings: vec![heard.clone()], ..gate(CorrectionReason::Measured) };
    let (file, rejection) = dry(&desk, file, &road(), NOW);
    assert_eq!(failed(&rejection.checks), Vec::<String>::new());
    assert_eq!(rejection.content.kind, DraftKind::Rejection);
    assert!(rejection.content.part(PartKind::Hearing).unwrap().text.contains("Vastausta ei saapunut"));
    let check = |file: &CaseFile, content: &DraftContent| {
        desk.check(&road(), file, content, &Preparer::Engine, None, &circumstances(NOW))
    };
    for spoilt in [
        // Nobody was asked; they still have time; another value was heard.
        Vec::new(),
        vec![Hearing { until: "2026-04-30".parse().unwrap(), ..heard.clone() }],
        vec![Hearing { facts: [("open_to_others".to_owned(), "true".to_owned())].into(), ..heard }],
    ] {
        let spoilt = CaseFile { hearings: spoilt, ..file.clone() };
        assert!(fails(&check(&spoilt, &rejection.content), CheckId::K11));
    }
    // Recovery is never decided unheard, whatever it rests on.
    let recovery = DraftContent { kind: DraftKind::Recovery, ..rejection.content.clone() };
    assert!(!fails(&check(&file, &recovery), CheckId::K11));
    assert!(fails(&check(&CaseFile { hearings: Vec::new(), ..file }, &recovery), CheckId::K11));

    let (file, letter) = dry(&desk, gate(CorrectionReason::Measured), &road(), NOW);
    for spoil in [
        (|content| content.deadline = None) as fn(&mut DraftContent),
        |content| content.deadline = Some("2026-04-27".parse().unwrap()),
        |content| content.parts.retain(|part| part.kind != PartKind::Questions),
        |content| {
            let part = content.parts.iter_mut().find(|part| part.kind == PartKind::Questions).unwrap();
            "– Muu seikka.".clone_into(&mut part.text);
        },
    ] {
        let mut content = letter.content.clone();
        spoil(&mut content);
        assert!(fails(&check(&file, &content), CheckId::K11));
    }
}

#[tokio::test]
async fn a_closed_gate_is_heard_and_then_decided() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let handler = app.handler().await;
        see_the_gate(&handler, &case).await;
        app.run_jobs().await;
        let letter = handler.draft(&case).await;
        assert_eq!(
            (&letter["content"]["kind"], &letter["content"]["deadline"]),
            (&json!("hearing"), &json!("2026-05-11"))
        );
        let sent = app.director().await.approve(&case).await.expect(200).json;
        assert_eq!(sent["case"]["status"], "awaiting-completion");
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["hearings"][0]["facts"], json!({ "open_to_others": "false" }));

        let answer = json!({ "id": "answer", "text": "Puomi on lukossa vain kelirikon aikana." });
        app.residents().await.post(&format!("{case}/supplements"), &answer).await.expect(201);
        app.run_jobs().await;
        let page = handler.get(&case).await.expect(200).json;
        assert!(page["hearings"][0]["answered"].is_string(), "{page}");
        assert_eq!(page["draft"]["content"]["kind"], "rejection");
        let letter = page["draft"]["content"]["letter"].as_str().unwrap();
        assert!(letter.contains("Vastaus saapui 20.4.2026"), "{letter}");
        // Who corrected the fact has prepared; another decides.
        let decided = app.director().await.approve(&case).await.expect(200).json;
        assert_eq!(decided["case"]["status"], "decided");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_person_orders_a_hearing_and_goes_on_without_an_answer() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let case = app.drafted(&web_road()).await;
        let handler = app.handler().await;
        let order =
            json!({ "about": "Naapurin mukaan tie on suljettu puomilla.", "documents": ["Naapurin kirje 12.3.2026"] });
        let hear = format!("{case}/hear");
        handler.post(&hear, &order).await.problem(409, "/problems/not-claimed");
        handler.claim(&case).await.expect(200);
        let bad = json!({ "about": "Puomi.", "documents": ["a\nb"] });
        assert_eq!(
            handler.post(&hear, &bad).await.problem(422, "/problems/invalid")["errors"][0]["pointer"],
            "/documents/0"
        );
        handler.post(&hear, &order).await.expect(200);
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        let failed: Vec<&Value> =
            draft["checks"].as_array().unwrap().iter().filter(|check| check["result"] == "fail").collect();
        assert!(failed.is_empty(), "{failed:?}");
        let letter = draft["content"]["letter"].as_str().unwrap();
        assert!(letter.contains("Naapurin mukaan") && letter.contains("– Naapurin kirje 12.3.2026"), "{letter}");
        app.director().await.approve(&case).await.expect(200);

        handler.claim(&case).await.expect(200);
        let resume = format!("{case}/resume");
        handler.post(&resume, &json!({})).await.problem(422, "/problems/invalid");
        app.now_is("2026-05-12T06:00:00Z");
        handler.claim(&case).await.expect(200);
        handler.post(&resume, &json!({})).await.expect(200);
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!(draft["content"]["kind"], "grant", "nothing that was heard changed a fact");
        let letter = draft["content"]["letter"].as_str().unwrap();
        assert!(letter.contains("Määräaika oli 11.5.2026.\nVastausta ei saapunut"), "{letter}");
        handler.post(&resume, &json!({})).await.problem(422, "/problems/invalid");
        app.director().await.approve(&case).await.expect(200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_party_is_heard_from_the_page() {
    let app = spawn_app().await;
    let case = app.drafted(&web_road()).await;
    let page = case.replace("/v1/", "/console/");
    let handler = app.handler().await;
    let mut browser = signed_in(&app, &handler).await;
    handler.claim(&case).await.expect(200);
    let names = (0..21).map(|n| format!("Liite {n}")).collect::<Vec<_>>().join("\n");
    let form = [("hear_about", "Puomi on suljettu."), ("hear_documents", names.as_str())];
    let refused = browser.post(&format!("{page}/hear"), &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.html.contains("Kirjoita enintään 20 asiakirjan nimet"), "{}", refused.html);
    assert!(refused.html.contains("Liite 20"), "what was typed stays");
    browser.post(&format!("{page}/hear"), &[("hear_about", "Puomi on suljettu."), ("hear_documents", "Kuva\n")]).await;
    app.run_jobs().await;
    let drafted = browser.get(&page).await;
    assert!(drafted.html.contains("Kuuleminen") && drafted.html.contains("– Kuva"), "{}", drafted.html);
    app.director().await.approve(&case).await.expect(200);
    app.now_is("2026-05-12T06:00:00Z");
    let mut browser = signed_in(&app, &handler).await;
    handler.claim(&case).await.expect(200);
    let over = browser.get(&page).await;
    assert!(over.html.contains("Vastausaika on päättynyt"), "{}", over.html);
    browser.post(&format!("{page}/resume"), &[]).await;
    app.run_jobs().await;
    assert_eq!(handler.draft(&case).await["content"]["kind"], "grant");
    app.stop().await;
}

pub fn claim(number: Option<&str>) -> Value {
    let fields = json!({ "decision_number": number, "claimant": "party", "notice_channel": "electronic", "language": "fi",
        "demand": "Vaadimme, että avustus lasketaan koko tien pituudelta.", "grounds": "Tie on läpikulkutie.",
        "name": "Harjun tiekunta", "email": "tiekunta@harjuntie.example" });
    json!({ "id": "claim", "service": "claim-for-revision", "fields": fields })
}

/// A grant that the technical director made on 20.4.2026; gives its path and number.
pub async fn decided(app: &TestApp) -> (String, String) {
    let case = app.drafted(&web_road()).await;
    app.director().await.approve(&case).await.expect(200);
    let number = app.handler().await.get(&case).await.expect(200).json["number"].as_str().unwrap().to_owned();
    (case, number)
}

pub async fn rule(handler: &Caller, case: &str, rule: &str, outcome: &str, reason: &str) {
    handler.claim(case).await.expect(200);
    let ruling = json!({ "rule": rule, "outcome": outcome, "reason": reason });
    handler.post(&format!("{case}/rulings"), &json!({ "rulings": [ruling] })).await.expect(200);
}

pub fn failures(draft: &Value) -> Vec<String> {
    let checks = draft["checks"].as_array().unwrap().iter().filter(|check| check["result"] == "fail");
    checks.map(|check| format!("{}: {}", check["id"], check["detail"])).collect()
}

#[tokio::test]
async fn a_claim_for_revision_goes_to_the_body_over_the_decider() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (road, number) = decided(&app).await;
        app.now_is("2026-05-07T09:00:00Z");
        let receipt = app.residents().await.submit(&claim(Some(&number))).await.expect(201).json;
        app.run_jobs().await;
        let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
        let handler = app.handler().await;
        let page = handler.get(&case).await.expect(200).json;
        let about = &page["about"];
        assert_eq!(
            (&about["case"]["number"], &about["decider"], &about["body"]),
            (&json!(number), &json!("technical-director"), &json!("technical-board"))
        );
        assert_eq!(page["route"]["decider"], "technical-board");
        assert_eq!(page["route"]["because"], "delegation/claims/technical-board@2015-05-01");
        let fact = |name: &str| {
            page["facts"].as_array().unwrap().iter().find(|fact| fact["name"] == name).unwrap()["value"].clone()
        };
        // An electronic notice of 20.4. is known on 23.4.; the last day is 7.5.
        assert_eq!((fact("claim_until"), fact("claim_date")), (json!("2026-05-07"), json!("2026-05-07")));
        assert_eq!(page["draft"]["content"]["kind"], "claim-decision");
        let draft = handler.draft(&case).await;
        assert!(failures(&draft).iter().all(|failed| failed.contains("K06")), "the body considers it first");

        rule(&handler, &case, "merits", "not_met", "Tie ei ole läpikulkutie, koska se päättyy Harjuntien päähän.")
            .await;
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!(failures(&draft), Vec::<String>::new());
        assert_eq!(
            (&draft["content"]["appeal"]["kind"], &draft["content"]["appeal"]["days"]),
            (&json!("B"), &json!(30))
        );
        assert_eq!(draft["content"]["appeal"]["addressee"], "Järvi-Harjun hallinto-oikeus");
        let letter = draft["content"]["letter"].as_str().unwrap();
        insta::assert_snapshot!("letter-claim-rejected-fi", letter);
        // The director decided what is claimed against; the board decides the claim.
        app.director().await.approve(&case).await.problem(403, "/problems/beyond-power");
        let board = app.person(Role::Approver, "Teija Sihteeri", Some("technical-board")).await;
        let done = board.approve(&case).await.expect(200).json;
        assert_eq!(
            (&done["case"]["status"], &done["decision"]["authority"]),
            (&json!("decided"), &json!("delegation/claims/technical-board@2015-05-01"))
        );

        // Both pages name the other case.
        let mut browser = signed_in(&app, &handler).await;
        let one = browser.get(&road.replace("/v1/", "/console/")).await;
        assert!(one.html.contains("Tästä päätöksestä on tehty oikaisuvaatimus"), "{}", one.html);
        let other = browser.get(&case.replace("/v1/", "/console/")).await;
        assert!(
            other.html.contains(&number) && other.html.contains("Vaatimuksen ratkaisee tekninen lautakunta"),
            "{}",
            other.html
        );
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_late_claim_is_found_inadmissible_by_a_person() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let (_, number) = decided(&app).await;
        app.now_is("2026-05-08T09:00:00Z");
        let receipt = app.residents().await.submit(&claim(None)).await.expect(201).json;
        app.run_jobs().await;
        let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
        let handler = app.handler().await;
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!((&page["about"], &page["draft"]["content"]["kind"]), (&Value::Null, &json!("completion")));
        let mut browser = signed_in(&app, &handler).await;
        let console = case.replace("/v1/", "/console/");
        let refused = browser.post(&format!("{console}/link"), &[("number", "HRJ/2026/09999")]).await;
        assert_eq!(refused.status, 422);
        assert!(refused.html.contains("Tällä numerolla ei ole päätöstä") && refused.html.contains("HRJ/2026/09999"));
        handler.post(&format!("{case}/link"), &json!({ "number": number })).await.expect(200);
        app.run_jobs().await;
        let page = handler.get(&case).await.expect(200).json;
        assert_eq!(page["draft"]["content"]["kind"], "claim-decision", "{page}");
        rule(&handler, &case, "in-time", "not_met", "Päätös annettiin tiedoksi sähköisesti 20.4.2026.").await;
        app.run_jobs().await;
        let draft = handler.draft(&case).await;
        assert_eq!(failures(&draft), Vec::<String>::new(), "nobody rules on the merits of what is not examined");
        let letter = draft["content"]["letter"].as_str().unwrap();
        assert!(letter.contains("Oikaisuvaatimus jätetään tutkimatta."), "{letter}");
        let board = app.person(Role::Approver, "Teija Sihteeri", Some("technical-board")).await;
        board.approve(&case).await.expect(200);
        app.stop().await;
    })
    .await;
}

#[test]
fn a_claim_in_swedish_is_decided_in_swedish() {
    let desk = bilingual_desk();
    let about = vireille::cases::About {
        case: vireille::cases::CaseRef {
            id: "0199f0a2-0000-7000-8000-000000000001".parse().unwrap(),
            number: "HRJ/2026/00007".to_owned(),
        },
        service: None,
        kind: DraftKind::Grant,
        decided_on: "2026-04-10".parse().unwrap(),
        amount: None,
        party: None,
        decider: Some("technical-director".parse().unwrap()),
        body: Some("technical-board".parse().unwrap()),
        people: Vec::new(),
    };
    let ruling = Ruling {
        rule: "merits".parse().unwrap(),
        outcome: RuleOutcome::Met,
        reason: "Vägens längd räknades fel.".to_owned(),
        actor: "0199f0a2".to_owned(),
    };
    let mut json = claim(Some("HRJ/2026/00007"));
    merge(
        &mut json,
        &json!({ "municipality": "harjuvesi", "received_at": "2026-04-20T08:00:00Z", "fields": {
        "language": "sv", "demand": "Vi kräver att understödet räknas enligt hela vägen.", "grounds": "Längden är fel." } }),
    );
    let file = CaseFile { about: Some(Box::new(about)), rulings: vec![ruling], ..CaseFile::default() };
    let (_, proposal) = dry(&desk, file, &submission(&json), NOW);
    assert_eq!(failed(&proposal.checks), Vec::<String>::new());
    insta::assert_snapshot!("letter-claim-accepted-sv", proposal.content.letter);
}

/// A pack whose service answers document requests.
pub fn archive() -> (tempfile::TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&policies(), folder.path());
    for (name, text) in [
        ("services/archive-search.yaml", include_str!("../fixtures/archive-search/service.yaml")),
        ("policies/archive-search@2024-01-01.fi.md", include_str!("../fixtures/archive-search/policy.fi.md")),
        ("policies/archive-search@2024-01-01.sv.md", include_str!("../fixtures/archive-search/policy.sv.md")),
    ] {
        let file = folder.path().join("harjuvesi").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let rulebook =
        Rulebook::load(folder.path(), &"harjuvesi".parse().unwrap()).unwrap_or_else(|faults| panic!("{faults}"));
    let desk = Desk { rulebook: Arc::new(rulebook), ..(*desk()).clone() };
    (folder, desk)
}

pub fn request(fields: &Value) -> Submission {
    let mut json = json!({ "municipality": "harjuvesi", "service": "archive-search",
        "received_at": "2026-04-16T08:00:00Z", "fields": { "requested": "Lautakunnan pöytäkirja", "language": "fi" } });
    merge(&mut json["fields"], fields);
    submission(&json)
}

#[test]
fn a_document_request_is_answered_and_only_a_refusal_can_be_appealed() {
    let (_folder, desk) = archive();
    let mut bilingual = (*desk.rulebook).clone();
    bilingual.pack.municipality.languages = vec![vireille::cases::Language::Fi, vireille::cases::Language::Sv];
    let bilingual = Desk { rulebook: Arc::new(bilingual), ..desk.clone() };
    for (name, fields, decides, amount) in [
        ("given", json!({ "exists": true, "secrecy": "none", "pages": 10 }), false, Some("6.00")),
        ("partial", json!({ "exists": true, "secrecy": "part", "pages": 4 }), true, Some("2.40")),
        ("refused", json!({ "exists": true, "secrecy": "whole", "pages": 0 }), true, None),
        ("absent", json!({ "exists": false, "secrecy": "none", "pages": 0 }), false, None),
    ] {
        for language in ["fi", "sv"] {
            let mut fields = fields.clone();
            fields["language"] = language.into();
            let submission = request(&fields);
            let (file, proposal) = dry(&bilingual, CaseFile::default(), &submission, NOW);
            assert_eq!(failed(&proposal.checks), Vec::<String>::new(), "{name} {language}");
            let content = &proposal.content;
            assert_eq!(content.kind, DraftKind::DocumentAnswer);
            assert_eq!((content.is_decision(), content.refuses), (decides, decides), "{name}");
            assert_eq!(content.amount.map(|amount| amount.to_string()).as_deref(), amount, "{name}");
            assert_eq!(content.appeal.kind, if decides { AppealKind::C } else { AppealKind::None }, "{name}");
            assert_eq!(content.appeal.addressee.is_some(), decides, "{name}");
            assert_eq!(content.decider.as_ref().unwrap().id.as_str(), "chief-of-administration");
            insta::assert_snapshot!(format!("letter-document-{name}-{language}"), content.letter);

            // A refusal without instructions for appeal, and an answer that carries some, are both caught.
            let check = |content: &DraftContent| {
                bilingual.check(&submission, &file, content, &Preparer::Engine, None, &circumstances(NOW))
            };
            let other = DraftContent { refuses: !content.refuses, ..content.clone() };
            assert!(fails(&check(&other), CheckId::K07), "{name}");
            let mut other = content.clone();
            other.appeal.kind = if decides { AppealKind::None } else { AppealKind::C };
            assert!(fails(&check(&other), if decides { CheckId::K07 } else { CheckId::K08 }), "{name}");
            let mut other = content.clone();
            let operative = other.parts.iter_mut().find(|part| part.kind == PartKind::Operative).unwrap();
            operative.text.push_str("\nLisäksi saatte kaiken muun.");
            assert!(fails(&check(&other), CheckId::K01), "{name}");
        }
    }
}

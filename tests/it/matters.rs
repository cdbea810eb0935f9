//! Matters that come through another door, and several in one message: each finds who deals with it, and nothing is torn
//! apart that belongs together.

use std::time::Duration;

use futures::FutureExt as _;
use serde_json::{Value, json};
use vireille::cases::{CaseFile, CaseRef, DraftKind, Flag, Matter, Owner, Role, Submission, Urgency};
use vireille::triage::Proposal;

use crate::support::app::{Caller, TestApp, approval};
use crate::support::database::on_every_database;
use crate::support::desk::*;

/// Every case that a submission becomes, the first one first.
fn all_of(submission: &Submission) -> Vec<(CaseFile, Proposal)> {
    let (file, proposal) = triage(submission);
    let first =
        CaseRef { id: "0199f0a2-0000-7000-8000-000000000001".parse().unwrap(), number: "HRJ/2026/00001".into() };
    let desk = desk();
    let mut all = Vec::new();
    for (part, submission) in desk.parts(&first, submission, &file) {
        let at = circumstances(NOW);
        let done = desk.dry_run_on(part, &submission, &at).now_or_never();
        all.push(done.expect("nobody slow is asked at an offline desk").unwrap());
    }
    all.insert(0, (file, proposal));
    all
}

fn labels(cases: &[(CaseFile, Proposal)]) -> Vec<&str> {
    cases.iter().map(|(file, _)| file.classification.as_ref().unwrap().label.as_str()).collect()
}

fn matter(file: &CaseFile) -> Matter {
    file.classification.as_ref().unwrap().matter
}

fn decider(file: &CaseFile) -> String {
    file.route.as_ref().unwrap().decider.as_ref().map(ToString::to_string).unwrap_or_default()
}

fn failed(proposal: &Proposal) -> Vec<String> {
    let blocking = proposal.checks.iter().filter(|check| check.blocks());
    blocking.map(|check| format!("{} {}", check.id, check.detail)).collect()
}

const RIM: &str =
    "Ajoin kuoppaan Koulukadulla ja autoni vanne hajosi. Katu on täynnä kuoppia. Vaadin kunnalta 340 euroa korvausta.";

/// H44.
#[test]
fn a_pothole_that_broke_a_rim_is_a_hole_to_be_filled_and_a_claim() {
    let cases = all_of(&message(RIM));
    assert_eq!(labels(&cases), ["damage-claim", "RD1"]);
    let (claim, letter) = &cases[0];
    assert!(claim.flags.contains(&Flag::MultipleMatters) && claim.flags.contains(&Flag::DamageClaim));
    assert!(claim.reading.as_ref().unwrap().message().contains("340"), "the claim keeps all that happened");
    let text = &letter.content.letter;
    assert!(text.contains("22.6.2026"), "sixty days from 20.4.2026 end on the eve of midsummer: {text}");
    assert!(text.contains("yksityisoikeudellinen") && !text.contains("Oikaisuvaatimusohje"), "{text}");
    assert_eq!(letter.content.work_order, None);
    let (hole, order) = &cases[1];
    assert!(!hole.flags.contains(&Flag::MultipleMatters));
    assert!(order.content.work_order.as_ref().unwrap().contains("Kuoppa"));
    assert!(!hole.reading.as_ref().unwrap().message().contains("korvausta"), "the hole reads its own words");
    for (_, proposal) in &cases {
        assert_eq!(failed(proposal), Vec::<String>::new());
    }
}

/// H37 and H33, and what is no second matter.
#[test]
fn a_matter_in_the_free_text_of_another_is_found_and_what_belongs_together_is_not_torn() {
    let request = "Kirjaston uusi näyttely oli hieno, kiitos siitä. Pyydän jäljennöksen tiepäätöksen asiakirjoista.";
    let cases = all_of(&message(request));
    assert!(labels(&cases).contains(&"document-request"), "{:?}", labels(&cases));
    for together in [
        "Katuvalo on pimeänä Mäntytie 5:n kohdalla. Milloin se korjataan?",
        "Tiessä on iso kuoppa koulun kohdalla. Voisitteko paikata sen pian? Kiitos!",
        "Kiitos hyvästä palvelusta. Kirjastossa oli mukava käydä.",
        "Teen kuntalaisaloitteen uudesta pyörätiestä koululle. Se parantaisi lasten turvallisuutta.",
    ] {
        let cases = all_of(&message(together));
        assert_eq!(cases.len(), 1, "{together}: {:?}", labels(&cases));
        assert!(!cases[0].0.flags.contains(&Flag::MultipleMatters), "{together}");
    }
}

/// Faults that different people mend are different matters; those that one unit mends are one order.
#[test]
fn faults_of_different_owners_are_split_and_those_of_one_are_not() {
    let two = all_of(&message("Katuvalo on pimeänä Koulukadulla. Jäteastiaamme ei ole tyhjennetty kolmeen viikkoon."));
    let owners: Vec<Owner> = two.iter().map(|(file, _)| file.route.as_ref().unwrap().owner).collect();
    assert_eq!(owners, [Owner::Municipality, Owner::WasteCompany], "{:?}", labels(&two));
    let one = all_of(&message("Katuvalo on pimeänä Koulukadulla. Kadussa on myös syvä kuoppa."));
    assert_eq!(one.len(), 1, "{:?}", labels(&one));
}

/// H63.
#[test]
fn a_cry_for_help_in_a_grant_form_is_a_case_of_its_own_and_gets_the_card_alone() {
    let cases = all_of(&road_with(&json!({ "fields": { "description": "En jaksa enää, haluan kuolla." } })));
    assert_eq!(labels(&cases), ["private-road-grant", "self-harm"]);
    assert!(cases[0].0.flags.contains(&Flag::SelfHarm));
    let (file, proposal) = &cases[1];
    assert!(file.flags.contains(&Flag::SelfHarm) && file.flags.contains(&Flag::Emergency));
    let titles: Vec<_> = proposal.content.parts.iter().filter_map(|part| part.title.as_deref()).collect();
    assert_eq!(titles, ["Teitä autetaan nyt", "Lisätietoja"], "the card, and how a person is reached");
    assert!(proposal.content.letter.contains("09 2525 0111"));
    assert_eq!(file.route.as_ref().unwrap().owner, Owner::Municipality);
    // Look-alikes alarm nobody.
    let (file, _) = triage(&message("Kuolen nauruun, kun katson tuota uutta liikennemerkkiä."));
    assert!(!file.flags.contains(&Flag::SelfHarm) && !file.flags.contains(&Flag::Emergency));
}

/// H64.
#[test]
fn a_threat_goes_to_the_manager_who_weighs_a_report_to_the_police() {
    let (file, proposal) = triage(&message("Tiedän missä asut, tapan sinut."));
    assert_eq!((matter(&file), decider(&file).as_str()), (Matter::Threat, "municipal-manager"));
    let route = file.route.as_ref().unwrap();
    assert_eq!((route.owner, route.authority.as_str()), (Owner::Police, "police"));
    assert_eq!((file.urgency, file.flags.contains(&Flag::Threat)), (Some(Urgency::U0), true));
    let order = proposal.content.work_order.as_ref().unwrap();
    assert!(order.contains("040 000 0015") && order.contains("ei poisteta"), "{order}");
    let letter = &proposal.content.letter;
    assert!(letter.contains("ottaa uhkaavat viestit vakavasti") && !letter.contains("tapan"), "{letter}");
    assert_eq!(failed(&proposal), Vec::<String>::new());
}

/// H69.
#[test]
fn an_application_for_a_road_elsewhere_is_transferred_with_a_word_on_the_open_window() {
    let elsewhere = road_with(&json!({ "fields": { "road_name": "Koivurannantie" } }));
    let (_, open) = triage_on(&desk(), &elsewhere, "2026-03-12T08:00:00Z");
    assert_eq!((open.content.kind, open.content.recipient.as_deref()), (DraftKind::Transfer, Some("koivulahti")));
    assert!(open.content.letter.contains("Hakuaikamme on auki vielä"), "{}", open.content.letter);
    let (_, closed) = triage(&elsewhere);
    assert!(!closed.content.letter.contains("Hakuaikamme on auki"), "{}", closed.content.letter);
    for proposal in [open, closed] {
        assert_eq!(failed(&proposal), Vec::<String>::new());
    }
}

/// H70.
#[test]
fn home_care_is_pointed_to_the_wellbeing_county_and_little_is_kept() {
    let (file, proposal) = triage(&message("Haluan hakea kotihoidon tukea ja omaishoitoa äidilleni."));
    let route = file.route.as_ref().unwrap();
    assert_eq!((route.owner, route.authority.as_str()), (Owner::WellbeingCounty, "wellbeing-county"));
    assert_eq!(route.because, "task/social-and-health");
    let letter = &proposal.content.letter;
    assert!(letter.contains("Järvi-Harjun hyvinvointialue") && letter.contains("040 000 0014"), "{letter}");
    assert!(!letter.contains("äidilleni"), "what is told of somebody's health is not repeated: {letter}");
    let desk = desk();
    let service = desk.rulebook.pack.service(&"other-authority".parse().unwrap()).unwrap();
    assert_eq!(service.records.retention_years, 1);
    assert_eq!(failed(&proposal), Vec::<String>::new());
}

/// H71.
#[test]
fn a_question_on_a_building_permit_in_a_road_form_goes_to_building_control() {
    let cases = all_of(&road_with(
        &json!({ "fields": { "description": "Samalla kysyn: tarvitsenko rakennusluvan autokatokselle?" } }),
    ));
    assert_eq!(labels(&cases), ["private-road-grant", "question"]);
    assert_eq!(cases[0].1.content.kind, DraftKind::Grant);
    let (file, proposal) = &cases[1];
    let route = file.route.as_ref().unwrap();
    assert_eq!((decider(file).as_str(), route.because.as_str()), ("building-inspector", "task/building-control"));
    assert_eq!(route.department.as_ref().unwrap().as_str(), "technical");
    assert_eq!(failed(proposal), Vec::<String>::new());
}

/// H41 and H42.
#[test]
fn own_data_and_complaints_reach_those_who_may_handle_them() {
    let (file, proposal) = triage(&message("Haluan tietää, mitä henkilötietoja kunnalla on minusta."));
    assert_eq!((matter(&file), decider(&file).as_str()), (Matter::DataSubjectRequest, "chief-of-administration"));
    let letter = &proposal.content.letter;
    assert!(letter.contains("henkilöllisyytenne") && letter.contains("20.5.2026"), "{letter}");
    assert_eq!(failed(&proposal), Vec::<String>::new());

    let (file, proposal) = triage(&message("Kantelen katumestarin menettelystä, hän oli puolueellinen ja töykeä."));
    assert_eq!((matter(&file), decider(&file).as_str()), (Matter::Complaint, "chief-of-administration"));
    assert!(proposal.content.letter.contains("oikeusasiamiehelle"));
    assert_eq!(failed(&proposal), Vec::<String>::new());
    let (file, _) = triage(&message("Kantelen hallintojohtajan menettelystä, hän oli puolueellinen."));
    assert_eq!((matter(&file), decider(&file).as_str()), (Matter::Complaint, "municipal-manager"), "not to themselves");
}

/// H43.
#[test]
fn an_initiative_of_two_per_cent_is_taken_up_within_six_months() {
    let due = |signed: u32| {
        let text = format!("Kuntalaisaloite: keskustaan koirapuisto, liitteenä {signed} allekirjoitusta.");
        let (file, proposal) = triage(&message(&text));
        assert_eq!(matter(&file), Matter::Initiative);
        assert_eq!(failed(&proposal), Vec::<String>::new());
        assert!(proposal.content.letter.contains(&format!("{signed}")));
        file.due.unwrap().because
    };
    assert_eq!(due(84), "6 months from 2026-04-20");
    assert_eq!(due(83), "60 days from 2026-04-20");
}

#[test]
fn the_answers_stand_in_three_languages() {
    for (text, word) in [
        ("Plogbilen körde sönder vår postlåda och vi kräver ersättning av kommunen.", "privaträttsligt"),
        ("I claim compensation from the municipality for my broken windscreen.", "private law"),
        ("Jag vill se vilka personuppgifter kommunen har om mig.", "identitet"),
        ("I want to know what personal data the municipality has about me.", "who you are"),
    ] {
        let (file, proposal) = triage(&message(text));
        assert!(proposal.content.letter.contains(word), "{}: {}", matter(&file), proposal.content.letter);
        assert_eq!(failed(&proposal), Vec::<String>::new(), "{text}");
    }
}

/// Longest message that is taken in.
#[test]
fn a_huge_message_is_read_in_bounded_time_and_makes_few_cases() {
    let many = format!("{RIM} Pyydän jäljennöksen sopimuksesta. Kantelen viranhaltijasta. ").repeat(1_150);
    assert!(many.len() > 190_000);
    let begun = std::time::Instant::now();
    let cases = all_of(&message(&many));
    assert!((1..=5).contains(&cases.len()), "{:?}", labels(&cases));
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
}

async fn numbers_of(caller: &Caller, case: &str) -> (Value, Vec<String>) {
    let page = caller.get(case).await.expect(200).json;
    let off = page["split_off"].as_array().unwrap();
    let numbers = off.iter().map(|part| part["case"]["number"].as_str().unwrap().to_owned()).collect();
    (page, numbers)
}

#[tokio::test]
async fn the_pipeline_makes_linked_cases_once_and_a_person_puts_them_together_again() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let residents = app.residents().await;
        let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
        let sent = json!({ "id": "rim", "municipality": "harjuvesi", "text": RIM, "location": { "address": "Koulukatu 1" },
            "party": { "name": "Testi Autoilija" } });
        let receipt = residents.submit(&sent).await.expect(201).json;
        assert_eq!(receipt["others"], json!([]), "nobody knows yet");
        // Somebody took the job and was never heard of again.
        app.app.storage().claim_jobs("dead", 9, Duration::from_mins(1)).await.unwrap();
        app.now_is(NOW);
        app.run_jobs().await;
        app.run_jobs().await;

        let case = format!("/v1/cases/{}", receipt["case_id"].as_str().unwrap());
        let (page, numbers) = numbers_of(&registry, &case).await;
        assert_eq!((&page["classification"]["label"], numbers.len()), (&json!("damage-claim"), 1));
        assert!(page["flags"].as_array().unwrap().contains(&json!("multiple-matters")));
        let part = format!("/v1/cases/{}", page["split_off"][0]["case"]["id"].as_str().unwrap());
        let hole = registry.get(&part).await.expect(200).json;
        assert_eq!((&hole["classification"]["label"], &hole["status"]), (&json!("RD1"), &json!("in-review")));
        assert_eq!(hole["split_from"]["case"]["number"], receipt["number"]);
        let letter = registry.draft(&case).await["content"]["letter"].as_str().unwrap().to_owned();
        assert!(letter.contains(&numbers[0]), "the answer names the other case: {letter}");
        let submission = page["submission"]["id"].as_str().unwrap().parse().unwrap();
        let all = app.app.storage().cases_of_submission(&"harjuvesi".parse().unwrap(), submission).await.unwrap();
        assert_eq!(all.len(), 2, "no case was made twice");
        // Sent again: the receipt names all numbers.
        let again = residents.submit(&sent).await.json;
        assert_eq!((&again["number"], &again["others"]), (&receipt["number"], &json!(numbers)));
        assert!(again["text"].as_str().unwrap().contains(&numbers[0]));

        let order = json!({ "into": receipt["number"], "same_party": true, "reason": "Sama asia." });
        registry.post(&format!("{part}/merge"), &order).await.expect(200);
        app.run_jobs().await;
        let (page, numbers) = numbers_of(&registry, &case).await;
        assert_eq!((numbers.len(), &page["status"]), (0, &json!("in-review")), "what a person put together stays so");
        let all = app.app.storage().cases_of_submission(&"harjuvesi".parse().unwrap(), submission).await.unwrap();
        assert_eq!(all.len(), 2);
        database.storage.verify_audit(&"harjuvesi".parse().unwrap(), &[]).await.unwrap().unwrap();
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cry_for_help_alarms_in_both_cases_and_whom_a_complaint_names_does_not_answer_it() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let mut form = web_road();
        form["fields"]["description"] = "En jaksa enää, haluan kuolla.".into();
        let case = app.drafted(&form).await;
        let registry = app.person(Role::Registry, "Kirsi Kirjaaja", None).await;
        let (page, numbers) = numbers_of(&registry, &case).await;
        assert_eq!(numbers.len(), 1);
        let part = format!("/v1/cases/{}", page["split_off"][0]["case"]["id"].as_str().unwrap());
        for case in [&case, &part] {
            let id = case.rsplit('/').next().unwrap().parse().unwrap();
            assert!(app.app.storage().has_open_alert(&"harjuvesi".parse().unwrap(), id).await.unwrap(), "{case}");
        }

        let text = "Kantelen teknisen johtajan menettelystä, hän oli puolueellinen.";
        let complaint = app.drafted(&json!({ "id": "k", "municipality": "harjuvesi", "text": text })).await;
        let director = app.director().await;
        let draft = director.draft(&complaint).await;
        director.approve_as(&complaint, &approval(&draft)).await.problem(403, "/problems/disqualified");
        let chief = app.person(Role::Approver, "Hanna Hallinto", Some("chief-of-administration")).await;
        chief.approve_as(&complaint, &approval(&draft)).await.expect(200);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn junk_mail_is_closed_by_a_person_and_kept() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let text = "Voitit 1 000 000 euroa, lunasta palkintosi klikkaamalla linkkiä!";
        let case = app.drafted(&json!({ "id": "s", "municipality": "harjuvesi", "text": text })).await;
        let chief = app.person(Role::Approver, "Hanna Hallinto", Some("chief-of-administration")).await;
        let page = chief.get(&case).await.expect(200).json;
        assert_eq!((&page["classification"]["matter"], &page["status"]), (&json!("spam"), &json!("in-review")));
        chief.approve(&case).await.expect(200);
        let raw = chief.get(&format!("{case}/submission/raw")).await.expect(200).text;
        assert!(raw.contains("palkintosi"), "it is kept as it came");
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_matter_that_nobody_files_has_no_form() {
    on_every_database(async |database| {
        let app = TestApp::over(database).await;
        let refused = app
            .residents()
            .await
            .submit(&json!({ "id": "t", "municipality": "harjuvesi", "service": "threat", "text": "x" }))
            .await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        let page = app.nobody().get("/harjuvesi").await;
        assert!(!page.text.contains("Uhkaava viesti"), "{}", page.text);
        app.stop().await;
    })
    .await;
}

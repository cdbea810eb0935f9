//! The services in which the municipality pays, told by the samples of Harjuvesi: associations, stipends, summer jobs,
//! vouchers and improvements of private roads. What each comes out as, who decides, where a claim goes, and that every
//! check of the draft passes.

use std::path::Path;

use vireille::cases::{AppealKind, CheckResult, DraftKind, Language, Submission};
use vireille::clock::Ambient;
use vireille::intake;
use vireille::triage::{Desk, Proposal};

use crate::support::desk::*;

/// A sample as `vireille triage` reads it.
fn sample(name: &str) -> Submission {
    let folder = policies().join("harjuvesi/samples");
    let (ambient, _) = Ambient::fixed(at(NOW));
    let defaults = intake::json::Defaults::file(None, Some(folder.clone()), ambient);
    let bytes = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
    let mut read = intake::json::parse(&bytes, &defaults).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read.len(), 1, "{name}");
    read.remove(0).submission
}

/// Its draft on the day on which it came, with every check passed.
fn drafted(desk: &Desk, name: &str, submission: &Submission) -> Proposal {
    let (file, proposal) = triage_on(desk, submission, &submission.received_at.to_string());
    let failed: Vec<String> = proposal
        .checks
        .iter()
        .filter(|check| check.result == CheckResult::Fail)
        .map(|check| format!("{}: {}", check.id, check.detail))
        .collect();
    assert_eq!(failed, Vec::<String>::new(), "{name}: {:?}", file.assessment.map(|assessment| assessment.outcome));
    proposal
}

#[test]
fn each_sample_comes_out_as_its_policy_says() {
    use DraftKind::{Acknowledgement, Completion, Grant, Partial, Rejection};
    let wellbeing = "wellbeing-director";
    let education = "education-director";
    let vouchers = "employment-coordinator";
    for (name, kind, amount, decider) in [
        ("association-ski-club", Grant, Some("900.00"), wellbeing),
        ("association-village", Partial, Some("1575.00"), "wellbeing-board"),
        ("association-choir-incomplete", Completion, None, wellbeing),
        ("association-union", Rejection, None, wellbeing),
        ("one-off-beach", Grant, Some("180.00"), wellbeing),
        ("one-off-venetian", Partial, Some("600.00"), wellbeing),
        ("one-off-no-receipts", Completion, None, wellbeing),
        ("one-off-election", Rejection, None, wellbeing),
        ("stipend-nurse", Grant, Some("350.00"), education),
        ("stipend-old-rules", Grant, Some("300.00"), education),
        ("stipend-moved-away", Rejection, None, education),
        ("stipend-minor", Completion, None, education),
        ("summer-job-eligible", Acknowledgement, None, "hr-secretary"),
        ("summer-job-again", Rejection, None, "hr-secretary"),
        ("summer-job-parent", Completion, None, "hr-secretary"),
        ("voucher-aunt", Grant, Some("300.00"), vouchers),
        ("voucher-household", Rejection, None, vouchers),
        ("voucher-incomplete", Completion, None, vouchers),
        ("road-improvement-state", Grant, Some("4000.00"), "technical-director"),
        ("road-improvement-soon", Rejection, None, "technical-director"),
        ("road-improvement-no-plan", Completion, None, "technical-director"),
    ] {
        let submission = sample(name);
        let (file, proposal) = triage_on(&desk(), &submission, &submission.received_at.to_string());
        // Before the draw nothing is decided: only that keeps the letter back (K06).
        let failed: Vec<String> = proposal
            .checks
            .iter()
            .filter(|check| check.result == CheckResult::Fail)
            .map(|check| check.id.to_string())
            .collect();
        let waits: &[&str] = if kind == Acknowledgement { &["K06"] } else { &[] };
        assert_eq!(failed, waits, "{name}");
        let content = proposal.content;
        assert_eq!(content.kind, kind, "{name}");
        assert_eq!(content.amount.map(|amount| amount.to_string()).as_deref(), amount, "{name}");
        assert_eq!(file.route.unwrap().decider.unwrap().as_str(), decider, "{name}");
        let appeal = if content.is_decision() { AppealKind::A } else { AppealKind::None };
        assert_eq!(content.appeal.kind, appeal, "{name}");
        assert_eq!(content.appeal.addressee.is_some(), content.is_decision(), "{name}");
    }
}

#[test]
fn the_letters_read_as_an_officer_would_write_them_in_both_languages() {
    let bilingual = bilingual_desk();
    for name in ["association-village", "stipend-nurse", "voucher-aunt", "road-improvement-state"] {
        let submission = sample(name);
        let finnish = drafted(&desk(), name, &submission);
        assert_eq!(finnish.content.language, Language::Fi);
        insta::assert_snapshot!(format!("paid-{name}-fi"), finnish.content.letter);

        // The sender's own words stay in their language: the degree, the name of the road.
        let mut swedish = submission;
        swedish.fields.insert("language".to_owned(), "sv".into());
        swedish.party.as_mut().unwrap().language = Some(Language::Sv);
        for free in ["description", "wishes"] {
            swedish.fields.remove(free);
        }
        let letter = drafted(&bilingual, name, &swedish).content;
        assert_eq!(letter.language, Language::Sv);
        insta::assert_snapshot!(format!("paid-{name}-sv"), letter.letter);
    }
}

#[test]
fn nobody_reads_a_summer_job_application_for_a_model_and_nothing_ranks_it() {
    let desk = desk();
    let service = desk.rulebook.pack.service(&"summer-job".parse().unwrap()).unwrap();
    assert!(!service.fields.is_empty());
    for field in &service.fields {
        assert!(!field.model_may_see, "a model may see `{}`", field.name);
    }
    assert_eq!(service.ai.class, "annex-iii-4a");
    let texts = Path::new("policies/base/policies/summer-job@2026-01-01.fi.md");
    let policy = std::fs::read_to_string(texts).unwrap();
    assert!(policy.contains("Hakijoita ei pisteytetä, vertailla eikä aseteta järjestykseen"), "the policy says so");
}

/// A stipend's free text may tell of illness: it is not needed, and no letter repeats it (H62).
#[test]
fn health_told_in_a_stipend_application_stands_in_no_letter() {
    let submission = sample("stipend-minor");
    assert!(submission.fields["description"].as_str().unwrap().contains("masennusta"));
    let proposal = drafted(&desk(), "stipend-minor", &submission);
    assert!(!proposal.content.letter.contains("masennusta"));
    let desk = desk();
    let service = desk.rulebook.pack.service(&"student-stipend".parse().unwrap()).unwrap();
    let field = service.fields.iter().find(|field| field.name == "description").unwrap();
    assert!(field.free_text && !field.model_may_see);
}

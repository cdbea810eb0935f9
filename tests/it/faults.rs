//! Every fault of a model at every step of both families of letters: the case ends with a valid draft and the reason shown.
//! None is stuck, none is lost.

use std::sync::{Arc, LazyLock};

use futures::future::join_all;
use serde_json::{Value, json};
use vireille::cases::{CheckResult, EventKind, Status};
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::intake::{self, register::register};
use vireille::model::chat::{ChatError, ChatModel, Message, TimeLimit};
use vireille::model::prompts::Prompts;
use vireille::triage::agent::Agent;
use vireille::triage::pipeline::{Settings, Worker};
use vireille::triage::{Desk, Triage};

use crate::support::database::Database;
use crate::support::desk::*;
use crate::support::model::{ScriptedModel, Turn};

static PROMPTS: LazyLock<Arc<Prompts>> =
    LazyLock::new(|| Arc::new(Prompts::load("prompts".as_ref()).unwrap_or_else(|faults| panic!("{faults}"))));

/// A step that asks a model, in one family of letters.
struct Place {
    /// The prompt that is answered badly; all others are answered well.
    prompt: &'static str,
    /// The step as a fallback names it.
    step: &'static str,
    name: &'static str,
    desk: Desk,
    submission: Value,
}

fn places() -> Vec<Place> {
    let notice = |text: &str| {
        json!({
            "service": "fault-notice", "received_at": "2026-03-02T08:15:00Z", "location": {"address": "Koulukatu 1"},
            "fields": {"category": "RD1", "description": text, "language": "fi"}
        })
    };
    let grant = |changes: Value| {
        let mut json = road_json();
        json["received_at"] = json!("2026-03-02T08:15:00Z");
        merge(&mut json, &changes);
        json
    };
    let unclear = |text: &str| json!({"text": text, "received_at": "2026-03-02T08:15:00Z", "party": {"language": "fi"}, "location": {"address": "Kirkkotie 5"}});
    let unread = grant(json!({"text": "Tien tuettava pituus on 2 350 metriä.", "fields": {"supported_length": null}}));
    let pothole = notice("Koulukadulla on syvä kuoppa keskellä ajorataa.");
    let here = || (*desk()).clone();
    let place = |prompt, step, name, desk, submission| Place { prompt, step, name, desk, submission };
    vec![
        place("classify", "classify", "message", here(), unclear("Se on taas siinä samassa paikassa.")),
        place("classify", "classify", "notice", here(), {
            let mut json = notice("Se on taas siinä samassa paikassa.");
            merge(&mut json, &json!({"fields": {"category": null}}));
            json
        }),
        place("gather-facts", "gather", "grant", here(), unread.clone()),
        place("compose-decision", "compose", "grant", here(), grant(json!({}))),
        place(
            "compose-decision",
            "compose",
            "rejection",
            here(),
            grant(json!({"fields": {"supported_length": "350", "total_length": "350"}})),
        ),
        place(
            "compose-completion",
            "compose",
            "completion",
            here(),
            grant(json!({"fields": {"supported_length": null}})),
        ),
        place("compose-notice", "compose", "notice", here(), pothole.clone()),
        place("summarise", "summarise", "grant", here(), grant(json!({}))),
        place("summarise", "summarise", "notice", here(), pothole),
        place(
            "translate-check",
            "compose",
            "grant in Swedish",
            bilingual_desk(),
            grant(json!({"fields": {"language": "sv"}})),
        ),
    ]
}

/// What must be seen afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// That the offline engine did it, and why.
    Fallback,
    /// The model's work.
    Work,
    /// Either: the fault does no harm at every step.
    Either,
}

/// Faults by name: what the model does, and what must be seen of it at a prompt.
fn faults(prompt: &str) -> Vec<(&'static str, Vec<Turn>, Seen)> {
    let composes = prompt.starts_with("compose");
    let words = if composes { Seen::Fallback } else { Seen::Either };
    let fails = |error| vec![Turn::Fails(error)];
    vec![
        ("nothing wrong", vec![Turn::Good], Seen::Work),
        ("tools first", vec![Turn::Tools, Turn::Good], if composes { Seen::Work } else { Seen::Either }),
        ("rate limited", vec![Turn::rate_limited()], Seen::Fallback),
        ("500", vec![Turn::fault()], Seen::Fallback),
        ("hangs", vec![Turn::Hangs], Seen::Fallback),
        ("stalls", vec![Turn::stalls()], Seen::Fallback),
        ("too slow", fails(ChatError::Timeout(TimeLimit::Total)), Seen::Fallback),
        ("cut", vec![Turn::cut()], Seen::Fallback),
        ("unreachable", fails(ChatError::Unreachable), Seen::Fallback),
        ("left alone", fails(ChatError::LeftAlone), Seen::Fallback),
        ("no key", fails(ChatError::Unauthorized), Seen::Fallback),
        ("too long", fails(ChatError::TooLong), Seen::Fallback),
        ("quota", fails(ChatError::Quota), Seen::Fallback),
        ("budget", fails(ChatError::Budget("tokens of the month".to_owned())), Seen::Fallback),
        ("refuses every form", fails(ChatError::Refused { status: 400, code: None }), Seen::Fallback),
        ("unreadable answer", fails(ChatError::Malformed), Seen::Fallback),
        ("empty", vec![Turn::Empty], Seen::Fallback),
        ("refuses", vec![Turn::Refuses], Seen::Fallback),
        ("truncated", vec![Turn::Truncated], Seen::Fallback),
        ("malformed", vec![Turn::Malformed], Seen::Fallback),
        ("wrong schema", vec![Turn::WrongSchema], Seen::Fallback),
        ("plain words", vec![Turn::Text("Hyvä on, teen sen.".to_owned())], Seen::Fallback),
        ("huge", vec![Turn::Huge], words),
        ("huge and senseless", vec![Turn::Text("[".repeat(300_000))], Seen::Fallback),
        ("invented citation", vec![Turn::InventedCitation], words),
        ("invented number", vec![Turn::InventedNumber], words),
        ("wrong language", vec![Turn::WrongLanguage], words),
        ("leaks the prompt", vec![Turn::LeaksPrompt], if composes { Seen::Fallback } else { Seen::Either }),
        ("endless tools", vec![Turn::EndlessTools], Seen::Fallback),
        ("unknown tool", vec![Turn::UnknownTool], Seen::Fallback),
        ("bad arguments", vec![Turn::BadArguments], Seen::Fallback),
        ("another number of reasons", vec![Turn::Changed(without_reasons)], Seen::Either),
        ("wrong, then right", vec![Turn::WrongSchema, Turn::Good], Seen::Work),
        ("malformed, then right", vec![Turn::Malformed, Turn::Good], Seen::Work),
        (
            "right after findings",
            vec![Turn::InventedNumber, Turn::Good],
            if composes { Seen::Work } else { Seen::Either },
        ),
        ("wrong after findings", vec![Turn::InventedNumber, Turn::InventedCitation], words),
        ("fails after findings", vec![Turn::InventedNumber, Turn::fault()], words),
    ]
}

fn without_reasons(answer: &mut Value) {
    if let Some(reasons) = answer["reasons"].as_array_mut() {
        reasons.clear();
    }
}

fn with_model(desk: &Desk, model: &Arc<ScriptedModel>) -> Desk {
    let mut config = Config::standard();
    config.budget.case_seconds = 1;
    let (ambient, _) = Ambient::fixed(at(NOW));
    let model: Arc<dyn ChatModel> = Arc::<ScriptedModel>::clone(model);
    let agent = Agent::new(model, Arc::clone(&PROMPTS), &config.model, &config.budget, ambient);
    Desk { agent: Some(Arc::new(agent)), ..desk.clone() }
}

/// What was sent back to the model last, for whoever reads a failure.
fn findings(model: &ScriptedModel) -> String {
    let sent_back = |message: &Message| match message {
        Message::User(text) if text.as_str().starts_with("Code checked") => Some(text.as_str().to_owned()),
        _ => None,
    };
    let said = model.requests().iter().flat_map(|request| request.messages.clone()).collect::<Vec<_>>();
    said.iter().rev().find_map(sent_back).unwrap_or_default()
}

/// One cell of the table: the case goes through the durable pipeline and is looked at.
async fn try_cell(database: &Database, place: &Place, fault: &str, turns: &[Turn], must: Seen) {
    let cell = format!("{fault} at {} of a {}", place.prompt, place.name);
    let municipality = "harjuvesi".parse().unwrap();
    let mut json = place.submission.clone();
    json["id"] = json!(cell);
    let defaults = intake::json::Defaults::file(Some("harjuvesi".parse().unwrap()), None, database.ambient.clone());
    let incoming = intake::json::parse(json.to_string().as_bytes(), &defaults).unwrap().remove(0);
    let submission = incoming.submission.clone();
    let offline = triage_on(&place.desk, &submission, crate::support::database::BEGINNING);

    let model = Arc::new(ScriptedModel::good().on(place.prompt, turns.iter().cloned()));
    let desk = with_model(&place.desk, &model);
    let id = register(&database.storage, &desk.rulebook, &desk.lexicon, incoming).await.unwrap().case_id;
    let triage = Arc::new(Triage::from_iter([desk]));
    let worker =
        Worker::new(database.storage.clone(), triage, database.ambient.clone(), "w".to_owned(), Settings::default());
    worker.run_pending(|_, _| {}).await.unwrap();

    assert!(model.times(place.prompt) > 0, "{cell}: nobody was asked");
    let case = database.storage.case(&municipality, id).await.unwrap().unwrap();
    assert_eq!(case.status, Status::InReview, "{cell}");
    assert_eq!(database.storage.pending_jobs().await.unwrap(), 0, "{cell}: stuck");
    let drafts = database.storage.drafts(&municipality, id).await.unwrap();
    assert_eq!(drafts.len(), 1, "{cell}: no draft, or more than one");
    let draft = &drafts[0];
    // Whatever the model did, no check fails that does not fail without it.
    let failed = |checks: &[vireille::cases::Check]| -> Vec<_> {
        checks.iter().filter(|check| check.result == CheckResult::Fail).map(|check| check.id).collect()
    };
    let without: Vec<_> = failed(&offline.1.checks);
    assert!(failed(&draft.checks).iter().all(|id| without.contains(id)), "{cell}: {:?}", failed(&draft.checks));
    let fallback = case.file.fallbacks.iter().find(|fallback| fallback.step == place.step);
    let told = database.storage.timeline(&municipality, id).await.unwrap();
    let told = told.iter().any(|event| event.kind == EventKind::FellBack);
    match must {
        Seen::Fallback => {
            let fallback = fallback.unwrap_or_else(|| panic!("{cell}: no reason is shown"));
            assert!(!fallback.reason.is_empty() && told, "{cell}: no reason is shown");
            if place.step == "compose" {
                assert_eq!(draft.content.kind, offline.1.content.kind, "{cell}");
                assert_eq!(draft.content.amount, offline.1.content.amount, "{cell}");
                assert_eq!(draft.content.reasons, offline.1.content.reasons, "{cell}: not the offline draft");
                assert_eq!(draft.engine.name, "offline", "{cell}");
            }
        }
        Seen::Work => assert!(fallback.is_none(), "{cell}: {fallback:?} {}", findings(&model)),
        Seen::Either => assert_eq!(told, !case.file.fallbacks.is_empty(), "{cell}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_step_ends_with_a_draft_that_a_person_sees() {
    let places = places();
    let rows = places.iter().map(|place| async move {
        let database = Database::sqlite().await;
        for (fault, turns, must) in faults(place.prompt) {
            try_cell(&database, place, fault, &turns, must).await;
        }
        database.storage.verify_audit(&"harjuvesi".parse().unwrap(), &[]).await.unwrap().unwrap();
        database.close().await;
    });
    join_all(rows).await;
}

/// The same case on every database, for the faults that leave most behind.
#[tokio::test(flavor = "multi_thread")]
async fn faults_leave_the_same_on_every_database() {
    let places = places();
    crate::support::database::on_every_database(async |database| {
        for place in places.iter().filter(|place| matches!(place.name, "grant" | "notice")) {
            for (fault, turns, must) in faults(place.prompt)
                .into_iter()
                .filter(|(name, ..)| matches!(*name, "500" | "malformed" | "endless tools"))
            {
                try_cell(database, place, fault, &turns, must).await;
            }
        }
    })
    .await;
}

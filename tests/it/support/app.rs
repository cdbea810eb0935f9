//! The application on a free port over a fresh database, and people with tokens who speak HTTP to it.
//!
//! No worker runs by itself: a story says when the pipeline works (`app.run_jobs()`), and sets the clock.

use std::sync::{Arc, Mutex};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use vireille::app::App;
use vireille::cases::{Actor, DeciderId, MunicipalityId, Person, Role, TokenId};
use vireille::clock::Clock as _;
use vireille::config::{Config, Secret};
use vireille::model::client::install_tls;
use vireille::review::NewToken;
use vireille::serve::Running;
use vireille::storage::{TokenRow, tokens};
use vireille::triage::Triage;

use super::database::Database;
use super::desk::{NOW, TRIAGE, at};

/// Largest body in stories.
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// A running application.
pub struct TestApp {
    pub app: App,
    pub base: String,
    running: Running,
    clock: Arc<vireille::clock::FixedClock>,
    client: Client,
    /// The names of the people made so far.
    people: Mutex<Vec<String>>,
    /// Keeps the database alive for as long as the application.
    database: Option<Database>,
}

/// The application over a fresh SQLite file.
pub async fn spawn_app() -> TestApp {
    let database = Database::sqlite().await;
    TestApp::over(&database).await.keeping(database)
}

impl TestApp {
    /// The application over this database.
    pub async fn over(database: &Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// The application over this database, with other settings.
    pub async fn with(database: &Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::of(database, Arc::clone(&TRIAGE), change).await
    }

    /// The application over this database, with other packs.
    pub async fn with_packs(database: &Database, triage: Arc<Triage>) -> Self {
        Self::of(database, triage, |_| {}).await
    }

    async fn of(database: &Database, triage: Arc<Triage>, change: impl FnOnce(&mut Config)) -> Self {
        install_tls();
        let mut config = Config::standard();
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.server.max_body_bytes = MAX_BODY;
        config.storage.url = Secret::new(database.url.clone());
        config.work.workers = 0;
        config.policies.reload_seconds = 0;
        config.attachments.program = env!("CARGO_BIN_EXE_vireille").into();
        change(&mut config);
        let app = App::assemble(config, database.storage.clone(), triage);
        let running = app.clone().serve().await.expect("the application serves");
        let base = format!("http://{}", running.address().expect("the port is known"));
        database.clock.set(at("2026-03-10T08:15:00Z"));
        Self {
            app,
            base,
            running,
            clock: Arc::clone(&database.clock),
            client: Client::new(),
            people: Mutex::default(),
            database: None,
        }
    }

    pub fn keeping(mut self, database: Database) -> Self {
        self.database = Some(database);
        self
    }

    /// Ends cleanly; the story fails if a job was left undone. A story that forgets to stop is ended by its runtime.
    #[track_caller]
    pub fn stop(self) -> impl Future<Output = ()> {
        let told_by = std::panic::Location::caller();
        async move {
            // All of it comes along: the database's file lives until the end.
            let whole = self;
            let left = whole.app.storage().pending_jobs().await.expect("jobs are counted");
            assert_eq!(left, 0, "{told_by}: jobs are left; run them (`run_jobs`) or say so (`stop_with_jobs_left`)");
            whole.running.stop().await;
            drop(whole.database);
        }
    }

    /// Ends cleanly although jobs wait: what the story is about came before them.
    pub async fn stop_with_jobs_left(self) {
        self.running.stop().await;
    }

    /// Moves the clock.
    pub fn now_is(&self, moment: &str) {
        self.clock.set(at(moment));
    }

    /// Runs every job that waits; gives how many.
    pub async fn run_jobs(&self) -> usize {
        self.app.worker("test").run_pending(|_, _| {}).await.expect("jobs run")
    }

    /// Runs every job, also one that a busy machine put off: the clock goes on for it, and back again.
    pub async fn run_jobs_put_off(&self) {
        let now = self.clock.now();
        for _ in 0..5 {
            self.run_jobs().await;
            if self.app.storage().pending_jobs().await.expect("jobs are counted") == 0 {
                break;
            }
            self.clock.advance(std::time::Duration::from_mins(1));
        }
        self.clock.set(now);
    }

    /// Somebody of Harjuvesi.
    pub async fn person(&self, role: Role, name: &str, post: Option<&str>) -> Caller {
        let harjuvesi: MunicipalityId = "harjuvesi".parse().unwrap();
        let post: Option<DeciderId> = post.map(|post| post.parse().unwrap());
        let new = NewToken { role, name: name.to_owned(), post, deputy: None };
        let (person, secret) =
            self.app.review().issue_token(&harjuvesi, Actor::system("test"), new).await.expect("a token is made");
        self.caller(Some(secret), person.token.to_string())
    }

    /// Each call is another person: the first has the plain name.
    fn another(&self, name: &str) -> String {
        let mut people = self.people.lock().expect("no story panics with it");
        people.push(name.to_owned());
        match people.iter().filter(|known| *known == name).count() {
            1 => name.to_owned(),
            n => format!("{name} {n}"),
        }
    }

    /// The resident channel.
    pub async fn residents(&self) -> Caller {
        self.person(Role::ResidentChannel, "verkkolomake", None).await
    }

    /// A handler.
    pub async fn handler(&self) -> Caller {
        self.person(Role::Handler, &self.another("Veera Valmistelija"), None).await
    }

    /// The technical director.
    pub async fn director(&self) -> Caller {
        self.person(Role::Approver, &self.another("Tuomas Teknikko"), Some("technical-director")).await
    }

    /// Somebody of another municipality.
    pub async fn stranger(&self, role: Role) -> Caller {
        let (secret, hash) = tokens::generate(self.app.ambient());
        let id = TokenId::new(self.app.ambient().id());
        let municipality: MunicipalityId = "ylaharju".parse().unwrap();
        let person = Person { token: id, municipality, role, name: "Ylä Harju".to_owned(), post: None, deputy: None };
        let mut tx = self.app.storage().begin().await.unwrap();
        tx.insert_token(&TokenRow { id, hash, person }).await.unwrap();
        tx.commit().await.unwrap();
        self.caller(Some(secret), id.to_string())
    }

    /// Somebody without a token.
    pub fn nobody(&self) -> Caller {
        self.caller(None, String::new())
    }

    /// Somebody with this secret.
    pub fn caller(&self, secret: Option<String>, token: String) -> Caller {
        Caller { client: self.client.clone(), base: self.base.clone(), secret, token }
    }

    /// A submission, registered and drafted at [`NOW`]. Gives the case's path.
    pub async fn drafted(&self, submission: &Value) -> String {
        let receipt = self.residents().await.submit(submission).await.expect(201).json;
        self.now_is(NOW);
        self.run_jobs().await;
        format!("/v1/cases/{}", receipt["case_id"].as_str().expect("a case id"))
    }
}

/// A person with a token who speaks HTTP.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    base: String,
    pub secret: Option<String>,
    pub token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    /// `null` when the body is no JSON.
    pub json: Value,
}

impl Answer {
    /// With this status, or the story fails and shows what came instead.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A problem of this kind and status; the body must be a whole problem.
    #[track_caller]
    pub fn problem(self, status: u16, kind: &str) -> Value {
        assert_eq!((self.status, self.json["type"].as_str()), (status, Some(kind)), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        for member in ["title", "detail", "instance"] {
            assert!(self.json[member].is_string(), "{member}: {}", self.text);
        }
        self.json
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Caller {
    /// Any request.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(secret) = &self.secret {
            request = request.bearer_auth(secret);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a text");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, headers, text, json }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.post_bytes(path, headers, body.to_string().into_bytes()).await
    }

    pub async fn post_bytes(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let json = [&[("content-type", "application/json")], headers].concat();
        self.send(Method::POST, path, &json, Some(body)).await
    }

    pub async fn submit(&self, submission: &Value) -> Answer {
        self.post("/v1/submissions", submission).await
    }

    pub async fn claim(&self, case: &str) -> Answer {
        self.post(&format!("{case}/claim"), &json!({ "disqualified": false })).await
    }

    pub async fn draft(&self, case: &str) -> Value {
        self.get(&format!("{case}/draft")).await.expect(200).json
    }

    /// Saves the draft with one part's words changed.
    pub async fn edit_part(&self, case: &str, kind: &str, change: impl Fn(&str) -> String) -> Answer {
        let draft = self.draft(case).await;
        let mut parts = draft["content"]["parts"].clone();
        for part in parts.as_array_mut().expect("parts") {
            if part["kind"] == kind {
                part["text"] = change(part["text"].as_str().expect("text")).into();
            }
        }
        self.put_draft(case, draft["hash"].as_str().expect("hash"), &json!({ "parts": parts })).await
    }

    pub async fn put_draft(&self, case: &str, hash: &str, body: &Value) -> Answer {
        let tag = format!("\"{hash}\"");
        let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
        self.send(Method::PUT, &format!("{case}/draft"), &headers, Some(body.to_string().into_bytes())).await
    }

    /// Approves the current draft as it is seen.
    pub async fn approve(&self, case: &str) -> Answer {
        let draft = self.draft(case).await;
        self.approve_as(case, &approval(&draft)).await
    }

    pub async fn approve_as(&self, case: &str, approval: &Value) -> Answer {
        self.post(&format!("{case}/approve"), approval).await
    }
}

/// What an approver who has read this draft confirms.
pub fn approval(draft: &Value) -> Value {
    json!({
        "draft_hash": draft["hash"], "confirmed_amount": draft["content"]["amount"],
        "appeal_confirmed": draft["content"]["appeal"]["kind"] != "none"
    })
}

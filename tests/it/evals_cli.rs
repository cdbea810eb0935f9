//! `vireille eval` as a script meets it: against a server on this machine, without one, killed, and with bad input.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// Stands in the settings and must stand in nothing that is written.
const KEY: &str = "sk-PLANTED-5521";

const SUITE: &str = "\
version: 1
suite: smoke
description: Messages and their kinds.
dataset: { path: ../datasets/smoke.jsonl, cluster: none }
target: { component: chat, json: true, system: Which kind is it?, user: input.text }
models: [{ id: openai/mock-1 }]
run: { max_concurrency: 4 }
assert:
  - { type: label, actual: output.label, expected: expected.label, metric: kind }
metrics: { kind: { labels: [leak, lamp] } }
gates:
  - { metric: kind.accuracy, min: 0.5 }
  - { metric: errors, max: 0, else: incomplete }
";

struct Home(tempfile::TempDir);

impl Home {
    fn new(cases: usize) -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["suites", "datasets"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let cases = (0..cases).map(|nth| {
            let label = if nth % 10 == 0 { "leak" } else { "lamp" };
            format!("{}\n", json!({ "id": format!("c-{nth:03}"), "input": { "text": format!("CASETEXT {nth}") }, "expected": { "label": label } }))
        });
        std::fs::write(home.path().join("datasets/smoke.jsonl"), cases.collect::<String>()).unwrap();
        let home = Self(home);
        home.suite(SUITE);
        home
    }

    fn suite(&self, text: &str) {
        std::fs::write(self.0.path().join("suites/smoke.yaml"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn eval(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vireille"));
        command.current_dir(self.0.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.arg("eval").args(arguments).env("VIREILLE__MODEL__KEY", KEY);
        command
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = self.eval(&["run", "suites/smoke.yaml"]);
        command.args(arguments).env("VIREILLE__MODEL__URL", url);
        command
    }

    fn run(&self, url: &str, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(url, arguments).output().unwrap())
    }

    /// Everything that was written, names and contents.
    fn everything(&self) -> String {
        fn add(path: &Path, text: &mut String) {
            for entry in std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
                text.push_str(&entry.to_string_lossy());
                if entry.is_dir() {
                    add(&entry, text);
                } else {
                    text.push_str(&String::from_utf8_lossy(&std::fs::read(&entry).unwrap()));
                }
            }
        }
        let mut text = String::new();
        add(self.0.path(), &mut text);
        text
    }
}

#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// What the server does with its nth request, from 1.
type Respond = fn(usize) -> Option<Response>;

struct Server {
    url: String,
    count: Arc<AtomicUsize>,
}

impl Server {
    async fn start(wait: Duration, respond: Respond) -> Self {
        let count = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&count);
        let chat = move || {
            let nth = counted.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                tokio::time::sleep(wait).await;
                respond(nth).unwrap_or_else(|| say("{\"label\": \"lamp\"}"))
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/chat/completions", post(chat));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, count }
    }

    fn requests(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn say(content: &str) -> Response {
    let message = json!({ "role": "assistant", "content": content });
    let usage = json!({ "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 });
    axum::Json(json!({ "id": "x", "object": "chat.completion", "created": 0, "model": "mock-1-0001", "usage": usage,
                       "choices": [{ "index": 0, "finish_reason": "stop", "message": message }] }))
    .into_response()
}

/// A port on which nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recorded_is_replayed_without_a_server() {
    let (home, server) = (Home::new(30), Server::start(Duration::ZERO, |_| None).await);
    let live = home.run(&server.url, &["--mode=record", "--json"]);
    assert_eq!(live.code, 0, "{live:?}");
    let (live, requests) = (live.json(), server.requests());
    assert_eq!((requests, &live["outcome"], &live["counts"]["failed"]), (30, &json!("pass"), &json!(3)));
    assert_eq!(live["figures"]["kind.accuracy"]["value"], json!(0.9));

    let replayed = home.run(&nobody(), &["--mode=replay", "--json"]).json();
    assert_eq!(replayed["figures"]["kind.accuracy"], live["figures"]["kind.accuracy"]);
    assert_eq!((server.requests(), &replayed["figures"]["cost"]["value"]), (30, &json!(0.0)));

    let explain = || Ran::of(&home.eval(&["explain-cache", "suites/smoke.yaml", "c-003"]).output().unwrap());
    assert_eq!((explain().code, explain().out.as_str()), (0, "c-003: recorded\n"));

    // A changed instruction: the field that differs is named, and a missing recording is no wrong answer.
    home.suite(&SUITE.replace("Which kind is it?", "Which kind?"));
    let missing = home.run(&nobody(), &["--mode=replay", "--json"]);
    assert_eq!(missing.code, 102, "{missing:?}");
    assert!(home.everything().contains("no recorded call fits: messages[0]"), "{missing:?}");
    assert!(explain().code == 4 && explain().out.contains("messages[0].content at line 1"), "{:?}", explain());

    // Two epochs have recordings of their own.
    home.suite(SUITE);
    let reports = ["a.json", "a.jsonl", "a.junit.xml", "a.html", "a.md", "a.csv", "a.promptfoo.json"];
    let outputs: Vec<String> = reports.iter().map(|name| format!("--output=out/{name}")).collect();
    let arguments: Vec<&str> =
        ["--mode=auto", "--epochs=2", "--json"].into_iter().chain(outputs.iter().map(String::as_str)).collect();
    let two = home.run(&server.url, &arguments).json();
    for name in reports {
        let report = std::fs::read_to_string(home.path("out").join(name)).unwrap();
        assert!(report.contains("c-010") && !report.contains("CASETEXT"), "{name}");
    }
    assert_eq!((server.requests(), &two["counts"]["rows"]), (60, &json!(60)));
    let written = home.everything();
    assert!(written.contains("CASETEXT 7") && !written.contains(KEY));
}

#[tokio::test(flavor = "multi_thread")]
async fn haste_and_passing_faults_cost_time_and_no_answer() {
    let faults: [Respond; 2] = [
        |nth| {
            let wait = [("retry-after-ms", "20")];
            nth.is_multiple_of(10).then(|| (StatusCode::TOO_MANY_REQUESTS, wait, "{}").into_response())
        },
        |nth| {
            let json = [(header::CONTENT_TYPE, "application/json")];
            nth.is_multiple_of(10).then(|| (StatusCode::INTERNAL_SERVER_ERROR, json, "{}").into_response())
        },
    ];
    for respond in faults {
        let (home, server) = (Home::new(40), Server::start(Duration::ZERO, respond).await);
        let ran = home.run(&server.url, &["--mode=live", "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!((ran.json()["counts"]["error"].clone(), server.requests()), (json!(0), 44));
    }
    // What cannot be read as JSON is wrong, and told from what has no answer.
    let (home, server) =
        (Home::new(40), Server::start(Duration::ZERO, |nth| nth.is_multiple_of(10).then(|| say("A lamp."))).await);
    let counts = home.run(&server.url, &["--mode=live", "--json"]).json()["counts"].clone();
    assert_eq!(counts["error"], json!(0));
    assert!((4..=8).contains(&counts["failed"].as_u64().unwrap()), "{counts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_neither_a_pass_nor_a_failure() {
    let home = Home::new(200);
    let began = Instant::now();
    let ran = home.run(&nobody(), &["--mode=live", "-j20", "--json"]);
    assert_eq!((ran.code, &ran.json()["outcome"]), (102, &json!("incomplete")), "{ran:?}");
    assert!(ran.err.contains("the model cannot be reached") && ran.err.contains("--resume="), "{ran:?}");
    assert!(began.elapsed() < Duration::from_secs(20));
    // With fewer cases than would end the run early, too.
    let ran = home.run(&nobody(), &["--mode=live", "--limit=3", "--attempts=1"]);
    assert_eq!(ran.code, 102, "{ran:?}");
    // A gate on what came out as asked is failed by nothing but the server.
    home.suite(&SUITE.replace("kind.accuracy, min: 0.5", "ok, min: 0.9").replace(", else: incomplete", ""));
    for arguments in [&["--mode=live", "-j20", "--json"][..], &["--mode=live", "--limit=3", "--attempts=1", "--json"]] {
        let ran = home.run(&nobody(), arguments);
        let outcomes: Vec<_> =
            ran.json()["gates"].as_array().unwrap().iter().map(|gate| gate["outcome"].clone()).collect();
        assert_eq!((ran.code, outcomes), (102, vec![json!("incomplete"), json!("incomplete")]), "{ran:?}");
    }
    home.suite(SUITE);
    // A key that is refused is the same for every case.
    let refuses: Respond = |_| Some((StatusCode::UNAUTHORIZED, "{}").into_response());
    let server = Server::start(Duration::ZERO, refuses).await;
    let ran = home.run(&server.url, &["--mode=live", "-j4"]);
    assert_eq!(ran.code, 102, "{ran:?}");
    assert!(server.requests() < 30 && ran.err.contains("refuses the key"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_goes_on_with_one_flag() {
    let (home, server) = (Home::new(100), Server::start(Duration::from_millis(30), |_| None).await);
    let mut killed = home.command(&server.url, &["--mode=live", "-j4"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while server.requests() < 40 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let ran = home.run(&server.url, &["--mode=live", "-j4", "--resume", "--json"]);
    assert_eq!((ran.code, &ran.json()["counts"]["rows"]), (0, &json!(100)), "{ran:?}");
    assert!((101..=104).contains(&server.requests()), "{}", server.requests());
    assert_eq!(ran.json()["figures"]["kind.accuracy"]["value"], json!(0.9));
    assert_eq!(std::fs::read_dir(home.path("runs")).unwrap().count(), 1);
}

/// What nobody could answer today is asked tomorrow, and what was answered is not asked again.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_not_recorded() {
    for refuses in [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY] {
        let home = Home::new(5);
        let auto = ["--mode=auto", "--attempts=1", "--json"];
        let down = match refuses {
            StatusCode::UNAUTHORIZED => {
                Server::start(Duration::ZERO, |_| Some(StatusCode::UNAUTHORIZED.into_response())).await.url
            }
            StatusCode::TOO_MANY_REQUESTS => {
                Server::start(Duration::ZERO, |_| Some(StatusCode::TOO_MANY_REQUESTS.into_response())).await.url
            }
            _ => nobody(),
        };
        assert_eq!(home.run(&down, &auto).code, 102);
        let up = Server::start(Duration::ZERO, |_| None).await;
        let again = Ran::of(
            &home
                .eval(&["run", "suites/smoke.yaml", "--resume", "--retry-errors", "--json"])
                .env("VIREILLE__MODEL__URL", &up.url)
                .output()
                .unwrap(),
        );
        assert_eq!((again.code, up.requests(), &again.json()["counts"]["error"]), (0, 5, &json!(0)), "{again:?}");
        assert_eq!(home.run(&nobody(), &auto).code, 0, "now it is recorded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_run_before_everything_is_ready() {
    let (home, server) = (Home::new(5), Server::start(Duration::ZERO, |_| None).await);
    assert_eq!(home.run(&server.url, &["--mode=record"]).code, 0);
    let runs = || std::fs::read_dir(home.path("runs")).unwrap().count();
    let (before, other) = (runs(), SUITE.replace("suite: smoke", "suite: other"));
    std::fs::write(home.path("suites/other.yaml"), other).unwrap();
    let ran = home.run(&nobody(), &["suites/other.yaml", "--mode=replay"]);
    assert_eq!((ran.code, runs()), (2, before), "{ran:?}");
    assert!(ran.err.contains("there are no recorded calls"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_on_with_was_settled_when_it_began() {
    let (home, server) = (Home::new(12), Server::start(Duration::ZERO, |_| None).await);
    assert_eq!(home.run(&server.url, &["--mode=live", "--limit=6"]).code, 0);
    let run = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    let resume = format!("--resume={}", run.display());
    for beside in
        [&["suites/smoke.yaml"][..], &["--limit=6"], &["--epochs=3"], &["--model=openai/other"], &["--id=c-001"]]
    {
        let ran = Ran::of(&home.eval(&["run", &resume]).args(beside).output().unwrap());
        assert_eq!(ran.code, 2, "{beside:?}: {ran:?}");
        assert!(ran.err.contains("were settled when it began"), "{ran:?}");
    }
    assert_eq!(server.requests(), 6);
    // With other cases, and with more epochs, another run begins.
    let ran = home.run(&server.url, &["--mode=live", "--limit=8", "--resume"]);
    assert_eq!((ran.code, server.requests()), (0, 14), "{ran:?}");
    let ran = home.run(&server.url, &["--mode=live", "--limit=6", "--epochs=2", "--resume"]);
    assert_eq!((ran.code, server.requests()), (0, 26), "{ran:?}");
    // A run of another suite has no cases of this one.
    home.suite(&SUITE.replace("suite: smoke", "suite: other"));
    let ran = home.run(&server.url, &["--failed", &run.to_string_lossy()]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--failed names a run of another suite"), "{ran:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_says_how_to_go_on() {
    let (home, server) = (Home::new(100), Server::start(Duration::from_millis(100), |_| None).await);
    let mut child = home.command(&server.url, &["--mode=live", "-j4"]).spawn().unwrap();
    while server.requests() < 8 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(ran.err.contains("`vireille eval run --resume=runs/"), "{ran:?}");
}

#[test]
fn what_cannot_be_used_is_told_with_its_place() {
    let home = Home::new(10);
    for (change, arguments, says) in [
        (("kind.accuracy", "knd.accuracy"), &[][..], "suites/smoke.yaml:12: no figure is called `knd.accuracy`"),
        (("kind.accuracy", "kind.acuracy"), &[], "suites/smoke.yaml:12: no figure is called `kind.acuracy`"),
        (("expected.label", "expected.lable"), &[], "suites/smoke.yaml:9: no case has anything at `expected.lable`"),
        (("type: label", "type: lable"), &[], "suites/smoke.yaml:9: unknown word `lable`"),
        (("smoke.jsonl", "smoky.jsonl"), &[], "datasets/smoky.jsonl: the dataset cannot be read"),
        (("openai/mock-1", "mock-1"), &[], "`mock-1` names no model"),
        (("labels: [leak, lamp]", "bins: 5"), &[], "suites/smoke.yaml:9: the labels of `kind` are not declared"),
        (("cluster: none", "cluster: metadata.household"), &[], "suites/smoke.yaml:4: `cluster` leads nowhere"),
        (("cluster: none", "cluster: input.text"), &[], "suites/smoke.yaml:4: `cluster` would show what was sent"),
        (("smoke", "smoke"), &["--where=metadata.lang=fi"], "no case fits --where=metadata.lang=fi"),
        (("smoke", "smoke"), &["--shard=5/4"], "`--shard=5/4` chooses no cases"),
        (("smoke", "smoke"), &["--limit=0-2"], "`--limit=0-2` chooses no cases"),
        (("smoke", "smoke"), &["--id=c-001", "--id=nope"], "there is no case `nope`"),
        (("smoke", "smoke"), &["-o", "report.docx"], "report.docx"),
        (("smoke", "smoke"), &["--mode=replay"], "there are no recorded calls"),
        (("smoke", "smoke"), &["--model=offline"], "`chat` asks a language model"),
    ] {
        home.suite(&SUITE.replace(change.0, change.1));
        let ran = home.run(&nobody(), arguments);
        assert_eq!(ran.code, 2, "{says}: {ran:?}");
        assert!(ran.err.contains(says), "{says}: {ran:?}");
        assert!(ran.out.is_empty() && !ran.err.contains("CASETEXT"), "{ran:?}");
    }
}

#[test]
fn a_slice_of_texts_is_refused_and_none_of_them_told() {
    let home = Home::new(1);
    let long = json!({ "id": "c-long", "input": {}, "expected": { "label": "leak" }, "metadata": { "note": "CASETEXT ".repeat(20) } });
    std::fs::write(home.path("datasets/smoke.jsonl"), format!("{long}\n")).unwrap();
    home.suite(&format!("{SUITE}slices: [metadata.note]\n"));
    let ran = home.run(&nobody(), &[]);
    assert!(ran.code == 2 && ran.err.contains("the words of the slice `metadata.note` are no kinds"), "{ran:?}");
    let many: Vec<String> = (0..101)
        .map(|nth| json!({ "id": format!("c-{nth}"), "input": {}, "expected": { "label": "leak" }, "metadata": { "note": nth } }))
        .map(|case| case.to_string())
        .collect();
    std::fs::write(home.path("datasets/smoke.jsonl"), many.join("\n")).unwrap();
    let ran = home.run(&nobody(), &[]);
    assert!(ran.code == 2 && ran.err.contains("there are 101 of them") && !ran.err.contains("CASETEXT"), "{ran:?}");
}

#[test]
fn suites_are_checked_without_running_anything() {
    let home = Home::new(10);
    let check = || Ran::of(&home.eval(&["check", "suites", "--json"]).output().unwrap());
    assert_eq!((check().code, check().json()["cases"].clone()), (0, json!(10)));
    std::fs::write(home.path("suites/other.yaml"), SUITE.replace("min: 0.5", "min: 0.5, max: 1")).unwrap();
    std::fs::write(home.path("suites/third.yaml"), SUITE.replace("smoke.jsonl", "third.jsonl")).unwrap();
    let (ran, told) = (check(), check().out);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(told.contains("suites/other.yaml") && told.contains("\"line\":12"), "{told}");
    assert!(told.contains("third.jsonl") && told.contains("\"cases\":10"), "each suite is told about: {told}");
    assert!(!home.path("runs").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_decides_the_end() {
    let (home, server) = (Home::new(20), Server::start(Duration::ZERO, |_| None).await);
    home.suite(&SUITE.replace("min: 0.5", "min: 0.95"));
    let ran = home.run(&server.url, &["--mode=live"]);
    assert_eq!(ran.code, 100, "{ran:?}");
    assert!(ran.out.contains("kind.accuracy") && ran.out.contains("fail"), "{ran:?}");
    // The same figures, judged by the suite as it is now.
    home.suite(SUITE);
    let runs: Vec<PathBuf> = std::fs::read_dir(home.path("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let scored = Ran::of(&home.eval(&["score", "--json"]).arg(&runs[0]).output().unwrap());
    assert_eq!((scored.code, &scored.json()["outcome"]), (0, &json!("pass")), "{scored:?}");
    assert_eq!(server.requests(), 20, "nobody is asked");
    // What was blessed for this suite is no baseline of another.
    home.suite(&format!("{SUITE}baseline: ../baseline.json\n"));
    let ran = home.run(&server.url, &["--mode=live"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let newest = std::fs::read_dir(home.path("runs")).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let blessed = home
        .eval(&["bless", "--by", "mari", "--because", "the first", "--output", "baseline.json"])
        .arg(&newest)
        .output()
        .unwrap();
    assert_eq!(Ran::of(&blessed).code, 0, "{blessed:?}");
    home.suite(&format!("{}baseline: ../baseline.json\n", SUITE.replace("suite: smoke", "suite: other")));
    let ran = home.run(&server.url, &["--mode=live"]);
    assert!(ran.code == 2 && ran.err.contains("baseline of the suite `smoke`, not of `other`"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_from_a_file_only_where_it_is_named() {
    let (home, server) = (Home::new(3), Server::start(Duration::ZERO, |_| None).await);
    let url =
        format!("# our gateway\nexport VIREILLE__MODEL__URL=\"{}\"\nVIREILLE__MODEL__KEY=sk-OTHER-5522\n", server.url);
    std::fs::write(home.path(".env"), &url).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = home.eval(&["run", "suites/smoke.yaml", "--mode=live", "--attempts=1"]);
        Ran::of(&command.args(arguments).output().unwrap())
    };
    assert_eq!(run(&[]).code, 102, "a file that nobody names is not read");
    assert_eq!((run(&["--env-file=.env"]).code, server.requests()), (0, 3));
    let runs = home.everything().replace(&url, "");
    assert!(!runs.contains("5522") && !runs.contains(KEY), "no key stands in a run");

    std::fs::write(home.path(".env"), format!("{url}sk-OTHER-5522\n")).unwrap();
    let wrong = run(&["--env-file=.env"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(wrong.err.contains(".env:4: this line sets no variable; write NAME=value"), "{}", wrong.err);
    assert!(!wrong.err.contains("5522"), "{}", wrong.err);
    let nowhere = run(&["--env-file=none.env"]);
    assert!(nowhere.code == 2 && nowhere.err.contains("none.env: the file cannot be read"), "{}", nowhere.err);
}

/// What a pipeline needs is set once: the key of the verdicts in the settings, the page beside the job by GitHub.
#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_gets_signed_verdicts_and_its_summary() {
    let (home, server) = (Home::new(20), Server::start(Duration::ZERO, |_| None).await);
    std::fs::write(home.path("key.pem"), crate::evals_compare::PRIVATE_KEY).unwrap();
    let summary = home.path("summary.md");
    let run = |key: &str| {
        let mut command = home.command(&server.url, &["--json"]);
        command.env("VIREILLE__EVALS__SIGNING_KEY_FILE", key).env("GITHUB_STEP_SUMMARY", &summary);
        Ran::of(&command.output().unwrap())
    };
    let ran = run("key.pem");
    assert_eq!(ran.code, 0, "{ran:?}");
    let folder = ran.json()["run"].as_str().unwrap().to_owned();
    let verified = Ran::of(&home.eval(&["verify", &format!("{folder}/verdict.json")]).output().unwrap());
    assert!(verified.code == 0 && verified.out.contains("signed by 19bf4409"), "{verified:?}");
    let page = || std::fs::read_to_string(&summary).unwrap();
    assert!(page().contains("smoke") && page().contains("kind.accuracy") && !page().contains("CASETEXT"), "{}", page());

    let of_run = page().len();
    let compared = home.eval(&["compare", &folder, &folder]).env("GITHUB_STEP_SUMMARY", &summary).output().unwrap();
    assert_eq!(Ran::of(&compared).code, 0);
    assert!(page().len() > of_run && !page().contains("CASETEXT"), "the comparison is added");
    let missing = run("nowhere.pem");
    assert!(missing.code == 2 && missing.err.contains("nowhere.pem"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_suite_does_not_say_stands_in_the_defaults() {
    let (home, server) = (Home::new(4), Server::start(Duration::ZERO, |_| None).await);
    home.suite(&SUITE.replace("models: [{ id: openai/mock-1 }]\n", ""));
    let defaults = |text: &str| std::fs::write(home.path("defaults.yaml"), text).unwrap();
    defaults("version: 1\nmodels: [{ id: openai/mock-7 }]\nrun: { mode: live, budget: 1.5, max_concurrency: 9 }\n");
    let ran = home.run(&server.url, &["--json"]).json();
    assert_eq!((&ran["model"], server.requests()), (&json!("openai/mock-7"), 4));
    let record = Path::new(ran["run"].as_str().unwrap()).join("run.json");
    let record: Value = serde_json::from_slice(&std::fs::read(home.path(record.to_str().unwrap())).unwrap()).unwrap();
    let run = &record["suite"]["run"];
    assert_eq!((&run["mode"], &run["budget"], &run["max_concurrency"]), (&json!("live"), &json!(1.5), &json!(4)));
    assert!(!home.path("cassettes").exists(), "nothing is recorded in a live run");

    defaults("version: 1\nrun:\n  budgt: 1.5\n");
    let wrong = home.run(&server.url, &[]);
    assert!(wrong.code == 2 && wrong.err.contains("defaults.yaml:3: ") && wrong.err.contains("`budget`"), "{wrong:?}");
}

/// A judge by its address: what people labelled goes in, agreement comes out, and a second time nobody is asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_judge_is_calibrated_and_its_calls_are_recorded() {
    let home = Home::new(1);
    let rubric = "version: 1\nrubric: polite\ndescription: Tone.\nprompt: Is it polite?\nshow: [output.letter]\nscale: { good: 1, bad: 0 }\n";
    std::fs::create_dir(home.path("rubrics")).unwrap();
    std::fs::write(home.path("rubrics/polite.yaml"), rubric).unwrap();
    let labels = (0..40).map(|nth| {
        let output = json!({ "letter": format!("CASETEXT {nth}") });
        format!("{}\n", json!({ "id": format!("l-{nth:02}"), "human": nth % 2 == 0, "output": output }))
    });
    std::fs::write(home.path("labels.jsonl"), labels.collect::<String>()).unwrap();
    let server = Server::start(Duration::ZERO, |_| Some(say(r#"{"reason": "So.", "verdict": "good"}"#))).await;
    let calibrate = |url: &str, arguments: &[&str]| {
        let mut command = home.eval(&["calibrate", "rubrics/polite.yaml", "--labels", "labels.jsonl"]);
        let model = ["--model", "openai/mock-1", "--json"];
        Ran::of(&command.args(model).args(arguments).env("VIREILLE__MODEL__URL", url).output().unwrap())
    };
    let ran = calibrate(&server.url, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let found = ran.json();
    assert_eq!(
        (&found["calibration"]["items"], &found["calibration"]["sensitivity"]["value"]),
        (&json!(40), &json!(1.0))
    );
    assert_eq!(found["calibration"]["specificity"]["value"], json!(0.0));
    assert_eq!(found["disagreements"].as_array().unwrap().len(), 20);
    let written = std::fs::read_to_string(home.path("judges/calibration/polite.jsonl")).unwrap();
    assert!(written.lines().count() == 40 && !written.contains("CASETEXT"), "{written}");
    let asked = server.requests();
    let again = calibrate(&nobody(), &["--mode", "replay"]);
    assert_eq!((again.code, server.requests(), again.out), (0, asked, ran.out));
    std::fs::remove_file(home.path("judges/calibration/polite.jsonl")).unwrap();
    let down = calibrate(&nobody(), &["--mode", "live"]);
    assert_eq!(down.code, 102, "{down:?}");
    assert!(!home.path("judges/calibration/polite.jsonl").exists() && !home.everything().contains(KEY));
}

//! The field's list of hard cases: what one message tells stands in `evals/datasets/cases/cases.jsonl`, what takes several
//! messages, people and days are the stories beside it. Every story is read and told over the whole application.
//!
//! What the service cannot do yet says so (`unmet`) and is told all the same: neither that it begins to hold nor that it stops
//! earlier goes unnoticed.
//! `evals/datasets/cases/CARD.md` explains the files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};
use vireille::cases::{Actor, MunicipalityId, Role};
use vireille::clock::Ambient;
use vireille::config::Config;
use vireille::evals::case::EvalCase;
use vireille::evals::dataset;
use vireille::model::prompts::Prompts;
use vireille::policy::Rulebooks;
use vireille::review::NewToken;
use vireille::search::{Embedded, Search};
use vireille::triage::Triage;
use vireille::triage::agent::Agent;

use crate::support::app::{Answer, Caller, TestApp, approval};
use crate::support::calls;
use crate::support::database::Database;
use crate::support::desk::{NOW, TRIAGE, at, classifier, merge, policies};

/// How many cases the field's list has: H01 to H86.
const LISTED: u32 = 86;

/// One story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Story {
    id: String,
    /// The numbers of the list that it tells.
    hard: Vec<String>,
    title: String,
    #[serde(default = "harjuvesi")]
    municipality: MunicipalityId,
    /// The language model that is configured, where one is.
    #[serde(default)]
    model: Option<Model>,
    steps: Vec<Step>,
}

fn harjuvesi() -> MunicipalityId {
    "harjuvesi".parse().unwrap()
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Model {
    /// It cannot be reached.
    Down,
}

/// What happens next.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// The clock moves.
    At(String),
    /// Something comes in.
    Submit(Submit),
    /// The pipeline does what waits.
    Work,
    /// Somebody does something through the API.
    Act(Act),
    /// Somebody adds words to a part of the draft.
    Write(Words),
    /// How a case stands.
    Expect(Expect),
    /// What an address tells.
    See(See),
    /// Why the service cannot do it yet: everything before holds, and what comes now does not.
    Unmet(String),
}

/// What comes in; it becomes a case with a name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Submit {
    #[serde(rename = "as")]
    name: String,
    #[serde(default = "residents")]
    by: String,
    /// A file of `policies/harjuvesi/samples`, without its ending.
    #[serde(default)]
    sample: Option<String>,
    /// The submission, or what is otherwise than in the sample; null takes a field away.
    #[serde(default)]
    with: Value,
    /// So many of them, each by the name and its number; `#` in them is the number.
    #[serde(default)]
    copies: Option<usize>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    problem: Option<String>,
}

fn residents() -> String {
    Role::ResidentChannel.to_string()
}

/// A verb of a case, or an address of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    by: String,
    #[serde(default, rename = "do")]
    verb: Option<String>,
    #[serde(default)]
    case: Option<String>,
    #[serde(default)]
    post: Option<String>,
    /// Left out of `approve`: what somebody confirms who has read the draft.
    #[serde(default)]
    body: Value,
    /// In so many cases, by the name and a number.
    #[serde(default)]
    copies: Option<usize>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    problem: Option<String>,
    /// By pointers into the answer.
    #[serde(default)]
    is: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    by: String,
    case: String,
    part: String,
    append: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    problem: Option<String>,
}

/// How a case stands; only what is said is looked at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    case: String,
    #[serde(default = "auditor")]
    by: String,
    #[serde(default)]
    is: BTreeMap<Member, Value>,
    /// At least these.
    #[serde(default)]
    flags: Vec<String>,
    /// Exactly these checks.
    #[serde(default)]
    failed: Option<BTreeSet<String>>,
    /// Exactly these questions, of the form, of the rules and of people.
    #[serde(default)]
    questions: Option<BTreeSet<String>>,
    #[serde(default)]
    facts: BTreeMap<String, Value>,
    /// Words that stand in the letter.
    #[serde(default)]
    mentions: Vec<String>,
    /// Words that do not.
    #[serde(default)]
    absent: Vec<String>,
    /// Events of the timeline, among others.
    #[serde(default)]
    events: Vec<String>,
    /// Exactly these open notices are suggested as the same fault, by their names.
    #[serde(default)]
    similar: Option<BTreeSet<String>>,
}

fn auditor() -> String {
    Role::Auditor.to_string()
}

/// A member of the case's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Member {
    Status,
    Label,
    Matter,
    Handler,
    Owner,
    Urgency,
    Due,
    Outcome,
    Policy,
    Kind,
    Amount,
    Decider,
    Appeal,
    Recipient,
    Deadline,
    Language,
    Engine,
    Alert,
    About,
    MergedInto,
    DecidedBy,
}

impl Member {
    const fn pointer(self) -> &'static str {
        match self {
            Self::Status => "/status",
            Self::Label => "/classification/label",
            Self::Matter => "/classification/matter",
            Self::Handler => "/route/decider",
            Self::Owner => "/route/owner",
            Self::Urgency => "/urgency",
            Self::Due => "/due/at",
            Self::Outcome => "/assessment/outcome",
            Self::Policy => "/assessment/policy",
            Self::Kind => "/draft/content/kind",
            Self::Amount => "/draft/content/amount",
            Self::Decider => "/draft/content/decider/id",
            Self::Appeal => "/draft/content/appeal/kind",
            Self::Recipient => "/draft/content/recipient",
            Self::Deadline => "/draft/content/deadline",
            Self::Language => "/draft/content/language",
            Self::Engine => "/draft/engine/name",
            Self::Alert => "/alert_open",
            Self::About => "/about/case/number",
            Self::MergedInto => "/merged_into/case/number",
            Self::DecidedBy => "/decision/person/name",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct See {
    by: String,
    get: String,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    is: BTreeMap<String, Value>,
}

/// What did not hold.
type Told<T> = Result<T, String>;

/// A story while it is told.
struct Telling {
    app: TestApp,
    municipality: MunicipalityId,
    people: BTreeMap<String, Caller>,
    /// By their names in the story.
    cases: BTreeMap<String, Known>,
}

/// A case that came in.
struct Known {
    path: String,
    number: String,
}

impl Telling {
    async fn of(story: &Story) -> Self {
        let triage = if story.model.is_some() { without_answer() } else { Arc::clone(&TRIAGE) };
        let database = Database::sqlite().await;
        let app = TestApp::with_packs(&database, triage).await.keeping(database);
        let (people, cases) = (BTreeMap::new(), BTreeMap::new());
        Self { app, municipality: story.municipality.clone(), people, cases }
    }

    async fn step(&mut self, step: &Step) -> Told<()> {
        match step {
            Step::Unmet(_) => {}
            Step::At(moment) => self.app.now_is(moment),
            Step::Work => self.app.run_jobs_put_off().await,
            Step::Submit(submit) => self.submit(submit).await?,
            Step::Act(act) => match (act.copies, &act.case) {
                (Some(copies), Some(case)) => {
                    for nth in 1..=copies {
                        self.act(act, Some(format!("{case}{nth}"))).await?;
                    }
                }
                _ => self.act(act, act.case.clone()).await?,
            },
            Step::Write(words) => self.write(words).await?,
            Step::Expect(expect) => self.expect(expect).await?,
            Step::See(see) => {
                let answer = self.person(&see.by).await?.get(&self.filled(see.get.clone())?).await;
                same("status", &json!(answer.status), &json!(see.status.unwrap_or(200)))?;
                self.members(&answer.json, &see.is)?;
            }
        }
        Ok(())
    }

    /// `handler`, `registry` and the like have that role; any other word is the post or body that they decide for. A
    /// number behind it is another person.
    async fn person(&mut self, who: &str) -> Told<Caller> {
        if let Some(known) = self.people.get(who) {
            return Ok(known.clone());
        }
        let word = who.split_whitespace().next().unwrap_or_default();
        let (role, post) = match serde_json::from_value(json!(word)) {
            Ok(role) => (role, None),
            Err(_) => (Role::Approver, Some(word.parse().map_err(|_| format!("nobody is called `{who}`"))?)),
        };
        let new = NewToken { role, name: format!("Testi {who}"), post, deputy: None };
        let made = self.app.app.review().issue_token(&self.municipality, Actor::system("test"), new).await;
        let (person, secret) = made.map_err(|error| format!("{who}: {error}"))?;
        let caller = self.app.caller(Some(secret), person.token.to_string());
        self.people.insert(who.to_owned(), caller.clone());
        Ok(caller)
    }

    fn path(&self, name: &str) -> Told<&str> {
        self.cases.get(name).map(|case| case.path.as_str()).ok_or_else(|| format!("no case is called `{name}` yet"))
    }

    async fn page(&mut self, by: &str, case: &str) -> Told<Value> {
        let path = self.path(case)?.to_owned();
        let answer = self.person(by).await?.get(&path).await;
        if answer.status == 200 { Ok(answer.json) } else { Err(format!("{case} for {by}: {}", answer.text)) }
    }

    async fn submit(&mut self, submit: &Submit) -> Told<()> {
        for nth in 1..=submit.copies.unwrap_or(1) {
            let name = if submit.copies.is_some() { format!("{}{nth}", submit.name) } else { submit.name.clone() };
            let mut with = submit.with.clone();
            replace(&mut with, &|text| self.filled(text.replace('#', &nth.to_string())))?;
            let mut body = submit.sample.as_deref().map_or_else(|| json!({}), sample);
            if with.is_object() {
                merge(&mut body, &with);
            }
            body["id"] = json!(name);
            // The channel says when it came, and whose it is.
            for told in ["received_at", "municipality"] {
                body.as_object_mut().map(|body| body.remove(told));
            }
            enclose(&mut body);
            let answer = self.person(&submit.by).await?.submit(&body).await;
            answered(&answer, submit.status.unwrap_or(201), submit.problem.as_deref())?;
            let word = |name: &str| answer.json[name].as_str().map(str::to_owned);
            if let (Some(id), Some(number)) = (word("case_id"), word("number")) {
                self.cases.insert(name, Known { path: format!("/v1/cases/{id}"), number });
            }
        }
        Ok(())
    }

    async fn act(&mut self, act: &Act, case: Option<String>) -> Told<()> {
        let path = match (&case, &act.verb, &act.post) {
            (Some(case), Some(verb), None) => format!("{}/{verb}", self.path(case)?),
            (None, None, Some(post)) => self.filled(post.clone())?,
            _ => return Err("an act has `case` and `do`, or `post`".to_owned()),
        };
        let caller = self.person(&act.by).await?;
        let mut body = act.body.clone();
        replace(&mut body, &|text| self.filled(text))?;
        if let (None, Some("approve"), Some(case)) = (body.as_object(), act.verb.as_deref(), &case) {
            let draft = caller.get(&format!("{}/draft", self.path(case)?)).await;
            if draft.status != 200 {
                return answered(&draft, act.status.unwrap_or(200), act.problem.as_deref());
            }
            body = approval(&draft.json);
        }
        enclose(&mut body);
        let answer = caller.post(&path, &body).await;
        answered(&answer, act.status.unwrap_or(200), act.problem.as_deref())?;
        self.members(&answer.json, &act.is)
    }

    async fn write(&mut self, words: &Words) -> Told<()> {
        let path = self.path(&words.case)?.to_owned();
        let caller = self.person(&words.by).await?;
        let answer = caller.edit_part(&path, &words.part, |text| format!("{text}\n{}", words.append)).await;
        answered(&answer, words.status.unwrap_or(200), words.problem.as_deref())
    }

    async fn expect(&mut self, expect: &Expect) -> Told<()> {
        let page = self.page(&expect.by, &expect.case).await?;
        for (member, wanted) in &expect.is {
            let mut wanted = wanted.clone();
            replace(&mut wanted, &|text| self.filled(text))?;
            let found = page.pointer(member.pointer()).unwrap_or(&Value::Null);
            same(&format!("{member:?}"), found, &wanted)?;
        }
        for flag in &expect.flags {
            if !page["flags"].as_array().is_some_and(|flags| flags.contains(&json!(flag))) {
                return Err(format!("the flag {flag} is not among {}", page["flags"]));
            }
        }
        for (name, wanted) in &expect.facts {
            let facts = page["facts"].as_array().into_iter().flatten();
            let found =
                facts.into_iter().find(|fact| fact["name"] == *name).map_or(&Value::Null, |fact| &fact["value"]);
            same(name, found, wanted)?;
        }
        let all = |place: &str, member: &str| -> BTreeSet<String> {
            let items = page.pointer(place).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| Some(item[member].as_str()?.to_owned())).collect()
        };
        if let Some(wanted) = &expect.questions {
            let places = ["/questions", "/asked", "/assessment/questions"];
            let found: BTreeSet<String> = places.iter().flat_map(|place| all(place, "about")).collect();
            same("questions", &json!(found), &json!(wanted))?;
        }
        if let Some(wanted) = &expect.failed {
            let checks = page["draft"]["checks"].as_array().into_iter().flatten();
            let found: BTreeSet<&str> =
                checks.filter(|check| check["result"] == "fail").filter_map(|check| check["id"].as_str()).collect();
            same("failed checks", &json!(found), &json!(wanted))?;
        }
        let letter = page.pointer("/draft/content/letter").and_then(Value::as_str).unwrap_or_default();
        for words in &expect.mentions {
            let words = self.filled(words.clone())?;
            if !letter.contains(&words) {
                return Err(format!("`{words}` does not stand in the letter:\n{letter}"));
            }
        }
        for words in &expect.absent {
            if letter.contains(words) {
                return Err(format!("`{words}` stands in the letter:\n{letter}"));
            }
        }
        let path = self.path(&expect.case)?.to_owned();
        let caller = self.person(&expect.by).await?;
        if !expect.events.is_empty() {
            let timeline = caller.get(&format!("{path}/timeline")).await.json;
            let told: Vec<&str> =
                timeline["items"].as_array().into_iter().flatten().filter_map(|event| event["kind"].as_str()).collect();
            if let Some(missing) = expect.events.iter().find(|event| !told.contains(&event.as_str())) {
                return Err(format!("no event {missing} among {told:?}"));
            }
        }
        if let Some(wanted) = &expect.similar {
            let alike = caller.get(&format!("{path}/similar")).await.json;
            let ids = alike["items"].as_array().into_iter().flatten().filter_map(|item| item["case"]["id"].as_str());
            let named =
                |id: &str| self.cases.iter().find(|(_, case)| case.path.ends_with(id)).map(|(name, _)| name.as_str());
            let found: BTreeSet<&str> = ids.map(|id| named(id).unwrap_or("a case without a name")).collect();
            same("similar", &json!(found), &json!(wanted))?;
        }
        Ok(())
    }

    fn members(&self, answer: &Value, wanted: &BTreeMap<String, Value>) -> Told<()> {
        for (pointer, wanted) in wanted {
            let mut wanted = wanted.clone();
            replace(&mut wanted, &|text| self.filled(text))?;
            same(pointer, answer.pointer(pointer).unwrap_or(&Value::Null), &wanted)?;
        }
        Ok(())
    }

    /// `$name.id` and `$name.number` are those of the case.
    fn filled(&self, mut text: String) -> Told<String> {
        // Longer names first: `road10` begins like `road1`.
        for (name, case) in self.cases.iter().rev() {
            let id = case.path.trim_start_matches("/v1/cases/");
            text = text.replace(&format!("${name}.id"), id).replace(&format!("${name}.number"), &case.number);
        }
        if text.contains('$') { Err(format!("no case is called so yet: {text}")) } else { Ok(text) }
    }
}

/// What did not hold.
fn same(what: &str, found: &Value, wanted: &Value) -> Told<()> {
    if found == wanted { Ok(()) } else { Err(format!("{what} is {found}, not {wanted}")) }
}

/// The answer has this status, and is a problem of this kind where one is named.
fn answered(answer: &Answer, status: u16, problem: Option<&str>) -> Told<()> {
    let kind = answer.json["type"].as_str().map(|kind| kind.trim_start_matches("/problems/"));
    let right = answer.status == status && problem.is_none_or(|problem| kind == Some(problem));
    let wanted = problem.map_or_else(|| status.to_string(), |problem| format!("{status} {problem}"));
    if right { Ok(()) } else { Err(format!("answered {}, not {wanted}: {}", answer.status, answer.text)) }
}

/// Changes every text of a value.
fn replace(value: &mut Value, with: &impl Fn(String) -> Told<String>) -> Told<()> {
    match value {
        Value::String(text) => *text = with(std::mem::take(text))?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| replace(item, with))?,
        Value::Object(members) => members.values_mut().try_for_each(|member| replace(member, with))?,
        _ => {}
    }
    Ok(())
}

/// Files as the API takes them: of a name among the samples, `{name, text}`, `{name, bytes}` for so many, or as they are.
fn enclose(body: &mut Value) {
    let Some(Value::Array(files)) = body.get_mut("attachments") else { return };
    for file in files {
        let (name, content) = match (&*file, file["text"].as_str(), file["bytes"].as_u64()) {
            (Value::String(path), ..) => {
                let name = path.rsplit('/').next().unwrap_or(path).to_owned();
                (json!(name), fs::read(samples().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")))
            }
            (_, Some(text), _) => (file["name"].clone(), text.as_bytes().to_vec()),
            (_, _, Some(bytes)) => (file["name"].clone(), vec![b'%'; usize::try_from(bytes).unwrap()]),
            _ => continue,
        };
        *file = json!({ "name": name, "media_type": "text/plain", "content": BASE64.encode(content) });
    }
}

fn samples() -> PathBuf {
    policies().join("harjuvesi/samples")
}

fn sample(name: &str) -> Value {
    let path = samples().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The packs with a language model that never answers.
fn without_answer() -> Arc<Triage> {
    let rulebooks = Rulebooks::load_all(&policies()).unwrap_or_else(|faults| panic!("{faults}"));
    let search: Arc<dyn Search> = Arc::new(Embedded::over(&rulebooks));
    let prompts = Prompts::load("prompts".as_ref()).unwrap_or_else(|faults| panic!("{faults}"));
    let (config, (ambient, _)) = (Config::standard(), Ambient::fixed(at(NOW)));
    let silent = calls::Told::all([]);
    let agent = Arc::new(Agent::new(silent, Arc::new(prompts), &config.model, &config.budget, ambient));
    Arc::new(Triage::new(&rulebooks, classifier, &search, Some(&agent)).expect("the words of danger compile"))
}

fn dataset_of_cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/datasets/cases")
}

fn stories() -> Vec<Story> {
    let folder = dataset_of_cases().join("stories");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let story: Story = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.file_stem().unwrap().to_string_lossy();
        assert!(file == story.id && !story.hard.is_empty() && !story.title.is_empty(), "{}", path.display());
        story
    };
    files.iter().map(read).collect()
}

/// How a story ended.
enum End {
    Met,
    /// Where it must: why, and the difference.
    Unmet(String),
}

/// Tells a story; an error is the step, counted from one, and what does not hold there.
async fn tell(story: &Story) -> Told<End> {
    let mut telling = Telling::of(story).await;
    let mut unmet = None;
    for (nth, step) in (1..).zip(&story.steps) {
        if let Step::Unmet(reason) = step {
            unmet = Some(reason);
        }
        if let Err(what) = telling.step(step).await {
            let place = format!("step {nth} of {}: {what}", story.steps.len());
            return match unmet {
                Some(reason) => Ok(End::Unmet(format!("{reason}\n    {place}"))),
                None => Err(place),
            };
        }
    }
    telling.app.stop_with_jobs_left().await;
    unmet.map_or(Ok(End::Met), |reason| Err(format!("it holds now, take `unmet` out: {reason}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_story_holds_up_to_where_it_says_that_it_does_not() {
    let stories = stories();
    let (all, mut met, mut wrong) = (stories.len(), 0, Vec::new());
    let mut told = tokio::task::JoinSet::new();
    for story in stories {
        told.spawn(async move { (tell(&story).await, story) });
    }
    for (end, story) in told.join_all().await {
        match end {
            Ok(End::Met) => met += 1,
            Ok(End::Unmet(why)) => println!("{} is not met: {why}", story.id),
            Err(what) => wrong.push(format!("{} ({}): {what}", story.id, story.title)),
        }
    }
    println!("{met} of {all} stories of hard cases are met");
    wrong.sort();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `H40`, in `H40` and in `H40 in free words`.
fn numbers(hard: &str) -> impl Iterator<Item = &str> {
    hard.split_whitespace().take_while(|word| {
        word.strip_prefix('H').is_some_and(|digits| digits.len() == 2 && digits.chars().all(|c| c.is_ascii_digit()))
    })
}

fn cases() -> Vec<EvalCase> {
    dataset::all(&dataset_of_cases().join("cases.jsonl")).unwrap()
}

#[test]
fn every_case_of_the_list_is_told() {
    let (cases, stories) = (cases(), stories());
    let of_cases = cases.iter().filter_map(|case| case.metadata["hard"].as_str()).flat_map(numbers);
    let of_stories = stories.iter().flat_map(|story| &story.hard).flat_map(|hard| numbers(hard));
    let told: BTreeSet<&str> = of_cases.chain(of_stories).collect();
    let listed: BTreeSet<String> = (1..=LISTED).map(|number| format!("H{number:02}")).collect();
    assert_eq!(told, listed.iter().map(String::as_str).collect());
}

/// What the blessed run missed is what the cases say is missed.
#[test]
fn a_case_that_is_not_met_says_why() {
    let baseline = fs::read_to_string(dataset_of_cases().join("../../baselines/cases.json")).unwrap();
    let baseline: Value = serde_json::from_str(&baseline).unwrap();
    let rows = baseline["run"]["rows"].as_array().unwrap().iter();
    let failed: BTreeSet<&str> =
        rows.filter(|row| row["status"] == "failed").map(|row| row["case"].as_str().unwrap()).collect();
    let cases = cases();
    let unmet = cases.iter().filter(|case| case.metadata.get("unmet").is_some_and(Value::is_string));
    assert_eq!(unmet.map(|case| case.id.as_str()).collect::<BTreeSet<_>>(), failed);
}

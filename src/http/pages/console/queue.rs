//! The queue: words of danger first, then what is due first; mine, my unit's, or all that I may see.
//!
//! The filter stands in the address, so that it can be kept and sent on. A page of it is the same rows as
//! `GET /v1/cases` gives.

use axum::extract::{Query, State};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cases::{Euro, Flag, Language, Person, Role, ServiceId, Status};
use crate::http::error::Result;
use crate::http::identity::{Can, ReadCases};
use crate::http::pages::reader::{Reader, encoded};
use crate::http::pages::render;
use crate::municipality::Pack;
use crate::storage::{CaseRow, QueueFilter};

/// Whose cases.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum View {
    /// Those that I have claimed.
    Mine,
    /// Those that my post decides.
    Decide,
    /// Those that my unit prepares.
    Unit,
    /// All that I may see.
    #[default]
    All,
}

impl View {
    /// The views that somebody has: who holds a post decides and belongs to a unit.
    fn of(person: &Person) -> Vec<Self> {
        let by_post = person.post.as_ref().map(|_| [Self::Decide, Self::Unit]);
        by_post.into_iter().flatten().chain([Self::Mine, Self::All]).collect()
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Decide => "decide",
            Self::Unit => "unit",
            Self::All => "all",
        }
    }
}

/// The filter, as it stands in the address. What cannot be read is left out: a queue is never a wall.
#[derive(Debug, Default, Deserialize)]
pub struct Which {
    #[serde(default)]
    view: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    service: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    department: String,
    #[serde(default)]
    risk: String,
    #[serde(default)]
    cursor: String,
}

/// A choice of a filter.
#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

/// A row as people read it.
#[derive(Debug, Serialize)]
struct Line {
    case: CaseRow,
    /// The service's name, or the kind of matter.
    title: String,
    /// `late`, `soon` or `later`; none without a clock.
    due: Option<&'static str>,
    /// A message of the party waits.
    message: bool,
}

/// What the page shows.
#[derive(Debug, Serialize)]
struct Queue {
    view: View,
    lines: Vec<Line>,
    /// Cases that are open in the municipality.
    open: i64,
    /// Address of the next page.
    next: Option<String>,
    /// Up to which amount the reader may decide.
    limit: Option<Euro>,
    statuses: Vec<Choice>,
    services: Vec<Choice>,
    languages: Vec<Choice>,
    departments: Vec<Choice>,
    /// The filter as it stands in an address, with a leading `&`: another view keeps it.
    kept: String,
    /// The views that the reader has.
    tabs: Vec<Tab>,
    risk: bool,
}

/// A view, and how many cases of the filter it holds.
#[derive(Debug, Serialize)]
struct Tab {
    view: View,
    cases: i64,
    chosen: bool,
}

/// Soon is within this time.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_hours(72);

/// `GET /console`
///
/// # Errors
/// [`crate::http::error::Error::Unavailable`].
pub async fn show(
    State(app): State<App>,
    reader: Reader,
    person: Can<ReadCases>,
    Query(which): Query<Which>,
) -> Result<Response> {
    let desk = app.review().desk(&person.municipality)?;
    let pack = &desk.rulebook.pack;
    let view = view(&which.view, &person);
    let filter = filter(&which, view, &person, pack);
    let after = which.cursor.parse().ok();
    let limit = app.config().api.page_size;
    let page = app.storage().cases(&person.municipality, &filter, after.as_ref(), limit).await?;
    let counts: Vec<_> = app.storage().case_counts(&person.municipality).await?;
    let open: i64 = counts.iter().filter(|(status, _)| !status.is_final()).map(|(_, count)| count).sum();
    let now = app.ambient().now();
    let waiting = app.storage().cases_with_waiting_messages(&person.municipality).await?;
    let message = |case: &CaseRow| waiting.contains(&case.id);
    let lines = page.rows.into_iter().map(|case| Line { message: message(&case), ..line(case, pack, &reader, now) });
    let lines: Vec<Line> = lines.collect();
    let of = |name: &str, value: &str| {
        if value.is_empty() { String::new() } else { format!("&{name}={}", encoded(value)) }
    };
    let kept = [
        of("status", &which.status),
        of("service", &which.service),
        of("language", &which.language),
        of("department", &which.department),
        of("risk", &which.risk),
    ]
    .concat();
    let next =
        page.next.map(|next| format!("/console?view={}{kept}&cursor={}", view.as_str(), encoded(&next.to_string())));
    let mut tabs = Vec::new();
    for each in View::of(&person) {
        let filter = self::filter(&which, each, &person, pack);
        let cases = app.storage().count_cases(&person.municipality, &filter).await?;
        tabs.push(Tab { view: each, cases, chosen: each == view });
    }
    let words = |vocabulary: &str, value: &str| reader.word(&format!("{vocabulary}.{value}"));
    let status = Status::ALL.iter().map(|status| (status.as_str().to_owned(), words("status", status.as_str())));
    let services = &pack.services;
    let service = services.iter().map(|(id, file)| (id.to_string(), file.name.get(reader.language).to_owned()));
    let departments = pack.municipality.departments.iter();
    let department = departments.map(|(id, file)| (id.to_string(), file.name.get(reader.language).to_owned()));
    let language = [Language::Fi, Language::Sv, Language::En].iter();
    let language = language.map(|language| (language.code().to_owned(), words("language", language.code())));
    let view = Queue {
        view,
        lines,
        open,
        next,
        limit: if person.role == Role::Approver { limit_of(pack, &person, now) } else { None },
        statuses: choices(status, &which.status),
        services: choices(service, &which.service),
        languages: choices(language, &which.language),
        departments: choices(department, &which.department),
        tabs,
        kept,
        risk: which.risk == Flag::Emergency.as_str(),
    };
    render::page("console/queue.html", &reader, &view)
}

/// The view that was asked for, if the reader has it; who decides begins with what waits for them.
fn view(word: &str, person: &Person) -> View {
    let views = View::of(person);
    let begin = views.iter().find(|view| **view == View::Decide && person.role == Role::Approver);
    views.iter().find(|view| view.as_str() == word).or(begin).copied().unwrap_or_default()
}

fn filter(which: &Which, view: View, person: &Person, pack: &Pack) -> QueueFilter {
    let post = person.post.as_ref().and_then(|post| pack.municipality.deciders.get(post));
    let department = post.map(|post| post.department.clone());
    // Without a wish: everything that still needs somebody.
    let open = || Status::ALL.iter().copied().filter(|status| !status.is_final()).collect();
    QueueFilter {
        statuses: Status::parse(&which.status).map_or_else(open, |status| vec![status]),
        service: which.service.parse::<ServiceId>().ok(),
        language: Language::from_code(&which.language),
        claimed_by: (view == View::Mine).then_some(person.token),
        decider: if view == View::Decide { person.post.clone() } else { None },
        department: if view == View::Unit { department } else { which.department.parse().ok() },
        emergency_only: which.risk == Flag::Emergency.as_str(),
        ..QueueFilter::default()
    }
}

fn choices(all: impl Iterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    all.map(|(value, label)| Choice { chosen: value == chosen, value, label }).collect()
}

fn line(case: CaseRow, pack: &Pack, reader: &Reader, now: Timestamp) -> Line {
    let service = case.service.as_ref().and_then(|id| pack.service(id));
    let name = service.map(|file| file.name.get(reader.language).to_owned());
    let category = service.zip(case.category.as_ref()).and_then(|(file, code)| {
        file.categories.iter().find(|row| row.code == *code).map(|row| row.name.get(reader.language).to_owned())
    });
    let title = category.or(name).or_else(|| case.matter.map(|matter| reader.word(&format!("matter.{matter}"))));
    let due = case.due_at.map(|at| match at.duration_since(now) {
        left if left.is_negative() => "late",
        left if left < SOON => "soon",
        _ => "later",
    });
    Line { title: title.unwrap_or_else(|| reader.word("queue.unread")), due, message: false, case }
}

/// Up to which amount this person may decide, over all delegations that name their post; none: without a limit or not
/// at all.
fn limit_of(pack: &Pack, person: &Person, now: Timestamp) -> Option<Euro> {
    let today = crate::triage::local_date(now);
    let post = person.post_on(today)?;
    let rows = pack.delegations.iter().filter(|row| row.valid.contains(today));
    let steps = rows.flat_map(|row| &row.steps).filter(|step| step.decider == *post);
    steps.filter_map(|step| step.up_to).max()
}

//! The one place where errors become problems.
//!
//! Which error goes where: rooms have small enums without HTTP; [`Error`] takes them in by `From`; the one
//! `match` in [`Error::problem`] gives status, kind and words. What is a fault of ours is logged here, once,
//! and leaves as a bare 500; a stranger's input never makes one.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::shell;
use crate::app::StartError;
use crate::cases::{DraftHash, Role};
use crate::intake::register::RegisterError;
use crate::intake::{self, IntakeError};
use crate::review::{Flaw, Refusal};

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// No bearer token was sent.
    NoToken,
    /// The token is unknown or revoked.
    UnknownToken,
    /// The token's role lacks the right.
    Forbidden {
        /// The role it has.
        role: Role,
        /// The roles that have the right.
        needs: &'static [Role],
    },
    /// No such thing in the caller's municipality.
    NoSuch(&'static str),
    /// The folder of an evaluation run cannot be read: why.
    BrokenRun(String),
    /// The body is no JSON.
    UnreadableJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The body is no `application/json`.
    NotJson,
    /// The body is no form.
    NoForm,
    /// Too many attempts from one address.
    TooOften,
    /// The body is larger than the limit.
    TooLarge,
    /// The connection broke before the body was whole.
    BrokenBody,
    /// The body is JSON and cannot be used.
    Unusable(Vec<Flaw>),
    /// A submission that cannot be taken.
    Intake(IntakeError),
    /// A path, query or header value cannot be used.
    Parameter(Flaw),
    /// `If-Match` is missing.
    PreconditionRequired,
    /// `If-Match` names an older draft.
    PreconditionFailed(DraftHash),
    /// The Idempotency-Key was used with another body.
    KeyReused,
    /// The act was refused by the domain.
    Refused(Refusal),
    /// The database does not answer now.
    Unavailable(String),
    /// A fault of ours.
    Internal(String),
}

/// Result of a handler.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Storage(error) => error.into(),
            other => Self::Refused(other),
        }
    }
}

impl From<crate::storage::Error> for Error {
    fn from(error: crate::storage::Error) -> Self {
        if error.is_transient() { Self::Unavailable(error.to_string()) } else { Self::Internal(error.to_string()) }
    }
}

/// Packs could not be read again for a reason that does not lie in their files.
impl From<StartError> for Error {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Storage(error) => error.into(),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<IntakeError> for Error {
    fn from(error: IntakeError) -> Self {
        Self::Intake(error)
    }
}

impl From<RegisterError> for Error {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Refused(refused) => refused.into(),
            RegisterError::Storage(error) => error.into(),
        }
    }
}

impl Error {
    /// One flaw of the body.
    pub fn unusable(pointer: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Unusable(vec![Flaw::new(pointer, what, instead)])
    }

    /// A path, query or header value that cannot be used.
    pub fn parameter(name: &str, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Parameter(Flaw::new(name, what, instead))
    }

    /// The problem as the caller sees it.
    pub fn problem(&self) -> Problem {
        use StatusCode as S;
        match self {
            Self::NoToken => Problem::new(
                S::UNAUTHORIZED,
                "no-token",
                "No token",
                "Send `Authorization: Bearer <token>`; an administrator of your municipality makes tokens.",
            ),
            Self::UnknownToken => Problem::new(
                S::UNAUTHORIZED,
                "unknown-token",
                "Unknown token",
                "The token is unknown or was revoked. Ask an administrator of your municipality for a new one.",
            ),
            Self::Forbidden { role, needs } => {
                let needs: Vec<&str> = needs.iter().map(|role| role.as_str()).collect();
                let detail = format!("A token with the role `{role}` may not do this; {} may.", needs.join(", "));
                Problem::new(S::FORBIDDEN, "forbidden", "Not within your role", detail).with("roles", needs)
            }
            Self::NoSuch(what) => {
                let detail = format!("There is no such {what} in your municipality.");
                Problem::new(S::NOT_FOUND, "not-found", "Not found", detail)
            }
            Self::BrokenRun(why) => Problem::new(
                S::CONFLICT,
                "broken-run",
                "Run cannot be read",
                format!("The folder of this evaluation run cannot be read: {why}. Tell whoever ran it."),
            ),
            Self::UnreadableJson { line, column } => Problem::new(
                S::BAD_REQUEST,
                "unreadable-json",
                "Unreadable JSON",
                format!("The body is no JSON: line {line}, column {column}. Nothing was kept."),
            )
            .with("line", line)
            .with("column", column),
            Self::NotJson => Problem::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Not JSON",
                "Send JSON, with the header `Content-Type: application/json`.",
            ),
            Self::NoForm => {
                Problem::new(S::UNSUPPORTED_MEDIA_TYPE, "no-form", "Not a form", "Send the form of the page.")
            }
            Self::TooOften => Problem::new(
                S::TOO_MANY_REQUESTS,
                "too-often",
                "Too often",
                "Too many attempts came from your address. Wait a minute and try again; nothing was kept.",
            ),
            Self::TooLarge => Problem::new(
                S::PAYLOAD_TOO_LARGE,
                "too-large",
                "Too large",
                "The body is larger than this server takes (`server.max_body_bytes`). Nothing was kept; \
                 send a shorter text, or fewer or smaller files.",
            ),
            Self::BrokenBody => {
                Problem::new(S::BAD_REQUEST, "broken-body", "Broken body", "The body ended early. Send it again.")
            }
            Self::Unusable(flaws) => {
                let detail = "The body is JSON and cannot be used; `errors` says what and where.";
                Problem::new(S::UNPROCESSABLE_ENTITY, "unusable", "Unusable request", detail).errors(flaws)
            }
            Self::Intake(error) => intake(error),
            Self::Parameter(flaw) => {
                let detail = "A value in the path, query or headers cannot be used; `errors` says which.";
                Problem::new(S::BAD_REQUEST, "bad-parameter", "Bad parameter", detail).errors([flaw])
            }
            Self::PreconditionRequired => Problem::new(
                S::PRECONDITION_REQUIRED,
                "precondition-required",
                "If-Match is missing",
                "Send `If-Match` with the ETag of the draft that you changed, so that nobody's edit is lost.",
            ),
            Self::PreconditionFailed(current) => Problem::new(
                S::PRECONDITION_FAILED,
                "stale-draft",
                "Stale draft",
                "The draft has changed since you read it. Read it again, then edit that.",
            )
            .with("current", current),
            Self::KeyReused => Problem::new(
                S::CONFLICT,
                "idempotency-key-reused",
                "Idempotency-Key reused",
                "This key was sent before with another request. Send a new key for a new request.",
            ),
            Self::Refused(refusal) => refused(refusal),
            Self::Unavailable(_) => Problem::new(
                S::SERVICE_UNAVAILABLE,
                "unavailable",
                "Not available now",
                "The database does not answer now. Nothing was kept; try again shortly.",
            ),
            Self::Internal(_) => shell::internal(),
        }
    }
}

/// The same `match`, for what the domain refuses.
fn refused(refusal: &Refusal) -> Problem {
    use StatusCode as S;
    let say = |status, title, detail: String| Problem::new(status, refusal.code(), title, detail);
    match refusal {
        Refusal::NotFound => say(S::NOT_FOUND, "Not found", "There is no such case in your municipality.".to_owned()),
        Refusal::Illegal(illegal) => {
            say(S::CONFLICT, "Not possible now", format!("{}.", capital(&illegal.to_string()))).with("case_status", illegal.status)
        }
        Refusal::ClaimedByAnother { until } => {
            say(S::CONFLICT, "Claimed by another", format!("Another person has claimed the case until {until}.")).with("until", until)
        }
        Refusal::NotClaimed => {
            say(S::CONFLICT, "Not claimed", "Claim the case first (POST …/claim), so that two do not work on it at once.".to_owned())
        }
        Refusal::Disqualified => say(
            S::FORBIDDEN,
            "Disqualified",
            "You have declared that you are disqualified (hallintolaki 27–28 §): another person handles and decides this case.".to_owned(),
        ),
        Refusal::JudgeFirst => say(
            S::FORBIDDEN,
            "Judge first",
            "This case is judged blind: say what you would do (POST …/judgement), then the proposal is shown.".to_owned(),
        ),
        Refusal::AlreadyJudged => {
            say(S::CONFLICT, "Already judged", "Somebody has judged this case; what was said first stands.".to_owned())
        }
        Refusal::NotBlind => {
            say(S::CONFLICT, "Not judged blind", "The proposal of this case can be seen: it is not judged blind.".to_owned())
        }
        Refusal::NoDraft => say(S::CONFLICT, "No draft yet", "The case has no draft yet. Try again when the pipeline is done.".to_owned()),
        Refusal::StaleDraft { current } => {
            say(S::CONFLICT, "Stale draft", "The draft has changed since you saw it. Read it again, then approve that.".to_owned())
                .with("current", current)
        }
        Refusal::WrongAmount { amount } => {
            let flaw = Flaw::new(
                "/confirmed_amount",
                "this is not the amount that the draft grants",
                amount.map_or_else(|| "write null: the draft grants nothing".to_owned(), |amount| format!("read the draft; it grants {amount}")),
            );
            say(S::UNPROCESSABLE_ENTITY, "Amount not confirmed", "The confirmed amount is not the amount of the draft.".to_owned())
                .errors([&flaw])
        }
        Refusal::AppealNotConfirmed => {
            let flaw = Flaw::new("/appeal_confirmed", "the instructions for appeal were not confirmed", "read them, then write true");
            say(S::UNPROCESSABLE_ENTITY, "Appeal not confirmed", "The draft is a decision: confirm its instructions for appeal.".to_owned())
                .errors([&flaw])
        }
        Refusal::BeyondPower { limit, whose } => {
            let limit_words = limit.map_or_else(
                || "You hold no power to decide this matter".to_owned(),
                |limit| format!("Your power to decide this matter ends at {limit} €"),
            );
            let whose_words = whose.as_ref().map_or_else(String::new, |whose| format!("; it belongs to {whose}"));
            say(S::FORBIDDEN, "Beyond your power", format!("{limit_words}{whose_words}.")).with("limit", limit).with("whose", whose)
        }
        Refusal::NotDeputyNow { from, until } => say(
            S::FORBIDDEN,
            "Not a deputy now",
            format!("You hold the post as its deputy from {from} to {until}. Whoever holds it now decides."),
        )
        .with("from", from)
        .with("until", until),
        Refusal::PreparerApproves => say(
            S::FORBIDDEN,
            "Preparer is not approver",
            "You prepared this version or a ruling in it; another person with the power approves it.".to_owned(),
        ),
        Refusal::ChecksFailed(checks) => say(
            S::UNPROCESSABLE_ENTITY,
            "Checks failed",
            "Blocking checks of the draft failed; `checks` says which and why. Edit the draft, then approve the new version.".to_owned(),
        )
        .with("checks", checks),
        Refusal::OpenAlert => say(
            S::UNPROCESSABLE_ENTITY,
            "Open alert",
            "Emergency words were found and nobody has acknowledged the alert (K27). Acknowledge it first (POST /v1/alerts/…/acknowledge)."
                .to_owned(),
        ),
        Refusal::OthersChanged { facts } => others_changed(refusal, facts),
        Refusal::AlreadyDecided => say(S::CONFLICT, "Already decided", "Another approval came first.".to_owned()),
        Refusal::ChangedMeanwhile => {
            say(S::CONFLICT, "Changed meanwhile", "The case changed while you acted; nothing of this was kept. Read it again.".to_owned())
        }
        Refusal::Invalid(flaws) => {
            say(S::UNPROCESSABLE_ENTITY, "Unusable request", "What was sent cannot be used; `errors` says what and where.".to_owned())
                .errors(flaws)
        }
        Refusal::Final { status } => {
            let detail = format!("A case that is `{status}` takes nothing more. Send a new submission instead.");
            say(S::CONFLICT, "Case has ended", detail).with("case_status", status)
        }
        Refusal::NoPack => say(
            S::SERVICE_UNAVAILABLE,
            "Municipality not loaded",
            "This server has not loaded the files of your municipality. Tell its operator.".to_owned(),
        ),
        // Storage's errors were taken apart on the way in.
        Refusal::Storage(_) => shell::internal(),
    }
}

fn others_changed(refusal: &Refusal, facts: &[String]) -> Problem {
    let detail =
        "Another case changed what this draft rests on (`facts`). It is being made anew; read it, then approve that.";
    Problem::new(StatusCode::CONFLICT, refusal.code(), "Other cases changed", detail.to_owned()).with("facts", facts)
}

/// The same `match`, for a submission that cannot be taken.
fn intake(error: &IntakeError) -> Problem {
    use StatusCode as S;
    use intake::Refusal as R;
    let (status, slug, title) = match error.refusal {
        R::Unreadable => (S::BAD_REQUEST, "unreadable-json", "Unreadable JSON"),
        R::Invalid => (S::UNPROCESSABLE_ENTITY, "unusable", "Unusable request"),
        R::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
        R::UnknownMunicipality => (S::UNPROCESSABLE_ENTITY, "unknown-municipality", "Unknown municipality"),
        R::UnknownService => (S::UNPROCESSABLE_ENTITY, "unknown-service", "Unknown service"),
        R::Conflict => (S::CONFLICT, "id-reused", "Id used before"),
    };
    // A place that is no JSON pointer (`line 3, column 14`) is for people to read.
    let is_pointer = error.at.is_empty() || error.at.starts_with('/');
    let (pointer, place) = if is_pointer { (error.at.as_str(), "") } else { ("", error.at.as_str()) };
    let place = if place.is_empty() { String::new() } else { format!(" At {place}.") };
    let detail = format!("The submission was not taken; `errors` says what and where.{place}");
    Problem::new(status, slug, title, detail).errors([&Flaw::new(pointer, &error.what, &error.instead)])
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::Internal(what) => tracing::error!(error = %what, "a request failed: {what}"),
            Self::Unavailable(what) => tracing::warn!(error = %what, "the database is not available: {what}"),
            _ => {}
        }
        let mut response = self.problem().into_response();
        match self {
            Self::Unavailable(_) => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::PreconditionFailed(current) => {
                if let Ok(tag) = HeaderValue::from_str(&format!("\"{current}\"")) {
                    response.headers_mut().insert(header::ETAG, tag);
                }
            }
            _ => {}
        }
        response
    }
}

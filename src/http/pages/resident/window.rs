//! Where a service's application window (*hakuaika*) stands, as residents are told before they fill in a form.
//!
//! Nothing is closed to anybody: what comes late is registered and handled as late, and a form that waits for the next
//! window is kept until then. Which window something belongs to is the library's to say, as in triage.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::municipality::format::ServiceFile;
use crate::policy::Rulebook;
use crate::triage::local_date;

/// How long after the next window has opened a form is still kept that was begun before: to the end of the thirtieth day.
const AFTER_OPENING: SignedDuration = SignedDuration::from_secs(30 * 24 * 60 * 60 - 1);

/// An application window, as it stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Where it stands.
    pub state: State,
    /// Its first day.
    pub opens: Date,
    /// Its last moment.
    pub closes: Timestamp,
    /// The window after one that has closed.
    pub next: Option<Next>,
}

/// Where a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has not opened.
    Early,
    /// It is open.
    Open,
    /// It has closed: what arrives now is late.
    Closed,
}

/// A window to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Next {
    /// Its first day.
    pub opens: Date,
    /// Its last moment.
    pub closes: Timestamp,
}

impl Window {
    /// The window of what arrives at `at`; none where the service has no window.
    #[must_use]
    pub fn of(rulebook: &Rulebook, service: Option<&ServiceFile>, at: Timestamp) -> Option<Self> {
        let policy = service?.policy.as_ref()?;
        let span = rulebook.library.window_for(policy, at)?;
        let state = match at {
            _ if at < span.opens => State::Early,
            _ if at <= span.closes => State::Open,
            _ => State::Closed,
        };
        let after = rulebook.library.window_after(policy, at).filter(|_| state == State::Closed);
        let next = after.map(|span| Next { opens: local_date(span.opens), closes: span.closes });
        Some(Self { state, opens: local_date(span.opens), closes: span.closes, next })
    }
}

/// Until when a form is kept that could wait for the next window; none where there is nothing to wait for.
#[must_use]
pub fn kept_until(rulebook: &Rulebook, service: Option<&ServiceFile>, at: Timestamp) -> Option<Timestamp> {
    let next = rulebook.library.window_after(service?.policy.as_ref()?, at)?;
    let is_open = Window::of(rulebook, service, at).is_some_and(|window| window.state == State::Open);
    next.opens.checked_add(AFTER_OPENING).ok().filter(|_| !is_open)
}

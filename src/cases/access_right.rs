//! The register of access rights (*kulkuoikeusrekisteri*): which key or tag opens what, for whom, until when, and whether
//! it came back.
//!
//! An approved decision makes a row; a person hands over, takes back, or notes that it is lost. Where a right stands is
//! worked out from these moments and the day, so that nothing has to be told that a day has passed.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{CaseRef, Person, ServiceId};

vocabulary! {
    /// Where an access right stands.
    AccessState {
        /// Decided; the key or tag has not been handed over yet.
        Granted = "granted",
        /// Handed over, and its time runs.
        HandedOver = "handed-over",
        /// Its last day has passed, and the key or tag is still out.
        Overdue = "overdue",
        /// The key or tag is back.
        Returned = "returned",
        /// The key or tag is lost: what it opens must be made safe.
        Lost = "lost",
        /// Its last day has passed, and nobody ever fetched the key or tag.
        Lapsed = "lapsed",
    }
}

vocabulary! {
    /// What a person does with a key or tag.
    AccessAct {
        /// The holder gets it.
        HandOver = "hand-over",
        /// It is back; also one that was thought lost.
        TakeBack = "take-back",
        /// It is lost.
        ReportLost = "report-lost",
    }
}

/// When somebody did something, and who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Handled {
    /// When.
    #[schema(value_type = String, format = "date-time")]
    pub at: Timestamp,
    /// By whom.
    pub by: Person,
}

/// One right of the register: of one case, for one person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccessRight {
    /// The case in which it was granted.
    pub case: CaseRef,
    /// The service of the case.
    #[schema(value_type = String)]
    pub service: ServiceId,
    /// Who has it.
    pub holder: String,
    /// What it opens, in the applicant's words.
    pub what: String,
    /// Which kind of thing opens it, as the form calls it: `key`, `tag`; none where the form does not ask.
    pub kind: Option<String>,
    /// First day.
    #[schema(value_type = String, format = "date")]
    pub from: Date,
    /// Last day; the key or tag is returned by then.
    #[schema(value_type = String, format = "date")]
    pub until: Date,
    /// The decision.
    pub granted: Handled,
    /// That it was handed over.
    pub handed_over: Option<Handled>,
    /// The serial number of the key or the number of the tag, since it was handed over.
    pub number: Option<String>,
    /// That it came back.
    pub returned: Option<Handled>,
    /// That it is lost; null again once it is found.
    pub lost: Option<Handled>,
    /// How it was lost, in a person's words.
    pub lost_because: Option<String>,
}

/// Who holds it and what was said of its loss is personal: `{:?}` does not tell it (promise 10).
impl std::fmt::Debug for AccessRight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessRight")
            .field("case", &self.case.id)
            .field("from", &self.from)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl AccessRight {
    /// Where it stands on a day.
    #[must_use]
    pub fn state(&self, today: Date) -> AccessState {
        let over = today > self.until;
        match (&self.returned, &self.lost, &self.handed_over) {
            (Some(_), _, _) => AccessState::Returned,
            (None, Some(_), _) => AccessState::Lost,
            (None, None, Some(_)) if over => AccessState::Overdue,
            (None, None, Some(_)) => AccessState::HandedOver,
            (None, None, None) if over => AccessState::Lapsed,
            (None, None, None) => AccessState::Granted,
        }
    }

    /// Whether the key or tag is somewhere else than with the municipality.
    #[must_use]
    pub const fn is_out(&self) -> bool {
        self.handed_over.is_some() && self.returned.is_none()
    }
}

impl AccessState {
    /// What may be done with a key or tag that stands so.
    #[must_use]
    pub const fn acts(self) -> &'static [AccessAct] {
        match self {
            Self::Granted => &[AccessAct::HandOver],
            Self::HandedOver | Self::Overdue => &[AccessAct::TakeBack, AccessAct::ReportLost],
            Self::Lost => &[AccessAct::TakeBack],
            Self::Returned | Self::Lapsed => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::{CaseId, Role, TokenId};

    #[test]
    fn where_a_right_stands_is_told_by_its_moments_and_the_day() {
        let by = Person {
            token: TokenId::new(uuid::Uuid::from_u128(1)),
            municipality: "harjuvesi".parse().unwrap(),
            role: Role::Handler,
            name: "Kaisa".to_owned(),
            post: None,
            deputy: None,
        };
        let done = || Handled { at: Timestamp::UNIX_EPOCH, by: by.clone() };
        let day = |text: &str| text.parse::<Date>().unwrap();
        let mut right = AccessRight {
            case: CaseRef { id: CaseId::new(uuid::Uuid::from_u128(2)), number: "HRJ/2026/00001".to_owned() },
            service: "access-right".parse().unwrap(),
            holder: "Testi Ohjaaja".to_owned(),
            what: "ulko-ovi".to_owned(),
            kind: Some("key".to_owned()),
            from: day("2026-09-01"),
            until: day("2027-05-31"),
            granted: done(),
            handed_over: None,
            number: None,
            returned: None,
            lost: None,
            lost_because: None,
        };
        let (last, after) = (day("2027-05-31"), day("2027-06-01"));
        assert_eq!((right.state(last), right.state(after)), (AccessState::Granted, AccessState::Lapsed));
        right.handed_over = Some(done());
        assert_eq!((right.state(last), right.state(after)), (AccessState::HandedOver, AccessState::Overdue));
        right.lost = Some(done());
        assert_eq!((right.state(last), right.is_out()), (AccessState::Lost, true));
        right.returned = Some(done());
        assert_eq!((right.state(after), right.is_out()), (AccessState::Returned, false));
        assert!(!format!("{right:?}").contains("Ohjaaja"));
    }
}

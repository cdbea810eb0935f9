//! The words that every room shares: case, party, fact, assessment, draft, citation, check, decision.
//!
//! Types only, with the invariants that need no file, no clock and no database. What is parsed here is
//! never validated again further in: a [`CaseId`] is a case id, a [`Euro`] has cents and no float in it.
//! Everything else in the house may depend on this room; it depends on nothing but [`crate::clock`].

mod about;
mod access_right;
mod actor;
mod assessment;
mod case;
mod check;
mod classification;
mod correction;
mod draft;
mod event;
mod fact;
mod hearing;
mod id;
mod judgement;
mod language;
mod ledger;
mod message;
mod money;
mod practice;
mod proposal;
mod publication;
mod round;
mod standing;
mod status;
mod submission;
mod wording;
mod written;

pub use about::*;
pub use access_right::*;
pub use actor::*;
pub use assessment::*;
pub use case::*;
pub use check::*;
pub use classification::*;
pub use correction::*;
pub use draft::*;
pub use event::*;
pub use fact::*;
pub use hearing::*;
pub use id::*;
pub use judgement::*;
pub use language::*;
pub use ledger::*;
pub use message::*;
pub use money::*;
pub use practice::{Deviation, Practice};
pub use proposal::*;
pub use publication::*;
pub use round::*;
pub use standing::*;
pub use status::*;
pub use submission::*;
pub use wording::*;
pub use written::*;

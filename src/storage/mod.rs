//! Storage: pool, migrations, one file a noun, audit chain, jobs.
//!
//! Owns every SQL text of the house. One text serves SQLite and PostgreSQL; what differs stands in
//! `dialect.rs`. What a step of work changes (state, audit event, next jobs) goes through one [`Tx`]:
//! either all of it is there after a crash or nothing is. Reads stand on [`Storage`], writes on [`Tx`].
//! What HTTP can reach is never read by id alone: the municipality stands in every such `where`.
//!
//! House style of the schema: ids TEXT (UUIDv7), times BIGINT microseconds UTC, money BIGINT cents,
//! flags BIGINT 0/1, JSON TEXT. `Any` knows nothing else, and it exports and sorts well.

mod access_rights;
mod alerts;
mod answers;
pub mod audit;
mod cases;
mod consents;
mod decisions;
mod dialect;
mod drafts;
mod error;
mod events;
mod jobs;
mod ledger;
mod links;
mod messages;
mod migrations;
mod model_calls;
mod numbers;
mod pool;
mod publications;
mod reports;
mod rounds;
mod row;
mod saved_forms;
mod section_uses;
mod sessions;
mod submissions;
pub mod tokens;

pub use access_rights::{RightCursor, RightPage};
pub use alerts::{Acknowledgement, Alert};
pub use answers::Answer;
pub use cases::{CaseRow, Cursor, NoticeRow, Page, QueueFilter};
pub use decisions::{Decided, DecidedCase, DecidedFilter};
pub use error::{Error, Result};
pub use jobs::{DeadJob, Enqueued, Job, NewJob, backoff};
pub use ledger::Sought;
pub use links::CaseLink;
pub use model_calls::{DayTotal, InvalidMonth, Micros, ModelCall, Month, Spent};
pub use pool::{Storage, Tx};
pub use publications::{PublicationCursor, PublicationPage};
pub use reports::{CostTotal, DraftWords, ReportCase, ReportEvent, ReportRows};
pub use rounds::SoughtRound;
pub use saved_forms::{Filled, Origin, SavedFile, SavedForm};
pub use section_uses::{SectionUse, Uses};
pub use sessions::SessionRow;
pub use submissions::{Known, Receipt};
pub use tokens::TokenRow;

//! Policy documents: dated, numbered texts that bind, with the rules that people wrote in them.
//!
//! This room is pure: no clock, no database, no network. It reads documents, picks the version for a
//! date, evaluates rules to a complete trace, and says with file and line what is wrong in a document.

pub mod assess;
pub mod check;
pub mod comparison;
mod compiler;
pub mod deviations;
pub mod document;
pub mod expression;
mod figures;
pub mod format;
pub mod founding;
pub mod impact;
pub mod in_words;
pub mod library;
mod manuscript;
pub mod rulebook;
pub mod schema;
pub mod show;
pub mod table;
pub mod unit;

pub use assess::assess;
pub use check::check;
pub use document::{Document, Section};
pub use library::{Governing, Library, WindowSpan};
pub use rulebook::{Rulebook, Rulebooks, fingerprint};
pub use schema::schemas;
pub use show::show;

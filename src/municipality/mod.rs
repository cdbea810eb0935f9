//! Municipalities: what each of them serves, who may decide in it, who is competent around it, its fixed
//! texts, and the calendar by which its deadlines run.
//!
//! This room reads files that officers write and answers questions on them. Every file is dated; every
//! answer is given for a date. What is wrong in a file is a [`fault::Fault`] with file, line and what to
//! write instead, never a panic and never a silent default. It knows [`crate::cases`] only.

pub mod accent;
pub mod calendar;
pub mod condition;
pub mod delegation;
pub mod emergency;
pub mod fault;
pub mod format;
pub mod history;
pub mod injection;
pub mod notice;
pub mod pack;
pub mod tasks;
pub mod yaml;

mod consistency;
mod patterns;

pub(crate) use consistency::is_snake_case;

pub use delegation::{BeyondPower, Power};
pub use fault::{Fault, Faults};
pub use pack::{LabelledExample, Pack, TextBlock};

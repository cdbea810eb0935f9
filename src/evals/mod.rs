//! Evaluations: whether a change of a prompt, a model, a policy or this program did good or harm, with figures that hold.
//!
//! A [suite] names cases, what is run over them and what is asked of the answers; the [runner](run) writes one
//! [row] per case and epoch to disk; everything else (figures, gates, comparisons, reports) is computed from rows
//! and never stored as truth. What is run is the product's own code ([target]), never a copy of it. A wrong answer, an
//! error and an answer that nobody could grade are three things, and stay three everywhere.

pub mod baseline;
pub mod calibration;
pub mod case;
pub mod compare;
pub mod corrections;
pub mod dataset;
pub mod defaults;
pub mod exit;
pub mod folder;
pub mod gate;
pub mod interop;
pub mod load;
pub mod measure;
pub mod meter;
pub mod metrics;
mod missing;
pub mod pairs;
pub mod report;
pub mod rewrites;
pub mod row;
pub mod rows;
pub mod run;
pub mod schema;
pub mod score;
pub mod select;
pub mod shelf;
pub mod stats;
pub mod suite;
pub mod target;
pub mod verdict;

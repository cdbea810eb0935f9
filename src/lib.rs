//! Vireille prepares; a person decides.
//!
//! # Layout
//! Arrows run down this list only; one folder is one noun.
//!
//! * [`cli`], [`serve`]: commands; runs the application, knows the port, stops cleanly.
//! * [`http`]: JSON API, identity, problem bodies. Knows no SQL.
//! * [`app`]: the parts put together once: the state behind requests and workers.
//! * [`evals`]: suites, runner, scorers, statistics, reports over the same triage. Knows no HTTP.
//! * [`review`]: queue, claim, edit, approve; delegation. Knows no models.
//! * [`triage`]: the pipeline and its steps. Knows no HTTP.
//! * [`intake`]: what came in, byte for byte, and the receipt.
//! * [`verify`]: the checks of a draft.
//! * [`model`]: who proposes: the offline engine and language models.
//! * [`search`]: passages of the texts that bind.
//! * [`policy`]: documents, versions, rules and their trace.
//! * [`municipality`]: packs, services, authorities, delegation, working days.
//! * [`storage`]: pool, migrations, one file a noun, audit chain, jobs.
//! * [`text`], [`config`], [`telemetry`]: the ground.
//! * [`cases`]: the words that all rooms share; under it only the [`clock`].
//!
//! Read `ARCHITECTURE.md` for the map with its invariants and three walkthroughs.

pub mod app;
pub mod cases;
pub mod cli;
pub mod clock;
pub mod config;
pub mod evals;
pub mod http;
pub mod intake;
pub mod model;
pub mod municipality;
pub mod policy;
pub mod reports;
pub mod review;
pub mod search;
pub mod serve;
pub mod storage;
pub mod telemetry;
pub mod text;
pub mod triage;
pub mod verify;

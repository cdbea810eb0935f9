//! Vireille prepares; a person decides.

pub mod app;
pub mod cases;
pub mod clock;
pub mod config;
pub mod http;
pub mod intake;
pub mod model;
pub mod municipality;
pub mod policy;
pub mod review;
pub mod storage;
pub mod telemetry;
pub mod text;
pub mod triage;
pub mod verify;

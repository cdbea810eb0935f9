//! The one integration-test binary, modules by noun.

mod accounts;
mod agent;
mod app;
mod cassettes;
mod checks;
mod cli;
mod config;
mod crash;
mod docs;
mod embedder;
mod engine;
mod extract;
mod faults;
mod http;
mod injection;
mod intake;
mod masking;
mod model;
mod peers;
mod pipeline;
mod policy;
mod precedents;
mod privacy;
mod prompts;
#[cfg(feature = "qdrant")]
mod qdrant;
mod replay;
mod retrieval;
mod review;
mod search;
mod storage;
mod support;
#[cfg(feature = "otlp")]
mod traces;
mod triage;

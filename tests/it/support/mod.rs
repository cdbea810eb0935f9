//! What stories need to be short: databases, an application, a desk with the real pack.

pub mod app;
pub mod calls;
pub mod database;
pub mod desk;
pub mod endpoint;
pub mod files;
pub mod model;
#[cfg(feature = "qdrant")]
pub mod qdrant;

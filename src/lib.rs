//! Vireille prepares; a person decides.

pub mod cases;
pub mod clock;

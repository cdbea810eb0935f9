//! The formats of the files that a municipality's people edit: who it is, its services, its authorities, its delegation,
//! its fixed texts; one file here for each of theirs, and for what several share.
//!
//! Hand-edited shapes only; [`super::pack`] loads and checks them. `policies/schemas/` is made of these types.

mod about;
mod authorities;
mod danger;
mod delegation;
mod form;
mod municipality;
mod notices;
mod records;
mod service;
mod texts;

pub use about::{AboutDecision, DecidedBy, OfDecision};
pub use authorities::{AuthoritiesFile, Authority, Task};
pub use danger::{EmergencyFile, EmergencyKind, InjectionFile, InjectionKind};
pub use delegation::{CORRECTIONS, Delegation, DelegationFile, DelegationStep, claims_row, corrections_row};
pub use form::{AttachmentRule, Field, FieldType};
pub use municipality::{
    About, Adoption, Baseline, Contact, Decider, DeciderKind, Department, MunicipalityFile, RegisterFact,
};
pub use notices::{Category, UrgencyTarget};
pub use records::{AiPolicy, Publicity, Records};
pub use service::{
    Again, DelegationWhen, DraftsWhen, ExtendedTime, HandlingStart, HandlingTime, Process, RightOf, ServiceFile,
    SubjectOf,
};
pub use texts::{Example, TextFrontMatter};

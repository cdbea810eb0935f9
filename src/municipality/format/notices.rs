//! What a service of notices says besides: its tree of categories with their owners, and what each urgency means.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::cases::{AuthorityId, DepartmentId, Localized, Owner, Urgency};

/// One fault category.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Code, `LI1` … `OT1`.
    pub code: String,
    /// Name.
    pub name: Localized,
    /// Whose it is unless the owner test finds another.
    pub owner: Owner,
    /// The unit that does the work, when the municipality's.
    #[serde(default)]
    pub department: Option<DepartmentId>,
    /// The authority that it is redirected to, when not the municipality's.
    #[serde(default)]
    pub authority: Option<AuthorityId>,
    /// Default urgency.
    pub urgency: Urgency,
    /// Owners that the owner test must rule out.
    #[serde(default)]
    pub check: Vec<Owner>,
    /// Advice added to the answer.
    #[serde(default)]
    pub advice: Option<Localized>,
}

/// What an urgency means.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgencyTarget {
    /// Meaning, for handlers.
    pub meaning: Localized,
    /// Target in words, for the letter.
    pub target: Localized,
    /// Hours to the target; for `U1`.
    #[serde(default)]
    pub hours: Option<u32>,
    /// Working days to the target.
    #[serde(default)]
    pub working_days: Option<u32>,
    /// Calendar days to the target.
    #[serde(default)]
    pub days: Option<u32>,
}

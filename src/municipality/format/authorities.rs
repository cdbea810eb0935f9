//! `authorities.yaml`: who is competent for what around the municipality, dated, and the words that tell whose a
//! matter is (P19).

use schemars::JsonSchema;
use serde::Deserialize;

use super::municipality::Contact;
use crate::cases::{AuthorityId, DeciderId, Localized, Matter, Owner, Validity};

/// `authorities.yaml`: who is competent for what (P19), dated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoritiesFile {
    /// Rows.
    pub authorities: Vec<Authority>,
    /// Words that tell whose a matter is.
    #[serde(default)]
    pub tasks: Vec<Task>,
}

/// Words that tell whose a matter is: of an authority, or of a post of the municipality.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Id, for example `home-care`; a municipality's row stands in place of the base's.
    pub id: String,
    /// For which kinds of matters its words count.
    pub matters: Vec<Matter>,
    /// The authority, by its id in the directory.
    #[serde(default)]
    pub authority: Option<AuthorityId>,
    /// The post of the municipality.
    #[serde(default)]
    pub decider: Option<DeciderId>,
    /// Patterns: words in order, `*` ends a stem (`rakennuslu*`), `_` allows up to four words between.
    pub patterns: Vec<String>,
}

/// One dated row of the directory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// Id; several rows may share it with other dates.
    pub id: AuthorityId,
    /// Its name.
    pub name: Localized,
    /// For which owner it stands, if for one.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// What it does, in words for the letter.
    pub task: Localized,
    /// How it is reached.
    pub contact: Contact,
    /// From when to when.
    pub valid: Validity,
    /// Where this row comes from.
    pub source: String,
}

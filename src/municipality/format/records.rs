//! How the cases of a service are kept, who may see them, and what the AI Act makes of it.

use schemars::JsonSchema;
use serde::Deserialize;

/// Records management of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Records {
    /// Task class of the information control plan (*TOS-luokka*).
    pub class: String,
    /// Years of retention.
    pub retention_years: u32,
    /// Publicity class.
    pub publicity: Publicity,
    /// The provision that makes it secret or partly secret.
    #[serde(default)]
    pub ground: Option<String>,
}

/// Publicity class (*julkisuusluokka*, 621/1999).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Publicity {
    /// *julkinen*
    Public,
    /// *osittain salassa pidettävä*
    PartlySecret,
    /// *salassa pidettävä*
    Secret,
}

/// What the AI Act (EU) 2024/1689 makes of a service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AiPolicy {
    /// Class, for example `outside`, `annex-iii-4a`.
    pub class: String,
    /// Why, in a sentence.
    pub because: String,
}

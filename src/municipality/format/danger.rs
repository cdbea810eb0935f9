//! Words that must not be overlooked: those of danger (`emergency.yaml`, P18) and those that give orders to a machine
//! (`injection.yaml`).

use schemars::JsonSchema;
use serde::Deserialize;

/// `emergency.yaml`: words of danger, by kind (P18).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyFile {
    /// Kinds of danger.
    pub kinds: Vec<EmergencyKind>,
    /// Phrases that look like danger and are not; a hit inside one does not count.
    pub lookalikes: Vec<String>,
}

/// One kind of danger.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyKind {
    /// Id, for example `live-wire`.
    pub id: String,
    /// Which card answers it: `emergency` or `crisis`.
    pub card: String,
    /// Patterns: words in order, `*` ends a stem (`sähköiskun*`), `_` allows up to four words between.
    pub patterns: Vec<String>,
}

/// `injection.yaml`: ways in which a text gives orders to a machine. A signal, never the barrier.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectionFile {
    /// Kinds of orders.
    pub kinds: Vec<InjectionKind>,
    /// Phrases that look like an order to a machine and are not; a hit inside one does not count.
    #[serde(default)]
    pub lookalikes: Vec<String>,
}

/// One kind of order.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InjectionKind {
    /// Id, for example `override`.
    pub id: String,
    /// What such an order is after, for people.
    pub meaning: String,
    /// Patterns: words in order, `*` ends a stem (`ohje*`), `_` allows up to four words between.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Signs that no ordinary message has, looked for letter by letter; `^` before one: only where a line begins.
    #[serde(default)]
    pub markers: Vec<String>,
}

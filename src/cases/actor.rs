//! Who acts: the machine, a resident's channel, or a named person with a role and a post.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{DeciderId, MunicipalityId, TokenId};

vocabulary! {
    /// What a token may do (*rooli*).
    Role {
        /// Sends submissions and supplements, reads receipts.
        ResidentChannel = "resident-channel",
        /// *käsittelijä*: claims, edits, asks, transfers.
        Handler = "handler",
        /// *hyväksyjä*: decides within delegation; may also prepare.
        Approver = "approver",
        /// *kirjaamo*: registers, reclassifies, withdraws for a party.
        Registry = "registry",
        /// *esihenkilö*: sees how the work goes, and how approvals are made; handles no case.
        Supervisor = "supervisor",
        /// Reads everything, changes nothing.
        Auditor = "auditor",
        /// Tokens, dead letters, settings.
        Admin = "admin",
    }
}

/// A person behind a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Person {
    /// The token: how audit events name this person.
    pub token: TokenId,
    /// The municipality; no endpoint shows another's data.
    pub municipality: MunicipalityId,
    /// Role.
    pub role: Role,
    /// Name as it stands under a decision.
    pub name: String,
    /// The post that carries power to decide, for example `technical-director`.
    pub post: Option<DeciderId>,
    /// The days on which they hold the post as its deputy (*sijainen*); none: the post is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deputy: Option<Deputyship>,
}

/// For which days somebody holds a post as its deputy (*sijaisuus*), both days included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Deputyship {
    /// First day, in Finland.
    #[schema(value_type = String, format = "date")]
    pub from: Date,
    /// Last day. A deputy is one for a while: without an end the post would be theirs.
    #[schema(value_type = String, format = "date")]
    pub until: Date,
}

impl Deputyship {
    /// Whether the day is one of them.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}

impl Person {
    /// The post whose power the person has on a day.
    #[must_use]
    pub fn post_on(&self, day: Date) -> Option<&DeciderId> {
        self.post.as_ref().filter(|_| self.deputy.is_none_or(|deputy| deputy.contains(day)))
    }

    /// Whether two tokens belong to one person: the same token, or the same name in the same municipality. Somebody
    /// with two tokens, or with a new one, is still who they are.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        let name = |person: &Self| person.name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        self.token == other.token || (self.municipality == other.municipality && name(self) == name(other))
    }
}

/// Who did something, as the audit chain keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Actor {
    /// A step of the machine.
    System {
        /// Which one, for example `triage/compose`.
        component: String,
    },
    /// A person, by token, with the role and post they acted in.
    Person {
        /// The token.
        token: TokenId,
        /// The role.
        role: Role,
        /// The post.
        post: Option<DeciderId>,
    },
}

impl Actor {
    /// A step of the machine.
    #[must_use]
    pub fn system(component: &str) -> Self {
        Self::System { component: component.to_owned() }
    }
}

impl From<&Person> for Actor {
    fn from(person: &Person) -> Self {
        Self::Person { token: person.token, role: person.role, post: person.post.clone() }
    }
}

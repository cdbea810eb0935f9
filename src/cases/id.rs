//! Identifiers as types: a wrong kind of id cannot be passed where another is meant.
//!
//! Rows have UUIDv7 ids (they sort by time); what people name in files has slugs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An identifier that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} `{given}` cannot be read: {expected}")]
pub struct InvalidId {
    /// What kind of identifier was expected.
    pub kind: &'static str,
    /// What was given, cut to 80 characters.
    pub given: String,
    /// What would have been accepted.
    pub expected: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, given: &str, expected: &'static str) -> Self {
        Self { kind, given: given.chars().filter(|c| !c.is_control()).take(80).collect(), expected }
    }
}

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = "uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id that was just made or just read.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(s).map(Self).map_err(|_| InvalidId::new(stringify!($name), s, "write a UUID"))
            }
        }
    };
}

macro_rules! slug {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The slug as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                let good = !s.is_empty()
                    && s.len() <= 64
                    && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
                if good {
                    Ok(Self(s.to_owned()))
                } else {
                    Err(InvalidId::new(
                        stringify!($name),
                        s,
                        "write 1–64 of the characters a–z, 0–9, - and _",
                    ))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(s: String) -> Result<Self, InvalidId> {
                s.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

row_id!(/// One case (*asia*).
    CaseId);
row_id!(/// One submission (*lähete*): what came in, byte for byte.
    SubmissionId);
row_id!(/// One immutable version of a draft (*luonnos*).
    DraftId);
row_id!(/// One durable job.
    JobId);
row_id!(/// One alert that a person must acknowledge.
    AlertId);
row_id!(/// One run of a round (*hakukierros*).
    RoundId);
row_id!(/// One API token.
    TokenId);
row_id!(/// One call of a language model, in the accounts.
    ModelCallId);
row_id!(/// One message between a party and the office.
    MessageId);
row_id!(/// One text that everybody may read.
    PublicationId);

slug!(/// A municipality (*kunta*), for example `harjuvesi`.
    MunicipalityId);
slug!(/// A service (*palvelu*), for example `private-road-grant`.
    ServiceId);
slug!(/// A policy document or statute (*ohje*, *laki*), for example `private-road-grant` or `hallintolaki`.
    DocumentId);
slug!(/// A section (*pykälä*) of a document, for example `s3`.
    SectionId);
slug!(/// A rule (*käsittelysääntö*) within a document.
    RuleId);
slug!(/// A post that may hold power to decide (*viranhaltija*), or a body (*toimielin*).
    DeciderId);
slug!(/// A department (*toimiala*).
    DepartmentId);
slug!(/// An authority (*viranomainen*) in the dated directory.
    AuthorityId);

//! Submissions (*lähete*): what came in by any channel. The bytes are kept as they came; this is their
//! reading. Everything in it is a stranger's text: data, never templated, executed or obeyed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::classification::vocabulary;
use super::{MunicipalityId, ServiceId, SubmissionId};

vocabulary! {
    /// How a submission reached us (*saapumiskanava*).
    Channel {
        /// The JSON API or a form on a page.
        Api = "api",
        /// A file given on the command line.
        File = "file",
        /// An e-mail message.
        Email = "email",
        /// Telephone, written down by a person of the municipality.
        Phone = "phone",
        /// Paper, registered by a person of the municipality.
        Paper = "paper",
        /// At the desk (*asiakaspalvelu*), written down by a person of the municipality.
        Desk = "desk",
        /// Nobody sent it: the municipality began the matter itself (*viranomaisen oma aloite*).
        Office = "office",
    }
}

impl Channel {
    /// Whether a person of the municipality brings it in: what somebody else said or wrote, or what the office begins.
    #[must_use]
    pub const fn is_by_hand(self) -> bool {
        matches!(self, Self::Phone | Self::Paper | Self::Desk | Self::Office)
    }
}

/// Where something is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// WGS84 latitude, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// WGS84 longitude, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// Address or description in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Who sends it or on whose behalf (*asianosainen*).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name of the person or organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Business id (*Y-tunnus*).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_id: Option<String>,
    /// Postal address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Language in which the party wants to be served, `fi` or `sv` or `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<super::Language>,
}

/// Personal data must not reach a log through `{:?}` (promise 10).
impl std::fmt::Debug for Party {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Party(…)")
    }
}

/// A file that came along. Its bytes are kept beside the submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attachment {
    /// Name as it came, without any path.
    pub name: String,
    /// Media type as declared; not trusted.
    pub media_type: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the bytes, 64 hexadecimal digits.
    pub sha256: String,
}

/// One submission, read but not yet understood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Submission {
    /// Our id.
    pub id: SubmissionId,
    /// The sender's own id, if there was one: the same id twice is the same submission.
    pub external_id: Option<String>,
    /// The municipality it was sent to.
    pub municipality: MunicipalityId,
    /// How it came.
    pub channel: Channel,
    /// The service, when the sender chose one.
    pub service: Option<ServiceId>,
    /// The fields of the form, as they came.
    #[schema(value_type = Object)]
    pub fields: BTreeMap<String, serde_json::Value>,
    /// Subject of a message.
    pub subject: Option<String>,
    /// Free text.
    pub text: Option<String>,
    /// Where.
    pub location: Option<Location>,
    /// Files that came along.
    pub attachments: Vec<Attachment>,
    /// Who.
    pub party: Option<Party>,
    /// When the sender says it was sent.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub sent_at: Option<Timestamp>,
    /// When it was available to our system: the arrival (13/2003 10 §).
    #[schema(value_type = String, format = "date-time")]
    pub received_at: Timestamp,
}

impl Submission {
    /// The submission as it reads with what the party sent later: newer fields stand in the place of older
    /// ones, texts and files are added. Who sent it, when it arrived and by which channel stays.
    #[must_use]
    pub fn supplemented_by(mut self, later: Self) -> Self {
        self.fields.extend(later.fields);
        self.attachments.extend(later.attachments);
        let added = later.subject.into_iter().chain(later.text).collect::<Vec<_>>().join("\n");
        if !added.is_empty() {
            let text = self.text.get_or_insert_default();
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&added);
        }
        self.location = later.location.or(self.location);
        self
    }
}

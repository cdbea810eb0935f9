//! Reading what was sent: JSON bodies with the place of each fault, ids in paths, conditions in headers.
//!
//! Everything here may be hostile: bounded by the server's limit, parsed once, never echoed into a log.

use std::future::poll_fn;
use std::pin::Pin;
use std::str::FromStr;

use axum::body::{Body as Stream, Bytes, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::error::{Error, Result};
use crate::cases::DraftHash;

/// A JSON body of type `T`.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let Raw(bytes) = Raw::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// The bytes of a JSON body, unread.
#[derive(Debug)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        if !is_json(request.headers()) {
            return Err(Error::NotJson);
        }
        Ok(Self(bytes(request).await?))
    }
}

/// The largest body that this server takes, bytes; travels in the extensions of a request.
#[derive(Debug, Clone, Copy)]
pub struct Limit(pub usize);

impl Limit {
    /// The limit of this request; a careful one when nothing says it.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self(1024 * 1024))
    }
}

/// So much of a body that is too large is read, bytes: a client that is still sending would not see our answer.
const READ_AT_MOST: usize = 64 * 1024 * 1024;

/// A body that could not be read, with what had come by then, within the limit.
#[derive(Debug)]
pub struct Unread {
    /// Its beginning.
    pub kept: Vec<u8>,
    /// Why.
    pub error: Error,
}

/// The whole body, within the server's limit.
pub async fn bytes(request: Request) -> Result<Bytes> {
    let (parts, body) = request.into_parts();
    read(body, Limit::of(&parts.extensions)).await.map_err(|unread| unread.error)
}

/// The whole body, or its beginning. What is beyond the limit is read and let go, so that the client has sent
/// everything and is ready for the answer; the time for it is the request's.
pub async fn read(mut body: Stream, Limit(limit): Limit) -> Result<Bytes, Unread> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // What a client says it will send is no reason to take memory for all of it.
    let mut kept = Vec::with_capacity(expected.min(limit).min(1024 * 1024));
    let mut length = 0_usize;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(frame) = frame else { return Err(Unread { kept, error: Error::BrokenBody }) };
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        kept.extend_from_slice(&data[..data.len().min(limit - kept.len())]);
        if length > limit.max(READ_AT_MOST) {
            break;
        }
    }
    if length > limit { Err(Unread { kept, error: Error::TooLarge }) } else { Ok(kept.into()) }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads JSON, or says where it cannot be read.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // serde would read the members of an object from a list, in order: nobody means that.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(Error::unusable("", "this is a list", "send an object; see /openapi.json"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => flaw(pointer, &inner),
            _ => Error::UnreadableJson { line: inner.line(), column: inner.column() },
        }
    })?;
    reader.end().map_err(|error| Error::UnreadableJson { line: error.line(), column: error.column() })?;
    Ok(value)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        let part = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
            Segment::Enum { .. } | Segment::Unknown => return pointer,
        };
        pointer.push('/');
        pointer.extend(part.chars().take(80));
        pointer
    })
}

/// serde's words, taken apart into place, fault and remedy.
fn flaw(mut pointer: String, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        pointer = format!("{pointer}/{field}");
        return Error::unusable(&pointer, "this is missing", "send it");
    }
    let (what, instead) = told(text);
    Error::unusable(&pointer, what, instead)
}

/// What is wrong and what to send, from one message of serde or of a type of ours; both bounded.
fn told(text: &str) -> (String, String) {
    let (what, instead) = if let Some((what, expected)) = text.split_once(", expected ") {
        (what, format!("send {expected}"))
    } else if let Some((what, remedy)) = text.split_once(": write ") {
        (what, format!("write {remedy}"))
    } else {
        (text, "see /openapi.json".to_owned())
    };
    let visible = |text: &str, most| text.chars().filter(|c| !c.is_control()).take(most).collect();
    (visible(what, 200), visible(&instead, 500))
}

/// An id in the path. What cannot be read as one names nothing: 404.
#[derive(Debug)]
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: FromStr + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Error::NoSuch("id"))?;
        text.parse().map(Self).map_err(|_| Error::NoSuch("id"))
    }
}

/// Query parameters; an unknown one is refused by name.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Query::try_from_uri(&parts.uri).map(|Query(value)| Self(value)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, told)| told);
            let (name, what) = text.split_once(": ").unwrap_or(("query", text));
            let (what, instead) = told(what);
            Error::parameter(&name.chars().take(80).collect::<String>(), what, instead)
        })
    }
}

/// The draft that the caller changed: `If-Match` with one strong ETag.
#[derive(Debug)]
pub struct IfMatch(pub DraftHash);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let value = parts.headers.get(header::IF_MATCH).ok_or(Error::PreconditionRequired)?;
        value
            .to_str()
            .ok()
            .and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'))
            .filter(|hash| hash.len() <= 100 && !hash.contains('"'))
            .map(|hash| Self(DraftHash(hash.to_owned())))
            .ok_or_else(|| {
                Error::parameter(
                    "If-Match",
                    "this is no ETag of a draft",
                    "send the ETag of GET …/draft, with its quotes",
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Order {
        reason: String,
        lines: Vec<u8>,
    }

    fn told(json: &str) -> String {
        let problem = parse::<Order>(json.as_bytes()).unwrap_err().problem();
        let first = problem.errors.first().map(|e| format!(" {}: {}; {}", e.pointer, e.what, e.instead));
        format!("{} {}{}", problem.status, problem.kind, first.unwrap_or_default())
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        assert_eq!(told("{\"reason\":"), "400 /problems/unreadable-json");
        assert_eq!(told("{} x"), "422 /problems/unusable /reason: this is missing; send it");
        assert_eq!(
            told(r#"{"reason":"","lines":[1,"a"]}"#),
            "422 /problems/unusable /lines/1: invalid type: string \"a\"; send u8"
        );
        assert_eq!(
            told(r#"{"reason":"","lines":[],"a/b":1}"#),
            "422 /problems/unusable /a~1b: unknown field `a/b`; send `reason` or `lines`"
        );
        assert_eq!(told("[1]"), "422 /problems/unusable : this is a list; send an object; see /openapi.json");
        assert_eq!(
            told(&"{\"lines\":".repeat(200)),
            "422 /problems/unusable /lines: invalid type: map; send a sequence"
        );
    }
}

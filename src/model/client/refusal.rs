//! Why an address gave no answer: from a status, a header and a body in any of the forms that were seen.
//!
//! A body is read to tell quota from haste, a request that is too long from one that is wrong, and which parameter is
//! not known. Its words go no further: of a body only the error code leaves here, and only when it is a plain word.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::model::chat::{ChatError, TimeLimit};

/// The parameters that a request can do without, or say otherwise. The longer word first: it holds the shorter one.
const OPTIONAL: &[&str] = &["stream_options", "stream", "max_tokens", "temperature", "seed"];
/// Longest error code that is kept, characters.
const MAX_CODE: usize = 64;

/// A refusal: what it means, and which optional parameter it names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) error: ChatError,
    pub(super) parameter: Option<&'static str>,
}

/// An error as the API documents it, or as others write it: a number for the code, a word for the whole object.
#[derive(Debug, Default)]
pub(super) struct ErrorObject {
    code: Option<String>,
    kind: String,
    parameter: String,
    /// For telling cases apart only.
    message: String,
}

impl<'de> Deserialize<'de> for ErrorObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Null => Err(serde::de::Error::custom("no error")),
            value => Ok(Self::of(&value)),
        }
    }
}

impl ErrorObject {
    /// From `{"error": …}`, from a framework's `{"detail": …}`, from a list of these, or from the words alone.
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::Array(list)) => list.first().map(Self::enclosed).unwrap_or_default(),
            Ok(value) => Self::enclosed(&value),
            Err(_) => Self { message: String::from_utf8_lossy(body).to_lowercase(), ..Self::default() },
        }
    }

    fn enclosed(value: &Value) -> Self {
        Self::of(["error", "detail"].iter().find_map(|key| value.get(key)).unwrap_or(value))
    }

    fn of(value: &Value) -> Self {
        let field = |key: &str| match value.get(key) {
            Some(Value::String(text)) => text.to_lowercase(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Self {
            code: Some(field("code")).filter(|code| !code.is_empty()),
            kind: field("type"),
            parameter: field("param"),
            message: if value.get("message").is_some() { field("message") } else { value.to_string().to_lowercase() },
        }
    }

    fn is(&self, word: &str) -> bool {
        self.kind == word || self.code.as_deref() == Some(word)
    }

    fn speaks_of(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.message.contains(word))
    }

    /// The code, when it is a word or a short number: no sentence, and nothing that could be a person's.
    fn plain_code(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let word = |code: &str| code.starts_with(|c: char| c.is_ascii_alphabetic()) && code.chars().all(plain);
        let number = |code: &str| code.len() <= 5 && code.parse::<u16>().is_ok();
        self.code.clone().filter(|code| code.len() <= MAX_CODE && (word(code) || number(code)))
    }

    fn too_long(&self) -> bool {
        self.is("context_length_exceeded")
            || self.is("exceed_context_size_error")
            || self.speaks_of(&["context length", "context size", "context window", "contextwindowexceeded"])
    }

    /// The optional parameter that is refused: the one that is named as such, or the first that the words speak of.
    fn optional_parameter(&self) -> Option<&'static str> {
        if self.parameter.is_empty() {
            let of_the_form = self.speaks_of(&["response_format", "json_schema"]);
            OPTIONAL.iter().find(|name| !of_the_form && self.message.contains(**name)).copied()
        } else {
            OPTIONAL.iter().find(|name| self.parameter == **name).copied()
        }
    }

    /// What an error under status 200 or in the middle of a stream means: its code or its type says what a status would.
    pub(super) fn without_status(&self) -> ChatError {
        let status =
            self.code.as_deref().and_then(|code| code.parse().ok()).filter(|status| (400..600).contains(status));
        let status = status.unwrap_or_else(|| match self.kind.as_str() {
            "invalid_request_error" => 400,
            "authentication_error" => 401,
            kind if kind.contains("rate_limit") || self.is("rate_limit_exceeded") || self.is("insufficient_quota") => {
                429
            }
            _ => 500,
        });
        self.means(status, None)
    }

    fn means(&self, status: u16, retry_after: Option<Duration>) -> ChatError {
        let refused = || ChatError::Refused { status, code: self.plain_code() };
        match status {
            402 => ChatError::Quota,
            429 if self.is("insufficient_quota") => ChatError::Quota,
            429 => ChatError::RateLimited { retry_after },
            401 | 403 => ChatError::Unauthorized,
            413 => ChatError::TooLong,
            408 => ChatError::Timeout(TimeLimit::Attempt),
            // Not implemented: it will not be a moment later either.
            501 => refused(),
            409 | 425 | 500.. => ChatError::Fault { status, retry_after },
            400..500 if self.too_long() => ChatError::TooLong,
            _ => refused(),
        }
    }
}

/// What an answer with such a status means.
pub(super) fn refusal(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Refusal {
    let words = ErrorObject::read(body);
    let error = words.means(status, retry_after(headers, now));
    let parameter = matches!(error, ChatError::Refused { status: 400 | 422, .. }).then(|| words.optional_parameter());
    Refusal { error, parameter: parameter.flatten() }
}

/// How long the address asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |text: &str, unit: f64| {
        text.parse::<f64>().ok().and_then(|count| Duration::try_from_secs_f64(count * unit).ok())
    };
    if let Some(wait) = header("retry-after-ms").and_then(|text| seconds(text, 0.001)) {
        return Some(wait);
    }
    let text = header("retry-after")?;
    seconds(text, 1.0).or_else(|| {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(status: u16, body: &str) -> Refusal {
        refusal(status, &HeaderMap::new(), body.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    fn error(status: u16, body: &str) -> ChatError {
        read(status, body).error
    }

    fn refused(status: u16, code: &str) -> ChatError {
        ChatError::Refused { status, code: Some(code.to_owned()).filter(|code| !code.is_empty()) }
    }

    #[test]
    fn haste_and_quota_are_told_apart() {
        let quota =
            r#"{"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": null}}"#;
        assert_eq!(error(429, quota), ChatError::Quota);
        let code = r#"{"error": {"message": "…", "type": "requests", "code": "insufficient_quota"}}"#;
        assert_eq!(error(429, code), ChatError::Quota);
        assert_eq!(error(402, "Payment Required"), ChatError::Quota);
        for body in ["slow down", "", r#"{"error": "rate limit"}"#, r#"{"error": {"code": 429}}"#, "[]", "null"] {
            assert_eq!(error(429, body), ChatError::RateLimited { retry_after: None }, "{body}");
        }
    }

    #[test]
    fn too_long_is_no_refusal() {
        for body in [
            r#"{"error": {"message": "This model's maximum context length is 8192 tokens.", "code": "context_length_exceeded"}}"#,
            r#"{"error": {"code": 400, "message": "…", "type": "exceed_context_size_error", "n_ctx": 4096}}"#,
            r#"{"object": "error", "message": "This model's maximum context length is 4096 tokens", "code": 400}"#,
            "litellm.ContextWindowExceededError: …",
        ] {
            assert_eq!(error(400, body), ChatError::TooLong, "{body}");
        }
        assert_eq!(error(413, "<html>"), ChatError::TooLong);
    }

    #[test]
    fn of_a_body_only_a_plain_code_is_kept() {
        assert_eq!(error(404, r#"{"error": {"code": "model_not_found"}}"#), refused(404, "model_not_found"));
        assert_eq!(error(400, r#"{"error": {"code": 1007}}"#), refused(400, "1007"));
        assert_eq!(error(400, r#"{"error": {"code": "the party is Matti Virtanen"}}"#), refused(400, ""));
        assert_eq!(error(400, r#"{"error": {"code": "131052-308t"}}"#), refused(400, ""));
        assert_eq!(error(400, &format!(r#"{{"error": {{"code": "{}"}}}}"#, "a".repeat(65))), refused(400, ""));
        assert_eq!(error(302, "moved"), refused(302, ""));
        assert_eq!(error(401, "no"), ChatError::Unauthorized);
        assert_eq!(error(501, "no"), refused(501, ""));
        assert_eq!(error(503, "upstream"), ChatError::Fault { status: 503, retry_after: None });
    }

    #[test]
    fn an_optional_parameter_is_named() {
        let named = |parameter: &str| {
            read(400, &serde_json::json!({"error": {"message": "no", "param": parameter}}).to_string()).parameter
        };
        assert_eq!(named("max_tokens"), Some("max_tokens"));
        assert_eq!(named("response_format"), None);
        assert_eq!(named("messages"), None);
        let spoken = |status: u16, words: &str| read(status, words).parameter;
        assert_eq!(spoken(400, "Streaming is not supported"), Some("stream"));
        assert_eq!(spoken(422, r#"{"detail": [{"loc": ["body", "stream_options"]}]}"#), Some("stream_options"));
        assert_eq!(spoken(400, "response_format json_schema cannot be streamed"), None, "the form is at fault");
        assert_eq!(spoken(500, "stream"), None, "a fault is no refusal");
        assert_eq!(spoken(400, "maximum context length; lower max_tokens"), None, "too long is no refusal");
    }

    #[test]
    fn an_error_without_a_status_says_it_in_its_words() {
        let of = |error: Value| ErrorObject::of(&error).without_status();
        assert_eq!(of(serde_json::json!({"code": 503})), ChatError::Fault { status: 503, retry_after: None });
        assert_eq!(of(serde_json::json!({"code": 7})), ChatError::Fault { status: 500, retry_after: None });
        assert_eq!(of(serde_json::json!("out of memory")), ChatError::Fault { status: 500, retry_after: None });
        assert_eq!(of(serde_json::json!({"type": "rate_limit_error"})), ChatError::RateLimited { retry_after: None });
        assert_eq!(of(serde_json::json!({"code": "insufficient_quota"})), ChatError::Quota);
        assert_eq!(of(serde_json::json!({"type": "invalid_request_error"})), refused(400, ""));
    }

    #[test]
    fn a_wait_is_asked_for_in_three_ways() {
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let wait = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(wait("retry-after", "20"), Some(Duration::from_secs(20)));
        assert_eq!(wait("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(wait("retry-after-ms", "125"), Some(Duration::from_millis(125)));
        assert_eq!(wait("retry-after", "Sun, 22 Nov 2026 08:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("retry-after", "Sun, 22 Nov 2026 07:00:00 GMT"), Some(Duration::ZERO));
        for nonsense in ["-1", "NaN", "inf", "1e300", "soon", ""] {
            assert_eq!(wait("retry-after", nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn any_body_has_a_meaning(status in 300u16..600, body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = refusal(status, &HeaderMap::new(), &body, Timestamp::UNIX_EPOCH);
        }
    }
}

//! What somebody of the staff typed when their session had ended meanwhile: it comes back after signing in.
//!
//! Nothing is stored: the texts go along in hidden fields of the sign-in, and come back in a form that sends them where they
//! were meant to go. A decision is never sent again by itself: it is seen again first. Files cannot be kept, and that is
//! said. Texts of residents need none of this; their forms are kept under their own address.

use axum::body::Body;
use axum::extract::{FromRequest as _, Request};
use axum::http::Method;
use serde::Serialize;

use super::form::Form;
use super::resident::upload::Sent;

/// In front of a kept field's name, so that none is taken for a field of the sign-in.
const PREFIX: &str = "kept.";
/// That files came along which could not be kept.
const FILES: &str = "kept-files";

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Where it was sent.
    pub to: String,
    /// Names and texts, and whether it is something that somebody typed.
    fields: Vec<(String, String, bool)>,
    /// Files came along.
    files: bool,
}

impl Kept {
    /// What a form sent to this path holds; none where there are no words in it, and none of a decision.
    fn of(to: &str, fields: Vec<(String, String)>, files: bool) -> Option<Self> {
        let decides = to.split('?').next().is_none_or(|path| path.ends_with("/approve"));
        let field = |(name, text): (String, String)| {
            let typed = is_typed(&text);
            (name, text, typed)
        };
        let fields: Vec<_> = fields.into_iter().map(field).collect();
        let keeps = to.starts_with("/console/") && !decides && fields.iter().any(|(_, _, typed)| *typed);
        keeps.then(|| Self { to: to.to_owned(), fields, files })
    }

    /// What came through the sign-in.
    #[must_use]
    pub fn through(form: &Form, to: &str) -> Option<Self> {
        let fields =
            form.0.iter().filter_map(|(name, text)| Some((name.strip_prefix(PREFIX)?.to_owned(), text.clone())));
        Self::of(to, fields.collect(), form.has(FILES))
    }
}

/// Takes the words out of a form of the console that nobody is signed in for. The request goes on without its body:
/// whoever has no right is refused before it is read.
pub async fn take(request: Request) -> (Option<Kept>, Request) {
    if request.method() != Method::POST || !request.uri().path().starts_with("/console/") {
        return (None, request);
    }
    let (parts, body) = request.into_parts();
    let to = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let sent = Sent::from_request(Request::from_parts(parts.clone(), body), &()).await;
    let kept = sent.ok().and_then(|sent| Kept::of(&to, sent.form.0, !sent.files.is_empty()));
    (kept, Request::from_parts(parts, Body::empty()))
}

/// The page to look at before an act that carried no words, or a decision, is done again.
#[must_use]
pub fn page_of(path: &str) -> &str {
    let case = path.strip_prefix("/console/cases/").and_then(|rest| rest.split('/').next());
    case.map_or(path, |id| &path[..("/console/cases/".len() + id.len())])
}

/// Whether somebody typed a text: an id, a code, an amount or a hash is none.
fn is_typed(text: &str) -> bool {
    !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/@".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_kept_and_never_a_decision() {
        let form = Form::read(b"kept.question=Mik%C3%A4+tie%3F&kept.token=x&token=y&to=z&kept-files=1");
        let kept = Kept::through(&form, "/console/cases/1/ask").unwrap();
        let fields = [("question", "Mik\u{e4} tie?", true), ("token", "x", false)];
        let fields = fields.map(|(name, text, typed)| (name.to_owned(), text.to_owned(), typed));
        assert_eq!((kept.fields.as_slice(), kept.files), (fields.as_slice(), true));
        for path in ["/console/cases/1/approve", "/console/cases/1/approve?x", "/sign-out", "//evil.example/console/"] {
            assert_eq!(Kept::through(&form, path), None, "{path}");
        }
        assert_eq!(Kept::through(&Form::read(b"kept.alert=0196f0&token=y"), "/console/cases/1/acknowledge"), None);
        assert_eq!(page_of("/console/cases/1/approve"), "/console/cases/1");
        assert_eq!(page_of("/console/register"), "/console/register");
    }
}

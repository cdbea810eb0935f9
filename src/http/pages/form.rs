//! What a browser posts: names and texts, in the order in which they were sent, a name possibly twice.
//!
//! Read within the server's limit like every body. A value is data: it is looked at, never executed, and given back to
//! whoever typed it when something else in the form is wrong.

use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::Serialize;

use crate::http::body::bytes;
use crate::http::error::{Error, Result};

/// A form with names and texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// The text of a name, without blanks around it; none when it is empty or not there.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().filter(|(known, _)| known == name).map(|(_, text)| text.trim());
        found.into_iter().find(|text| !text.is_empty())
    }

    /// Every text of a name that is not empty.
    pub fn all<'a, 'b: 'a>(&'a self, name: &'b str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, text)| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// Whether a box was ticked or a button of that name pressed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The form in a body of `application/x-www-form-urlencoded`. Line ends are `\n`, as everywhere in the house.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        Self(pairs.map(|(name, text)| (name.into_owned(), text.replace("\r\n", "\n"))).collect())
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::NoForm);
        }
        Ok(Self::read(&bytes(request).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_browser_sends() {
        let form = Form::read(b"a=1+2&b=%C3%A4&a=%20&c=x%0D%0Ay&d");
        assert_eq!((form.text("a"), form.text("b"), form.text("c")), (Some("1 2"), Some("ä"), Some("x\ny")));
        assert_eq!((form.text("d"), form.has("d"), form.has("e")), (None, true, false));
        assert_eq!(Form::read(b"%ff=%zz&&=").0.len(), 2, "odd bytes are no reason to fail");
    }
}

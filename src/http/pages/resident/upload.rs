//! What a browser sends: texts, and files with the place that they were chosen for.
//!
//! A body that is too large is read as far as the server's limit goes: texts stand before files on every form, so that
//! what was typed is kept although a file was too large.

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::header;

use super::danger::Said;
use crate::http::body::{Limit, Unread, read};
use crate::http::error::{Error, Result};
use crate::http::pages::form::Form;

/// What was sent.
#[derive(Debug)]
pub struct Sent {
    /// The texts.
    pub form: Form,
    /// The files.
    pub files: Vec<SentFile>,
    /// Whether all of it could be read.
    pub whole: bool,
}

/// A file that was sent.
#[derive(Debug)]
pub struct SentFile {
    /// Name of the input that it was chosen in.
    pub input: String,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Sent {
    /// Everything that somebody wrote: the texts, and the files that are plain text.
    #[must_use]
    pub fn said(&self) -> Said {
        let texts = self.form.0.iter().map(|(_, text)| text.as_str());
        let files = self.files.iter().filter_map(|file| std::str::from_utf8(&file.bytes).ok());
        Said::of(texts.chain(files), self.whole)
    }
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
        let (parts, body) = request.into_parts();
        let (raw, whole) = match read(body, Limit::of(&parts.extensions)).await {
            Ok(raw) => (raw, true),
            Err(Unread { kept, error: Error::TooLarge }) => (kept.into(), false),
            Err(unread) => return Err(unread.error),
        };
        match media.as_str() {
            "application/x-www-form-urlencoded" => Ok(Self { form: Form::read(&raw), files: Vec::new(), whole }),
            "multipart/form-data" => {
                let mut request = Request::from_parts(parts, Body::from(raw));
                // The server's limit was kept above.
                DefaultBodyLimit::disable().apply(&mut request);
                let multipart = Multipart::from_request(request, &()).await.map_err(|_| Error::NoForm)?;
                let (form, files, readable) = parts_of(multipart).await;
                Ok(Self { form, files, whole: whole && readable })
            }
            _ => Err(Error::NoForm),
        }
    }
}

/// Every part that can be read, and whether that was all.
async fn parts_of(mut multipart: Multipart) -> (Form, Vec<SentFile>, bool) {
    let (mut form, mut files) = (Form::default(), Vec::new());
    loop {
        let field = match multipart.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return (form, files, true),
            Err(_) => return (form, files, false),
        };
        let input = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().map(ToOwned::to_owned);
        let Ok(bytes) = field.bytes().await else { return (form, files, false) };
        match file_name {
            // An input in which nothing was chosen.
            Some(name) if name.is_empty() && bytes.is_empty() => {}
            Some(name) => files.push(SentFile { input, name, bytes }),
            None => form.0.push((input, String::from_utf8_lossy(&bytes).replace("\r\n", "\n"))),
        }
    }
}

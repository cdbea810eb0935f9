//! Files that come along with a submission: by path beside the submission file, or inline as base64.
//!
//! Owns how they are read and bounded: how many, how large each and together. A path leads to a file in the
//! submission file's own folder or below it and nowhere else; inline content is strict base64.

use std::io::Read as _;
use std::path::{Component, Path};

use serde::Deserialize;
use serde_json::Value;

use super::json::{kind, too_large};
use super::{IntakeError, MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, MAX_SUBMISSION_BYTES, attachment, quoted};
use crate::cases::Attachment;

/// One file that comes along.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(untagged)]
pub enum AttachmentFile {
    /// A path relative to the submission file.
    Path(String),
    /// The file itself.
    Inline(InlineFile),
}

/// A file within the JSON.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InlineFile {
    /// Its name.
    pub name: String,
    /// Media type.
    #[serde(default)]
    pub media_type: Option<String>,
    /// Its bytes, base64. At most 10 MB.
    pub content: String,
}

pub(super) fn attachments(
    given: Option<Value>,
    folder: Option<&Path>,
) -> Result<Vec<(Attachment, Vec<u8>)>, IntakeError> {
    let list = match given {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => {
            return Err(IntakeError::invalid("/attachments", format!("this is {}", kind(&other)), "write a list"));
        }
    };
    if list.len() > MAX_ATTACHMENTS {
        return Err(too_large("/attachments", "the list", list.len(), MAX_ATTACHMENTS, "files"));
    }
    let mut total = 0_usize;
    let mut files = Vec::with_capacity(list.len());
    for (i, value) in list.into_iter().enumerate() {
        let at = format!("/attachments/{i}");
        let given = kind(&value);
        let file: AttachmentFile = serde_json::from_value(value).map_err(|_| {
            IntakeError::invalid(
                &at,
                format!("this is {given} and no file"),
                r#"write a path beside the submission file, or {"name": "…", "content": "<base64>"}"#,
            )
        })?;
        let (name, media_type, bytes) = match file {
            AttachmentFile::Path(path) => {
                let folder = folder.ok_or_else(|| {
                    IntakeError::invalid(
                        &at,
                        "a path means nothing here",
                        r#"send the file itself: {"name": "…", "content": "<base64>"}"#,
                    )
                })?;
                let bytes = read_beside(folder, &path, &at)?;
                (path, None, bytes)
            }
            AttachmentFile::Inline(file) => {
                let bytes = decode(&file.content, &at)?;
                (file.name, file.media_type, bytes)
            }
        };
        total += bytes.len();
        if total > MAX_SUBMISSION_BYTES {
            return Err(too_large("/attachments", "the files together", total, MAX_SUBMISSION_BYTES, "bytes"));
        }
        files.push((attachment(&name, media_type, &bytes), bytes));
    }
    Ok(files)
}

/// Reads a file below `folder` and nowhere else: no absolute path, no `..`, no link that leads out.
fn read_beside(folder: &Path, given: &str, at: &str) -> Result<Vec<u8>, IntakeError> {
    const INSTEAD: &str = "write the path of a file in the submission file's own folder or below it";
    let path = Path::new(given);
    if given.contains('\0')
        || given.is_empty()
        || !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return Err(IntakeError::invalid(at, "this path leads out of the submission file's folder", INSTEAD));
    }
    let absent = |_| IntakeError::invalid(at, format!("there is no file `{}`", quoted(given)), INSTEAD);
    let full = folder.join(path).canonicalize().map_err(absent)?;
    if !folder.canonicalize().is_ok_and(|folder| full.starts_with(folder)) {
        return Err(IntakeError::invalid(at, "this path leads out of the submission file's folder", INSTEAD));
    }
    let file = std::fs::File::open(&full).map_err(absent)?;
    if !file.metadata().is_ok_and(|meta| meta.is_file()) {
        return Err(IntakeError::invalid(at, format!("`{}` is not a file", quoted(given)), INSTEAD));
    }
    let mut bytes = Vec::new();
    file.take(MAX_ATTACHMENT_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(absent)?;
    if bytes.len() > MAX_ATTACHMENT_BYTES {
        return Err(too_large(at, "the file", bytes.len(), MAX_ATTACHMENT_BYTES, "bytes"));
    }
    Ok(bytes)
}

fn decode(content: &str, at: &str) -> Result<Vec<u8>, IntakeError> {
    if content.len() / 4 * 3 > MAX_ATTACHMENT_BYTES + 3 {
        return Err(too_large(at, "the file", content.len() / 4 * 3, MAX_ATTACHMENT_BYTES, "bytes"));
    }
    // The decoder below is lenient, as mail needs it; an interface is better off strict.
    let body = content.trim_end_matches('=');
    let strict = content.len().is_multiple_of(4)
        && content.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let decoded = if content.is_empty() {
        Some(Vec::new())
    } else {
        strict.then(|| mail_parser::decoders::base64::base64_decode(content.as_bytes())).flatten()
    };
    decoded.ok_or_else(|| {
        IntakeError::invalid(
            format!("{at}/content"),
            "this is not base64",
            "encode the bytes as base64 with padding (RFC 4648)",
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::intake::json::tests::defaults;
    use crate::intake::json::{Defaults, parse};

    #[test]
    fn files_come_from_beside_the_submission_and_nowhere_else() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("inbox");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(outer.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(folder.join("minutes.pdf"), "pdf").unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret.txt"), folder.join("link.txt")).unwrap();
        let defaults = Defaults { folder: Some(folder), ..defaults() };
        let read = |path: &str| parse(serde_json::json!({ "attachments": [path] }).to_string().as_bytes(), &defaults);

        let good = read("./minutes.pdf").unwrap();
        assert_eq!(good[0].submission.attachments[0].name, "minutes.pdf");
        assert_eq!(good[0].files[0].1, b"pdf");
        for bad in ["../secret.txt", "link.txt", "/etc/passwd", "absent.pdf", "", ".", "a\u{0}b"] {
            let error = read(bad).unwrap_err();
            assert_eq!(error.at, "/attachments/0", "{bad}: {error}");
        }
        let inline = parse(br#"{"attachments":[{"name":"a/b.txt","content":"aGVp"}]}"#, &defaults).unwrap();
        assert_eq!(
            (inline[0].submission.attachments[0].name.as_str(), inline[0].files[0].1.as_slice()),
            ("b.txt", b"hei".as_slice())
        );
    }
}

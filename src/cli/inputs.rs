//! Files that people hand in: which reader each gets, and one result for each submission in them.
//!
//! A file that cannot be read is one failed input beside the others, never the end of the command. Folders stand for
//! the submissions in them, in the order of their names.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::cases::{Channel, MunicipalityId};
use crate::clock::Ambient;
use crate::intake::json::Defaults;
use crate::intake::{Incoming, IntakeError, document, email, json};

/// Largest file; a JSONL file may hold many submissions, each with its own limit.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// One submission, or why it is none.
pub(super) struct Input {
    /// The file, as it was named.
    pub name: String,
    /// What was read.
    pub result: Result<Incoming, IntakeError>,
}

/// Reads everything that was named. `-` is standard input.
pub(super) fn read(files: &[PathBuf], municipality: &MunicipalityId, ambient: &Ambient) -> Vec<Input> {
    files
        .iter()
        .flat_map(|file| if file.is_dir() { folder(file) } else { vec![file.clone()] })
        .flat_map(|file| read_one(&file, municipality, ambient))
        .collect()
}

/// The submissions of a folder: its JSON, JSONL and e-mail files. What lies beside them are their attachments.
fn folder(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_file() && matches!(ending(path).as_str(), "json" | "jsonl" | "ndjson" | "eml"))
        .collect();
    files.sort();
    files
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn read_one(path: &Path, municipality: &MunicipalityId, ambient: &Ambient) -> Vec<Input> {
    let stdin = path == Path::new("-");
    let name = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let bytes = match if stdin { bounded(io::stdin().lock()) } else { File::open(path).and_then(bounded) } {
        Ok(bytes) => bytes,
        Err(error) => return vec![Input { name, result: Err(unreadable(&error)) }],
    };
    let folder = if stdin {
        None
    } else {
        path.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
    };
    let defaults = Defaults::file(Some(municipality.clone()), folder.map(Path::to_owned), ambient.clone());
    let kind = if stdin { sniff(&bytes) } else { ending(path) };
    let results = match kind.as_str() {
        "json" | "jsonl" | "ndjson" => json::parse_each(&bytes, &defaults),
        "eml" => vec![email::parse(&bytes, &defaults)],
        _ => {
            let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            vec![document::parse(&file_name, &bytes, &defaults)]
        }
    };
    results.into_iter().map(|result| Input { name: name.clone(), result }).collect()
}

/// What standard input holds: JSON, else a message with headers, else text.
fn sniff(bytes: &[u8]) -> String {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let header = start.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'-');
    match start.first() {
        Some(b'{' | b'[') => "json",
        _ if header.is_some_and(|at| at > 0 && start[at] == b':' && start.get(at + 1) == Some(&b' ')) => "eml",
        _ => "txt",
    }
    .to_owned()
}

fn bounded(reader: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 1 GB"));
    }
    Ok(bytes)
}

fn unreadable(error: &io::Error) -> IntakeError {
    IntakeError {
        refusal: crate::intake::Refusal::Unreadable,
        at: String::new(),
        what: format!("the file cannot be read: {error}"),
        instead: "name a readable file, or `-` for standard input".to_owned(),
    }
}

/// How many inputs went through and how many did not: the exit code of commands over files.
#[derive(Default)]
pub(super) struct Tally {
    done: usize,
    refused: usize,
    failed: usize,
}

impl Tally {
    /// One went through.
    pub(super) const fn done(&mut self) {
        self.done += 1;
    }

    /// One could not be used.
    pub(super) const fn refused(&mut self) {
        self.refused += 1;
    }

    /// One could be used and failed.
    pub(super) const fn failed(&mut self) {
        self.failed += 1;
    }

    /// How the command ends.
    pub(super) const fn exit(&self) -> super::Exit {
        match (self.done, self.refused, self.failed) {
            (_, 0, 0) => super::Exit::Ok,
            (0, _, 0) => super::Exit::Usage,
            (0, _, _) => super::Exit::Failure,
            _ => super::Exit::Partly,
        }
    }
}

/// The id under which a submission without one of its own is found again: the demo submits the same files each time.
pub(super) fn name_after_file(incoming: &mut Incoming, file: &Path, nth: usize) {
    if incoming.submission.external_id.is_none() && incoming.submission.channel == Channel::File {
        let stem = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        incoming.submission.external_id = Some(format!("sample:{stem}#{nth}"));
    }
}

#[cfg(test)]
mod tests {
    use super::sniff;

    #[test]
    fn standard_input_is_told_by_its_beginning() {
        assert_eq!(sniff(b" {\"text\": 1}"), "json");
        assert_eq!(sniff(b"\xef\xbb\xbf[{}]"), "json");
        assert_eq!(sniff(b"From: a@example.fi\n\nhei"), "eml");
        assert_eq!(sniff("Päätiellä: kuoppa".as_bytes()), "txt");
        assert_eq!(sniff(b"http://x"), "txt");
        assert_eq!(sniff(b""), "txt");
    }
}

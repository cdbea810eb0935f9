//! The text of attachments: what a stranger sent is parsed in a process of its own, and only its words come back.
//!
//! No parser of PDF or office files survives hostile ones, so none of them runs in the service: [`texts`] starts this
//! very program as `vireille extract`, with limits on memory, time and files ([`child`]), hands it the bytes and takes
//! a bounded answer. A crash, a hang or garbage means that the file could not be read, which a handler sees; it is
//! never an error of the pipeline. Plain text alone is read here, by [`plain`], so that words of danger in it are found
//! before anything is queued. What comes back is a stranger's text like any other: data, never followed.

pub mod child;
mod kind;
mod office;
#[cfg(feature = "pdf")]
mod pdf;

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::{MAX_TOTAL_CHARS, cut};
use crate::cases::{Attachment, FileReading, ReadFile, SourceText};
use crate::config;

pub use kind::Kind;

/// Most characters that are read of one file.
pub const MAX_FILE_CHARS: usize = 100_000;
/// Most pages that are read of one file.
pub const MAX_PAGES: usize = 300;
/// Longest answer of the child, in bytes: escaped JSON of the most characters, and then some.
const MAX_ANSWER_BYTES: u64 = 8 * MAX_FILE_CHARS as u64;
/// How often the time for one file all files of a case may take together.
const FILES_IN_TIME: u32 = 4;

/// In what a file is read: which program, how long, with how much memory, how many at a time.
#[derive(Debug, Clone)]
pub struct Cell {
    program: PathBuf,
    timeout: Duration,
    memory: u64,
    places: Arc<Semaphore>,
}

impl Cell {
    /// As the settings say; without a program it is this one.
    #[must_use]
    pub fn new(settings: &config::Attachments) -> Self {
        Self {
            program: if settings.program.as_os_str().is_empty() { this_program() } else { settings.program.clone() },
            timeout: settings.timeout(),
            memory: settings.memory_bytes(),
            places: Arc::new(Semaphore::new(settings.at_once as usize)),
        }
    }
}

impl Default for Cell {
    fn default() -> Self {
        Self::new(&config::Config::standard().attachments)
    }
}

/// The program that runs, also when its file has been replaced since it was started.
fn this_program() -> PathBuf {
    let running = Path::new("/proc/self/exe");
    if running.exists() { running.to_owned() } else { std::env::current_exe().unwrap_or_default() }
}

/// What was read of the files of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attached {
    /// The words, page by page; the source is `attachment:<name>#<page>`.
    pub texts: Vec<SourceText>,
    /// How far each file could be read.
    pub files: Vec<ReadFile>,
    chars: usize,
    spent: Duration,
}

impl Attached {
    /// What a case keeps of its files: nothing is read again.
    #[must_use]
    pub fn kept(texts: Vec<SourceText>, files: Vec<ReadFile>) -> Self {
        Self { texts, files, ..Self::default() }
    }

    /// Reads one more file. `bytes` are none when they are not to be had.
    pub async fn read(&mut self, attachment: &Attachment, bytes: Option<Vec<u8>>, cell: &Cell) {
        let answer = match bytes {
            None => Answer::Unreadable,
            Some(bytes) => match kind::of(attachment, &bytes) {
                None => unread(&bytes),
                Some(Kind::Plain) => {
                    plain_text(&bytes).map_or_else(|| unread(&bytes), |text| Answer::Pages(vec![Some(text)]))
                }
                Some(_) if self.chars >= MAX_TOTAL_CHARS || self.spent >= cell.timeout * FILES_IN_TIME => {
                    Answer::LeftOut
                }
                Some(kind) => {
                    let (answer, took) = in_child(kind, bytes, cell).await;
                    self.spent += took;
                    answer
                }
            },
        };
        self.add(attachment, answer);
    }

    fn add(&mut self, attachment: &Attachment, answer: Answer) {
        let (reading, pages) = match answer {
            Answer::NotText => (FileReading::NotText, 0),
            Answer::LeftOut => (FileReading::LeftOut, 0),
            Answer::Unreadable => (FileReading::Unreadable, 0),
            Answer::Pages(pages) => (self.add_pages(&attachment.name, &pages), pages.len()),
        };
        self.files.push(ReadFile {
            name: attachment.name.clone(),
            sha256: attachment.sha256.clone(),
            reading,
            pages: u32::try_from(pages).unwrap_or(u32::MAX),
        });
    }

    fn add_pages(&mut self, name: &str, pages: &[Option<String>]) -> FileReading {
        let limit = self.chars + MAX_FILE_CHARS.min(MAX_TOTAL_CHARS.saturating_sub(self.chars));
        let (mut any, mut whole) = (false, pages.len() <= MAX_PAGES);
        for (page, text) in (1..).zip(pages.iter().take(MAX_PAGES)) {
            let Some(text) = text else {
                whole = false;
                continue;
            };
            let (kept, was_cut) = cut(text, limit - self.chars);
            whole &= !was_cut;
            if !kept.trim().is_empty() {
                any = true;
                self.chars += kept.chars().count();
                self.texts.push(SourceText::of_attachment(name, page, kept.to_owned()));
            }
        }
        match (any, whole) {
            (true, true) => FileReading::Read,
            (true, false) => FileReading::InPart,
            (false, true) => FileReading::Empty,
            (false, false) => FileReading::Unreadable,
        }
    }
}

/// What came of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    /// The text of each page; none where a page could not be read.
    Pages(Vec<Option<String>>),
    /// It has no text: a picture, a sound.
    NotText,
    /// It may have text and none came.
    Unreadable,
    /// Other files took the room or the time.
    LeftOut,
}

/// The words of every file.
pub async fn texts(files: &[(Attachment, Vec<u8>)], cell: &Cell) -> Attached {
    let mut attached = Attached::default();
    for (attachment, bytes) in files {
        attached.read(attachment, Some(bytes.clone()), cell).await;
    }
    attached
}

/// The words of the plain text files alone, at once: the very texts that [`texts`] gives for them.
#[must_use]
pub fn plain(files: &[(Attachment, Vec<u8>)]) -> Vec<SourceText> {
    let mut attached = Attached::default();
    for (attachment, bytes) in files {
        if kind::of(attachment, bytes) == Some(Kind::Plain)
            && let Some(text) = plain_text(bytes)
        {
            attached.add(attachment, Answer::Pages(vec![Some(text)]));
        }
    }
    attached.texts
}

/// A picture has no words; in an archive, a sheet or an old document some may stand that nobody has seen.
fn unread(bytes: &[u8]) -> Answer {
    if kind::has_no_words(bytes) { Answer::NotText } else { Answer::Unreadable }
}

/// Bytes as text: by their byte order mark, as UTF-8, else as Latin-1. None when they are no text.
fn plain_text(bytes: &[u8]) -> Option<String> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8(bytes.to_vec()).unwrap_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect()),
    };
    (!text.contains('\0')).then_some(text)
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|found| found.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// One file in a child process, when there is a place for it; how long that took, without the wait for the place, which
/// is the doing of other cases' files.
async fn in_child(kind: Kind, bytes: Vec<u8>, cell: &Cell) -> (Answer, Duration) {
    // The places are never closed, and a panic in the thread means that the file could not be read.
    let place = Arc::clone(&cell.places).acquire_owned().await;
    let (started, cell) = (Instant::now(), cell.clone());
    let read = tokio::task::spawn_blocking(move || {
        let answer = run(kind, &bytes, &cell);
        drop(place);
        answer
    });
    let answer = read.await.ok().flatten().map_or(Answer::Unreadable, Answer::Pages);
    (answer, started.elapsed())
}

/// Starts the child, hands it the bytes, waits for its answer no longer than the time allows, and ends it.
fn run(kind: Kind, bytes: &[u8], cell: &Cell) -> Option<Vec<Option<String>>> {
    let mut child = Command::new(&cell.program)
        .args(["extract", "--kind", kind.name(), "--memory", &cell.memory.to_string()])
        .args(["--seconds", &cell.timeout.as_secs().max(1).to_string()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .inspect_err(|error| tracing::warn!(%error, "attachments cannot be read: the program does not start"))
        .ok()?;
    let (mut input, output) = (child.stdin.take()?, child.stdout.take()?);
    let (sender, answer) = mpsc::channel();
    let said = std::thread::scope(|scope| {
        // A child that stops reading or writing is ended below, and these two with it.
        scope.spawn(move || input.write_all(bytes));
        scope.spawn(move || {
            let mut said = Vec::new();
            let end = output.take(MAX_ANSWER_BYTES).read_to_end(&mut said);
            sender.send(end.is_ok().then_some(said))
        });
        let said = answer.recv_timeout(cell.timeout).ok().flatten();
        let _ = child.kill();
        let _ = child.wait();
        said
    })?;
    serde_json::from_slice::<child::Pages>(&said).ok().map(|pages| pages.pages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_wait_for_a_place_is_not_a_files_own_time() {
        let timeout = Duration::from_millis(10);
        let places = Arc::new(Semaphore::new(1));
        let cell = Cell { program: "/nowhere".into(), timeout, memory: 1 << 20, places: Arc::clone(&places) };
        let taken = places.acquire().await.unwrap();
        let (bytes, mut attached) = (b"%PDF-1.7".to_vec(), Attached::default());
        let attachment = crate::intake::attachment("a.pdf", None, &bytes);
        let ((), ()) = tokio::join!(attached.read(&attachment, Some(bytes.clone()), &cell), async {
            tokio::time::sleep(timeout * FILES_IN_TIME).await;
            drop(taken);
        });
        attached.read(&attachment, Some(bytes), &cell).await;
        assert_eq!(attached.files[1].reading, FileReading::Unreadable, "it had its turn");
    }
}

//! The child's side: `vireille extract` reads bytes from standard input and writes the text of each page.
//!
//! It gives its rights away before it looks at a single byte: so much memory, so many seconds, no file can grow, no
//! file or socket can be opened, no core is left behind. Whatever a parser does then, it does to this process alone.

use std::io::{self, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use super::{Kind, MAX_FILE_CHARS, MAX_PAGES, office, plain_text};
use crate::intake::{MAX_ATTACHMENT_BYTES, cut, email};

/// What the child says: the text of each page; none where a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// Page by page.
    pub pages: Vec<Option<String>>,
}

/// What the child may use.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Memory beyond what the program itself takes, bytes.
    pub memory: u64,
    /// Processor time, seconds.
    pub seconds: u64,
}

/// Reads standard input as a file of this kind and writes its [`Pages`] to standard output.
///
/// # Errors
/// When a limit cannot be set, the input cannot be read, or the file has no text to be read.
pub fn run(kind: Kind, allowance: Allowance) -> io::Result<()> {
    give_rights_away(allowance)?;
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_ATTACHMENT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let pages = catch_unwind(AssertUnwindSafe(|| pages(kind, bytes))).ok().flatten();
    let pages = bounded(pages.ok_or(io::ErrorKind::InvalidData)?);
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &Pages { pages })?;
    out.flush()
}

/// The limits of this process, from here to its end.
#[cfg(unix)]
fn give_rights_away(allowance: Allowance) -> io::Result<()> {
    use rlimit::Resource;
    let memory = own_memory().saturating_add(allowance.memory);
    Resource::AS.set(memory, memory)?;
    Resource::CPU.set(allowance.seconds, allowance.seconds)?;
    Resource::FSIZE.set(0, 0)?;
    Resource::CORE.set(0, 0)?;
    // The three streams are open; nothing else ever will be.
    Resource::NOFILE.set(3, 3)
}

/// Elsewhere the parent's clock and the bounds on input and output remain.
#[cfg(not(unix))]
fn give_rights_away(_: Allowance) -> io::Result<()> {
    Ok(())
}

/// What the program takes before it reads anything, bytes: its code alone is large, more so in a dev build.
#[cfg(unix)]
fn own_memory() -> u64 {
    const PAGE: u64 = 4096;
    /// Where the system does not tell.
    const LARGEST_PROGRAM: u64 = 1 << 30;
    let statm = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = statm.and_then(|line| line.split(' ').next()?.parse::<u64>().ok());
    pages.map_or(LARGEST_PROGRAM, |pages| pages * PAGE)
}

fn pages(kind: Kind, bytes: Vec<u8>) -> Option<Vec<Option<String>>> {
    let one = |text: String| vec![Some(text)];
    match kind {
        Kind::Plain => plain_text(&bytes).map(one),
        Kind::Html => plain_text(&bytes).map(|html| one(mail_parser::decoders::html::html_to_text(&html))),
        Kind::Mail => email::words(&bytes).map(one),
        Kind::Office => office::text(bytes).map(one),
        #[cfg(feature = "pdf")]
        Kind::Pdf => super::pdf::pages(bytes),
        #[cfg(not(feature = "pdf"))]
        Kind::Pdf => None,
    }
}

/// No more pages and characters than the parent takes; what is cut makes one page too many or too long, so that the
/// parent sees it.
fn bounded(mut pages: Vec<Option<String>>) -> Vec<Option<String>> {
    pages.truncate(MAX_PAGES + 1);
    let mut left = MAX_FILE_CHARS + 1;
    for text in pages.iter_mut().flatten() {
        let (kept, was_cut) = cut(text, left);
        left -= kept.chars().count();
        if was_cut {
            *text = kept.to_owned();
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_pages_and_messages_are_read_without_their_markup() {
        let html = b"<html><style>p{}</style><p>Tie on <b>kiinni</b></p></html>".to_vec();
        let text = pages(Kind::Html, html).unwrap().remove(0).unwrap();
        assert!(text.contains("Tie on kiinni") && !text.contains('<') && !text.contains("p{}"), "{text}");
        let mail = b"Subject: Kokous\r\nContent-Type: text/plain\r\n\r\nPidetty 3.3.\r\n".to_vec();
        assert_eq!(pages(Kind::Mail, mail).unwrap(), [Some("Kokous\nPidetty 3.3.\r\n".to_owned())]);
    }

    #[test]
    fn what_is_too_much_is_cut_and_seen() {
        let kept = bounded(vec![Some("a".repeat(MAX_FILE_CHARS)), Some("bb".to_owned()), Some("c".to_owned())]);
        assert_eq!(kept[1..], [Some("b".to_owned()), Some(String::new())]);
        assert_eq!(bounded(vec![None; 1000]).len(), MAX_PAGES + 1);
    }
}

//! What a file is, told by its bytes before its name: a name is easily wrong, and a hostile one is wrong on purpose.

use crate::cases::Attachment;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Text, CSV, Markdown.
    Plain,
    /// A web page.
    Html,
    /// A message.
    Mail,
    /// A word processor's file: DOCX, or ODT and its kin.
    Office,
    /// PDF.
    Pdf,
}

impl Kind {
    /// Its word on the command line of the child.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Html => "html",
            Self::Mail => "mail",
            Self::Office => "office",
            Self::Pdf => "pdf",
        }
    }
}

/// How far into a file the mark of a PDF may stand.
const PDF_MARK_WITHIN: usize = 1024;

/// How pictures, sounds and films begin.
const WORDLESS: [&[u8]; 8] = [b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"BM", b"RIFF", b"ID3"];
/// Where the mark of HEIC pictures and of films stands.
const FILM_MARK: std::ops::Range<usize> = 4..8;

/// Whether this is a picture, a sound or a film.
pub(super) fn has_no_words(bytes: &[u8]) -> bool {
    WORDLESS.iter().any(|mark| bytes.starts_with(mark)) || bytes.get(FILM_MARK) == Some(b"ftyp".as_slice())
}

/// How this file is read; none for pictures and everything else that has no text we know how to read.
pub(super) fn of(attachment: &Attachment, bytes: &[u8]) -> Option<Kind> {
    let name = attachment.name.to_lowercase();
    let named = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let declared = attachment.media_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let start = &bytes[..bytes.len().min(PDF_MARK_WITHIN)];
    if start.windows(5).any(|window| window == b"%PDF-") || named(&[".pdf"]) {
        return Some(Kind::Pdf);
    }
    let word_processor = named(&[".docx", ".docm", ".dotx", ".odt", ".ott", ".odp", ".ods", ".fodt"]);
    if bytes.starts_with(b"PK\x03\x04") || word_processor {
        return word_processor.then_some(Kind::Office);
    }
    if named(&[".eml"]) || declared == "message/rfc822" {
        return Some(Kind::Mail);
    }
    let tag = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if named(&[".html", ".htm", ".xhtml"]) || tag.starts_with("<!doctype html") || tag.starts_with("<html") {
        return Some(Kind::Html);
    }
    (named(&[".txt", ".text", ".csv", ".tsv", ".md", ".log"]) || declared == "text/plain").then_some(Kind::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, media_type: Option<&str>, bytes: &[u8]) -> Option<Kind> {
        of(&crate::intake::attachment(name, media_type.map(str::to_owned), bytes), bytes)
    }

    #[test]
    fn bytes_speak_before_names() {
        assert_eq!(kind("kuitti.txt", None, b"\n%PDF-1.7"), Some(Kind::Pdf));
        assert_eq!(kind("sopimus.txt", None, b"PK\x03\x04..."), None);
        assert_eq!(kind("muistio.txt", None, b"<!DOCTYPE html><p>"), Some(Kind::Html));
    }

    #[test]
    fn names_tell_where_bytes_do_not() {
        assert_eq!(kind("Muistio.DOCX", None, b"PK\x03\x04"), Some(Kind::Office));
        assert_eq!(kind("rikki.odt", None, b"????"), Some(Kind::Office));
        assert_eq!(kind("kulut.csv", None, b"a;b"), Some(Kind::Plain));
        assert_eq!(kind("viesti", Some("message/rfc822"), b"From: a"), Some(Kind::Mail));
        assert_eq!(kind("nimeton", Some("text/plain"), b"hei"), Some(Kind::Plain));
        assert_eq!(kind("kuva.jpg", Some("image/jpeg"), b"\xff\xd8\xff"), None);
    }

    #[test]
    fn a_picture_is_told_by_its_bytes_alone() {
        for picture in [b"\xff\xd8\xff\xe0".as_slice(), b"\x89PNG\r\n", b"\0\0\0\x18ftypheic"] {
            assert!(has_no_words(picture));
        }
        for other in [b"PK\x03\x04".as_slice(), b"\xd0\xcf\x11\xe0", b"7z\xbc\xaf", b"", b"Hei"] {
            assert!(!has_no_words(other));
        }
    }
}

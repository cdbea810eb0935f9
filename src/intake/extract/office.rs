//! The words of a word processor's file: DOCX (`word/document.xml`) and ODT (`content.xml`).
//!
//! Both are XML in a zip archive. One entry is unpacked, within limits that no honest file reaches: what it says of its
//! own size is not believed. Entities are never expanded beyond XML's own five. Deleted text that the file still keeps
//! is left out. Runs in the child only.

use std::io::{Cursor, Read as _};

use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zip::ZipArchive;

/// Most entries of an archive.
const MAX_ENTRIES: usize = 4_000;
/// Largest entry that is unpacked, in bytes.
const MAX_ENTRY_BYTES: u64 = 32 * 1024 * 1024;
/// How many times larger than packed an entry may be; text packs to a twentieth, a bomb to a thousandth.
const MAX_RATIO: u64 = 200;
/// An entry this small may have any ratio.
const SMALL: u64 = 64 * 1024;

/// The text, a line a paragraph; none when this is no such file.
pub(super) fn text(bytes: Vec<u8>) -> Option<String> {
    // A flat ODT is the XML itself.
    if bytes.trim_ascii_start().starts_with(b"<?xml") {
        return paragraphs(std::str::from_utf8(&bytes).ok()?);
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    if archive.len() > MAX_ENTRIES {
        return None;
    }
    let name = ["word/document.xml", "content.xml"].into_iter().find(|name| archive.index_for_name(name).is_some())?;
    let entry = archive.by_name(name).ok()?;
    let largest = MAX_ENTRY_BYTES.min(SMALL.max(entry.compressed_size().saturating_mul(MAX_RATIO)));
    let mut xml = String::new();
    entry.take(largest + 1).read_to_string(&mut xml).ok()?;
    if xml.len() as u64 > largest { None } else { paragraphs(&xml) }
}

/// The text of every paragraph. Names are compared without their prefix, which a file may choose.
fn paragraphs(xml: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut text = String::new();
    // In DOCX only what stands within `w:t` is text; in ODT everything within a paragraph is.
    let (mut runs, mut paragraphs, mut deleted) = (0_usize, 0_usize, 0_usize);
    let mut word = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "document" => word = true,
                "t" if word => runs += 1,
                "p" | "h" if !word => paragraphs += 1,
                "tracked-changes" => deleted += 1,
                _ => space(&start, &mut text),
            },
            Event::Empty(empty) => space(&empty, &mut text),
            Event::End(end) => match end.local_name().as_ref() {
                "t" if word => runs = runs.saturating_sub(1),
                "p" | "h" => {
                    paragraphs = paragraphs.saturating_sub(1);
                    if deleted == 0 {
                        text.push('\n');
                    }
                }
                "tracked-changes" => deleted = deleted.saturating_sub(1),
                _ => {}
            },
            Event::Text(words) if shown(word, runs, paragraphs, deleted) => text.push_str(&words.xml10_content()),
            Event::CData(words) if shown(word, runs, paragraphs, deleted) => text.push_str(&words.xml10_content()),
            Event::GeneralRef(name) if shown(word, runs, paragraphs, deleted) => text.extend(character(&name)),
            Event::Eof => return Some(text),
            _ => {}
        }
    }
}

const fn shown(word: bool, runs: usize, paragraphs: usize, deleted: usize) -> bool {
    deleted == 0 && if word { runs > 0 } else { paragraphs > 0 }
}

/// Elements that stand for a space or a line end.
fn space(element: &BytesStart<'_>, text: &mut String) {
    match element.local_name().as_ref() {
        "tab" => text.push('\t'),
        "br" | "cr" | "line-break" => text.push('\n'),
        // How many there are is a file's claim; one keeps the words apart.
        "s" => text.push(' '),
        _ => {}
    }
}

/// XML's own five entities and numbered characters; a file's own are dropped.
fn character(name: &BytesRef<'_>) -> Option<char> {
    match name.as_ref() {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    const DOCX: &str = r#"<?xml version="1.0"?><w:document xmlns:w="w"><w:body><w:p><w:r><w:t>Kustannukset</w:t><w:tab/>
        <w:t xml:space="preserve">&#8364; 100 &amp; alv</w:t></w:r></w:p><w:p><w:del><w:r><w:delText>poistettu</w:delText></w:r></w:del>
        <w:r><w:t>Toinen</w:t><w:br/><w:t>rivi &oma;</w:t></w:r></w:p></w:body></w:document>"#;

    const ODT: &str = r#"<?xml version="1.0"?><office:document-content xmlns:office="o" xmlns:text="t"><office:body><office:text>
        <text:tracked-changes><text:p>poistettu</text:p></text:tracked-changes>
        <text:h>Otsikko</text:h><text:p>Tien <text:span>pituus</text:span><text:s text:c="999999999"/>2 km</text:p>
        </office:text></office:body></office:document-content>"#;

    #[test]
    fn words_of_docx_and_odt() {
        let docx = archive(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", DOCX.as_bytes())]);
        assert_eq!(text(docx).unwrap(), "Kustannukset\t€ 100 & alv\nToinen\nrivi \n");
        assert_eq!(text(archive(&[("content.xml", ODT.as_bytes())])).unwrap(), "Otsikko\nTien pituus 2 km\n");
        assert_eq!(text(ODT.as_bytes().to_vec()).unwrap(), "Otsikko\nTien pituus 2 km\n");
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = format!("<document><t>{}</t></document>", "a".repeat(20 * 1024 * 1024));
        let packed = archive(&[("word/document.xml", bomb.as_bytes())]);
        assert!(packed.len() < 100 * 1024, "{}", packed.len());
        assert_eq!(text(packed), None);
        let many: Vec<(String, &[u8])> = (0..=MAX_ENTRIES).map(|n| (format!("{n}.xml"), &b""[..])).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        assert_eq!(text(archive(&many)), None);
    }

    #[test]
    fn what_is_no_such_file_gives_nothing() {
        assert_eq!(text(b"PK\x03\x04 cut off".to_vec()), None);
        assert_eq!(text(archive(&[("a.txt", b"hei")])), None);
        assert_eq!(text(archive(&[("content.xml", b"\xff\xfe")])), None);
        let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><office><p>&b;!</p></office>";
        assert_eq!(text(archive(&[("content.xml", laughs.as_bytes())])).unwrap(), "!\n");
    }

    proptest! {
        #[test]
        fn no_change_of_a_byte_makes_it_panic(at in 0_usize..600, byte in any::<u8>()) {
            let mut packed = archive(&[("content.xml", ODT.as_bytes())]);
            let at = at % packed.len();
            packed[at] = byte;
            let _ = text(packed);
        }
    }
}

//! Small files as a stranger would attach them, made here so that no test needs one from elsewhere.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A PDF with one line of text on each page; a page with no text is empty, like a scan.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    let escaped = |c: char| match c {
        '(' | ')' | '\\' => format!("\\{c}"),
        c if c.is_ascii() => c.to_string(),
        c => format!("\\{:03o}", u32::from(c) & 0xff),
    };
    let line = |text: &&str| format!("72 720 Td ({}) Tj", text.chars().map(escaped).collect::<String>());
    let lines: Vec<String> =
        pages.iter().map(|text| if text.is_empty() { String::new() } else { line(text) }).collect();
    pdf_of(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A PDF whose pages draw text with these operators.
pub fn pdf_of(pages: &[&str]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (n, operators) in pages.iter().enumerate() {
        let stream = format!("BT /F1 12 Tf {operators} ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * n
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
    }
    let mut file = "%PDF-1.7\n".to_owned();
    let mut places = Vec::new();
    for (n, object) in (1..).zip(&objects) {
        places.push(file.len());
        let _ = write!(file, "{n} 0 obj\n{object}\nendobj\n");
    }
    let start = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(file, "{place:010} 00000 n ");
    }
    let _ = write!(file, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}

/// A DOCX with these paragraphs.
pub fn docx(paragraphs: &[&str]) -> Vec<u8> {
    let paragraphs: Vec<String> =
        paragraphs.iter().map(|text| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")).collect();
    archive(
        "word/document.xml",
        &format!("<w:document xmlns:w=\"w\"><w:body>{}</w:body></w:document>", paragraphs.concat()),
    )
}

/// An ODT with these paragraphs.
pub fn odt(paragraphs: &[&str]) -> Vec<u8> {
    let paragraphs: Vec<String> = paragraphs.iter().map(|text| format!("<text:p>{text}</text:p>")).collect();
    archive(
        "content.xml",
        &format!("<office:content xmlns:office=\"o\" xmlns:text=\"t\">{}</office:content>", paragraphs.concat()),
    )
}

fn archive(name: &str, xml: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    writer.write_all(xml.as_bytes()).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Bytes as they stand within a JSON submission.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |chunk: &[u8]| {
        let bits = chunk.iter().chain(&[0, 0]).take(3).fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let digit =
            |n: usize| if n > chunk.len() { '=' } else { char::from(DIGITS[(bits >> (18 - 6 * n)) as usize & 63]) };
        [0, 1, 2, 3].map(digit)
    };
    bytes.chunks(3).flat_map(digits).collect()
}

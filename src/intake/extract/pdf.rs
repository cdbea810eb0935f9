//! The words of a PDF, page by page. Runs in the child only: no reader of PDF survives every hostile file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_oxide::document::PdfDocument;

use super::{MAX_FILE_CHARS, MAX_PAGES};

/// The text of each page, none where a page could not be read; none at all when this is no PDF that can be opened.
pub(super) fn pages(bytes: Vec<u8>) -> Option<Vec<Option<String>>> {
    let document = PdfDocument::from_bytes(bytes).ok()?;
    let count = document.page_count().ok()?;
    let (mut pages, mut chars) = (Vec::new(), 0);
    // One page more than is taken tells that there are more.
    for page in 0..count.min(MAX_PAGES + 1) {
        if chars > MAX_FILE_CHARS {
            break;
        }
        // A fault in one page does not take the others.
        let text = catch_unwind(AssertUnwindSafe(|| document.extract_text(page))).ok().and_then(Result::ok);
        chars += text.as_ref().map_or(0, |text| text.chars().count());
        pages.push(text);
    }
    Some(pages)
}

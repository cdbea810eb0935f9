//! Server-sent events, cut out of the bytes as they come.
//!
//! Only the `data` of an event counts here: names, ids and comments are passed over. Any bytes can be pushed; lines may
//! end as the standard allows (LF, CR LF, CR), a byte-order mark is skipped, and what is not UTF-8 is told apart.

use std::collections::VecDeque;

/// What an event's data must be and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotText;

/// The events of one answer.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The line that is still coming.
    line: Vec<u8>,
    /// Whether the last byte was a CR: an LF after it ends no second line.
    after_cr: bool,
    /// Whether a line has ended: a byte-order mark can only stand before.
    begun: bool,
    /// The data lines of the event that is still coming.
    data: Option<Vec<u8>>,
    ready: VecDeque<Vec<u8>>,
}

impl Events {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    self.end_line();
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
    }

    /// The data of the next whole event.
    pub(super) fn next(&mut self) -> Option<Result<String, NotText>> {
        self.ready.pop_front().map(|data| String::from_utf8(data).map_err(|_| NotText))
    }

    /// What stood at the end without the empty line that closes an event. The standard drops it; some servers end so.
    pub(super) fn rest(mut self) -> Option<String> {
        self.end_line();
        self.data.and_then(|data| String::from_utf8(data).ok())
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = if self.begun { &line[..] } else { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line) };
        self.begun = true;
        if line.is_empty() {
            self.ready.extend(self.data.take().filter(|data| !data.is_empty()));
        } else if let Some(value) = line.strip_prefix(b"data:") {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
        let mut events = Events::default();
        for piece in pieces {
            events.push(piece);
        }
        let whole = std::iter::from_fn(|| events.next()).map(|data| data.unwrap_or_else(|NotText| "?".to_owned()));
        (whole.collect(), events.rest())
    }

    #[test]
    fn an_event_is_its_data_lines() {
        let (events, rest) = read(&[b": hello\nevent: x\ndata: a\ndata:b\nid: 7\n\ndata:  c\n\n\ndata\n\n"]);
        assert_eq!(events, ["a\nb", " c"]);
        assert_eq!(rest, None);
    }

    #[test]
    fn lines_end_in_three_ways_and_a_mark_is_skipped() {
        assert_eq!(read(&[b"\xef\xbb\xbfdata: a\r\n\r", b"\ndata: b\r\rdata: c\n\n"]).0, ["a", "b", "c"]);
    }

    #[test]
    fn what_no_empty_line_closes_is_the_rest() {
        assert_eq!(read(&[b"data: a\n\ndata: [DO", b"NE]"]), (vec!["a".to_owned()], Some("[DONE]".to_owned())));
    }

    #[test]
    fn what_is_no_text_is_told_apart() {
        assert_eq!(read(&[b"data: \xff\n\ndata: a\n\n"]).0, ["?", "a"]);
    }

    proptest! {
        #[test]
        fn the_cuts_between_pieces_do_not_matter(
            lines in proptest::collection::vec("(data: ?[a-zä{}:]{0,6})?(\n|\r|\r\n){1,2}", 0..12),
            cuts in proptest::collection::vec(0usize..80, 0..6),
        ) {
            let bytes = lines.concat().into_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[&bytes]));
        }

        #[test]
        fn any_bytes_can_come(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&[&bytes]);
        }
    }
}

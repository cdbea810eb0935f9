//! Cutting an input into submissions: one object, a list of them, or JSONL (one object a line).
//!
//! The bytes are walked once, looking at brackets and strings only: no byte of a submission changes, nesting is
//! bounded before anything is read, and each submission knows the line on which a person finds it.

use super::{IntakeError, MAX_DEPTH, Refusal};

/// One submission within an input.
pub(super) struct Item<'a> {
    pub(super) bytes: &'a [u8],
    /// How a person finds it: `line 3`, `submission 2`; none when it is the only one.
    pub(super) place: Option<String>,
    /// The line it begins on, from 1.
    pub(super) first_line: usize,
}

/// Cuts an input into submissions without changing a byte of them.
pub(super) fn split(bytes: &[u8]) -> Result<Vec<Item<'_>>, IntakeError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let line = line_of(bytes, error.valid_up_to());
        return Err(IntakeError::new(
            Refusal::Unreadable,
            format!("line {line}"),
            "the bytes are not UTF-8",
            "save the file as UTF-8",
        ));
    }
    let Some(start) = bytes.iter().position(|b| !b.is_ascii_whitespace()) else {
        return Err(IntakeError::new(Refusal::Unreadable, "", "there is nothing in it", EXAMPLE));
    };
    match bytes[start] {
        b'[' => split_list(bytes, start),
        b'{' if is_jsonl(&bytes[start..]) => Ok(split_lines(bytes)),
        b'{' => Ok(vec![Item { bytes: trim(bytes), place: None, first_line: line_of(bytes, start) }]),
        _ => Err(IntakeError::new(
            Refusal::Unreadable,
            format!("line {}", line_of(bytes, start)),
            "a submission begins with `{` and a list of them with `[`",
            EXAMPLE,
        )),
    }
}

const EXAMPLE: &str = r#"write an object such as {"municipality": "harjuvesi", "text": "…"}"#;

/// Several objects, one a line: the first line is whole by itself and something follows, or the next begins anew.
fn is_jsonl(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|b| *b == b'\n').map(trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let Some(second) = lines.next() else { return false };
    second.first() == Some(&b'{') || walk(first, 0).is_ok_and(|end| trim(&first[end..]).is_empty())
}

fn split_lines(bytes: &[u8]) -> Vec<Item<'_>> {
    bytes
        .split(|b| *b == b'\n')
        .enumerate()
        .map(|(i, line)| (i + 1, trim(line)))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| Item { bytes: line, place: Some(format!("line {number}")), first_line: 1 })
        .collect()
}

fn split_list(bytes: &[u8], start: usize) -> Result<Vec<Item<'_>>, IntakeError> {
    let mut items = Vec::new();
    let mut at = start + 1;
    loop {
        at += bytes[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        match bytes.get(at) {
            Some(b']') if items.is_empty() || bytes[..at].trim_ascii_end().last() != Some(&b',') => {
                let rest = trim(&bytes[at + 1..]);
                if !rest.is_empty() {
                    return Err(IntakeError::new(
                        Refusal::Unreadable,
                        format!("line {}", line_of(bytes, at + 1)),
                        "something follows the list",
                        "end the file after `]`",
                    ));
                }
                if items.is_empty() {
                    return Err(IntakeError::new(Refusal::Unreadable, "", "the list is empty", EXAMPLE));
                }
                return Ok(items);
            }
            Some(b'{') => {
                let end = walk(bytes, at)?;
                let number = items.len() + 1;
                items.push(Item {
                    bytes: &bytes[at..end],
                    place: Some(format!("submission {number}")),
                    first_line: line_of(bytes, at),
                });
                at = end + bytes[end..].iter().take_while(|b| b.is_ascii_whitespace()).count();
                match bytes.get(at) {
                    Some(b',') => at += 1,
                    Some(b']') => {}
                    _ => return Err(list_fault(bytes, at)),
                }
            }
            _ => return Err(list_fault(bytes, at)),
        }
    }
}

fn list_fault(bytes: &[u8], at: usize) -> IntakeError {
    IntakeError::new(
        Refusal::Unreadable,
        format!("line {}", line_of(bytes, at)),
        "a list holds submissions `{…}` with commas between them and ends with `]`",
        EXAMPLE,
    )
}

/// The end of the object or list that begins at `start`. Looks at brackets and strings only; the reader that comes
/// after looks at the rest. Refuses what nests deeper than [`MAX_DEPTH`].
pub(super) fn walk(bytes: &[u8], start: usize) -> Result<usize, IntakeError> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (i, byte) in bytes.iter().enumerate().skip(start) {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(IntakeError::new(
                        Refusal::TooLarge,
                        format!("line {}", line_of(bytes, i)),
                        format!("it nests deeper than {MAX_DEPTH} levels"),
                        "give fields as plain values",
                    ));
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(i + 1);
                }
            }
            _ => {}
        }
    }
    let what = if in_string { "a text is not closed with `\"`" } else { "a bracket is not closed" };
    Err(IntakeError::new(Refusal::Unreadable, "end of input", what, "close it; the file may have been cut off"))
}

fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at.min(bytes.len())].split(|b| *b == b'\n').count()
}

#[cfg(test)]
mod tests {
    use crate::intake::json::tests::defaults;
    use crate::intake::json::{parse, parse_each};

    fn texts(input: &str) -> Vec<Result<String, String>> {
        parse_each(input.as_bytes(), &defaults())
            .into_iter()
            .map(|item| item.map(|i| i.submission.text.unwrap_or_default()).map_err(|e| e.to_string()))
            .collect()
    }

    #[test]
    fn reads_an_object_a_list_and_lines() {
        for input in [
            "{\"text\": \"a\"}",
            " \u{feff}{\"text\": \"a\"}".trim_start(),
            "[{\"text\":\"a\"}]",
            "[ {\"text\":\"a\"} , {\"text\":\"b}]\"}\n]\n",
            "{\"text\":\"a\"}\n{\"text\":\"b}]\"}\n",
            "{\"text\":\"a\"}\r\n\r\n{\"text\":\"b}]\"}",
        ] {
            let read = texts(input);
            assert_eq!(read[0].as_deref(), Ok("a"), "{input}");
            if let Some(second) = read.get(1) {
                assert_eq!(second.as_deref(), Ok("b}]"), "{input}");
            }
        }
    }

    #[test]
    fn keeps_the_bytes_that_came() {
        let read = parse(b"[ {\"text\":\"a\",\n  \"fields\": {\"x\": 1.10}} ]", &defaults()).unwrap();
        assert_eq!(read[0].raw, b"{\"text\":\"a\",\n  \"fields\": {\"x\": 1.10}}");
    }

    #[test]
    fn one_bad_line_does_not_hold_up_the_others() {
        let read = texts("{\"text\":\"a\"}\n{\"text\": 7}\n{\"text\" \"c\"}\n{\"text\":\"d\"}");
        assert_eq!(read.len(), 4);
        assert_eq!(read[1], Err("line 2: /text: this is a number; write a text".to_owned()));
        assert!(read[2].as_ref().is_err_and(|e| e.starts_with("line 3: line 1, column")), "{:?}", read[2]);
        assert_eq!(read[3].as_deref(), Ok("d"));
    }
}

//! Whether a text is one of the pack's fixed blocks with values filled in, and nothing else.
//!
//! The operative part and the instructions for appeal are worked out by code. That a name, a sum or a phrase
//! still stands in them proves little when words can be put around it; so the whole part is held against its
//! block. A value stays on one line, and one that the checker knows stands there as it is, so that no sentence hides in it.

/// A piece of a block.
#[derive(Debug, Clone)]
enum Piece<'a> {
    /// Words that must stand there.
    Words(&'a str),
    /// A value, by name.
    Value(&'a str),
    /// What stands between `{% if %}` and `{% endif %}`, or nothing.
    Maybe(Vec<Piece<'a>>),
}

/// Whether `text` is `block` with one-line values in place of its `{{ … }}`; a value that is `known` by name is that one.
pub fn fits(block: &str, text: &str, known: &[(&str, String)]) -> bool {
    let (pieces, _) = pieces(block.trim());
    matches(&pieces, text.trim(), known)
}

/// The pieces up to the end or the closing tag; gives what comes after that tag.
fn pieces(mut rest: &str) -> (Vec<Piece<'_>>, &str) {
    let mut pieces = Vec::new();
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        if start > 0 {
            pieces.push(Piece::Words(&rest[..start]));
        }
        let is_value = rest[start..].starts_with("{{");
        let Some(end) = rest[start..].find(if is_value { "}}" } else { "%}" }) else { break };
        let tag = rest[start + 2..start + end].trim();
        rest = &rest[start + end + 2..];
        if is_value {
            pieces.push(Piece::Value(tag));
        } else if tag.starts_with("if") {
            let (inner, after) = self::pieces(rest);
            pieces.push(Piece::Maybe(inner));
            rest = after;
        } else if tag.starts_with("el") {
            // The other branch: one of the two stands there, so each of them is a maybe.
            let (inner, after) = self::pieces(rest);
            let before = std::mem::take(&mut pieces);
            return (vec![Piece::Maybe(before), Piece::Maybe(inner)], after);
        } else {
            return (pieces, rest);
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    (pieces, "")
}

fn matches(pieces: &[Piece<'_>], text: &str, known: &[(&str, String)]) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    match first {
        Piece::Words(words) => text.strip_prefix(words).is_some_and(|text| matches(rest, text, known)),
        Piece::Value(name) => {
            if let Some((_, value)) = known.iter().find(|(known, _)| known == name) {
                return text.strip_prefix(value.as_str()).is_some_and(|text| matches(rest, text, known));
            }
            let line = text.find('\n').unwrap_or(text.len());
            // Only where the words that follow could begin.
            let next = match rest.first() {
                Some(Piece::Words(words)) => words.chars().next(),
                _ => None,
            };
            (0..=line)
                .filter(|at| text.is_char_boundary(*at))
                .filter(|at| next.is_none_or(|next| text[*at..].starts_with(next)))
                .any(|at| matches(rest, &text[at..], known))
        }
        Piece::Maybe(inner) => {
            let with: Vec<Piece<'_>> = inner.iter().chain(rest).cloned().collect();
            matches(&with, text, known) || matches(rest, text, known)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    const BLOCK: &str =
        "Avustusta myönnetään {{ amount }}.\nSaaja: {{ party }}{% if road %}\nTie: {{ road }}{% endif %}\nLoppu.";

    #[test]
    fn a_block_with_its_values_fits() {
        assert!(fits(BLOCK, "Avustusta myönnetään 2 585,00 €.\nSaaja: Harjun tiekunta\nTie: Harjuntie\nLoppu.", &[]));
        assert!(fits(BLOCK, "Avustusta myönnetään 2 585,00 €.\nSaaja: Harjun tiekunta\nLoppu.", &[]));
    }

    #[test]
    fn other_words_do_not() {
        for text in [
            "Avustusta ei myönnetä.",
            "Avustusta myönnetään 1 €.\nSaaja: X\nLoppu.\nLisäksi maksetaan viisituhatta euroa.",
            "Avustusta myönnetään 1 €.\nSaaja: X\nToinen rivi\nLoppu.",
            "",
        ] {
            assert!(!fits(BLOCK, text, &[]), "{text}");
        }
    }

    #[test]
    fn no_sentence_hides_in_a_value_that_is_known() {
        let (block, known) = ("Maksu on {{ amount }}.", [("amount", "40,00 €".to_owned())]);
        let added = "Maksu on 40,00 €. Tämän lisäksi maksetaan viisituhatta euroa.";
        assert!(fits(block, "Maksu on 40,00 €.", &known) && !fits(block, added, &known));
        assert!(fits(block, added, &[]), "a value that nobody knows could be anything");
    }

    #[test]
    fn one_of_two_branches_stands_there() {
        let block = "A {% if x %}yksi{% else %}kaksi{% endif %} B";
        assert!(fits(block, "A yksi B", &[]));
        assert!(fits(block, "A kaksi B", &[]));
        assert!(!fits(block, "A kolme B", &[]));
    }
}

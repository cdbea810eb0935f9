//! Words that something rests on, marked in the text they stand in.
//!
//! The text is cut into pieces that, put together, are the text: nothing is added, left out or moved.

use serde::Serialize;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// What rests on them: names of facts, `danger`, `order`. Empty: nothing does.
    pub carries: Vec<String>,
}

/// The text in pieces; each `(words, name)` is marked wherever the words stand.
#[must_use]
pub fn highlight(text: &str, quotes: &[(String, String)]) -> Vec<Piece> {
    let spans: Vec<(usize, usize, &str)> = quotes
        .iter()
        .filter(|(words, _)| !words.is_empty())
        .flat_map(|(words, name)| {
            text.match_indices(words.as_str()).map(|(start, found)| (start, start + found.len(), name.as_str()))
        })
        .collect();
    let mut cuts: Vec<usize> = spans.iter().flat_map(|(start, end, _)| [*start, *end]).chain([0, text.len()]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|cut| {
            let mut carries: Vec<String> = spans
                .iter()
                .filter(|(start, end, _)| *start <= cut[0] && cut[1] <= *end)
                .map(|(_, _, name)| (*name).to_owned())
                .collect();
            carries.sort();
            carries.dedup();
            Piece { text: text[cut[0]..cut[1]].to_owned(), carries }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_marked_where_they_stand() {
        let quotes = [("2 350 m".to_owned(), "length".to_owned()), ("350".to_owned(), "other".to_owned())];
        let pieces = highlight("Tie on 2 350 m pitkä.", &quotes);
        let marked: Vec<(&str, usize)> =
            pieces.iter().map(|piece| (piece.text.as_str(), piece.carries.len())).collect();
        assert_eq!(marked, [("Tie on ", 0), ("2 ", 1), ("350", 2), (" m", 1), (" pitkä.", 0)]);
        assert!(highlight("", &quotes).is_empty());
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "[aåä ]{0,40}", words in proptest::collection::vec("[aåä ]{0,4}", 0..5)) {
            let quotes: Vec<_> = words.into_iter().map(|words| (words, "fact".to_owned())).collect();
            let whole: String = highlight(&text, &quotes).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(whole, text);
        }
    }
}

//! How many tokens a text costs: exactly for the models of `OpenAI`, with a margin for others.
//!
//! Finnish costs about 3.4 characters a token and English about 5.9, so budgets are held in tokens, never in characters.
//! The vocabulary is compiled in and loaded once ([`load`]); counting takes time in proportion to the text, whatever
//! stands in it.

use std::sync::LazyLock;

use tiktoken_rs::CoreBPE;

use super::chat::{Message, Tool};

static O200K: LazyLock<CoreBPE> =
    LazyLock::new(|| tiktoken_rs::o200k_base().expect("the vocabulary is compiled into the crate"));

/// Counted at a time. Long runs without a space, and long runs of spaces, cost the tokenizer more than their length.
const PIECE: usize = 1024;

/// Beyond this many bytes no model reads: each further byte counts as a token, which is the most that it can be.
const COUNTED: usize = 1024 * 1024;

/// What a message costs besides its words, and what the beginning of the answer costs.
const PER_MESSAGE: u64 = 4;
const PER_ANSWER: u64 = 3;

/// Loads the vocabulary on a thread that may block: it takes a fifth of a second.
pub async fn load() {
    // It cannot fail but by a panic, which the first count would show.
    let _ = tokio::task::spawn_blocking(|| LazyLock::force(&O200K)).await;
}

/// Tokens of a text in the vocabulary `o200k_base`; at most a little more than there are.
#[must_use]
pub fn tokens(text: &str) -> u64 {
    let mut end = text.len().min(COUNTED);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let counted: usize = pieces(&text[..end]).map(|piece| O200K.encode_ordinary(piece).len()).sum();
    (counted + text.len() - end) as u64
}

/// A text in pieces of at most [`PIECE`] bytes, cut before a space where there is one: where words are not cut, the
/// sum is exact.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.len().min(PIECE);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        if end < rest.len() {
            end = rest[..end].rfind(' ').filter(|space| *space > 0).unwrap_or(end);
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// Tokens of a request: its conversation, and the tools that it offers.
#[must_use]
pub fn request(messages: &[Message], tools: &[Tool]) -> u64 {
    let words: u64 = messages.iter().map(|message| PER_MESSAGE + message_tokens(message)).sum();
    let offered = tools.iter().map(|tool| {
        PER_MESSAGE + tokens(&tool.name) + tokens(&tool.description) + tokens(&tool.parameters.to_string())
    });
    words + offered.sum::<u64>() + PER_ANSWER
}

fn message_tokens(message: &Message) -> u64 {
    match message {
        Message::System(text) | Message::User(text) => tokens(text.as_str()),
        Message::Assistant { content, tool_calls } => {
            let calls = tool_calls.iter().map(|call| PER_MESSAGE + tokens(&call.name) + tokens(&call.arguments));
            content.as_ref().map_or(0, |content| tokens(content.as_str())) + calls.sum::<u64>()
        }
        Message::Tool { call_id, content } => tokens(call_id) + tokens(content.as_str()),
    }
}

/// What `counted` tokens may come to with the model of that name: itself for those of `OpenAI`, a margin of 15 % more for
/// models with a vocabulary of their own.
#[must_use]
pub fn for_model(counted: u64, model: &str) -> u64 {
    if uses_o200k(model) { counted } else { counted + (counted * 15).div_ceil(100) }
}

/// Whether a model reads `o200k_base`, by its name: `gpt-4o…`, `gpt-4.1…`, `gpt-5…`, `o1…` to `o4…`.
fn uses_o200k(model: &str) -> bool {
    // A proxy names the provider first: `openai/gpt-4.1`.
    let name = model.rsplit('/').next().unwrap_or(model);
    ["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4"].iter().any(|known| {
        name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', '@', ':']))
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::chat::ToolCall;
    use crate::model::masking::Masked;

    #[test]
    fn finnish_costs_more_than_english() {
        assert_eq!(tokens(""), 0);
        let (fi, en) = ("Tien tuettava pituus on 390 m.", "The road's supported length is 390 m.");
        assert_eq!((tokens(fi), tokens(en)), (11, 10));
    }

    #[test]
    fn pieces_cost_what_the_whole_costs() {
        let text = "Avustusta myönnetään tielle, jonka tuettava pituus on vähintään 400 metriä. ".repeat(60);
        let whole = O200K.encode_ordinary(&text).len() as u64;
        assert!(text.len() > 4 * PIECE);
        assert_eq!(tokens(&text), whole);
    }

    #[test]
    fn hostile_texts_take_their_length_in_time() {
        LazyLock::force(&O200K);
        for run in ["a", " ", "\n", "ä", "🚧", "\u{301}", "aB1!"] {
            let text = run.repeat(200_000 / run.len());
            let started = Instant::now();
            let counted = tokens(&text);
            assert!(started.elapsed() < Duration::from_secs(20), "{run:?}: {:?}", started.elapsed());
            assert!(counted > 0 && counted <= text.len() as u64, "{run:?}: {counted}");
        }
        // What no model reads is not counted, only bounded.
        let huge = "x".repeat(64 * 1024 * 1024);
        let beyond = (huge.len() - COUNTED) as u64;
        assert!((beyond..=huge.len() as u64).contains(&tokens(&huge)));
    }

    #[test]
    fn a_request_counts_everything_that_is_sent() {
        let user = Message::User(Masked::public("Tien tuettava pituus on 390 m."));
        let one = request(std::slice::from_ref(&user), &[]);
        assert_eq!(one, 11 + PER_MESSAGE + PER_ANSWER);
        let tool = Tool {
            name: "search_policy".to_owned(),
            description: "Searches.".to_owned(),
            parameters: json!({ "type": "object" }),
        };
        let call = ToolCall { id: "1".to_owned(), name: "search_policy".to_owned(), arguments: "{}".to_owned() };
        let asked = Message::Assistant { content: None, tool_calls: vec![call] };
        let gave = Message::Tool { call_id: "1".to_owned(), content: Masked::public("Nothing.") };
        assert!(request(&[user, asked, gave], &[tool]) > one + 20);
    }

    #[test]
    fn other_vocabularies_get_a_margin() {
        for own in ["gpt-4.1-mini", "gpt-4o", "openai/gpt-5", "o3-mini", "gpt-4o@2024-08-06"] {
            assert_eq!(for_model(1000, own), 1000, "{own}");
        }
        for other in ["llama3.3:70b", "mistral-small", "qwen3", "gpt-oss-120b", "o200", ""] {
            assert_eq!(for_model(1000, other), 1150, "{other}");
        }
        assert_eq!(for_model(1, "llama3"), 2);
    }

    proptest! {
        #[test]
        fn no_text_has_more_tokens_than_bytes(text in "\\PC{0,200}|[ a\n]{0,3000}") {
            prop_assert!(tokens(&text) <= text.len() as u64);
            prop_assert_eq!(pieces(&text).collect::<String>(), text);
        }
    }
}

//! K15: no identity code, IBAN or private telephone number in a letter.

use super::{Subject, words};
use crate::cases::{Check, CheckId};
use crate::text::identifiers::{IdentifierKind, find_all};

/// Looks for identifiers in the letter and the work order; the municipality's own numbers are not private.
pub fn k15(subject: &Subject<'_>) -> Check {
    let public: Vec<String> = super::sources::fixed_texts(subject).iter().map(|text| digits(text)).collect();
    let texts = [Some(&subject.content.letter), subject.content.work_order.as_ref()];
    for text in texts.into_iter().flatten() {
        for found in find_all(text) {
            let what = match found.kind {
                IdentifierKind::IdentityCode => words::an_identity_code(),
                IdentifierKind::Iban => words::an_account_number(),
                IdentifierKind::Phone => {
                    let number = digits(&text[found.start..found.end]);
                    if public.iter().any(|text| text.contains(&number)) {
                        continue;
                    }
                    words::a_private_telephone()
                }
                _ => continue,
            };
            let line = text[..found.start].matches('\n').count() + 1;
            return Check::fail(CheckId::K15, words::private_detail(what, line));
        }
    }
    Check::pass(CheckId::K15, words::no_private_details())
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

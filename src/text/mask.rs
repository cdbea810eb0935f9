//! Masking: identifiers leave a text before a model, a log or a publication sees it.
//!
//! What must hold: in masked text [`identifiers::find_all`] finds nothing.

use super::identifiers;

/// How many times what the last pass laid bare is masked again before every digit goes.
const PASSES: usize = 16;

/// Replaces every identity code, IBAN, phone number, e-mail address and plate with its kind in brackets.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = text.to_owned();
    // Taking one identifier out can give its neighbour a boundary and make it one, too.
    for _ in 0..PASSES {
        let found = identifiers::find_all(&masked);
        if found.is_empty() {
            return masked;
        }
        let mut next = String::with_capacity(masked.len());
        let mut rest = 0;
        for hit in found {
            next.push_str(&masked[rest..hit.start]);
            next.push_str(hit.kind.placeholder());
            rest = hit.end;
        }
        next.push_str(&masked[rest..]);
        masked = next;
    }
    // Only a text built for it comes this far. Without digits and at-signs nothing is an identifier.
    masked.chars().map(|c| if c.is_numeric() || c == '@' { '#' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_replaced_by_their_kind() {
        assert_eq!(
            mask(
                "Olen 010190-999W, tilini FI21 1234 5600 0007 85, soita 040 123 4567 tai a.b@c.fi, auto ABC-123 Kuoppatiellä."
            ),
            "Olen [identity code], tilini [IBAN], soita [phone] tai [e-mail], auto [plate] Kuoppatiellä."
        );
    }

    #[test]
    fn text_without_identifiers_stays() {
        let text =
            "Tie 648, 2 350 m, 2 585,00 €, 15.4.2026 klo 15.00, HRJ/2026/00017, Y-tunnus 0201256-6, valtatie VT-4.";
        assert_eq!(mask(text), text);
    }

    proptest! {
        #[test]
        fn masked_text_holds_no_identifier(text in "\\PC{0,60}|[-+A-Ea-c0-9@. :/]{0,80}") {
            let masked = mask(&text);
            prop_assert!(identifiers::find_all(&masked).is_empty(), "{}", masked);
        }

        #[test]
        fn planted_identifiers_are_gone(before in "[a-zäö ]{0,12}", after in "[a-zäö ]{0,12}") {
            for planted in ["010190-999W", "FI2112345600000785", "+358 40 1234567", "matti@example.fi"] {
                let masked = mask(&format!("{before} {planted} {after}"));
                prop_assert!(!masked.contains(planted));
            }
        }
    }
}

//! Rounds (*hakukierros*): one computation over all cases of an application window, by a person's act.
//!
//! A share of an appropriation, the same for every applicant, or a draw that anybody can repeat from its published seed. A
//! record holds everything that it was worked out from, so that [`Round::verify`] needs nothing else. A draw knows case
//! numbers and a seed: nobody is compared, scored or ranked by anything that they are or wrote.

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::classification::vocabulary;
use super::{DocumentId, MunicipalityId, RoundId, SectionId, Value, hex};

vocabulary! {
    /// What a round works out.
    RoundKind {
        /// A factor (*kerroin*): the appropriation by the sum of what was reckoned, at most one.
        Factor = "factor",
        /// A value (*yksikköarvo*): the appropriation by the sum of points or units.
        Value = "value",
        /// A draw (*arvonta*) of places.
        Draw = "draw",
    }
}

/// A round that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// The municipality.
    pub municipality: MunicipalityId,
    /// The policy.
    pub document: DocumentId,
    /// Its version, by its first day in force.
    #[schema(value_type = String, format = "date")]
    pub version: Date,
    /// The section that it rests on.
    pub section: SectionId,
    /// The round's name in the policy, for example `factor-k`.
    #[schema(example = "factor-k")]
    pub round: String,
    /// The fact that it gives every case.
    #[schema(example = "factor_k")]
    pub fact: String,
    /// The last moment of the window.
    #[schema(value_type = String, format = "date-time")]
    pub window_end: Timestamp,
    /// Which one of this window it is, from 1; a later one stands above an earlier one.
    pub nth: u32,
    /// When it was run.
    #[schema(value_type = String, format = "date-time")]
    pub run_at: Timestamp,
    /// Who, by token.
    pub actor: String,
    /// Why it was run again.
    pub reason: Option<String>,
    /// Cases that it left out.
    pub left_out: Vec<LeftOutCase>,
    /// What came of it.
    pub result: RoundResult,
}

/// A case that a round left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LeftOutCase {
    /// Its number.
    pub number: String,
    /// Why.
    pub reason: String,
}

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum RoundResult {
    /// A factor.
    Factor(Share),
    /// A value.
    Value(Share),
    /// A draw.
    Draw(Draw),
}

/// An appropriation, shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Share {
    /// The appropriation.
    #[schema(value_type = String)]
    pub appropriation: Decimal,
    /// What all cases come to together.
    #[schema(value_type = String)]
    pub sum: Decimal,
    /// Decimals of the value, which is rounded down.
    pub decimals: u32,
    /// The factor or the value.
    #[schema(value_type = String)]
    pub value: Decimal,
    /// What each case comes to, in the order of their numbers.
    pub cases: Vec<Summand>,
}

/// What one case comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Summand {
    /// Its number.
    pub number: String,
    /// Euros or points.
    #[schema(value_type = String)]
    pub amount: Decimal,
}

/// A draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Draw {
    /// The seed, published with the result.
    pub seed: String,
    /// How many are drawn.
    pub places: u32,
    /// Every case that took part, in the order of the draw.
    pub order: Vec<Ticket>,
}

/// The place of a case in a draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ticket {
    /// Its number.
    pub number: String,
    /// SHA-256 of the seed, a line end and the number, lower-case hexadecimal.
    pub digest: String,
    /// Whether it was drawn.
    pub drawn: bool,
}

impl Share {
    /// Shares an appropriation; none where nothing is to be shared among, or a number is too large to be exact.
    #[must_use]
    pub fn of(kind: RoundKind, appropriation: Decimal, decimals: u32, mut cases: Vec<Summand>) -> Option<Self> {
        cases.sort_by(|one, other| one.number.cmp(&other.number));
        let sum = cases.iter().try_fold(Decimal::ZERO, |sum, case| sum.checked_add(case.amount))?;
        let value = match kind {
            RoundKind::Factor if sum <= appropriation => Decimal::ONE,
            RoundKind::Factor | RoundKind::Value => down(appropriation, sum, decimals)?,
            RoundKind::Draw => return None,
        };
        Some(Self { appropriation, sum: sum.normalize(), decimals, value: value.normalize(), cases })
    }
}

/// The quotient, rounded down: never so much that the appropriation would not do.
fn down(appropriation: Decimal, sum: Decimal, decimals: u32) -> Option<Decimal> {
    let quotient =
        appropriation.checked_div(sum)?.round_dp_with_strategy(decimals, RoundingStrategy::ToNegativeInfinity);
    // A division is exact to 28 digits only; its last one may have been rounded up.
    let too_much = quotient.checked_mul(sum)? > appropriation;
    if too_much { quotient.checked_sub(Decimal::new(1, decimals)) } else { Some(quotient) }
}

impl Draw {
    /// Draws so many places among these cases.
    #[must_use]
    pub fn of(seed: &str, places: u32, numbers: impl IntoIterator<Item = String>) -> Self {
        let ticket = |number: String| {
            let digest = hex(&Sha256::digest(format!("{seed}\n{number}")));
            Ticket { number, digest, drawn: false }
        };
        let mut order: Vec<Ticket> = numbers.into_iter().map(ticket).collect();
        order.sort_by(|one, other| (&one.digest, &one.number).cmp(&(&other.digest, &other.number)));
        for (ticket, _) in order.iter_mut().zip(0..places) {
            ticket.drawn = true;
        }
        Self { seed: seed.to_owned(), places, order }
    }
}

impl Round {
    /// What it works out.
    #[must_use]
    pub const fn kind(&self) -> RoundKind {
        match self.result {
            RoundResult::Factor(_) => RoundKind::Factor,
            RoundResult::Value(_) => RoundKind::Value,
            RoundResult::Draw(_) => RoundKind::Draw,
        }
    }

    /// The facts that it gives the case of that number. A share is everybody's; who had no part in a draw is not drawn.
    #[must_use]
    pub fn facts(&self, number: &str) -> Vec<(String, Value)> {
        match &self.result {
            RoundResult::Factor(share) | RoundResult::Value(share) => {
                vec![(self.fact.clone(), Value::Number(share.value))]
            }
            RoundResult::Draw(draw) => {
                let place = draw.order.iter().position(|ticket| ticket.number == number);
                let drawn = place.is_some_and(|place| draw.order[place].drawn);
                let place = place.map(|place| (place_of(&self.fact), Value::Number(Decimal::from(place + 1))));
                std::iter::once((self.fact.clone(), Value::Flag(drawn))).chain(place).collect()
            }
        }
    }

    /// Works it out anew from its own record.
    #[must_use]
    pub fn verify(&self) -> bool {
        match &self.result {
            RoundResult::Factor(share) | RoundResult::Value(share) => {
                let again = Share::of(self.kind(), share.appropriation, share.decimals, share.cases.clone());
                again.as_ref() == Some(share)
            }
            RoundResult::Draw(draw) => {
                let numbers = draw.order.iter().map(|ticket| ticket.number.clone());
                Draw::of(&draw.seed, draw.places, numbers) == *draw
            }
        }
    }
}

/// The name of the fact that tells the place in a draw.
#[must_use]
pub fn place_of(fact: &str) -> String {
    format!("{fact}_place")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn summands(amounts: &[&str]) -> Vec<Summand> {
        let summand = |(n, amount): (usize, &&str)| Summand { number: format!("A/{n:03}"), amount: number(amount) };
        amounts.iter().enumerate().map(summand).collect()
    }

    #[test]
    fn a_factor_is_at_most_one_and_rounded_down() {
        let factor = |appropriation: &str, amounts: &[&str]| {
            Share::of(RoundKind::Factor, number(appropriation), 6, summands(amounts)).map(|share| share.value)
        };
        assert_eq!(factor("85000", &["85000"]), Some(Decimal::ONE));
        assert_eq!(factor("85000", &[]), Some(Decimal::ONE));
        assert_eq!(factor("100", &["150", "150"]), Some(number("0.333333")));
        assert_eq!(factor("85000", &["92391.31"]), Some(number("0.919999")));
        assert_eq!(Share::of(RoundKind::Value, number("100"), 2, Vec::new()), None, "nobody to share among");
        let value = Share::of(RoundKind::Value, number("30000"), 2, summands(&["7", "14.5"])).unwrap();
        assert_eq!(value.value, number("1395.34"));
    }

    #[test]
    fn a_draw_is_the_order_of_digests() {
        let draw = Draw::of("2026-06-01 arvonta", 2, ["A/1", "A/2", "A/3"].map(str::to_owned));
        assert_eq!(draw.order.len(), 3);
        assert!(draw.order.is_sorted_by_key(|ticket| ticket.digest.clone()));
        assert_eq!(draw.order.iter().filter(|ticket| ticket.drawn).count(), 2);
        assert_eq!(draw.order[0].digest, hex(&Sha256::digest(format!("2026-06-01 arvonta\n{}", draw.order[0].number))));
        let again = Draw::of("2026-06-01 arvonta", 2, ["A/3", "A/1", "A/2"].map(str::to_owned));
        assert_eq!(draw, again, "the order in which they came makes no difference");
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_there_is(cents in prop::collection::vec(1_i64..10_000_000, 1..40), have in 1_i64..100_000_000) {
            let cases = cents.iter().enumerate().map(|(n, cents)| Summand { number: n.to_string(), amount: Decimal::new(*cents, 2) });
            let share = Share::of(RoundKind::Factor, Decimal::new(have, 2), 6, cases.collect()).unwrap();
            let given: Decimal = share.cases.iter().map(|case| case.amount * share.value).sum();
            prop_assert!(given <= share.appropriation && share.value <= Decimal::ONE);
        }
    }
}

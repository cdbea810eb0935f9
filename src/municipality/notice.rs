//! The three clocks of a decision: when a party is deemed to know of it, and until when it can be challenged.
//!
//! A letter is known on the 7th day after it was sent (hallintolaki 59 §), an ordinary electronic notice on
//! the 3rd (laki 13/2003 19 §), and a member of the municipality knows 7 days after the minutes could be
//! seen on the web (kuntalaki 140 §). The time for a claim or an appeal runs from the day after.

use jiff::civil::Date;

use super::calendar;

/// How a decision is made known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Ordinary letter (hallintolaki 59 §).
    Letter,
    /// Ordinary electronic notice (*tavallinen sähköinen tiedoksianto*, laki 13/2003 19 §).
    ElectronicNotice,
    /// Minutes on the web, for members of the municipality (kuntalaki 140 §).
    Minutes,
}

impl Channel {
    /// Days after sending or publishing on which the receiver is deemed to know.
    #[must_use]
    pub const fn presumed_days(self) -> u32 {
        match self {
            Self::Letter | Self::Minutes => 7,
            Self::ElectronicNotice => 3,
        }
    }
}

/// The day on which a decision sent or published on `sent` is deemed known, unless shown otherwise.
/// The presumption does not move to a working day: it is no time limit.
#[must_use]
pub fn known_on(sent: Date, channel: Channel) -> Date {
    calendar::plus_days(sent, channel.presumed_days())
}

/// The last day for a claim or an appeal of `days` days (14 or 30, kuntalaki 138 §) once the decision is known.
#[must_use]
pub fn appeal_until(known: Date, days: u32) -> Date {
    calendar::end_of_period(known, days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// Worked dates: a letter, an electronic notice, published minutes.
    #[test]
    fn the_worked_clocks() {
        for (channel, sent, known, until) in [
            (Channel::Letter, date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 23)),
            (Channel::ElectronicNotice, date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 19)),
            (Channel::Minutes, date(2026, 3, 3), date(2026, 3, 10), date(2026, 3, 24)),
        ] {
            assert_eq!(known_on(sent, channel), known);
            assert_eq!(appeal_until(known, 14), until);
        }
    }

    #[test]
    fn a_claim_time_that_ends_at_midsummer_runs_on() {
        // Known 5.6.2026, 14 days: Midsummer Eve 19.6. → Monday 22.6.
        assert_eq!(appeal_until(date(2026, 6, 5), 14), date(2026, 6, 22));
    }
}

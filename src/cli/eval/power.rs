//! `vireille eval power`.

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::evals::report::words::number;
use crate::evals::stats::Level;
use crate::evals::stats::power::{Noise, POWER, cases_needed, minimum_detectable};

/// Numbers of cases that the table shows.
const CASES: &[usize] = &[50, 100, 200, 300, 500, 1_000, 2_000];

/// Says how many cases a difference needs before it can be seen.
///
/// For figures that are right or wrong in each case, with 95 % confidence, and found four times out of five. Pairs are
/// two runs over the same cases; what matters is the share of cases that only one of them gets right, and how much of
/// that is chance from one epoch to the next: only this part is lessened by asking each case several times.
#[derive(Debug, Args)]
pub(in crate::cli) struct Power {
    /// Share of cases that only one of the two runs gets right.
    #[arg(long, value_name = "SHARE", default_value = "0.1", value_parser = share)]
    discordance: f64,
    /// Repetitions of each case in both runs.
    #[arg(long, value_name = "K", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: u32,
    /// Variance within a case from one epoch to another: the figure `variance_within` of a run with several.
    #[arg(long, value_name = "VARIANCE", default_value = "0", value_parser = variance)]
    within: f64,
    /// The difference that should be seen: says how many cases it needs.
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "cases")]
    difference: Option<f64>,
    /// As many cases: says the smallest difference that they show.
    #[arg(long, value_name = "N")]
    cases: Option<usize>,
    /// Share that is right in one run, for the comparison with runs over different cases.
    #[arg(long, value_name = "SHARE", default_value = "0.9", value_parser = share)]
    right: f64,
}

impl Power {
    #[expect(clippy::unused_async, reason = "commands are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let paired = Noise::discordance(self.discordance).repeated(self.within, self.epochs);
        let unpaired = Noise::unpaired(self.right).repeated(self.within, self.epochs);
        if let Some(difference) = self.difference {
            let needed = |noise| cases_needed(difference, noise, Level::TWO_SIDED_95, POWER);
            let (paired, unpaired) = (needed(paired), needed(unpaired));
            if context.out.is_json() {
                context.out.json_line(&json!({ "difference": difference, "cases": paired, "unpaired": unpaired }))?;
            } else {
                let says =
                    |cases: Option<usize>| cases.map_or_else(|| "no number of".to_owned(), |cases| cases.to_string());
                context.out.line(format!(
                    "{} cases show a difference of {}; {} if each run had its own cases.",
                    says(paired),
                    number(difference),
                    says(unpaired)
                ))?;
            }
            return Ok(Exit::Ok);
        }
        let shown = self.cases.map_or_else(|| CASES.to_vec(), |cases| vec![cases]);
        let seen = |cases, noise| minimum_detectable(cases, noise, Level::TWO_SIDED_95, POWER);
        let rows: Vec<_> = shown.into_iter().map(|cases| (cases, seen(cases, paired), seen(cases, unpaired))).collect();
        if context.out.is_json() {
            for (cases, paired, unpaired) in rows {
                context.out.json_line(&json!({ "cases": cases, "difference": paired, "unpaired": unpaired }))?;
            }
            return Ok(Exit::Ok);
        }
        let cell = |difference: Option<f64>| difference.map(number).unwrap_or_default();
        let rows =
            rows.into_iter().map(|(cases, paired, unpaired)| vec![cases.to_string(), cell(paired), cell(unpaired)]);
        context.out.table(&["cases", "smallest difference", "with different cases"], rows)?;
        Ok(Exit::Ok)
    }
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err("a share lies above 0 and is at most 1".to_owned()) }
}

fn variance(text: &str) -> Result<f64, String> {
    let variance: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    // Right half the time: nothing that is right or wrong varies more.
    let most = 0.5;
    if (0.0..=most).contains(&variance) {
        Ok(variance)
    } else {
        Err("a variance within cases lies from 0 to 0.5".to_owned())
    }
}

//! What every run has whatever is asked of the answers: how cases ended, what they cost, how long they took.

use super::amounts::Quantiles;
use super::classification::one;
use super::figure::Found;
use super::run::{Seen, read};
use crate::evals::measure::Better::{Higher, Lower};
use crate::evals::row::{Row, Status};
use crate::evals::stats::mean::{Repeated, flip_rate, parts, pass_hat_k};
use crate::evals::stats::real;

/// The figures of rows. Shares are of cases; all but that of skipped ones leave these out.
pub(super) fn find(rows: &[Seen<&Row>]) -> Found {
    let mut found = Found::named("");
    let ran = read(rows, |row| (row.status != Status::Skipped).then_some(*row));
    found.plain("cases", Higher, real(rows.len()));
    for (figure, status, better) in [
        ("ok", Status::Ok, Higher),
        ("failed", Status::Failed, Lower),
        ("errors", Status::Error, Lower),
        ("ungraded", Status::Ungraded, Lower),
    ] {
        found.share(figure, better, &ran, |row| one(row.status == status));
    }
    found.share("skipped", Lower, rows, |row| one(row.status == Status::Skipped));
    repeated(&mut found, &ran);
    used(&mut found, &ran);
    // How long an error took says nothing.
    let latencies =
        read(&ran, |row| (row.status != Status::Error && row.latency_ms.is_finite()).then_some(row.latency_ms));
    found.statistic("latency_ms", Quantiles::of(&latencies));
    found
}

/// With several epochs: how often all of a case's go well, how often two of them do not agree, and whether more of them
/// or more cases would make the share of what goes well surer.
fn repeated(found: &mut Found, ran: &[Seen<&Row>]) {
    let well = |seen: &Seen<&Row>| seen.epochs.iter().map(|row| one(row.status == Status::Ok)).collect::<Vec<_>>();
    let values: Vec<Vec<f64>> = ran.iter().map(well).collect();
    let count = |epochs: &Vec<f64>| Repeated {
        well: epochs.iter().filter(|value| **value > 0.0).count(),
        epochs: epochs.len(),
    };
    let cases: Vec<Repeated> = values.iter().map(count).collect();
    let most = cases.iter().map(|case| case.epochs).max().unwrap_or(0);
    if most < 2 {
        return;
    }
    let parts = parts(&values);
    for (figure, better, value) in [
        (format!("pass^{most}"), Higher, pass_hat_k(&cases, most)),
        ("flip_rate".to_owned(), Lower, flip_rate(&cases)),
        ("variance_between".to_owned(), Lower, parts.map(|parts| parts.between)),
        ("variance_within".to_owned(), Lower, parts.map(|parts| parts.within)),
    ] {
        if let Some(value) = value {
            found.plain(&figure, better, value);
        }
    }
}

/// Money and tokens: sums over everything, and by case and epoch.
fn used(found: &mut Found, ran: &[Seen<&Row>]) {
    let sum = |of: fn(&Row) -> f64| ran.iter().flat_map(|seen| &seen.epochs).map(|row| of(row)).sum::<f64>();
    found.plain("cost", Lower, sum(euros));
    found.plain("tokens_in", Lower, sum(|row| tokens(row.used.input)));
    found.plain("tokens_out", Lower, sum(|row| tokens(row.used.output)));
    found.mean("cost_per_case", Lower, ran, |row| euros(row));
    found.part("replayed", Higher, ran, |row| (f64::from(row.used.replayed), f64::from(row.used.calls)));
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 millionths of a euro")]
fn euros(row: &Row) -> f64 {
    row.used.cost_micros as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 tokens")]
fn tokens(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evals::metrics::support::{assert_values, bare, measure, quick, suite};
    use crate::evals::row::Used;

    #[test]
    fn a_wrong_answer_an_error_and_a_lost_grade_are_three_things() {
        let statuses = [Status::Ok, Status::Ok, Status::Failed, Status::Error, Status::Ungraded, Status::Skipped];
        let mut rows: Vec<Row> = statuses.into_iter().enumerate().map(|(case, status)| bare(case, 0, status)).collect();
        rows[3].latency_ms = 60_000.0;
        let figures = quick(&suite(), &rows);
        assert_values(
            &figures,
            &[
                ("cases", 6.0),
                ("ok", 0.4),
                ("failed", 0.2),
                ("errors", 0.2),
                ("ungraded", 0.2),
                ("skipped", 1.0 / 6.0),
                ("latency_ms.p95", 10.0),
                ("cost", 0.0),
            ],
        );
        assert!(!figures.all.contains_key("replayed") && !figures.all.contains_key("flip_rate"));
    }

    #[test]
    fn a_retry_takes_the_place_of_the_error() {
        let figures = quick(&suite(), &[bare(0, 0, Status::Error), bare(0, 0, Status::Ok)]);
        assert_values(&figures, &[("cases", 1.0), ("ok", 1.0), ("errors", 0.0)]);
    }

    #[test]
    fn money_and_tokens_are_summed_and_repetitions_told_apart() {
        let used = Used { input: 100, cached: 0, output: 10, calls: 2, replayed: 1, cost_micros: 2_500 };
        let row = |case, epoch, status| Row { used, ..bare(case, epoch, status) };
        let figures = quick(
            &suite(),
            &[row(0, 0, Status::Ok), row(0, 1, Status::Failed), row(1, 0, Status::Ok), row(1, 1, Status::Ok)],
        );
        assert_values(
            &figures,
            &[
                ("cost", 0.01),
                ("cost_per_case", 0.0025),
                ("tokens_in", 400.0),
                ("tokens_out", 40.0),
                ("replayed", 0.5),
                ("ok", 0.75),
                ("pass^2", 0.5),
                ("flip_rate", 0.5),
                ("variance_between", 0.0),
                ("variance_within", 0.25),
            ],
        );
        assert_eq!(measure(&figures, "ok").scored, 2);
    }
}

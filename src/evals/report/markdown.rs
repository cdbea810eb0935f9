//! Markdown for a pull request and for `$GITHUB_STEP_SUMMARY`: verdict, gates, differences, flips by id, cost. No case
//! text: what is written here is read by whoever can read the repository.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Report;
use super::words::{cases, count, interval, number, signed, signed_interval, ways};
use crate::evals::compare::{Change, Comparison, Flip};
use crate::evals::exit::Outcome;
use crate::evals::row::Status;

/// Ids of one kind that are listed; the rest are counted.
const MOST_IDS: usize = 50;

/// Longest word or sentence, characters; what is longer is cut.
const LONGEST: usize = 600;

/// Reports of a run, one after the other.
#[must_use]
pub fn render(reports: &[Report]) -> String {
    reports.iter().map(report).collect::<Vec<_>>().join("\n")
}

/// A comparison by itself.
#[must_use]
pub fn comparison(comparison: &Comparison) -> String {
    let mut text = format!("<!-- vireille eval {} -->\n", plain(&comparison.suite));
    let _ = writeln!(text, "## Evaluation {}: {}\n", code(&comparison.suite), word(comparison.outcome));
    changes(&mut text, comparison);
    text
}

fn report(report: &Report) -> String {
    let counts = &report.counts;
    // One comment a suite and model: whoever posts it finds its own by this line.
    let mut text = format!("<!-- vireille eval {} -->\n", plain(&report.title()));
    let _ = writeln!(text, "## Evaluation {}: {}\n", code(&report.title()), word(report.outcome));
    let mut facts = vec![format!("{} of {} answered as asked", counts.ok, count(counts.selected, "row"))];
    for (n, what) in [
        (counts.failed, "failed"),
        (counts.error, "without an answer"),
        (counts.ungraded, "without a grade"),
        (counts.skipped, "left out"),
        (counts.selected.saturating_sub(counts.rows), "missing"),
    ] {
        if n > 0 {
            facts.push(format!("{n} {what}"));
        }
    }
    let _ = writeln!(text, "{}.\n", facts.join(", "));
    gates(&mut text, report);
    if let Some(comparison) = &report.comparison {
        changes(&mut text, comparison);
    }
    figures(&mut text, report);
    judges(&mut text, report);
    not_as_asked(&mut text, report);
    let _ = writeln!(text, "{}", provenance(report));
    text
}

fn gates(text: &mut String, report: &Report) {
    if report.gates.is_empty() {
        text.push_str("The suite has no gates.\n\n");
        return;
    }
    text.push_str("| gate | verdict | figure | 95 % interval | why |\n|---|---|---:|---:|---|\n");
    for gate in &report.gates {
        let (figure, bounds) = match (&gate.change, &gate.figure) {
            (Some(change), _) => (signed(change.difference), signed_interval(change.low, change.high)),
            (None, Some(figure)) => (number(figure.value), interval(figure.low, figure.high)),
            (None, None) => Default::default(),
        };
        let _ = writeln!(
            text,
            "| {} | **{}** | {figure} | {bounds} | {} |",
            code(&gate.title()),
            gate.word(),
            cell(&gate.why)
        );
    }
    text.push('\n');
    for gate in &report.gates {
        let Some(pairs) = &gate.pairs else { continue };
        let ways = ways(pairs);
        if ways.iter().all(|(_, ids)| ids.is_empty()) {
            continue;
        }
        let flips: usize = ways.iter().map(|(_, ids)| ids.len()).sum();
        let _ =
            writeln!(text, "<details><summary>Rewritings: {flips} of {} not as their originals</summary>\n", pairs.of);
        let _ = writeln!(text, "{}\n", code(&gate.title()));
        for (way, ids) in ways.iter().filter(|(_, ids)| !ids.is_empty()) {
            let _ = writeln!(text, "{way} ({}): {}\n", ids.len(), listed(ids.iter().map(String::as_str)));
        }
        text.push_str("</details>\n\n");
    }
}

fn changes(text: &mut String, comparison: &Comparison) {
    let Comparison { before, after, paired, .. } = comparison;
    let _ = writeln!(text, "### {} against {}\n", code(&after.name), code(&before.name));
    // It names slices, which are words of cases.
    let _ = writeln!(text, "{}; {} in both.\n", code(&comparison.why), count(*paired, "case"));
    for note in &comparison.notes {
        let _ = writeln!(text, "> {}\n", cell(note));
    }
    let (leading, others): (Vec<&Change>, Vec<_>) = comparison.changes.iter().partition(|change| change.leads());
    change_table(text, &leading);
    let told: Vec<&Change> = comparison.slices.iter().filter(|change| change.tells()).collect();
    if !told.is_empty() {
        text.push_str("Slices that differ, after allowing for the number of looks:\n\n");
        change_table(text, &told);
    }
    if !others.is_empty() {
        let _ = writeln!(text, "<details><summary>Other figures: {}</summary>\n", others.len());
        change_table(text, &others);
        text.push_str("</details>\n\n");
    }
    flips(text, "Harmful flips", &comparison.harmful);
    flips(text, "Beneficial flips", &comparison.beneficial);
    if comparison.flipped() {
        let _ = writeln!(text, "{}.\n", comparison.chance.says());
    }
    for (what, ids) in [
        ("Answered before and not now", &comparison.lost),
        ("Only before", &comparison.only_before),
        ("Only now", &comparison.only_after),
    ] {
        if !ids.is_empty() {
            let _ = writeln!(text, "{what} ({}): {}\n", ids.len(), listed(ids.iter().map(String::as_str)));
        }
    }
}

fn change_table(text: &mut String, changes: &[&Change]) {
    if changes.is_empty() {
        return;
    }
    text.push_str("| figure | before | after | difference | 95 % interval | |\n|---|---:|---:|---:|---:|---|\n");
    for change in changes {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            code(&change.title()),
            number(change.before),
            number(change.after),
            signed(change.difference),
            signed_interval(change.low, change.high),
            change.verdict(),
        );
    }
    text.push('\n');
}

fn flips(text: &mut String, title: &str, flips: &[Flip]) {
    if flips.is_empty() {
        return;
    }
    let _ = writeln!(text, "<details><summary>{title}: {}</summary>\n", flips.len());
    for flip in flips.iter().take(MOST_IDS) {
        let metrics: Vec<String> = flip.metrics.iter().map(|metric| code(metric)).collect();
        let _ = writeln!(text, "- {} {}", code(&flip.case), metrics.join(", "));
    }
    if let Some(more) = flips.len().checked_sub(MOST_IDS).filter(|more| *more > 0) {
        let _ = writeln!(text, "- and {more} more");
    }
    text.push_str("\n</details>\n\n");
}

fn figures(text: &mut String, report: &Report) {
    let measured: Vec<_> = report.figures.all.iter().filter(|(name, _)| !name.contains('[')).collect();
    if measured.is_empty() {
        return;
    }
    let _ = writeln!(text, "<details><summary>Figures</summary>\n");
    text.push_str("| figure | value | 95 % interval | cases |\n|---|---:|---:|---:|\n");
    for (name, measure) in measured {
        let _ = writeln!(
            text,
            "| {}{} | {} | {} | {} |",
            code(name),
            report.remark(name).map(|remark| format!(" ({remark})")).unwrap_or_default(),
            number(measure.value),
            interval(measure.low, measure.high),
            cases(measure)
        );
    }
    text.push_str("\n</details>\n\n");
}

fn judges(text: &mut String, report: &Report) {
    for judging in &report.record.judges {
        let _ = writeln!(text, "Judge of {}: {}.\n", code(&judging.metric), cell(&judging.sentence()));
    }
}

fn not_as_asked(text: &mut String, report: &Report) {
    for (status, what) in
        [(Status::Failed, "Failed"), (Status::Error, "Without an answer"), (Status::Ungraded, "Without a grade")]
    {
        let rows = report.rows.iter().filter(|row| row.status == status);
        let ids: BTreeSet<&str> = rows.map(|row| row.case.as_str()).collect();
        if !ids.is_empty() {
            let _ = writeln!(text, "{what} ({}): {}\n", ids.len(), listed(ids.iter().copied()));
        }
    }
}

fn provenance(report: &Report) -> String {
    let record = &report.record;
    let (calls, replayed) = report
        .rows
        .iter()
        .fold((0, 0), |(calls, replayed), row| (calls + row.used.calls, replayed + row.used.replayed));
    let mut parts = vec![format!("dataset {}", code(short(&record.hashes.dataset)))];
    if let Some(prompts) = &record.hashes.prompts {
        parts.push(format!("prompts {}", code(short(prompts))));
    }
    if calls > 0 {
        parts.push(format!(
            "{} ({replayed} from cassettes), {} €",
            count(calls as usize, "call"),
            number(report.cost())
        ));
    }
    if !record.selection.is_empty() {
        let selection: Vec<String> = record.selection.iter().map(|one| code(one)).collect();
        parts.push(format!("selected by {}", selection.join(" ")));
    }
    if record.attempts > 1 {
        parts.push(format!("begun or resumed {} times", record.attempts));
    }
    parts.push(format!("vireille {}", plain(&record.program)));
    format!("<sub>{}</sub>", parts.join(" · "))
}

fn word(outcome: Outcome) -> String {
    format!("**{}**", outcome.as_str())
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn listed<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = ids.len().saturating_sub(MOST_IDS);
    let mut listed: Vec<String> = ids.take(MOST_IDS).map(code).collect();
    if more > 0 {
        listed.push(format!("and {more} more"));
    }
    listed.join(", ")
}

/// A word as code, so that nothing in it is read as Markdown, HTML, a link or a mention of somebody.
fn code(text: &str) -> String {
    format!("`{}`", line(text).replace('`', "'"))
}

/// A sentence: one line that breaks no table, makes no element and no link, and calls nobody.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in line(text).chars() {
        match c {
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '&' => cell.push_str("&amp;"),
            '[' | ']' | '`' | '*' | '_' => cell.extend(['\\', c]),
            // A mention ends where a joiner of no width stands behind its sign.
            '@' => cell.push_str("@\u{2060}"),
            c => cell.push(c),
        }
    }
    // Addresses become links by themselves.
    cell.replace("://", ":\u{2060}//").replace("www.", "www\u{2060}.")
}

/// One line that breaks no table, of a length that people read.
fn line(text: &str) -> String {
    let mut line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line.replace('|', "\\|")
}

/// A word in an HTML comment or element.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || " ._-/:·".contains(*c)).collect::<String>().replace("--", "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_case_is_no_markdown() {
        let nasty = "metadata.lang=<img src=x>\n@mayor [win](https://evil.example) www.evil.example a|b `rm` *now*";
        let sentence = cell(nasty);
        for part in ["<", "\n", "@mayor", "](", "://", "www.", "a|b"] {
            assert!(!sentence.replace("\\]", "").contains(part), "{part}: {sentence}");
        }
        let word = code(nasty);
        assert_eq!((word.matches('`').count(), word.contains('\n'), word.contains("a|b")), (2, false, false), "{word}");
        assert!(code(&"long ".repeat(1_000)).chars().count() < LONGEST + 5);
        assert_eq!(
            cell("+0.012 over 300 cases: too few to tell; about 12 more would"),
            "+0.012 over 300 cases: too few to tell; about 12 more would"
        );
    }
}

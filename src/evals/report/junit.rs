//! `JUnit` XML, as `GitLab`, Jenkins and the `GitHub` reporters read it: a test suite a run, a test case a row, and every gate
//! a test case of its own, so that a gate that failed is seen where tests are seen.
//!
//! A wrong answer is a `<failure>`; no answer or no grade is an `<error>`; what was left out, and a gate with too few
//! cases to tell, is `<skipped>`. No case text: ids, metrics and plain sentences.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Report, Unrenderable};
use crate::evals::exit::Outcome;
use crate::evals::gate::GateResult;
use crate::evals::row::{Row, Status};

type Out = Writer<Vec<u8>>;

/// What stands inside a test case.
enum Inside {
    Nothing,
    Failure { kind: &'static str, message: String },
    Error { kind: &'static str, message: String },
    Skipped { message: String },
}

struct TestCase {
    class: String,
    name: String,
    seconds: f64,
    inside: Inside,
}

pub(super) fn render(reports: &[Report]) -> Result<String, Unrenderable> {
    let suites: Vec<(&Report, Vec<TestCase>)> = reports.iter().map(|report| (report, test_cases(report))).collect();
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all = totals(suites.iter().flat_map(|(_, cases)| cases));
    let root = out.create_element("testsuites").with_attribute(("name", "vireille"));
    with_totals(root, &all).write_inner_content(|out| {
        for (report, cases) in &suites {
            suite(out, report, cases)?;
        }
        Ok(())
    })?;
    Ok(String::from_utf8(out.into_inner())? + "\n")
}

fn suite(out: &mut Out, report: &Report, cases: &[TestCase]) -> std::io::Result<()> {
    let started = report.record.started.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let element = out
        .create_element("testsuite")
        .with_attribute(("name", clean(&report.title()).as_str()))
        .with_attribute(("timestamp", started.as_str()));
    with_totals(element, &totals(cases)).write_inner_content(|out| {
        out.create_element("properties").write_inner_content(|out| properties(out, report))?;
        for case in cases {
            test_case(out, case)?;
        }
        Ok(())
    })?;
    Ok(())
}

fn properties(out: &mut Out, report: &Report) -> std::io::Result<()> {
    let hashes = &report.record.hashes;
    for (name, value) in [
        ("outcome", Some(report.outcome.as_str())),
        ("suite.sha256", Some(hashes.suite.as_str())),
        ("dataset.sha256", Some(hashes.dataset.as_str())),
        ("prompts.sha256", hashes.prompts.as_deref()),
        ("packs.sha256", hashes.packs.as_deref()),
        ("program", Some(report.record.program.as_str())),
    ] {
        if let Some(value) = value {
            let element = out.create_element("property").with_attribute(("name", name));
            element.with_attribute(("value", clean(value).as_str())).write_empty()?;
        }
    }
    Ok(())
}

fn test_case(out: &mut Out, case: &TestCase) -> std::io::Result<()> {
    let seconds = format!("{:.3}", case.seconds);
    let element = out
        .create_element("testcase")
        .with_attribute(("classname", clean(&case.class).as_str()))
        .with_attribute(("name", clean(&case.name).as_str()))
        .with_attribute(("time", seconds.as_str()));
    let (tag, kind, message) = match &case.inside {
        Inside::Nothing => {
            element.write_empty()?;
            return Ok(());
        }
        Inside::Failure { kind, message } => ("failure", Some(*kind), message),
        Inside::Error { kind, message } => ("error", Some(*kind), message),
        Inside::Skipped { message } => ("skipped", None, message),
    };
    element.write_inner_content(|out| {
        let message = clean(message);
        let mut inner = out.create_element(tag).with_attribute(("message", message.as_str()));
        if let Some(kind) = kind {
            inner = inner.with_attribute(("type", kind));
            inner.write_text_content(BytesText::new(&message))?;
        } else {
            inner.write_empty()?;
        }
        Ok(())
    })?;
    Ok(())
}

fn test_cases(report: &Report) -> Vec<TestCase> {
    let suite = &report.record.suite.suite;
    let cases = report.rows.iter().map(|row| TestCase {
        class: suite.clone(),
        name: if report.record.epochs > 1 { format!("{} #{}", row.case, row.epoch + 1) } else { row.case.to_string() },
        seconds: row.latency_ms / 1000.0,
        inside: of_row(row),
    });
    let gates = report.gates.iter().map(|gate| TestCase {
        class: format!("{suite}.gates"),
        name: gate.title(),
        seconds: 0.0,
        inside: of_gate(gate),
    });
    let missing = report.counts.selected.saturating_sub(report.counts.rows);
    let incomplete = (missing > 0).then(|| TestCase {
        class: format!("{suite}.gates"),
        name: "complete".to_owned(),
        seconds: 0.0,
        inside: Inside::Error { kind: "incomplete", message: format!("{missing} rows are missing") },
    });
    cases.chain(gates).chain(incomplete).collect()
}

fn of_row(row: &Row) -> Inside {
    let error = || row.error.clone().unwrap_or_default();
    match row.status {
        Status::Ok => Inside::Nothing,
        Status::Failed => Inside::Failure { kind: "assertion", message: failures(row).join("; ") },
        Status::Error => Inside::Error { kind: "error", message: error() },
        Status::Ungraded => Inside::Error { kind: "ungraded", message: error() },
        Status::Skipped => Inside::Skipped { message: error() },
    }
}

/// The metrics that do not hold, each with its reason where there is one.
pub(super) fn failures(row: &Row) -> Vec<String> {
    let failed = row.scores.iter().filter(|(_, scored)| scored.pass == Some(false));
    failed
        .map(|(metric, scored)| match &scored.detail {
            Some(detail) => format!("{metric}: {detail}"),
            None => metric.clone(),
        })
        .collect()
}

fn of_gate(gate: &GateResult) -> Inside {
    let message = gate.why.clone();
    match gate.outcome {
        Outcome::Pass => Inside::Nothing,
        Outcome::Fail => Inside::Failure { kind: "gate", message },
        Outcome::Inconclusive => Inside::Skipped { message: format!("inconclusive: {message}") },
        Outcome::Incomplete | Outcome::OverBudget => Inside::Error { kind: "incomplete", message },
    }
}

#[derive(Default)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    seconds: f64,
}

fn totals<'a>(cases: impl IntoIterator<Item = &'a TestCase>) -> Totals {
    cases.into_iter().fold(Totals::default(), |mut totals, case| {
        totals.tests += 1;
        totals.seconds += case.seconds;
        match case.inside {
            Inside::Nothing => {}
            Inside::Failure { .. } => totals.failures += 1,
            Inside::Error { .. } => totals.errors += 1,
            Inside::Skipped { .. } => totals.skipped += 1,
        }
        totals
    })
}

fn with_totals<'a>(
    element: quick_xml::writer::ElementWriter<'a, Vec<u8>>,
    totals: &Totals,
) -> quick_xml::writer::ElementWriter<'a, Vec<u8>> {
    element
        .with_attribute(("tests", totals.tests.to_string().as_str()))
        .with_attribute(("failures", totals.failures.to_string().as_str()))
        .with_attribute(("errors", totals.errors.to_string().as_str()))
        .with_attribute(("skipped", totals.skipped.to_string().as_str()))
        .with_attribute(("time", format!("{:.3}", totals.seconds).as_str()))
}

/// XML 1.0 has no way to write most control characters, and a reader refuses the whole file for one of them.
fn clean(text: &str) -> String {
    let allowed =
        |c: &char| matches!(c, '\t' | '\n' | '\r') || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(allowed).collect()
}

//! Where words go: results to standard output, everything about them to standard error.
//!
//! Tables and progress are for people: a bar only where standard error is a terminal, a table only without `--json`.
//! A reader that goes away (`| head`) ends the command quietly.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use comfy_table::{ContentArrangement, LineStyle, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::Failure;

/// Standard output.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether results are JSON.
    pub(super) const fn is_json(&self) -> bool {
        self.json
    }

    /// A result as one line of JSON.
    #[expect(clippy::unused_self, reason = "standard output has one owner")]
    pub(super) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, value).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// A result as text, with a line end.
    #[expect(clippy::unused_self, reason = "standard output has one owner")]
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_ref().as_bytes())?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }

    /// A table; nothing but its head when there are no rows.
    pub(super) fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), Failure> {
        let mut table = Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table
            .load_style(presets::NOTHING.header_separator(rule))
            .set_header(head.iter().map(|title| (*title).to_owned()));
        // Through a pipe each row stays on its line, however long.
        let arrangement =
            if io::stdout().is_terminal() { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
        table.set_content_arrangement(arrangement);
        for row in rows {
            table.add_row(row);
        }
        self.line(table.to_string())
    }
}

/// Says something about the results, on standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says why something cannot be done, on standard error.
pub(super) fn complain(text: &str) {
    note(&format!("vireille: {text}"));
}

/// A bar over `length` things where a person looks on, and nothing through a pipe.
pub(super) fn progress(length: u64, what: &'static str) -> ProgressBar {
    let bar = if io::stderr().is_terminal() {
        ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr())
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

//! `vireille eval check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::evals::dataset::{self, Cases};
use crate::evals::load::{self, Loaded};
use crate::evals::select;
use crate::municipality::Faults;

/// Reads suites and their datasets and says what is wrong, without running anything.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// Suites: YAML files, or folders of them; `evals/suites` when none is named.
    #[arg(value_name = "SUITE", default_value = "evals/suites")]
    suites: Vec<PathBuf>,
}

impl Check {
    #[expect(clippy::unused_async, reason = "all commands of this room are run alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let mut faults = Faults::new();
        let mut sound = Vec::new();
        for file in super::suites(&self.suites)? {
            match read(&file) {
                Ok(suite) => sound.push(suite),
                Err(found) => faults.append(found),
            }
        }
        let table = sound.iter().map(|(loaded, cases)| {
            let suite = &loaded.suite;
            let numbers = [cases.cases.len(), clusters(loaded, cases), suite.assert.len(), suite.gates.len()];
            (suite.suite.clone(), numbers)
        });
        if context.out.is_json() {
            for (suite, [cases, clusters, assertions, gates]) in table {
                context.out.json_line(&json!({
                    "suite": suite, "cases": cases, "clusters": clusters, "assertions": assertions, "gates": gates,
                }))?;
            }
        } else {
            let rows = table.map(|(suite, numbers)| {
                std::iter::once(suite).chain(numbers.map(|number| number.to_string())).collect::<Vec<_>>()
            });
            context.out.table(&["suite", "cases", "clusters", "assertions", "gates"], rows)?;
        }
        if faults.is_empty() {
            return Ok(Exit::Ok);
        }
        faults.sort();
        crate::cli::show_faults(context, &faults, Path::new("evals"))?;
        Ok(Exit::Usage)
    }
}

fn read(file: &Path) -> Result<(Loaded, Cases), Faults> {
    let loaded = load::suite(file)?;
    let cases = dataset::open(&loaded, &[])?;
    Ok((loaded, cases))
}

/// How many groups of cases there are that do not depend on each other: what intervals are made of.
fn clusters(loaded: &Loaded, cases: &Cases) -> usize {
    let path = &loaded.suite.dataset.cluster;
    let of = |case| select::word(case, path).unwrap_or_else(|| case.id.to_string());
    cases.cases.iter().map(of).collect::<BTreeSet<_>>().len()
}

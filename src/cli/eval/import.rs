//! `vireille eval import`: other tools' cases as a suite of ours. What is not taken over is said, with file and line.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Context, Exit, Failure};
use crate::cli::output;
use crate::evals::interop::{self, Format, name_of};
use crate::evals::load;

/// Reads cases of other tools: promptfoo YAML and CSV, Inspect and OpenAI JSONL.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose format.
    #[arg(long, value_enum)]
    format: Format,
    /// The folder of the suite and its `cases.jsonl`; made where there is none, and nothing in it is written over.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

impl Import {
    #[expect(clippy::unused_async, reason = "every command of `eval` is called alike")]
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let imported = interop::read(&self.file, self.format).map_err(|faults| Failure::Usage(faults.to_string()))?;
        let name = name_of(&self.file);
        let mut cases = String::new();
        for case in &imported.cases {
            cases.push_str(&serde_json::to_string(case)?);
            cases.push('\n');
        }
        fs::create_dir_all(&self.output)?;
        let suite = self.output.join(format!("{name}.yaml"));
        let mut files = vec![(suite.clone(), imported.suite(&name)), (self.output.join("cases.jsonl"), cases)];
        if !imported.prompts.is_empty() {
            files.push((self.output.join("prompts.json"), serde_json::to_string_pretty(&imported.prompts)? + "\n"));
        }
        if let Some((there, _)) = files.iter().find(|(path, _)| path.exists()) {
            return Err(Failure::Usage(format!("{} is there already: name another folder", there.display())));
        }
        for (path, text) in &files {
            fs::write(path, text)?;
        }
        for fault in imported.left.iter() {
            output::note(&format!("not taken over: {fault}"));
        }
        // What was written must be what a suite is.
        let check = if imported.asserts.is_empty() { Ok(()) } else { load::suite(&suite).map(drop) };
        check.map_err(|faults| Failure::Usage(faults.to_string()))?;
        tell(context, &suite, imported.cases.len(), imported.left.len())
    }
}

fn tell(context: &mut Context, suite: &Path, cases: usize, left: usize) -> Result<Exit, Failure> {
    if context.out.is_json() {
        context.out.json_line(&json!({ "suite": suite, "cases": cases, "not_taken_over": left }))?;
    } else {
        context.out.line(format!("{cases} cases in {}; what was not taken over: {left}.", suite.display()))?;
    }
    Ok(Exit::Ok)
}

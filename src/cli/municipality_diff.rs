//! `vireille municipality diff`: what differs between two municipalities, or between one and the base pack.

use clap::Args;
use serde_json::{Value, json};

use super::{Context, Exit, Failure, show_faults};
use crate::policy::Rulebook;
use crate::policy::deviations::{self, Deviations, Difference, Shares, Side};

/// Longest value in a table, characters.
const SHOWN: usize = 60;

/// Two municipalities.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// The first one, by the name of its folder.
    first: Side,
    /// The second one; `base` for what all inherit.
    #[arg(default_value = "base")]
    second: Side,
}

impl Diff {
    pub(super) fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let root = context.config()?.policies.dir;
        for side in [&self.first, &self.second] {
            let folder = root.join(side.folder());
            if !folder.is_dir() {
                return Err(Failure::Usage(format!("there is no folder {}", folder.display())));
            }
            if let Side::Municipality(id) = side
                && let Err(faults) = Rulebook::load(&root, id)
            {
                return show_faults(context, &faults, &folder);
            }
        }
        let found = match deviations::compare(&root, &self.first, &self.second) {
            Ok(found) => found,
            Err(faults) => return show_faults(context, &faults, &root),
        };
        if context.out.is_json() {
            let Deviations { first, second, differences } = &found;
            context.out.json_line(&json!({
                "first": of(first), "second": of(second), "differences": differences,
            }))?;
        } else {
            show(context, &found)?;
        }
        Ok(Exit::Ok)
    }
}

/// A side as JSON, with its share.
fn of(shares: &Shares) -> Value {
    let mut value = json!(shares);
    value["overridden_percent"] = shares.percent().into();
    value
}

fn show(context: &mut Context, found: &Deviations) -> Result<(), Failure> {
    let Deviations { first, second, differences } = found;
    if differences.is_empty() {
        context.out.line(format!("{} and {} do not differ.", first.name, second.name))?;
    } else {
        let row = |difference: &Difference| {
            let Difference { path, first, second } = difference;
            vec![path.join(" › "), cell(first.as_ref()), cell(second.as_ref())]
        };
        context.out.table(&["setting", &first.name, &second.name], differences.iter().map(row))?;
    }
    for shares in [first, second].into_iter().filter(|shares| shares.name != "base") {
        let Shares { name, settings, overridden, own, replaces } = shares;
        let share = shares.percent();
        context.out.line(format!(
            "{name}: {share} % of the base pack's settings are overridden ({overridden} of {settings}); {own} of its own."
        ))?;
        if !replaces.is_empty() {
            context.out.line(format!("{name} replaces {}.", replaces.join(", ")))?;
        }
    }
    Ok(())
}

/// A value on one line: a plain one as it is, a list or a whole entry by how much it holds.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None => return "–".to_owned(),
        Some(Value::String(text)) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        Some(entry @ Value::Object(_)) => match deviations::leaves(entry) {
            1 => "1 setting".to_owned(),
            several => format!("{several} settings"),
        },
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

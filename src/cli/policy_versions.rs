//! `vireille policy compare` and `policy impact`: two versions of a policy side by side, and what the second gives the
//! same cases. Nothing is written; cases are told by their numbers, never by names.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::civil::Date;

use super::{Context, Exit, Failure, inputs, output};
use crate::cases::{DocumentId, Euro, Language, MunicipalityId, RuleOutcome};
use crate::config::Config;
use crate::intake::Incoming;
use crate::intake::extract::{self, Cell};
use crate::intake::register::rulebook;
use crate::policy::comparison::{self, Comparison, SectionChange, Standing};
use crate::policy::impact::{self, Consequence, Impact, LeftOut};
use crate::policy::in_words::RuleInWords;
use crate::policy::{Document, Rulebook, Rulebooks};
use crate::triage::history::Others;
use crate::triage::impact::{Cases, USUAL_LIMIT};
use crate::triage::{Circumstances, Desk};

/// A version as it is named: `private-road-grant@2026-01-01`.
#[derive(Debug, Clone)]
struct VersionName {
    document: DocumentId,
    from: Date,
}

impl std::str::FromStr for VersionName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || "write document@YYYY-MM-DD, for example private-road-grant@2026-01-01".to_owned();
        let (document, from) = text.split_once('@').ok_or_else(refused)?;
        let document = document.parse().map_err(|_| refused())?;
        Ok(Self { document, from: from.parse().map_err(|_| refused())? })
    }
}

impl VersionName {
    fn of<'a>(&self, book: &'a Rulebook) -> Result<&'a Document, Failure> {
        book.library.version(&self.document, self.from).ok_or_else(|| {
            let known = book.library.versions(&self.document);
            let known = known.iter().map(|known| known.version().to_string()).collect::<Vec<_>>().join(", ");
            let Self { document, from } = self;
            Failure::Usage(format!("there is no {document}@{from}; versions of `{document}`: {known}"))
        })
    }
}

/// Two versions of one document.
#[derive(Debug, Args)]
struct Two {
    /// The first version, DOCUMENT@DATE.
    #[arg(value_name = "FIRST")]
    first: VersionName,
    /// The second version, DOCUMENT@DATE.
    #[arg(value_name = "SECOND")]
    second: VersionName,
    /// Of which municipality; the default one of the settings when left out.
    #[arg(long, value_name = "ID")]
    municipality: Option<MunicipalityId>,
    /// Take the second version from this folder of policies: a working copy.
    #[arg(long, value_name = "DIR")]
    copy: Option<PathBuf>,
}

impl Two {
    /// The rulebooks of the settings, and the one that holds the second version.
    fn books(&self, config: &Config) -> Result<(Rulebooks, Arc<Rulebook>, Arc<Rulebook>), Failure> {
        if self.first.document != self.second.document {
            return Err(Failure::Usage("name two versions of one document".to_owned()));
        }
        let municipality = self.municipality.as_ref().unwrap_or(&config.policies.default_municipality);
        let rulebooks = super::rulebooks(config)?;
        let of = |books: &Rulebooks| rulebook(books, municipality).map_err(|error| Failure::Usage(error.to_string()));
        let book = of(&rulebooks)?;
        let second = match &self.copy {
            None => Arc::clone(&book),
            Some(folder) => of(&Rulebooks::load_all(folder)
                .map_err(|faults| Failure::Usage(format!("the working copy cannot be used:\n{faults}")))?)?,
        };
        Ok((rulebooks, book, second))
    }
}

/// Two versions side by side.
#[derive(Debug, Args)]
pub(super) struct Compare {
    #[command(flatten)]
    two: Two,
    /// Language of the texts.
    #[arg(long, default_value = "fi", value_parser = ["fi", "sv", "en"])]
    language: String,
}

impl Compare {
    pub(super) fn run(&self, context: &mut Context) -> Result<Exit, Failure> {
        let (_, book, second) = self.two.books(&context.config()?)?;
        let (before, after) = (self.two.first.of(&book)?, self.two.second.of(&second)?);
        let language = Language::from_code(&self.language).unwrap_or(Language::Fi);
        let compared = comparison::compare(before, after, &second.pack, language);
        if context.out.is_json() {
            context.out.json_line(&compared)?;
        } else {
            show(context, &compared)?;
        }
        Ok(Exit::Ok)
    }
}

fn show(context: &mut Context, compared: &Comparison) -> Result<(), Failure> {
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let (before, after) = (compared.before.version.to_string(), compared.after.version.to_string());
    let values = compared.parameters.iter().map(|change| {
        let sections: Vec<&str> = change.sections.iter().map(crate::cases::SectionId::as_str).collect();
        vec![change.name.clone(), shown(&change.before), shown(&change.after), sections.join(" ")]
    });
    context.out.table(&["value", &before, &after, "sections"], values)?;
    for section in &compared.sections {
        let side = section.after.as_ref().or(section.before.as_ref());
        let heading = side.map(|side| side.heading.as_str()).unwrap_or_default();
        let standing = match section.standing {
            Standing::Same => continue,
            Standing::Changed => "changed",
            Standing::Added => "added",
            Standing::Removed => "removed",
        };
        context.out.line(format!("\n{heading} [{}]: {standing}", section.section))?;
        for line in changes(section) {
            context.out.line(line)?;
        }
    }
    Ok(())
}

/// What changed in a section: words that went and came, then rules and steps as they were and are.
fn changes(section: &SectionChange) -> Vec<String> {
    let mut lines = Vec::new();
    for (mark, side) in [("-", &section.before), ("+", &section.after)] {
        let words = side.iter().flat_map(|side| &side.words).filter(|words| words.changed);
        lines.extend(
            words.map(|words| words.text.trim()).filter(|text| !text.is_empty()).map(|text| format!("  {mark} {text}")),
        );
    }
    for rule in &section.rules {
        lines.push(format!("  rule {}", rule.rule));
        let sides = [("-", &rule.before), ("+", &rule.after)];
        lines.extend(sides.iter().flat_map(|(mark, rule)| rule.iter().flat_map(|rule| in_words(mark, rule))));
    }
    for step in &section.steps {
        lines.push(format!("  step {}", step.name));
        let sides = [("-", &step.before), ("+", &step.after)];
        lines.extend(sides.iter().filter_map(|(mark, words)| Some(format!("    {mark} {}", words.as_ref()?))));
    }
    lines
}

fn in_words(mark: &str, rule: &RuleInWords) -> Vec<String> {
    let line =
        |when: Option<&str>, outcome: RuleOutcome| format!("    {mark} {outcome}: {}", when.unwrap_or("otherwise"));
    rule.conditions.iter().map(|one| line(one.when.as_deref(), one.outcome)).collect()
}

/// What the second version gives the same cases.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("over").required(true).args(["cases", "stored"]))]
pub(super) struct ImpactCommand {
    #[command(flatten)]
    two: Two,
    /// Over these submissions: files, or folders of them; read by the offline engine.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cases: Vec<PathBuf>,
    /// Over the stored cases of the municipality.
    #[arg(long)]
    stored: bool,
    /// At most so many, the last to arrive first.
    #[arg(long, default_value_t = USUAL_LIMIT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// A table for a spreadsheet instead: one line a case.
    #[arg(long)]
    csv: bool,
}

impl ImpactCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let config = context.config()?;
        let (rulebooks, book, second) = self.two.books(&config)?;
        let (before, after) = (self.two.first.of(&book)?, self.two.second.of(&second)?);
        let cases = if self.stored {
            let storage = context.storage(&config).await?;
            let cases = Cases::stored(&storage, &book, before, self.limit, |_| false).await;
            storage.close().await;
            cases?
        } else {
            self.read(context, &config, &rulebooks, &book).await?
        };
        let impact = cases.impact(before, after);
        if self.csv {
            context.out.line(impact::csv(&impact).map_err(anyhow::Error::from)?.trim_end())?;
        } else if context.out.is_json() {
            context.out.json_line(&impact)?;
        } else {
            tell(context, &impact)?;
        }
        for fact in &impact.taken_as_one {
            output::note(&format!("`{fact}` is taken as 1 where no round has been run."));
        }
        for (why, count) in &impact.left_out {
            output::note(&format!("left out: {count} ({})", why.as_str()));
        }
        Ok(match (impact.totals.cases, impact.left_out.get(&LeftOut::Unreadable)) {
            (0, _) => Exit::Failure,
            (_, Some(_)) => Exit::Partly,
            _ => Exit::Ok,
        })
    }

    async fn read(
        &self,
        context: &Context,
        config: &Config,
        rulebooks: &Rulebooks,
        book: &Rulebook,
    ) -> Result<Cases, Failure> {
        let municipality = &book.pack.municipality.id;
        let triage = super::desks(config, rulebooks, &context.ambient).await?;
        let desk: &Desk = triage.desk(municipality).map_err(|error| Failure::Usage(error.to_string()))?;
        let cell = Cell::new(&config.attachments);
        let mut cases = Cases::default();
        let mut inputs = inputs::read(&self.cases, municipality, &context.ambient);
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        cases.leave_out(LeftOut::BeyondLimit, inputs.len().saturating_sub(most) as u64);
        inputs.truncate(most);
        let bar = output::progress(inputs.len() as u64, "assessing");
        for input in inputs {
            bar.inc(1);
            match input.result {
                Ok(Incoming { submission, files, earlier, .. }) if submission.municipality == *municipality => {
                    let attached = extract::texts(&files, &cell).await;
                    let ledger = desk.ledger(&earlier).unwrap_or_default();
                    let at = Circumstances {
                        attached: Some(&attached),
                        others: Others::Cases(&ledger),
                        ..Circumstances::new("", submission.received_at)
                    };
                    let name = submission.external_id.clone().unwrap_or(input.name);
                    cases.add(desk, name, &submission, &at);
                }
                Ok(_) => cases.leave_out(LeftOut::NotAssessed, 1),
                Err(refused) => {
                    bar.suspend(|| output::complain(&format!("{}: {refused}", input.name)));
                    cases.leave_out(LeftOut::Unreadable, 1);
                }
            }
        }
        bar.finish_and_clear();
        Ok(cases)
    }
}

fn tell(context: &mut Context, impact: &Impact) -> Result<(), Failure> {
    let amount = |amount: Option<Euro>| amount.map_or_else(|| "–".to_owned(), |amount| amount.to_string());
    let rows = impact.cases.iter().filter(|line| line.consequence != Consequence::Same).map(|line| {
        let rules: Vec<&str> = line.rules.iter().map(crate::cases::RuleId::as_str).collect();
        vec![
            line.case.clone(),
            format!("{} {}", line.before.outcome, amount(line.before.amount)),
            format!("{} {}", line.after.outcome, amount(line.after.amount)),
            amount(line.difference),
            rules.join(" "),
        ]
    });
    let (before, after) = (impact.before.to_string(), impact.after.to_string());
    context.out.table(&["case", &before, &after, "difference", "rules that come out otherwise"], rows)?;
    let totals = &impact.totals;
    context.out.line(format!(
        "\nCases: {}. Gain: {} ({} €). Lose: {} ({} €). As much, another outcome: {}. The same: {}. Unknown: {}.\n\
         Those with a figure under both: {} € by the first version, {} € by the second.\n\
         What the rules would give, not a decision.",
        totals.cases,
        totals.gains,
        totals.gained,
        totals.loses,
        totals.lost,
        totals.outcome,
        totals.same,
        totals.unknown,
        totals.before,
        totals.after,
    ))
}

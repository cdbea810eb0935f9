//! `vireille eval run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::compare::{Inconclusive, append_summary};
use super::{Context, Exit, Failure, show};
use crate::cli::output;
use crate::clock::Ambient;
use crate::config::Config;
use crate::evals::dataset::{self, Cases};
use crate::evals::folder::RunFolder;
use crate::evals::load::{self, Loaded};
use crate::evals::report::{self, Counts, Format, Report, markdown};
use crate::evals::row::Status;
use crate::evals::rows::Writer;
use crate::evals::run::{self, BeginError, Beginning, Begun, End, Tally, Wanted, Work};
use crate::evals::score::Scorer;
use crate::evals::select::Criterion;
use crate::evals::suite::{Mode, ModelChoice, RunSettings};
use crate::evals::target::{self, Target};
use crate::evals::verdict::{self, Key};
use crate::serve::stop_signal;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

/// Runs suites over their cases and holds the figures against their gates.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// Suites: YAML files, or folders of them.
    #[arg(value_name = "SUITE", required_unless_present = "resume")]
    suites: Vec<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    settings: Settings,
    /// Write a report, in the format of its name: .json .jsonl .junit.xml .html .md .csv .promptfoo.json.
    #[arg(short, long, value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Go on with a run that was broken off; the newest unfinished one of each suite when none is named.
    #[arg(long, value_name = "RUN", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's form of an option whose value may be left out")]
    resume: Option<Option<PathBuf>>,
    /// With --resume: run again what ended in an error or without a grade.
    #[arg(long, requires = "resume")]
    retry_errors: bool,
    /// What too few cases to tell are to scripts.
    #[arg(long, value_enum, value_name = "AS")]
    inconclusive: Option<Inconclusive>,
    /// Let a model judge answers of its own family.
    #[arg(long)]
    waive_judge_family: bool,
    /// Sign the verdicts with this private key: Ed25519, PKCS #8, PEM [default: `evals.signing_key_file` of the settings].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read settings and keys from a file of `NAME=value` lines; what the environment has already stays.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Where runs are kept; `runs` beside `suites` when left out.
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
}

/// Which cases.
#[derive(Debug, Args)]
struct Selection {
    /// Only the first N cases, or those from A to B.
    #[arg(short = 'n', long, value_name = "N|A-B")]
    limit: Option<String>,
    /// Only the case with this id.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// Only cases with this word at this path: `metadata.lang=fi`.
    #[arg(long = "where", value_name = "PATH=WORD")]
    filter: Vec<String>,
    /// Only cases that were not as they should be in that run.
    #[arg(long, value_name = "RUN")]
    failed: Option<PathBuf>,
    /// N cases, drawn by a seed.
    #[arg(long, value_name = "N:SEED")]
    sample: Option<String>,
    /// Every Nth case beginning with the Ith: machines beside each other.
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
}

/// How; each wins over what the suite says.
#[derive(Debug, Args)]
struct Settings {
    /// With this model instead of the suite's.
    #[arg(long, value_name = "ID")]
    model: Vec<String>,
    /// Cases at a time.
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    max_concurrency: Option<u32>,
    /// Repetitions of each case.
    #[arg(long, alias = "repeat", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    epochs: Option<u32>,
    /// Attempts of one call of a model.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts: Option<u32>,
    /// Whether models are asked, or recorded calls replayed.
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// Longest time of a run: `90s`, `20m`.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    deadline: Option<u64>,
    /// Most money for a run, euros.
    #[arg(long, value_name = "EUROS", value_parser = euros)]
    budget: Option<f64>,
    /// Share of cases that may end without an answer: `2%`, `0.02`.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    max_errors: Option<f64>,
}

/// A run that is to be: everything was read, what is asked stands ready, and nothing was written.
struct Planned {
    start: Start,
    target: Arc<dyn Target>,
    scorer: Scorer,
}

/// Where a run begins.
enum Start {
    /// At its first case.
    New { loaded: Box<Loaded>, model: Option<ModelChoice>, cases: Cases, criteria: Vec<Criterion> },
    /// Where it was broken off.
    Again(Box<Begun>),
}

impl Run {
    pub(in crate::cli) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        for file in &self.output {
            Format::of(file).map_err(|unknown| Failure::Usage(unknown.to_string()))?;
        }
        if let Some(file) = &self.env_file {
            context.sources.add_env_file(file)?;
        }
        let config = context.config()?;
        let of_settings = Some(&config.evals.signing_key_file).filter(|file| !file.as_os_str().is_empty());
        let key = self.key.as_ref().or(of_settings).map(|file| Key::read(file)).transpose();
        let key = key.map_err(|error| Failure::Usage(error.to_string()))?;
        // Everything is read and made ready before anything is run: a fault in the last suite is told before the first
        // one costs money.
        let mut planned = Vec::new();
        for start in self.starts(&config)? {
            planned.push(self.ready(context, &config, start).await?);
        }
        let mut reports = Vec::new();
        let ended = self.each(context, &config, key.as_ref(), planned, &mut reports).await;
        // Also of what was run before something broke off: it was paid for.
        for file in &self.output {
            report::write(file, &reports).map_err(|error| Failure::Failed(error.into()))?;
        }
        append_summary(context, &markdown::render(&reports))?;
        ended
    }

    /// One run after another.
    async fn each(
        &self,
        context: &mut Context,
        config: &Config,
        key: Option<&Key>,
        planned: Vec<Planned>,
        reports: &mut Vec<Report>,
    ) -> Result<Exit, Failure> {
        let mut exit = Exit::Ok;
        for planned in planned {
            if exit == Exit::Interrupted {
                break;
            }
            exit = worse(exit, self.one(context, config, key, planned, reports).await?);
        }
        Ok(exit)
    }

    /// What is to be run.
    fn starts(&self, config: &Config) -> Result<Vec<Start>, Failure> {
        if let Some(Some(folder)) = &self.resume {
            let settled = self.settings.epochs.is_some() || !self.settings.model.is_empty();
            if settled || !self.suites.is_empty() || !self.selection.is_everything() {
                let words =
                    "suite, cases, epochs and model of a run were settled when it began: name them, or --resume=RUN";
                return Err(Failure::Usage(words.to_owned()));
            }
            return Ok(vec![Start::Again(Box::new(self.go_on(config, folder)?))]);
        }
        let criteria = self.selection.criteria()?;
        let mut starts = Vec::new();
        for file in super::suites(&self.suites)? {
            let mut loaded = load::suite(&file).map_err(|faults| Failure::Usage(faults.to_string()))?;
            let suite = &mut loaded.suite;
            self.settings.lay_over(&mut suite.run);
            suite.run.epochs = self.settings.epochs.unwrap_or(suite.run.epochs);
            if !self.settings.model.is_empty() {
                let named = |id: &String| ModelChoice { id: id.clone(), url: None };
                // A model of the suite keeps its address.
                let of_suite = |id: &String| suite.models.iter().find(|model| model.id == *id).cloned();
                suite.models = self.settings.model.iter().map(|id| of_suite(id).unwrap_or_else(|| named(id))).collect();
            }
            let (name, of) = (&loaded.suite.suite, self.selection.failed_suite()?);
            if of.as_ref().is_some_and(|of| of != name) {
                return Err(Failure::Usage(format!("--failed names a run of another suite than {name}")));
            }
            let cases = dataset::open(&loaded, &criteria).map_err(|faults| Failure::Usage(faults.to_string()))?;
            if cases.unsettled > 0 {
                output::note(&format!("{name}: {} corrections that nobody confirmed are left out.", cases.unsettled));
            }
            let models = loaded.suite.models.clone();
            let models: Vec<Option<ModelChoice>> =
                if models.is_empty() { vec![None] } else { models.into_iter().map(Some).collect() };
            for model in models {
                let criteria = criteria.clone();
                starts.push(match self.broken_off(config, &loaded, model.as_ref(), &criteria)? {
                    Some(begun) => Start::Again(Box::new(begun)),
                    None => Start::New { loaded: Box::new(loaded.clone()), model, cases: cases.clone(), criteria },
                });
            }
        }
        Ok(starts)
    }

    /// The run that `--resume` without a name means.
    fn broken_off(
        &self,
        config: &Config,
        loaded: &Loaded,
        model: Option<&ModelChoice>,
        criteria: &[Criterion],
    ) -> Result<Option<Begun>, Failure> {
        if self.resume.is_none() {
            return Ok(None);
        }
        let wanted = Wanted {
            suite: &loaded.suite.suite,
            model: model.map(|model| model.id.as_str()),
            criteria,
            epochs: self.settings.epochs,
            retry_errors: self.retry_errors,
        };
        if let Some(folder) = run::latest(&self.runs(loaded), wanted) {
            return self.go_on(config, &folder).map(Some);
        }
        output::note(&format!("{}: no run to go on with; a new one begins.", loaded.suite.suite));
        Ok(None)
    }

    fn runs(&self, loaded: &Loaded) -> PathBuf {
        self.runs.clone().unwrap_or_else(|| loaded.runs())
    }

    /// Target, judges and baseline of a run.
    async fn ready(&self, context: &Context, config: &Config, start: Start) -> Result<Planned, Failure> {
        let (loaded, model) = match &start {
            Start::New { loaded, model, .. } => (&**loaded, model.clone()),
            Start::Again(begun) => (&begun.loaded, begun.model()),
        };
        let target = target::build(loaded, config, model.as_ref(), &context.ambient).await;
        let target = target.map_err(|unusable| Failure::Usage(unusable.to_string()))?;
        let scorer = self.scorer(loaded, config, model.as_ref(), &context.ambient)?;
        super::baseline(loaded)?;
        Ok(Planned { start, target, scorer })
    }

    fn begin(&self, context: &Context, config: &Config, start: Start) -> Result<Begun, Failure> {
        let (loaded, model, cases, criteria) = match start {
            Start::New { loaded, model, cases, criteria } => (loaded, model, cases, criteria),
            Start::Again(begun) => {
                begun.go_on().map_err(begin)?;
                return Ok(*begun);
            }
        };
        let runs = self.runs(&loaded);
        let beginning = Beginning {
            loaded: &loaded,
            model: model.as_ref(),
            cases,
            criteria: &criteria,
            config,
            runs: &runs,
            now: context.ambient.now(),
        };
        beginning.begin().map_err(begin)
    }

    fn go_on(&self, config: &Config, folder: &Path) -> Result<Begun, Failure> {
        run::resume(folder, config, self.retry_errors, |settings| self.settings.lay_over(settings)).map_err(begin)
    }

    async fn one(
        &self,
        context: &mut Context,
        config: &Config,
        key: Option<&Key>,
        planned: Planned,
        reports: &mut Vec<Report>,
    ) -> Result<Exit, Failure> {
        let Planned { start, target, scorer } = planned;
        let mut begun = self.begin(context, config, start)?;
        let bar = bar(&begun);
        let work = Work {
            suite: Arc::new(begun.loaded.suite.clone()),
            cases: std::mem::take(&mut begun.cases.cases).into(),
            target: Arc::clone(&target),
            scorer: Arc::new(scorer),
            done: std::mem::take(&mut begun.done),
            spent_micros: begun.spent_micros,
        };
        let writer = Writer::append(&begun.folder.rows()).map_err(|error| Failure::Failed(error.into()))?;
        let ended = run::execute(work, writer, stop_signal(), |tally| advance(&bar, tally)).await;
        bar.finish_and_clear();
        let ended = ended.map_err(|error| Failure::Failed(error.into()))?;
        begun.served(ended.served_by).map_err(begin)?;
        let report = finish(&begun.folder, &begun.loaded, key)?;
        let exit = self.exit(&report, &ended.end);
        tell(&begun.folder, &report, &ended.end);
        tell_unused(&begun, &*target, &report);
        show::run(context, &report, &begun.folder)?;
        reports.push(report);
        Ok(exit)
    }

    /// The assertions, with their judges seated.
    fn scorer(
        &self,
        loaded: &Loaded,
        config: &Config,
        model: Option<&ModelChoice>,
        ambient: &Ambient,
    ) -> Result<Scorer, Failure> {
        let usage = |words: String| Failure::Usage(words);
        let mut scorer = Scorer::new(&loaded.suite, &loaded.path).map_err(|faults| usage(faults.to_string()))?;
        if !self.waive_judge_family {
            scorer.refuse_own_family(model).map_err(|same| usage(format!("{same}; --waive-judge-family lets it")))?;
        }
        let connect = |judge: &ModelChoice| target::judges::connect(loaded, config, judge, ambient);
        scorer.seat_judges(ambient, connect).map_err(|unusable| usage(unusable.to_string()))?;
        Ok(scorer)
    }

    fn exit(&self, report: &Report, end: &End) -> Exit {
        if *end == End::Interrupted {
            return Exit::Interrupted;
        }
        Inconclusive::map(self.inconclusive, report.outcome).into()
    }
}

/// What follows from the rows on disk, and only from these; and the verdict beside them.
pub(super) fn finish(folder: &RunFolder, loaded: &Loaded, key: Option<&Key>) -> Result<Report, Failure> {
    let run = folder.read().map_err(|error| Failure::Failed(error.into()))?;
    let baseline = super::baseline(loaded)?;
    let report = Report::of(run, baseline.as_ref().map(|baseline| &baseline.run));
    verdict::write(folder, &report, baseline.as_ref(), key).map_err(|error| Failure::Failed(error.into()))?;
    Ok(report)
}

/// How it ended, where that is not of itself, and how to go on.
fn tell(folder: &RunFolder, report: &Report, end: &End) {
    let why = match end {
        End::Complete if report.counts.error > 0 => {
            let first = report.rows.iter().find_map(|row| Some(format!(" ({}: {})", row.case, row.error.as_ref()?)));
            let Counts { error, selected, .. } = report.counts;
            format!("{error} of {selected} cases have no answer{}", first.unwrap_or_default())
        }
        End::Complete => return,
        End::Deadline => "the time was over".to_owned(),
        End::OverBudget => "the budget was used up".to_owned(),
        End::Hopeless(error) => format!("the run stopped, because nothing else came any more: {error}"),
        End::Interrupted => "interrupted".to_owned(),
    };
    let again = if report.counts.error + report.counts.ungraded > 0 { " --retry-errors" } else { "" };
    let folder = folder.0.display();
    output::note(&format!("{}: {why}; go on with `vireille eval run --resume={folder}{again}`", report.title()));
}

/// What is recorded and no case asks for any more, where every case was run in this attempt.
fn tell_unused(begun: &Begun, target: &dyn Target, report: &Report) {
    let whole = begun.record.selection.is_empty() && begun.record.attempts == 1;
    let Some(asked) = target.asked().filter(|asked| whole && !asked.unused.is_empty()) else { return };
    if report.counts.rows == report.counts.selected && report.counts.error == 0 {
        let (unused, suite) = (asked.unused.len(), begun.loaded.path.display());
        output::note(&format!(
            "{unused} recorded calls are asked for by no case any more; `vireille eval explain-cache {suite}` lists them"
        ));
    }
}

impl Selection {
    fn is_everything(&self) -> bool {
        let Self { limit, id, filter, failed, sample, shard } = self;
        let one = [limit, sample, shard].iter().all(|choice| choice.is_none());
        one && id.is_empty() && filter.is_empty() && failed.is_none()
    }

    /// The suite of the run whose failed cases are chosen.
    fn failed_suite(&self) -> Result<Option<String>, Failure> {
        let Some(folder) = &self.failed else { return Ok(None) };
        let run = RunFolder(folder.clone()).read().map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Some(run.record.suite.suite))
    }

    fn criteria(&self) -> Result<Vec<Criterion>, Failure> {
        let written = [
            ("limit", self.limit.as_slice()),
            ("id", &self.id),
            ("where", &self.filter),
            ("sample", self.sample.as_slice()),
            ("shard", self.shard.as_slice()),
        ];
        let written = written.into_iter().flat_map(|(option, words)| words.iter().map(move |word| (option, word)));
        let criteria = written.map(|(option, word)| format!("--{option}={word}").parse());
        let mut criteria: Vec<Criterion> =
            criteria.collect::<Result<_, _>>().map_err(|unknown| Failure::Usage(format!("{unknown}")))?;
        if let Some(folder) = &self.failed {
            criteria.extend(failed(folder)?);
        }
        Ok(criteria)
    }
}

/// The cases that were not as they should be.
fn failed(folder: &Path) -> Result<Vec<Criterion>, Failure> {
    let run = RunFolder(folder.to_owned()).read().map_err(|error| Failure::Usage(error.to_string()))?;
    let not_right = run.rows.iter().filter(|row| !matches!(row.status, Status::Ok | Status::Skipped));
    let mut ids: Vec<String> = not_right.map(|row| row.case.to_string()).collect();
    ids.dedup();
    if ids.is_empty() {
        return Err(Failure::Usage(format!("{}: every case of this run is as it should be", folder.display())));
    }
    Ok(ids.into_iter().map(Criterion::Id).collect())
}

impl Settings {
    /// What may be changed while a run goes on.
    fn lay_over(&self, run: &mut RunSettings) {
        run.max_concurrency = self.max_concurrency.unwrap_or(run.max_concurrency);
        run.attempts = self.attempts.unwrap_or(run.attempts);
        run.mode = self.mode.unwrap_or(run.mode);
        run.deadline_seconds = self.deadline.or(run.deadline_seconds);
        run.budget = self.budget.or(run.budget);
        run.max_errors = self.max_errors.unwrap_or(run.max_errors);
    }
}

/// Faults of what people wrote are theirs to mend; the rest is ours.
pub(super) fn begin(error: BeginError) -> Failure {
    match error {
        BeginError::Rows(_) | BeginError::File { .. } => Failure::Failed(error.into()),
        BeginError::Faults(_) | BeginError::Criterion(_) | BeginError::Record { .. } | BeginError::Changed { .. } => {
            Failure::Usage(error.to_string())
        }
    }
}

/// The worse of two ends; codes are in order but for "nothing to complain about", and an interruption is the last.
fn worse(a: Exit, b: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Ok => 0,
        Exit::Inconclusive => 1,
        Exit::OverBudget => 2,
        Exit::Incomplete => 3,
        Exit::GateFailed => 4,
        _ => 5,
    };
    if rank(b) > rank(a) { b } else { a }
}

fn bar(begun: &Begun) -> ProgressBar {
    let bar = output::progress(begun.record.rows as u64, "");
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {eta} {prefix}") {
        bar.set_style(style);
    }
    bar.set_message(begun.record.suite.suite.clone());
    bar.set_position(begun.done.len() as u64);
    bar.reset_eta();
    bar
}

fn advance(bar: &ProgressBar, tally: Tally) {
    bar.set_position(tally.done as u64);
    let Tally { failed, errors, ungraded, cost_micros, .. } = tally;
    let count = |number: usize, what: &str| if number == 0 { String::new() } else { format!("{number} {what} ") };
    let words = [count(failed, "failed"), count(errors, "errors"), count(ungraded, "ungraded")].concat();
    bar.set_prefix(format!("{words}{}", show::euros(cost_micros)));
}

fn seconds(text: &str) -> Result<u64, String> {
    let duration = text.parse::<jiff::SignedDuration>().map(|duration| duration.as_secs());
    let seconds = text.parse::<i64>().or(duration).map_err(|_| "write a time, for example 90s or 20m".to_owned())?;
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or_else(|| "write a time above 0".to_owned())
}

fn euros(text: &str) -> Result<f64, String> {
    let euros: f64 = text.parse().map_err(|_| "write euros, for example 2.50".to_owned())?;
    if euros.is_finite() && euros >= 0.0 { Ok(euros) } else { Err("write euros, 0 or more".to_owned()) }
}

fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().map_or(f64::NAN, |number| number / unit);
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("write a share, for example 2% or 0.02".to_owned()) }
}

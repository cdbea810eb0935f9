//! `vireille round`: rounds over all cases of a window: list them, run one, show it, verify it.
//!
//! Running one is a person's act: their token says who. A record is verified without a database, by this program or with
//! any tool that knows SHA-256.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use jiff::civil::Date;

use super::{Context, Exit, Failure, output};
use crate::cases::{DocumentId, MunicipalityId, Role, Round, RoundId, RoundResult};
use crate::reports;
use crate::review::{NewLeftOut, NewRound, Review, Sampling, Words};
use crate::storage::{Storage, tokens};

/// Longest record that is read, bytes.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Rounds over all cases of a window.
#[derive(Debug, Subcommand)]
pub(super) enum RoundCommand {
    /// The rounds of the window that is open or closed last, and what keeps them waiting.
    List {
        /// Of which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
    },
    /// Run a round of a closed window. The token of whoever runs it is read from standard input.
    Run {
        /// The policy.
        document: DocumentId,
        /// The round's name in it, for example `factor-k`.
        round: String,
        /// The last day of the window.
        window: Date,
        /// A case to leave out: its number, `=`, the reason. May be given more than once.
        #[arg(long, value_name = "NUMBER=REASON")]
        leave_out: Vec<String>,
        /// The seed of a draw; left out: one is made.
        #[arg(long)]
        seed: Option<String>,
        /// Why it is run again.
        #[arg(long)]
        reason: Option<String>,
    },
    /// A round that was run, as JSON: what `verify` reads.
    Show {
        /// Its id.
        id: RoundId,
        /// Of which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
        /// A table for a spreadsheet instead: one line a case.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// Work a round out anew from its record.
    Verify {
        /// The record, as `show` or `GET /v1/rounds/…` gives it.
        file: PathBuf,
    },
}

impl RoundCommand {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        match self {
            Self::List { municipality } => list(context, municipality).await,
            Self::Run { document, round, window, leave_out, seed, reason } => {
                let leave_out = leave_out.iter().map(|text| left_out(text)).collect::<Result<_, _>>()?;
                let reason = reason.map(Words::try_from).transpose().map_err(Failure::Usage)?;
                run(context, NewRound { document, round, window, leave_out, seed, reason }).await
            }
            Self::Show { id, municipality, csv } => {
                let config = context.config()?;
                let municipality = municipality.unwrap_or_else(|| config.policies.default_municipality.clone());
                let round = context.storage(&config).await?.round(&municipality, id).await?;
                let round = round.ok_or_else(|| Failure::Usage(format!("{municipality} has no round {id}")))?;
                if csv {
                    let text = reports::rounds::table(&round).csv().map_err(|error| Failure::Failed(error.into()))?;
                    context.out.line(text.trim_end())?;
                } else {
                    context.out.json_line(&round)?;
                }
                Ok(Exit::Ok)
            }
            Self::Verify { file } => verify(context, &file),
        }
    }
}

fn left_out(text: &str) -> Result<NewLeftOut, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("--leave-out {text}: {why}"));
    let (number, reason) = text.split_once('=').ok_or_else(|| wrong("write NUMBER=REASON"))?;
    let reason = Words::try_from(reason.to_owned()).map_err(|why| wrong(&why))?;
    Ok(NewLeftOut { number: number.to_owned(), reason })
}

async fn review(context: &Context) -> Result<(Review, Storage, MunicipalityId), Failure> {
    let config = context.config()?;
    let rulebooks = super::rulebooks(&config)?;
    let triage = super::desks(&config, &rulebooks, &context.ambient).await?;
    let storage = context.storage(&config).await?;
    let sampling = Sampling { share: config.review.blind_share, seed: config.review.blind_seed.clone() };
    let review = Review::new(storage.clone(), triage.into(), config.review.claim(), sampling);
    Ok((review, storage, config.policies.default_municipality.clone()))
}

async fn list(context: &mut Context, municipality: Option<MunicipalityId>) -> Result<Exit, Failure> {
    let (review, _, usual) = review(context).await?;
    let states = review.rounds(&municipality.unwrap_or(usual)).await.map_err(refused)?;
    if context.out.is_json() {
        for state in &states {
            context.out.json_line(state)?;
        }
        return Ok(Exit::Ok);
    }
    let rows = states.iter().map(|state| {
        let waiting: Vec<&str> = state.waiting.iter().map(|case| case.number.as_str()).collect();
        let last = state.last.as_ref().map_or_else(|| "not run".to_owned(), |round| round.id.to_string());
        let window = format!("{}{}", state.window, if state.closed { "" } else { " (open)" });
        let taking_part = state.taking_part.to_string();
        vec![state.document.to_string(), state.round.clone(), window, taking_part, waiting.join(" "), last]
    });
    context.out.table(&["policy", "round", "window", "cases", "waiting", "last run"], rows)?;
    Ok(Exit::Ok)
}

async fn run(context: &mut Context, new: NewRound) -> Result<Exit, Failure> {
    let mut secret = String::new();
    std::io::stdin().take(1_000).read_to_string(&mut secret).context("the token cannot be read")?;
    let (review, storage, _) = review(context).await?;
    let person = storage.person_by_token_hash(&tokens::hash(secret.trim())).await?;
    let person = person.filter(|person| person.role == Role::Approver);
    let person = person.ok_or_else(|| {
        Failure::Usage("write the token of an approver to standard input: a round is a person's act".to_owned())
    })?;
    let round = review.run_round(&person, new).await.map_err(refused)?;
    if context.out.is_json() {
        context.out.json_line(&round)?;
    } else {
        context.out.line(result(&round))?;
        output::note(&format!("Round {}. `vireille work --once` drafts its cases anew.", round.id));
    }
    Ok(Exit::Ok)
}

fn refused(refusal: crate::review::Refusal) -> Failure {
    match refusal {
        crate::review::Refusal::Invalid(flaws) => {
            let told = flaws.iter().map(|flaw| format!("{}: {}; {}", flaw.pointer, flaw.what, flaw.instead));
            Failure::Usage(told.collect::<Vec<_>>().join("\n"))
        }
        crate::review::Refusal::Storage(error) => error.into(),
        other => Failure::Usage(other.to_string()),
    }
}

fn result(round: &Round) -> String {
    match &round.result {
        RoundResult::Factor(share) | RoundResult::Value(share) => {
            format!("{} = {} / {} = {}", round.fact, share.appropriation, share.sum, share.value)
        }
        RoundResult::Draw(draw) => {
            let drawn = draw.order.iter().filter(|ticket| ticket.drawn).map(|ticket| ticket.number.as_str());
            format!("seed {}, drawn: {}", draw.seed, drawn.collect::<Vec<_>>().join(" "))
        }
    }
}

fn verify(context: &mut Context, file: &std::path::Path) -> Result<Exit, Failure> {
    let unreadable = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| unreadable(error.to_string()))?;
    opened.take(MAX_RECORD_BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
    let round: Round =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(format!("it is no record of a round: {error}")))?;
    let holds = round.verify();
    if context.out.is_json() {
        context.out.json_line(&serde_json::json!({ "round": round.id, "ok": holds }))?;
    } else if holds {
        context.out.line(format!("The round holds: {}", result(&round)))?;
    } else {
        output::complain("the result does not follow from the record");
    }
    Ok(if holds { Exit::Ok } else { Exit::Failure })
}

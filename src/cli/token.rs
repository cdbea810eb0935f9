//! `vireille token`: who may use the API, in which role and with which post. The secret is shown once.

use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::json;

use super::{Context, Exit, Failure, output};
use crate::cases::{Actor, DeciderId, Deputyship, MunicipalityId, Person, Role, TokenId};
use crate::clock::helsinki;
use crate::intake::register::rulebook;
use crate::municipality::Pack;
use crate::review::{self, NewToken, Refusal};
use crate::storage::Storage;

/// API tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token; its secret is printed once and never stored.
    Create {
        /// Name of the person or system; a decision is signed with it.
        #[arg(long)]
        name: String,
        /// What it may do.
        #[arg(long, value_enum)]
        role: RoleArgument,
        /// The post that carries power to decide, for example `technical-director`.
        #[arg(long, value_name = "ID")]
        post: Option<DeciderId>,
        /// Last day on which they hold the post as its deputy; left out: the post is theirs.
        #[arg(long, value_name = "DATE", requires = "post")]
        deputy_until: Option<Date>,
        /// First day of that; today when left out.
        #[arg(long, value_name = "DATE", requires = "deputy_until")]
        deputy_from: Option<Date>,
        /// For which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
    },
    /// List the tokens that hold.
    List {
        /// Of which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
    },
    /// Revoke a token: it ends at once.
    Revoke {
        /// Its id, as `token list` shows it.
        id: TokenId,
        /// Of which municipality; the default one of the settings when left out.
        #[arg(long, value_name = "ID")]
        municipality: Option<MunicipalityId>,
    },
}

/// A role as it is written on the command line.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleArgument(Role);

impl ValueEnum for RoleArgument {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [RoleArgument; 7] = [
            RoleArgument(Role::ResidentChannel),
            RoleArgument(Role::Handler),
            RoleArgument(Role::Approver),
            RoleArgument(Role::Registry),
            RoleArgument(Role::Supervisor),
            RoleArgument(Role::Auditor),
            RoleArgument(Role::Admin),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.as_str()))
    }
}

impl Token {
    pub(super) async fn run(self, context: &mut Context) -> Result<Exit, Failure> {
        let config = context.config()?;
        let storage = context.storage(&config).await?;
        let or_default =
            |given: Option<MunicipalityId>| given.unwrap_or_else(|| config.policies.default_municipality.clone());
        match self {
            Self::Create { name, role, post, deputy_until, deputy_from, municipality } => {
                let municipality = or_default(municipality);
                let rulebooks = super::rulebooks(&config)?;
                let book = rulebook(&rulebooks, &municipality).map_err(|error| Failure::Usage(error.to_string()))?;
                let from = deputy_from.unwrap_or_else(|| context.ambient.now().to_zoned(helsinki()).date());
                let deputy = deputy_until.map(|until| Deputyship { from, until });
                let new = NewToken { role: role.0, name, post, deputy };
                let (person, secret) = create(&storage, &book.pack, new).await?;
                if context.out.is_json() {
                    context.out.json_line(&json!({ "token": secret, "person": person }))?;
                } else {
                    context.out.line(&secret)?;
                    let Person { token, name, role, .. } = &person;
                    output::note(&format!("Token {token} for {name} ({role}). It is not shown again."));
                }
            }
            Self::List { municipality } => list(context, &storage, &or_default(municipality)).await?,
            Self::Revoke { id, municipality } => {
                let municipality = or_default(municipality);
                revoke(&storage, &municipality, id).await?;
                if context.out.is_json() {
                    context.out.json_line(&json!({ "id": id, "revoked": true }))?;
                } else {
                    context.out.line(format!("Token {id} is revoked."))?;
                }
            }
        }
        Ok(Exit::Ok)
    }
}

/// Makes a token by the rules of the review room.
pub(super) async fn create(storage: &Storage, pack: &Pack, new: NewToken) -> Result<(Person, String), Failure> {
    review::issue_token(storage, pack, actor(), new).await.map_err(refused)
}

/// Revokes a token.
pub(super) async fn revoke(storage: &Storage, municipality: &MunicipalityId, id: TokenId) -> Result<(), Failure> {
    review::revoke_token(storage, municipality, actor(), id).await.map_err(|refusal| match refusal {
        Refusal::NotFound => Failure::Usage(format!("`{municipality}` has no token {id} that holds")),
        other => refused(other),
    })
}

fn actor() -> Actor {
    Actor::system("cli/token")
}

/// What is wrong with the arguments, and what to write.
fn refused(refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Invalid(flaws) => {
            let lines = flaws.iter().map(|flaw| {
                let argument = flaw.pointer.trim_start_matches('/');
                format!("--{argument}: {}; {}", flaw.what, flaw.instead)
            });
            Failure::Usage(lines.collect::<Vec<_>>().join("\n"))
        }
        Refusal::Storage(error) => error.into(),
        other => Failure::Failed(other.into()),
    }
}

async fn list(context: &mut Context, storage: &Storage, municipality: &MunicipalityId) -> Result<(), Failure> {
    let rows = storage.tokens(municipality).await?;
    if context.out.is_json() {
        for row in &rows {
            context.out.json_line(&row.person)?;
        }
        return Ok(());
    }
    let rows = rows.into_iter().map(|row| {
        let post = row.person.post.map_or(String::new(), |post| post.to_string());
        let days = row.person.deputy.map_or(String::new(), |days| format!(" (deputy {}–{})", days.from, days.until));
        let post = post + &days;
        vec![row.id.to_string(), row.person.name, row.person.role.to_string(), post]
    });
    context.out.table(&["id", "name", "role", "post"], rows)
}

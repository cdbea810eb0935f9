//! Who asks, and what they may do. A right is a type in a handler's signature: a handler that takes
//! [`Can<Decide>`] cannot be reached without the right to decide.
//!
//! A token is looked up by its hash; it speaks for one municipality only, and every read below is scoped to
//! that municipality. An unknown token and a revoked one look the same.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use super::error::{Error, Result};
use crate::app::App;
use crate::cases::{Person, Role};
use crate::storage::tokens;

/// Longest bearer token that is looked at, bytes.
const LONGEST_TOKEN: usize = 200;

/// A right, by the roles that have it.
pub trait Right: Send + Sync + 'static {
    /// Who has it.
    const ROLES: &'static [Role];
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident = $($role:ident)|+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Right for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
        }
    )+};
}

rights! {
    /// To send a submission or a supplement.
    Submit = ResidentChannel | Registry | Handler;
    /// To register what came by telephone, on paper or at the desk.
    Receive = Registry | Handler;
    /// To withdraw for the party.
    Withdraw = ResidentChannel | Registry | Handler;
    /// To write to the party of a case or, through the party's channel, for it.
    Correspond = ResidentChannel | Registry | Handler | Approver;
    /// To give or withdraw the party's consent to publication for it.
    Consent = ResidentChannel | Registry;
    /// To read cases of one's municipality.
    ReadCases = Handler | Approver | Registry | Auditor;
    /// To read the rounds of one's municipality: numbers of cases and sums.
    ReadRounds = Handler | Approver | Registry | Auditor;
    /// To claim, edit, ask, transfer.
    Prepare = Handler | Approver;
    /// To say what kind of matter a case is; to acknowledge an alert.
    Register = Registry | Handler | Approver;
    /// To approve and return. How far the power reaches is the delegation's to say.
    Decide = Approver;
    /// To see which pack is active, and what is wrong in newer files.
    ReadPacks = Handler | Approver | Supervisor | Auditor | Admin;
    /// To take out the audit chain.
    Audit = Auditor;
    /// What the municipality's language models cost.
    ReadCosts = Auditor | Admin;
    /// How good the machine's proposals are: runs of evaluation suites, which hold no resident's data.
    ReadEvaluations = Approver | Auditor | Admin;
    /// How the work goes: figures of a window, without anybody's data.
    ReadReports = Approver | Supervisor | Auditor | Admin;
    /// How approvals are made, by person.
    Supervise = Supervisor;
    /// Tokens and dead letters.
    Administer = Admin;
}

/// A person who has the right `R`.
#[derive(Debug)]
pub struct Can<R> {
    person: Person,
    right: PhantomData<R>,
}

impl<R> Deref for Can<R> {
    type Target = Person;
    fn deref(&self) -> &Person {
        &self.person
    }
}

impl<S: Send + Sync, R: Right> FromRequestParts<S> for Can<R> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let person = match parts.extensions.get::<Asker>() {
            Some(Asker::Known(person)) => person.clone(),
            Some(Asker::Unknown) => return Err(Error::UnknownToken),
            Some(Asker::Nobody) | None => return Err(Error::NoToken),
        };
        if may::<R>(&person) {
            Ok(Self { person, right: PhantomData })
        } else {
            Err(Error::Forbidden { role: person.role, needs: R::ROLES })
        }
    }
}

/// Whether this person has the right `R`.
#[must_use]
pub fn may<R: Right>(person: &Person) -> bool {
    R::ROLES.contains(&person.role)
}

/// Who asks, as [`identify`] found.
#[derive(Debug, Clone)]
pub enum Asker {
    /// No token was sent.
    Nobody,
    /// A token that is unknown or revoked.
    Unknown,
    /// A person.
    Known(Person),
}

/// Looks the token up, once a request. Whether the asker may go on is for [`Can`] to say.
pub async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    let asker = match bearer(&request) {
        None => Asker::Nobody,
        Some(token) => {
            let person = app.storage().person_by_token_hash(&tokens::hash(token)).await?;
            person.map_or(Asker::Unknown, Asker::Known)
        }
    };
    request.extensions_mut().insert(asker);
    Ok(next.run(request).await)
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST_TOKEN).then_some(token.trim())
}

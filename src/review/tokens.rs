//! Tokens: who may act. The secret is shown once; its hash is kept.

use serde_json::json;

use super::words::fault;
use super::{Flaw, Refusal, Result, Review};
use crate::cases::{Actor, DeciderId, Deputyship, EventKind, MunicipalityId, NewEvent, Person, Role, TokenId};
use crate::municipality::Pack;
use crate::storage::{Storage, TokenRow, tokens};

/// Longest name of a person, characters.
const LONGEST_NAME: usize = 200;

/// Whom a token is for.
#[derive(Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Role.
    pub role: Role,
    /// Name as it stands under a decision, or the name of a channel.
    pub name: String,
    /// The post or body whose power the person acts with; an approver has one.
    #[serde(default)]
    pub post: Option<DeciderId>,
    /// The days on which they hold the post as its deputy; left out: the post is theirs.
    #[serde(default)]
    pub deputy: Option<Deputyship>,
}

/// It holds a name.
impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("role", &self.role).finish_non_exhaustive()
    }
}

impl Review {
    /// Makes a token for the administrator's municipality. Gives the secret: nobody can show it again.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the post is unknown, or an approver has none.
    pub async fn make_token(&self, admin: &Person, new: NewToken) -> Result<(Person, String)> {
        self.issue_token(&admin.municipality, admin.into(), new).await
    }

    /// The same by another actor: the first token of a municipality comes from the command line.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] when the post is unknown, or an approver has none.
    pub async fn issue_token(
        &self,
        municipality: &MunicipalityId,
        by: Actor,
        new: NewToken,
    ) -> Result<(Person, String)> {
        issue_token(&self.storage, &self.desk(municipality)?.rulebook.pack, by, new).await
    }

    /// Revokes a token of the administrator's municipality, from the next request on.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] when there is no such token, or it was revoked.
    pub async fn revoke_token(&self, admin: &Person, id: TokenId) -> Result<()> {
        revoke_token(&self.storage, &admin.municipality, admin.into(), id).await
    }
}

/// Makes a token in the pack's municipality, and notes it in the audit chain.
///
/// # Errors
/// [`Refusal::Invalid`] when the name is none, the post is unknown, or an approver has none.
pub async fn issue_token(storage: &Storage, pack: &Pack, by: Actor, new: NewToken) -> Result<(Person, String)> {
    let flaws = flaws(pack, &new);
    if !flaws.is_empty() {
        return Err(Refusal::Invalid(flaws));
    }
    let municipality = pack.municipality.id.clone();
    let (secret, hash) = tokens::generate(storage.ambient());
    let id = TokenId::new(storage.ambient().id());
    let name = new.name.trim().to_owned();
    let person = Person { token: id, municipality, role: new.role, name, post: new.post, deputy: new.deputy };
    let mut payload = json!({ "token": id, "role": person.role, "post": person.post, "change": "made" });
    if let Some(deputy) = &person.deputy {
        payload["deputy"] = json!(deputy);
    }
    let mut tx = storage.begin().await?;
    tx.insert_token(&TokenRow { id, hash, person: person.clone() }).await?;
    let event = NewEvent { actor: by, kind: EventKind::TokenChanged, case_id: None, payload };
    tx.append_event(&person.municipality, event).await?;
    tx.commit().await?;
    Ok((person, secret))
}

/// Revokes a token, from the next request on, and notes it in the audit chain. Needs no pack: a token must end
/// also while the files are at fault.
///
/// # Errors
/// [`Refusal::NotFound`] when there is no such token, or it was revoked.
pub async fn revoke_token(storage: &Storage, municipality: &MunicipalityId, by: Actor, id: TokenId) -> Result<()> {
    let mut tx = storage.begin().await?;
    if !tx.revoke_token(municipality, id).await? {
        return Err(Refusal::NotFound);
    }
    let payload = json!({ "token": id, "change": "revoked" });
    let event = NewEvent { actor: by, kind: EventKind::TokenChanged, case_id: None, payload };
    tx.append_event(municipality, event).await?;
    tx.commit().await?;
    Ok(())
}

fn flaws(pack: &Pack, new: &NewToken) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if new.name.trim().is_empty() {
        flaws.push(Flaw::new("/name", "the name is empty", "write the name as it stands under a decision"));
    } else if let Some(what) = fault(&new.name, LONGEST_NAME) {
        flaws.push(Flaw::new("/name", what, "write at most 200 printable characters"));
    }
    match &new.post {
        Some(post) if !pack.municipality.deciders.contains_key(post) => flaws.push(Flaw::new(
            "/post",
            format!("the municipality has no post or body `{post}`"),
            "write an id of municipality.yaml's deciders",
        )),
        None if new.role == Role::Approver => {
            flaws.push(Flaw::new("/post", "an approver acts with the power of a post or body", "write its id"));
        }
        _ => {}
    }
    match &new.deputy {
        Some(_) if new.post.is_none() => {
            flaws.push(Flaw::new("/deputy", "a deputy holds a post", "write `post`, or leave `deputy` out"));
        }
        Some(deputy) if deputy.until < deputy.from => {
            flaws.push(Flaw::new("/deputy/until", "the last day lies before the first", "write a later day"));
        }
        _ => {}
    }
    flaws
}

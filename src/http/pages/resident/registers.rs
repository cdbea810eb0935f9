//! What the municipality's registers know of a party, put into a new form of theirs with its source.
//!
//! Anybody can type the id of somebody else's road. So a register's row is shown only to the holder of a link whose case
//! was granted: there a person has seen to it that the applicant is who they say.

use serde_json::Value;

use super::case::Followed;
use crate::app::App;
use crate::cases::{DraftKind, ParameterValue, Submission};
use crate::http::error::Result;
use crate::municipality::format::ServiceFile;
use crate::storage::{Filled, Origin};
use crate::triage::{Desk, local_date};

/// What the sender last said in a field, as it is typed.
#[must_use]
pub fn last_said(submissions: &[Submission], name: &str) -> Option<String> {
    let said = submissions.iter().rev().filter_map(|submission| submission.fields.get(name));
    said.into_iter().find_map(|value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    })
}

/// Puts what registers say of the party today over what an earlier case told.
///
/// # Errors
/// [`crate::http::error::Error::Unavailable`].
pub async fn fill_in(
    app: &App,
    desk: &Desk,
    service: &ServiceFile,
    followed: &Followed,
    filled: &mut Filled,
) -> Result<()> {
    if !was_granted(app, followed).await? {
        return Ok(());
    }
    let submissions = followed.sent(app).await?;
    let today = local_date(app.ambient().now());
    for row in &desk.rulebook.pack.municipality.registers {
        let Some(about) = row.about.as_ref().filter(|_| row.service == service.id && row.valid.contains(today)) else {
            continue;
        };
        if last_said(&submissions, &about.field).is_none_or(|said| said.trim() != about.value) {
            continue;
        }
        let value = match &row.value {
            ParameterValue::Integer(number) => number.to_string(),
            ParameterValue::Flag(flag) => flag.to_string(),
            ParameterValue::Text(text) => text.clone(),
        };
        filled.texts.insert(row.fact.clone(), value);
        let origin = Origin::Register { register: row.source.clone(), as_of: row.valid.from };
        filled.from.insert(row.fact.clone(), origin);
    }
    Ok(())
}

async fn was_granted(app: &App, followed: &Followed) -> Result<bool> {
    let case = &followed.case;
    let Some(decision) = app.storage().decision(&case.municipality, case.id).await? else { return Ok(false) };
    let draft = app.storage().draft(&case.municipality, decision.draft_id).await?;
    Ok(draft.is_some_and(|draft| matches!(draft.content.kind, DraftKind::Grant | DraftKind::Partial)))
}

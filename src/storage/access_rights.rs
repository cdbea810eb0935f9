//! The register of access rights: a row a case, listed by what needs somebody first.
//!
//! What is out stands first, by its last day, so that the overdue lead; then what waits to be fetched, what has ended (the
//! last to end first), and what nobody fetched in time.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{AccessRight, AccessState, CaseId, MunicipalityId, Value, key_of};
use crate::clock::helsinki;

/// A page is never longer than this.
const PAGE_LIMIT: u32 = 500;
/// Most rights of one holder that are told.
const MOST_OF_HOLDER: i64 = 20;

/// A statement over the rights of municipality `$1` at the moment `$2`: where each stands, and its place in the list.
macro_rules! rights {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " from (select case_id, holder_key, file, \
             case when ended_at is not null and lost = 0 then 'returned' when ended_at is not null then 'lost' \
             when handed_over_at is not null and over_at <= $2 then 'overdue' \
             when handed_over_at is not null then 'handed-over' when over_at <= $2 then 'lapsed' \
             else 'granted' end as state, \
             cast(case when ended_at is not null then 2 when handed_over_at is not null then 0 \
             when over_at <= $2 then 3 else 1 end as bigint) as turn, \
             case when ended_at is null then over_at else -ended_at end as place \
             from access_rights where municipality = $1) as rights",
            $rest
        )
    };
}

/// Where the next page begins. Opaque to callers; it names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightCursor {
    turn: i64,
    place: i64,
    id: CaseId,
}

impl fmt::Display for RightCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.turn, self.place, self.id.uuid().simple())
    }
}

impl FromStr for RightCursor {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (turn, rest) = text.split_once('.')?;
            let (place, id) = rest.split_once('.')?;
            Some(Self { turn: turn.parse().ok()?, place: place.parse().ok()?, id: id.parse().ok()? })
        };
        parse().ok_or_else(|| Error::corrupt("cursor"))
    }
}

/// One page of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RightPage {
    /// The rights, in order.
    pub rows: Vec<AccessRight>,
    /// Where the next page begins; none on the last one.
    pub next: Option<RightCursor>,
}

impl Tx {
    /// Stores the right that a case granted.
    ///
    /// # Errors
    /// [`Error::Database`] when the case has one already or is not stored; [`Error::Corrupt`] for a day out of range.
    pub async fn insert_access_right(&mut self, municipality: &MunicipalityId, right: &AccessRight) -> Result<()> {
        let insert = sqlx::query(
            "insert into access_rights (case_id, municipality, over_at, handed_over_at, ended_at, lost, holder_key, file) \
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(right.case.id.to_string())
        .bind(municipality.as_str().to_owned())
        .bind(over_at(right)?)
        .bind(handed_over_at(right))
        .bind(ended_at(right))
        .bind(i64::from(is_lost(right)))
        .bind(holder_key(&right.holder))
        .bind(to_json("access right", right)?);
        self.execute(insert).await.map(|_| ())
    }

    /// Stores what was done with a key or tag. The case is locked by whoever does it.
    ///
    /// # Errors
    /// [`Error::Missing`] when the case has no right.
    pub async fn save_access_right(&mut self, municipality: &MunicipalityId, right: &AccessRight) -> Result<()> {
        let update = sqlx::query(
            "update access_rights set handed_over_at = $3, ended_at = $4, lost = $5, file = $6 \
             where municipality = $1 and case_id = $2",
        )
        .bind(municipality.as_str().to_owned())
        .bind(right.case.id.to_string())
        .bind(handed_over_at(right))
        .bind(ended_at(right))
        .bind(i64::from(is_lost(right)))
        .bind(to_json("access right", right)?);
        if self.execute(update).await? == 1 { Ok(()) } else { Err(Error::Missing { what: "access right" }) }
    }

    /// The right of a case, as this transaction sees it.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn access_right(&mut self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<AccessRight>> {
        let select = sqlx::query(OF_CASE).bind(municipality.as_str().to_owned()).bind(case.to_string());
        self.fetch_optional(select).await?.map(|row| row.json("file")).transpose()
    }
}

const OF_CASE: &str = "select file from access_rights where municipality = $1 and case_id = $2";

impl Storage {
    /// The right that a case granted.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn access_right(&self, municipality: &MunicipalityId, case: CaseId) -> Result<Option<AccessRight>> {
        let select = sqlx::query(OF_CASE).bind(municipality.as_str().to_owned()).bind(case.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| row.json("file")).transpose()
    }

    /// The register: what is out first, the overdue before all; only what stands in `state`, where one is given. `limit`
    /// is cut to 500.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn access_rights(
        &self,
        municipality: &MunicipalityId,
        state: Option<AccessState>,
        after: Option<&RightCursor>,
        limit: u32,
    ) -> Result<RightPage> {
        let limit = limit.clamp(1, PAGE_LIMIT);
        let select = sqlx::query(rights!(
            "select file, turn, place",
            " where ($3 = '' or state = $3) and (turn, place, case_id) > ($4, $5, $6) \
             order by turn, place, case_id limit $7"
        ))
        .bind(municipality.as_str().to_owned())
        .bind(self.ambient.now().as_microsecond())
        .bind(state.map_or("", AccessState::as_str))
        .bind(after.map_or(-1, |after| after.turn))
        .bind(after.map_or(i64::MIN, |after| after.place))
        .bind(after.map_or_else(String::new, |after| after.id.to_string()))
        // One more than asked for tells whether there is a next page.
        .bind(i64::from(limit) + 1);
        let found = select.fetch_all(&mut *self.reader().await?).await?;
        let more = found.len() > limit as usize;
        let mut next = None;
        let mut rows: Vec<AccessRight> = Vec::new();
        for row in found.iter().take(limit as usize) {
            let right: AccessRight = row.json("file")?;
            next = Some(RightCursor { turn: row.int("turn")?, place: row.int("place")?, id: right.case.id });
            rows.push(right);
        }
        Ok(RightPage { rows, next: next.filter(|_| more) })
    }

    /// How many rights stand in each state; one without rights is absent.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn access_right_counts(&self, municipality: &MunicipalityId) -> Result<BTreeMap<AccessState, i64>> {
        let select = sqlx::query(rights!("select state, count(*) as rights", " group by state"))
            .bind(municipality.as_str().to_owned())
            .bind(self.ambient.now().as_microsecond());
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok((row.word("state", AccessState::parse)?, row.int("rights")?))).collect()
    }

    /// Rights of a holder of this name whose key or tag is out or lost, the one that ends first before the others. Two
    /// people may share a name: it is something for a person to look at.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn keys_out_of(&self, municipality: &MunicipalityId, holder: &str) -> Result<Vec<AccessRight>> {
        let select = sqlx::query(rights!(
            "select file",
            " where holder_key = $3 and state in ('overdue', 'handed-over', 'lost') order by turn, place, case_id limit $4"
        ))
        .bind(municipality.as_str().to_owned())
        .bind(self.ambient.now().as_microsecond())
        .bind(holder_key(holder))
        .bind(MOST_OF_HOLDER);
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(|row| row.json("file")).collect()
    }
}

/// The first moment after the last day, in Finland.
fn over_at(right: &AccessRight) -> Result<i64> {
    let after = right.until.tomorrow().and_then(|day| day.to_zoned(helsinki()));
    after.map(|after| after.timestamp().as_microsecond()).map_err(|_| Error::corrupt("access right: until"))
}

fn handed_over_at(right: &AccessRight) -> Option<i64> {
    right.handed_over.as_ref().map(|handled| handled.at.as_microsecond())
}

fn ended_at(right: &AccessRight) -> Option<i64> {
    right.returned.as_ref().or(right.lost.as_ref()).map(|handled| handled.at.as_microsecond())
}

const fn is_lost(right: &AccessRight) -> bool {
    right.lost.is_some() && right.returned.is_none()
}

fn holder_key(holder: &str) -> String {
    key_of(&Value::Text(holder.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_a_strange_one_is_refused() {
        let id = CaseId::new(uuid::Uuid::from_u128(7));
        let cursor = RightCursor { turn: 2, place: -1_790_000_000_000_000, id };
        assert_eq!(cursor.to_string().parse::<RightCursor>().unwrap(), cursor);
        for strange in ["", "1", "1.2", "x.2.3", "1.2.nobody", "9999999999999999999.1.0"] {
            assert!(strange.parse::<RightCursor>().is_err(), "{strange}");
        }
    }
}

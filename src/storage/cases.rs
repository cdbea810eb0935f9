//! Cases: the row as it stands, guarded by its revision, and the queue that people work from.
//!
//! The claim of a case is a person's lease and has nothing to do with the lease of a job: the machine
//! may work on a claimed case and a person may claim one that the machine has.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::pool::Statement;
use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{
    Case, CaseFile, CaseId, Claim, DeciderId, DepartmentId, Flag, Language, Matter, MunicipalityId, Owner, ServiceId,
    Status, Submission, SubmissionId, TokenId, Urgency,
};

/// A statement over the cases that a filter chooses; [`bind_filter`] binds `$1` to `$15`. What was withdrawn and is due (see
/// [`NEVER`]) waits for the approval of its confirmation, so it stands among what is in review.
macro_rules! chosen {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " from cases where municipality = $1 \
             and ($2 = '' or $2 like '%|' || status || '|%' \
             or (status = 'withdrawn' and due_at < 9223372036854775806 and $2 like '%|in-review|%')) and ($3 = '' or service = $3) and ($4 = '' or matter = $4) \
             and ($5 = '' or category = $5) and ($6 = '' or language = $6) and ($7 = '' or urgency = $7) \
             and ($8 = '' or owner = $8) and ($9 = '' or department = $9) and ($10 = '' or decider = $10) \
             and ($11 = '' or (claimed_by = $11 and claimed_until > $12)) \
             and ($13 = 0 or claimed_until is null or claimed_until <= $12) \
             and emergency >= $14 and due_at < $15",
            $rest
        )
    };
}

/// Stands for "nothing is due": such cases come last. Below the bound that "no bound" stands for.
pub(super) const NEVER: i64 = i64::MAX - 1;
/// A page is never longer than this.
const PAGE_LIMIT: u32 = 500;

/// Which cases of a municipality to list. The default is all of them.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// Any of these; empty for all.
    pub statuses: Vec<Status>,
    /// Service.
    pub service: Option<ServiceId>,
    /// Kind of matter.
    pub matter: Option<Matter>,
    /// Fault category.
    pub category: Option<String>,
    /// Language of the party.
    pub language: Option<Language>,
    /// Urgency.
    pub urgency: Option<Urgency>,
    /// Whose matter.
    pub owner: Option<Owner>,
    /// Department that prepares it.
    pub department: Option<DepartmentId>,
    /// Post or body that decides it.
    pub decider: Option<DeciderId>,
    /// Claimed by this person, the claim still running.
    pub claimed_by: Option<TokenId>,
    /// Only cases without a running claim.
    pub unclaimed: bool,
    /// Only cases with emergency words.
    pub emergency_only: bool,
    /// Due before this moment.
    pub due_before: Option<Timestamp>,
}

/// Where the next page begins. Opaque to callers; it names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    emergency: bool,
    due_at: i64,
    id: CaseId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}.{}", i64::from(self.emergency), self.due_at, self.id.uuid().simple())
    }
}

impl FromStr for Cursor {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (emergency, rest) = text.split_once('.')?;
            let (due_at, id) = rest.split_once('.')?;
            let emergency = match emergency {
                "0" => false,
                "1" => true,
                _ => return None,
            };
            Some(Self { emergency, due_at: i64::from_str_radix(due_at, 16).ok()?, id: id.parse().ok()? })
        };
        parse().ok_or_else(|| Error::corrupt("cursor"))
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// Where the next page begins; none on the last one.
    pub next: Option<Cursor>,
}

/// A case as the queue shows it: what a handler chooses by, without reading the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CaseRow {
    /// Its id.
    pub id: CaseId,
    /// The number people use.
    pub number: String,
    /// Where it stands.
    pub status: Status,
    /// Grows by one with each change.
    pub revision: i64,
    /// Service.
    pub service: Option<ServiceId>,
    /// Kind of matter.
    pub matter: Option<Matter>,
    /// Fault category.
    pub category: Option<String>,
    /// Language of the party.
    pub language: Option<Language>,
    /// Urgency.
    pub urgency: Option<Urgency>,
    /// Whose matter.
    pub owner: Option<Owner>,
    /// Department that prepares it.
    pub department: Option<DepartmentId>,
    /// Post or body that decides it.
    pub decider: Option<DeciderId>,
    /// Last day; none when nothing is due.
    #[schema(value_type = Option<String>, format = "date-time")]
    pub due_at: Option<Timestamp>,
    /// Whether emergency words were found.
    pub emergency: bool,
    /// Arrival.
    #[schema(value_type = String, format = "date-time")]
    pub received_at: Timestamp,
    /// Who has claimed it; a claim that ran out is none.
    pub claim: Option<Claim>,
}

/// A notice as others are compared with it.
#[derive(Debug, Clone, PartialEq)]
pub struct NoticeRow {
    /// The case, as the queue shows it.
    pub row: CaseRow,
    /// What came in first.
    pub submission: Submission,
}

impl Tx {
    /// Stores a new case at the revision it has.
    ///
    /// # Errors
    /// [`Error::Database`] when its id or number is taken or its submission is not stored.
    pub async fn insert_case(&mut self, case: &Case) -> Result<()> {
        let insert = sqlx::query(
            "insert into cases (id, municipality, number, submission_id, received_at, status, revision, service, \
             matter, category, language, urgency, owner, department, decider, due_at, emergency, claimed_by, \
             claimed_until, claim, round, file, about_id) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
             $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
        )
        .bind(case.id.to_string())
        .bind(case.municipality.as_str().to_owned())
        .bind(case.number.clone())
        .bind(case.submission_id.to_string())
        .bind(case.received_at.as_microsecond());
        let insert = bind_changing(insert, case, case.revision)?;
        self.execute(insert).await.map(|_| ())
    }

    /// The case, locked until this transaction ends. With no municipality in hand use a job's.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn case_for_update(&mut self, municipality: &MunicipalityId, id: CaseId) -> Result<Option<Case>> {
        let select = sqlx::query(self.storage.dialect.case_for_update())
            .bind(municipality.as_str().to_owned())
            .bind(id.to_string());
        self.fetch_optional(select).await?.map(|row| case(&row)).transpose()
    }

    /// The cases that came from one submission, oldest first, as this transaction sees them.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn cases_of_submission(&mut self, municipality: &MunicipalityId, id: SubmissionId) -> Result<Vec<Case>> {
        of_submission(self.connection(), municipality, id).await
    }

    /// Stores the case as it is now; `case.revision` must be the stored one, and grows by one in both.
    /// Number and submission never change.
    ///
    /// # Errors
    /// [`Error::Conflict`] when somebody else changed it; [`Error::Missing`] when it is not there.
    pub async fn save_case(&mut self, case: &mut Case) -> Result<()> {
        let update = sqlx::query(
            "update cases set status = $4, revision = $5, service = $6, matter = $7, category = $8, language = $9, \
             urgency = $10, owner = $11, department = $12, decider = $13, due_at = $14, emergency = $15, \
             claimed_by = $16, claimed_until = $17, claim = $18, round = $19, file = $20, about_id = $21, \
             received_at = $22 \
             where municipality = $1 and id = $2 and revision = $3",
        )
        .bind(case.municipality.as_str().to_owned())
        .bind(case.id.to_string())
        .bind(case.revision);
        let update = bind_changing(update, case, case.revision + 1)?.bind(case.received_at.as_microsecond());
        if self.execute(update).await? == 1 {
            case.revision += 1;
            return Ok(());
        }
        let select = sqlx::query("select revision from cases where municipality = $1 and id = $2")
            .bind(case.municipality.as_str().to_owned())
            .bind(case.id.to_string());
        let found = self.fetch_optional(select).await?.ok_or(Error::Missing { what: "case" })?.int("revision")?;
        Err(Error::Conflict { what: "case", expected: case.revision, found })
    }
}

impl Storage {
    /// The case as it stands.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn case(&self, municipality: &MunicipalityId, id: CaseId) -> Result<Option<Case>> {
        let select = sqlx::query("select * from cases where municipality = $1 and id = $2")
            .bind(municipality.as_str().to_owned())
            .bind(id.to_string());
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| case(&row)).transpose()
    }

    /// The case that people know by this number.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn case_by_number(&self, municipality: &MunicipalityId, number: &str) -> Result<Option<Case>> {
        let select = sqlx::query("select * from cases where municipality = $1 and number = $2")
            .bind(municipality.as_str().to_owned())
            .bind(number.replace('\0', ""));
        let row = select.fetch_optional(&mut *self.reader().await?).await?;
        row.map(|row| case(&row)).transpose()
    }

    /// The cases that are about this one, oldest first: claims for revision of its decision.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn cases_about(&self, municipality: &MunicipalityId, id: CaseId) -> Result<Vec<Case>> {
        let select =
            sqlx::query("select * from cases where municipality = $1 and about_id = $2 order by received_at, id")
                .bind(municipality.as_str().to_owned())
                .bind(id.to_string());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(case).collect()
    }

    /// The cases that came from one submission, oldest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn cases_of_submission(&self, municipality: &MunicipalityId, id: SubmissionId) -> Result<Vec<Case>> {
        of_submission(&mut *self.reader().await?, municipality, id).await
    }

    /// The queue: words of danger stand first, then what is due first. `limit` is cut to 500.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn cases(
        &self,
        municipality: &MunicipalityId,
        filter: &QueueFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>> {
        let limit = limit.clamp(1, PAGE_LIMIT);
        // One more than asked for tells whether there is a next page.
        let select = queue(municipality, filter, after, limit + 1, self.ambient.now());
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        let more = rows.len() > limit as usize;
        let now = self.ambient.now();
        let rows: Vec<CaseRow> =
            rows.iter().take(limit as usize).map(|row| case_row(row, now)).collect::<Result<_>>()?;
        let next = rows.last().filter(|_| more).map(|last| Cursor {
            emergency: last.emergency,
            due_at: last.due_at.map_or(NEVER, Timestamp::as_microsecond),
            id: last.id,
        });
        Ok(Page { rows, next })
    }

    /// How many cases the filter chooses.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_cases(&self, municipality: &MunicipalityId, filter: &QueueFilter) -> Result<i64> {
        let select = sqlx::query(chosen!("select count(*) as cases", ""));
        let select = bind_filter(select, municipality, filter, self.ambient.now());
        select.fetch_one(&mut *self.reader().await?).await?.int("cases")
    }

    /// The notices that came in between two moments and are neither withdrawn, sent elsewhere, merged nor decided, the
    /// newest first. One whose work order is out is among them: the fault may still be there.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn open_notices(
        &self,
        municipality: &MunicipalityId,
        from: Timestamp,
        to: Timestamp,
        limit: u32,
    ) -> Result<Vec<NoticeRow>> {
        let select = sqlx::query(
            "select c.id, c.number, c.status, c.revision, c.service, c.matter, c.category, c.language, c.urgency, \
             c.owner, c.department, c.decider, c.due_at, c.emergency, c.received_at, c.claim, c.claimed_until, s.reading \
             from cases c join submissions s on s.id = c.submission_id where c.municipality = $1 and c.matter = $2 \
             and c.status not in ($3, $4, $5, $6) and c.received_at between $7 and $8 \
             order by c.received_at desc, c.id desc limit $9",
        )
        .bind(municipality.as_str().to_owned())
        .bind(Matter::FaultNotice.as_str())
        .bind(Status::Withdrawn.as_str())
        .bind(Status::Transferred.as_str())
        .bind(Status::Decided.as_str())
        .bind(Status::Merged.as_str())
        .bind(from.as_microsecond())
        .bind(to.as_microsecond())
        .bind(i64::from(limit));
        let now = self.ambient.now();
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok(NoticeRow { row: case_row(row, now)?, submission: row.json("reading")? })).collect()
    }

    /// Cases of a service as they stand, the last to arrive first, and how many there are in all.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn cases_of_service(
        &self,
        municipality: &MunicipalityId,
        service: &ServiceId,
        limit: u32,
    ) -> Result<(Vec<Case>, u64)> {
        let of = |sql: &'static str| {
            sqlx::query(sql).bind(municipality.as_str().to_owned()).bind(service.as_str().to_owned())
        };
        let mut reader = self.reader().await?;
        let count = of("select count(*) as cases from cases where municipality = $1 and service = $2");
        let count = count.fetch_one(&mut *reader).await?.count("cases")?;
        let select = of("select * from cases where municipality = $1 and service = $2 \
             order by received_at desc, id desc limit $3")
        .bind(i64::from(limit));
        let rows = select.fetch_all(&mut *reader).await?;
        Ok((rows.iter().map(case).collect::<Result<_>>()?, count))
    }

    /// How many cases of a municipality stand in each status; a status without cases is absent.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Unavailable`].
    pub async fn case_counts(&self, municipality: &MunicipalityId) -> Result<Vec<(Status, i64)>> {
        let select = sqlx::query(
            "select status, count(*) as cases from cases where municipality = $1 group by status order by status",
        )
        .bind(municipality.as_str().to_owned());
        let rows = select.fetch_all(&mut *self.reader().await?).await?;
        rows.iter().map(|row| Ok((row.word("status", Status::parse)?, row.int("cases")?))).collect()
    }
}

async fn of_submission(
    connection: &mut AnyConnection,
    municipality: &MunicipalityId,
    id: SubmissionId,
) -> Result<Vec<Case>> {
    let select = sqlx::query("select * from cases where submission_id = $2 and municipality = $1 order by id")
        .bind(municipality.as_str().to_owned())
        .bind(id.to_string());
    select.fetch_all(connection).await?.iter().map(case).collect()
}

fn queue(
    municipality: &MunicipalityId,
    filter: &QueueFilter,
    after: Option<&Cursor>,
    limit: u32,
    now: Timestamp,
) -> Statement {
    let select = sqlx::query(chosen!(
        "select id, number, status, revision, service, matter, category, language, urgency, owner, department, \
         decider, due_at, emergency, received_at, claim, claimed_until",
        " and (1 - emergency, due_at, id) > ($16, $17, $18) order by 1 - emergency, due_at, id limit $19"
    ));
    bind_filter(select, municipality, filter, now)
        .bind(after.map_or(i64::MIN, |cursor| 1 - i64::from(cursor.emergency)))
        .bind(after.map_or(i64::MIN, |cursor| cursor.due_at))
        .bind(after.map_or_else(String::new, |cursor| cursor.id.to_string()))
        .bind(i64::from(limit))
}

fn bind_filter(select: Statement, municipality: &MunicipalityId, filter: &QueueFilter, now: Timestamp) -> Statement {
    // `|a|b|` and `like`: a list of any length in one bound text, on both engines; statuses hold no wildcard.
    let words: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let statuses = if words.is_empty() { String::new() } else { format!("|{}|", words.join("|")) };
    select
        .bind(municipality.as_str().to_owned())
        .bind(statuses)
        .bind(filter.service.as_ref().map_or_else(String::new, ToString::to_string))
        .bind(filter.matter.map_or("", Matter::as_str))
        .bind(filter.category.as_deref().unwrap_or_default().replace('\0', ""))
        .bind(filter.language.map_or("", Language::code))
        .bind(filter.urgency.map_or("", Urgency::as_str))
        .bind(filter.owner.map_or("", Owner::as_str))
        .bind(filter.department.as_ref().map_or_else(String::new, ToString::to_string))
        .bind(filter.decider.as_ref().map_or_else(String::new, ToString::to_string))
        .bind(filter.claimed_by.map_or_else(String::new, |token| token.to_string()))
        .bind(now.as_microsecond())
        .bind(i64::from(filter.unclaimed))
        .bind(i64::from(filter.emergency_only))
        // A case that is never due is listed unless a bound is asked for.
        .bind(filter.due_before.map_or(i64::MAX, Timestamp::as_microsecond))
}

/// Binds what may change in a case, in the order that both writing statements use.
fn bind_changing(statement: Statement, case: &Case, revision: i64) -> Result<Statement> {
    let file = &case.file;
    // What a person set outweighs what the machine proposed.
    let set = file.reclassified.as_ref();
    let proposed = file.classification.as_ref();
    let matter = set.map(|set| set.matter).or(proposed.map(|proposed| proposed.matter));
    let service = set.map_or(proposed.and_then(|proposed| proposed.service.as_ref()), |set| set.service.as_ref());
    let category = set.map_or(proposed.and_then(|proposed| proposed.category.as_ref()), |set| set.category.as_ref());
    let route = file.route.as_ref();
    let claim = case.claim.as_ref();
    Ok(statement
        .bind(case.status.as_str())
        .bind(revision)
        .bind(service.map(ToString::to_string))
        .bind(matter.map(Matter::as_str))
        // PostgreSQL refuses zero bytes in text.
        .bind(category.map(|category| category.replace('\0', "")))
        .bind(file.reading.as_ref().map(|reading| reading.language.code()))
        .bind(file.urgency.map(Urgency::as_str))
        .bind(route.map(|route| route.owner.as_str()))
        .bind(route.and_then(|route| route.department.as_ref()).map(ToString::to_string))
        .bind(route.and_then(|route| route.decider.as_ref()).map(ToString::to_string))
        .bind(file.due.as_ref().map_or(NEVER, |due| due.at.as_microsecond()))
        .bind(i64::from(file.flags.contains(&Flag::Emergency)))
        .bind(claim.map(|claim| claim.person.token.to_string()))
        .bind(claim.map(|claim| claim.until.as_microsecond()))
        .bind(claim.map(|claim| to_json("case.claim", claim)).transpose()?)
        .bind(i64::from(file.round))
        .bind(to_json("case.file", file)?)
        .bind(file.about.as_ref().map(|about| about.case.id.to_string())))
}

pub(super) fn case(row: &AnyRow) -> Result<Case> {
    Ok(Case {
        id: row.parse("id")?,
        number: row.text("number")?,
        municipality: row.parse("municipality")?,
        submission_id: row.parse("submission_id")?,
        status: row.word("status", Status::parse)?,
        file: row.json::<CaseFile>("file")?,
        received_at: row.time("received_at")?,
        revision: row.int("revision")?,
        claim: row.opt_json("claim")?,
    })
}

fn case_row(row: &AnyRow, now: Timestamp) -> Result<CaseRow> {
    let due_at = row.int("due_at")?;
    Ok(CaseRow {
        id: row.parse("id")?,
        number: row.text("number")?,
        status: row.word("status", Status::parse)?,
        revision: row.int("revision")?,
        service: row.opt_parse("service")?,
        matter: row.opt_word("matter", Matter::parse)?,
        category: row.opt_text("category")?,
        language: row.opt_word("language", Language::from_code)?,
        urgency: row.opt_word("urgency", Urgency::parse)?,
        owner: row.opt_word("owner", Owner::parse)?,
        department: row.opt_parse("department")?,
        decider: row.opt_parse("decider")?,
        due_at: if due_at >= NEVER { None } else { Some(row.time("due_at")?) },
        emergency: row.flag("emergency")?,
        received_at: row.time("received_at")?,
        claim: row.opt_json::<Claim>("claim")?.filter(|claim| claim.until > now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back(emergency in any::<bool>(), due_at in any::<i64>(), id in any::<u128>()) {
            let cursor = Cursor { emergency, due_at: due_at & i64::MAX, id: CaseId::new(uuid::Uuid::from_u128(id)) };
            prop_assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }

        #[test]
        fn a_strange_cursor_is_refused_or_read_but_never_panics(text in ".{0,80}") {
            let _ = text.parse::<Cursor>();
        }
    }
}

//! What reports are made of: the cases of a window with what happened to them, read once, in three statements of one
//! moment.
//!
//! No figure is worked out here. What a party wrote stays where it is: of a draft come its kind, amount, reasons and
//! letter, of an event its payload, which holds no personal data. Steps and calls of the machine are left out: they are
//! most of a history, and no report asks for them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;

use super::cases::NEVER;
use super::row::Columns as _;
use super::{Micros, Result, Storage};
use crate::cases::{
    Actor, CaseId, Decision, DepartmentId, DraftId, DraftKind, Euro, EventKind, MunicipalityId, Reason, ServiceId,
    Status,
};
use crate::clock::helsinki;

/// A moment of the house's clock and one of the storage's may lie on either side of an edge.
const MARGIN: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

/// A case as reports see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportCase {
    /// Its id.
    pub id: CaseId,
    /// The number people use.
    pub number: String,
    /// Service.
    pub service: Option<ServiceId>,
    /// Department that prepares it.
    pub department: Option<DepartmentId>,
    /// Where it stands now.
    pub status: Status,
    /// Arrival.
    pub received_at: Timestamp,
    /// Last day as it stands now; none when nothing is due.
    pub due_at: Option<Timestamp>,
}

/// An event as reports see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportEvent {
    /// The case.
    pub case_id: CaseId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: EventKind,
    /// Details without personal data.
    pub payload: Value,
}

/// What a draft says, to be compared with another version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DraftWords {
    /// Kind of decision or letter.
    pub kind: DraftKind,
    /// What is granted.
    pub amount: Option<Euro>,
    /// The reasons.
    pub reasons: Vec<Reason>,
    /// The whole letter as text.
    pub letter: String,
}

/// Everything that figures of a window are made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportRows {
    /// The cases that are open now, and those that came in before the window's end and were not settled before its
    /// beginning.
    pub cases: Vec<ReportCase>,
    /// What happened to them, oldest first.
    pub events: Vec<ReportEvent>,
    /// Every version of the drafts of cases that were approved in the window and have more than one.
    pub drafts: Vec<(DraftId, DraftWords)>,
}

/// What language models cost in a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CostTotal {
    /// The currency.
    #[schema(example = "USD")]
    pub currency: String,
    /// Cases they were asked for.
    pub cases: u64,
    /// Calls, failed ones included.
    pub calls: u64,
    /// Of these, calls without an answer that can be used.
    pub failed: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What it cost.
    pub cost: Micros,
    /// Whether a price was known for every call.
    pub cost_known: bool,
}

impl Storage {
    /// The cases of a window from `from` up to, without, `to`, and what happened to them.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn report_rows(
        &self,
        municipality: &MunicipalityId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<ReportRows> {
        let open: Vec<&str> =
            Status::ALL.iter().filter(|status| !status.is_final()).map(|status| status.as_str()).collect();
        let open = format!("|{}|", open.join("|"));
        let mut snapshot = self.snapshot().await?;
        let cases = sqlx::query(
            "select c.id, c.number, c.service, c.department, c.status, c.received_at, c.due_at from cases c \
             where c.municipality = $1 and ($4 like '%|' || c.status || '|%' or (c.received_at < $3 and exists \
             (select 1 from events e where e.case_id = c.id and e.municipality = $1 and e.at >= $2))) order by c.id",
        )
        .bind(municipality.as_str().to_owned())
        .bind(from.as_microsecond())
        .bind(to.as_microsecond())
        .bind(open.clone());
        let cases = cases.fetch_all(&mut *snapshot).await?.iter().map(case).collect::<Result<_>>()?;
        let events = sqlx::query(
            "select e.case_id, e.at, e.actor, e.kind, e.payload from events e join cases c on c.id = e.case_id \
             where e.municipality = $1 and c.municipality = $1 \
             and e.kind not in ('step-done', 'step-retried', 'model-asked', 'tool-used', 'fell-back') \
             and ($4 like '%|' || c.status || '|%' or (c.received_at < $3 and exists \
             (select 1 from events l where l.case_id = c.id and l.municipality = $1 and l.at >= $2))) order by e.seq",
        )
        .bind(municipality.as_str().to_owned())
        .bind(from.as_microsecond())
        .bind(to.as_microsecond())
        .bind(open);
        let events = events.fetch_all(&mut *snapshot).await?.iter().map(event).collect::<Result<_>>()?;
        let drafts = sqlx::query(
            "select d.id, d.file from drafts d where d.municipality = $1 and exists (select 1 from decisions x \
             where x.case_id = d.case_id and x.decided_at >= $2 and x.decided_at < $3) and exists \
             (select 1 from drafts o where o.case_id = d.case_id and o.id <> d.id)",
        )
        .bind(municipality.as_str().to_owned())
        .bind(from.saturating_sub(MARGIN).unwrap_or(from).as_microsecond())
        .bind(to.saturating_add(MARGIN).unwrap_or(to).as_microsecond());
        let drafts = drafts.fetch_all(&mut *snapshot).await?.iter().map(words).collect::<Result<_>>()?;
        Ok(ReportRows { cases, events, drafts })
    }

    /// The decisions of a window from `from` up to, without, `to`, with the persons who made them.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn decisions_between(
        &self,
        municipality: &MunicipalityId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Decision>> {
        let select = sqlx::query(
            "select file from decisions where municipality = $1 and decided_at >= $2 and decided_at < $3 \
             order by decided_at, case_id",
        )
        .bind(municipality.as_str().to_owned())
        .bind(from.as_microsecond())
        .bind(to.as_microsecond());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(|row: &AnyRow| row.json("file")).collect()
    }

    /// What language models cost on the days from `from` up to, without, `to`, by currency; of one service or
    /// department where one is named. Dry runs belong to none.
    ///
    /// # Errors
    /// [`super::Error::Corrupt`], [`super::Error::Unavailable`].
    pub async fn costs_between(
        &self,
        municipality: &MunicipalityId,
        from: Timestamp,
        to: Timestamp,
        service: Option<&ServiceId>,
        department: Option<&DepartmentId>,
    ) -> Result<Vec<CostTotal>> {
        let day = |at: Timestamp| at.to_zoned(helsinki()).date().to_string();
        let select = sqlx::query(
            "select m.currency, count(distinct m.case_id) as cases, count(*) as calls, \
             cast(sum(case when m.outcome = 'answered' then 0 else 1 end) as bigint) as failed, \
             cast(sum(m.input_tokens) as bigint) as input_tokens, \
             cast(sum(m.output_tokens) as bigint) as output_tokens, \
             cast(sum(m.cost) as bigint) as cost, min(m.cost_known) as cost_known \
             from model_calls m left join cases c on c.id = m.case_id \
             where m.municipality = $1 and m.day >= $2 and m.day < $3 and ($4 = '' or c.service = $4) \
             and ($5 = '' or c.department = $5) group by m.currency order by m.currency",
        )
        .bind(municipality.as_str().to_owned())
        .bind(day(from))
        .bind(day(to))
        .bind(service.map_or_else(String::new, ToString::to_string))
        .bind(department.map_or_else(String::new, ToString::to_string));
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(cost).collect()
    }
}

fn case(row: &AnyRow) -> Result<ReportCase> {
    Ok(ReportCase {
        id: row.parse("id")?,
        number: row.text("number")?,
        service: row.opt_parse("service")?,
        department: row.opt_parse("department")?,
        status: row.word("status", Status::parse)?,
        received_at: row.time("received_at")?,
        due_at: if row.int("due_at")? >= NEVER { None } else { Some(row.time("due_at")?) },
    })
}

fn event(row: &AnyRow) -> Result<ReportEvent> {
    Ok(ReportEvent {
        case_id: row.parse("case_id")?,
        at: row.time("at")?,
        actor: row.json("actor")?,
        kind: row.word("kind", EventKind::parse)?,
        payload: row.json("payload")?,
    })
}

fn words(row: &AnyRow) -> Result<(DraftId, DraftWords)> {
    /// A draft is stored whole; the rest of it is passed over unread.
    #[derive(Deserialize)]
    struct Stored {
        content: DraftWords,
    }
    Ok((row.parse("id")?, row.json::<Stored>("file")?.content))
}

fn cost(row: &AnyRow) -> Result<CostTotal> {
    Ok(CostTotal {
        currency: row.text("currency")?,
        cases: row.count("cases")?,
        calls: row.count("calls")?,
        failed: row.count("failed")?,
        input_tokens: row.count("input_tokens")?,
        output_tokens: row.count("output_tokens")?,
        cost: Micros::new(row.int("cost")?),
        cost_known: row.flag("cost_known")?,
    })
}

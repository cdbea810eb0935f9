//! Durable jobs: one table, leases, enqueued in the caller's transaction.
//!
//! A job is *waiting* (perhaps under a lease), *done* or *dead*. A worker claims a batch, does each job
//! in its own [`Tx`] and completes, retries or buries it there with the lease it was given: state, audit
//! event and next jobs stand or fall together. When a worker dies its lease runs out and the next claim
//! takes the job again; a worker that comes back late holds a dead lease and cannot commit. So a job may
//! run twice but its effects are written once.

use std::borrow::Borrow;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::row::{Columns as _, to_json};
use super::{Error, Result, Storage, Tx};
use crate::cases::{CaseId, JobId, MunicipalityId};

/// First wait after a failure.
const BACKOFF_BASE: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const BACKOFF_CAP: Duration = Duration::from_mins(5);
/// Errors are kept to this many characters.
const ERROR_LIMIT: usize = 500;
/// A claim never takes more.
const CLAIM_LIMIT: u32 = 256;

/// A job to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Which work, for example `triage/read`.
    pub kind: String,
    /// Two jobs of a municipality with the same key are the same job, also when it is done.
    pub key: Option<String>,
    /// For whom.
    pub municipality: MunicipalityId,
    /// On which case.
    pub case_id: Option<CaseId>,
    /// What the work needs to know: ids, no personal data.
    pub payload: Value,
    /// Not before this moment; none for at once.
    pub run_at: Option<Timestamp>,
    /// After so many failures it is a dead letter.
    pub max_attempts: u32,
}

/// What became of a job that was to be enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits.
    New(JobId),
    /// A job with its key exists already; nothing was written.
    Known,
}

/// A claimed job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Which work.
    pub kind: String,
    /// For whom.
    pub municipality: MunicipalityId,
    /// On which case.
    pub case_id: Option<CaseId>,
    /// What the work needs to know.
    pub payload: Value,
    /// 1 in the first attempt.
    pub attempts: u32,
    /// How many there may be.
    pub max_attempts: u32,
    /// Since when it could have run.
    pub run_at: Timestamp,
    /// Until when it is ours.
    pub lease_until: Timestamp,
    lease: Uuid,
}

impl Job {
    /// Whether this attempt, if it fails, is the last one.
    #[must_use]
    pub const fn is_last_attempt(&self) -> bool {
        self.attempts >= self.max_attempts
    }

    /// Whether every attempt is used up and none ended, not even in a failure: the work kills its worker.
    /// Do not run it again; bury it.
    #[must_use]
    pub const fn is_exhausted(&self) -> bool {
        self.attempts > self.max_attempts
    }
}

/// A dead letter: a job that failed for good and that a person must see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeadJob {
    /// Its id.
    pub id: JobId,
    /// Which work.
    pub kind: String,
    /// On which case.
    pub case_id: Option<CaseId>,
    /// How often it was tried.
    pub attempts: u32,
    /// The last error.
    pub last_error: Option<String>,
    /// When it was given up.
    #[schema(value_type = String, format = "date-time")]
    pub buried_at: Timestamp,
}

/// How long to wait after failed attempt `attempts` (1 for the first): 1 s, 2 s, 4 s … at most 5 min, of
/// which `jitter` (0–1, from the caller) spreads the second half, so that what failed together does not
/// come back together.
#[must_use]
pub fn backoff(attempts: u32, jitter: f64) -> Duration {
    let doubled = BACKOFF_BASE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(16)));
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    doubled.min(BACKOFF_CAP).mul_f64(0.5 + jitter / 2.0)
}

impl Tx {
    /// Enqueues a job; workers of this process are woken by the commit.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn enqueue(&mut self, job: impl Borrow<NewJob> + Send) -> Result<Enqueued> {
        let job = job.borrow();
        let now = self.storage.ambient.now();
        let id = JobId::new(self.storage.ambient.id());
        let run_at = job.run_at.unwrap_or(now);
        let insert = sqlx::query(
            "insert into jobs (id, municipality, kind, job_key, case_id, payload, state, run_at, attempts, \
             max_attempts, created_at) values ($1, $2, $3, $4, $5, $6, 'waiting', $7, 0, $8, $9) \
             on conflict (municipality, job_key) do nothing",
        )
        .bind(id.to_string())
        .bind(job.municipality.as_str().to_owned())
        .bind(job.kind.clone())
        .bind(job.key.clone())
        .bind(job.case_id.map(|case| case.to_string()))
        .bind(to_json("job.payload", &job.payload)?)
        .bind(run_at.as_microsecond())
        .bind(i64::from(job.max_attempts))
        .bind(now.as_microsecond());
        if self.execute(insert).await? == 0 {
            return Ok(Enqueued::Known);
        }
        if run_at <= now {
            self.enqueued += 1;
        }
        Ok(Enqueued::New(id))
    }

    /// Enqueues a job and takes it at once, as a claim of `worker` would: whoever did the step before goes on with the
    /// next. None when a job with its key exists already.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn enqueue_claimed(&mut self, job: &NewJob, worker: &str, lease: Duration) -> Result<Option<Job>> {
        let now = self.storage.ambient.now();
        let claimed = Job {
            id: JobId::new(self.storage.ambient.id()),
            kind: job.kind.clone(),
            municipality: job.municipality.clone(),
            case_id: job.case_id,
            payload: job.payload.clone(),
            attempts: 1,
            max_attempts: job.max_attempts,
            run_at: now,
            lease_until: after(now, lease),
            lease: self.storage.ambient.id(),
        };
        let insert = sqlx::query(
            "insert into jobs (id, municipality, kind, job_key, case_id, payload, state, run_at, attempts, \
             max_attempts, created_at, lease_token, lease_until, worker) \
             values ($1, $2, $3, $4, $5, $6, 'waiting', $7, 1, $8, $7, $9, $10, $11) \
             on conflict (municipality, job_key) do nothing",
        )
        .bind(claimed.id.to_string())
        .bind(job.municipality.as_str().to_owned())
        .bind(job.kind.clone())
        .bind(job.key.clone())
        .bind(job.case_id.map(|case| case.to_string()))
        .bind(to_json("job.payload", &job.payload)?)
        .bind(now.as_microsecond())
        .bind(i64::from(job.max_attempts))
        .bind(claimed.lease.to_string())
        .bind(claimed.lease_until.as_microsecond())
        .bind(bounded(worker));
        Ok((self.execute(insert).await? == 1).then_some(claimed))
    }

    /// The job is done. Call it in the transaction that writes its results.
    ///
    /// # Errors
    /// [`Error::LostLease`]; this transaction can then no longer be committed.
    pub async fn complete_job(&mut self, job: &Job) -> Result<()> {
        let update = sqlx::query(
            "update jobs set state = 'done', finished_at = $3, lease_token = null, lease_until = null \
             where id = $1 and lease_token = $2 and state = 'waiting'",
        )
        .bind(job.id.to_string())
        .bind(job.lease.to_string())
        .bind(self.storage.ambient.now().as_microsecond());
        self.under_lease(job, update).await
    }

    /// The job failed and is tried again after `delay` (see [`backoff`]). `error` must hold no personal
    /// data; it is cut to 500 characters.
    ///
    /// # Errors
    /// [`Error::LostLease`]; this transaction can then no longer be committed.
    pub async fn retry_job(&mut self, job: &Job, error: &str, delay: Duration) -> Result<()> {
        let run_at = after(self.storage.ambient.now(), delay);
        let update = sqlx::query(
            "update jobs set run_at = $3, last_error = $4, lease_token = null, lease_until = null \
             where id = $1 and lease_token = $2 and state = 'waiting'",
        )
        .bind(job.id.to_string())
        .bind(job.lease.to_string())
        .bind(run_at.as_microsecond())
        .bind(bounded(error));
        self.under_lease(job, update).await
    }

    /// The job failed for good: a dead letter.
    ///
    /// # Errors
    /// [`Error::LostLease`]; this transaction can then no longer be committed.
    pub async fn bury_job(&mut self, job: &Job, error: &str) -> Result<()> {
        let update = sqlx::query(
            "update jobs set state = 'dead', finished_at = $3, last_error = $4, lease_token = null, \
             lease_until = null where id = $1 and lease_token = $2 and state = 'waiting'",
        )
        .bind(job.id.to_string())
        .bind(job.lease.to_string())
        .bind(self.storage.ambient.now().as_microsecond())
        .bind(bounded(error));
        self.under_lease(job, update).await
    }

    /// Gives a claimed job back untried (a stopping worker drains so): the attempt does not count.
    ///
    /// # Errors
    /// [`Error::LostLease`]; this transaction can then no longer be committed.
    pub async fn release_job(&mut self, job: &Job) -> Result<()> {
        let update = sqlx::query(
            "update jobs set attempts = attempts - 1, lease_token = null, lease_until = null \
             where id = $1 and lease_token = $2 and state = 'waiting'",
        )
        .bind(job.id.to_string())
        .bind(job.lease.to_string());
        self.under_lease(job, update).await?;
        self.enqueued += 1;
        Ok(())
    }

    /// A person sends a dead letter through again, with all its attempts; false when there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn revive_job(&mut self, municipality: &MunicipalityId, id: JobId) -> Result<bool> {
        let update = sqlx::query(
            "update jobs set state = 'waiting', attempts = 0, run_at = $3, finished_at = null \
             where municipality = $1 and id = $2 and state = 'dead'",
        )
        .bind(municipality.as_str().to_owned())
        .bind(id.to_string())
        .bind(self.storage.ambient.now().as_microsecond());
        let revived = self.execute(update).await? == 1;
        self.enqueued += usize::from(revived);
        Ok(revived)
    }

    async fn under_lease(&mut self, job: &Job, update: super::pool::Statement) -> Result<()> {
        if self.execute(update).await? == 1 { Ok(()) } else { Err(self.refuse_lost_lease(job.id)) }
    }
}

impl Storage {
    /// Claims up to `n` jobs that may run now, the longest waiting first, for `lease`. Jobs whose lease ran
    /// out are among them. No two workers get the same job while its lease runs.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn claim_jobs(&self, worker: &str, n: u32, lease: Duration) -> Result<Vec<Job>> {
        let now = self.ambient.now();
        let claim = sqlx::query(self.dialect.claim_jobs())
            .bind(self.ambient.id().to_string())
            .bind(after(now, lease).as_microsecond())
            .bind(bounded(worker))
            .bind(now.as_microsecond())
            .bind(i64::from(n.min(CLAIM_LIMIT)));
        let rows = claim.fetch_all(&mut *self.writer().await?).await?;
        let mut jobs: Vec<Job> = rows.iter().map(job).collect::<Result<_>>()?;
        // `returning` promises no order.
        jobs.sort_by_key(|job| (job.run_at, job.id));
        Ok(jobs)
    }

    /// Extends the lease of a job that is still being worked on.
    ///
    /// # Errors
    /// [`Error::LostLease`]: stop working on it.
    pub async fn heartbeat(&self, job: &mut Job, lease: Duration) -> Result<()> {
        let until = after(self.ambient.now(), lease);
        let update =
            sqlx::query("update jobs set lease_until = $3 where id = $1 and lease_token = $2 and state = 'waiting'")
                .bind(job.id.to_string())
                .bind(job.lease.to_string())
                .bind(until.as_microsecond());
        if update.execute(&mut *self.writer().await?).await?.rows_affected() == 0 {
            return Err(Error::LostLease { job: job.id });
        }
        job.lease_until = until;
        Ok(())
    }

    /// Waits until a transaction of this process has enqueued a job that may run at once. Returns at once
    /// when that happened since the last wait. Jobs of other processes and later ones need a poll as well.
    pub async fn jobs_enqueued(&self) {
        self.wake.notified().await;
    }

    /// How many jobs are neither done nor dead, under a lease or not, due or later.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn pending_jobs(&self) -> Result<i64> {
        let select = sqlx::query("select count(*) as jobs from jobs where state = 'waiting'");
        select.fetch_one(&mut *self.reader().await?).await?.int("jobs")
    }

    /// The dead letters of a municipality, oldest first, at most 500.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn dead_jobs(&self, municipality: &MunicipalityId) -> Result<Vec<DeadJob>> {
        let select = sqlx::query(
            "select id, kind, case_id, attempts, last_error, finished_at from jobs \
             where municipality = $1 and state = 'dead' order by id limit 500",
        )
        .bind(municipality.as_str().to_owned());
        select.fetch_all(&mut *self.reader().await?).await?.iter().map(dead_job).collect()
    }
}

fn after(now: Timestamp, delay: Duration) -> Timestamp {
    now.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// PostgreSQL refuses zero bytes in text, and nobody reads more than a few lines of an error.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(ERROR_LIMIT).collect()
}

fn job(row: &AnyRow) -> Result<Job> {
    Ok(Job {
        id: row.parse("id")?,
        kind: row.text("kind")?,
        municipality: row.parse("municipality")?,
        case_id: row.opt_parse("case_id")?,
        payload: row.json("payload")?,
        attempts: row.count("attempts")?,
        max_attempts: row.count("max_attempts")?,
        run_at: row.time("run_at")?,
        lease_until: row.time("lease_until")?,
        lease: row.parse("lease_token")?,
    })
}

fn dead_job(row: &AnyRow) -> Result<DeadJob> {
    Ok(DeadJob {
        id: row.parse("id")?,
        kind: row.text("kind")?,
        case_id: row.opt_parse("case_id")?,
        attempts: row.count("attempts")?,
        last_error: row.opt_text("last_error")?,
        buried_at: row.time("finished_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let waits: Vec<u64> = [1, 2, 3, 9, 10, 4_000_000_000].map(|n| backoff(n, 1.0).as_secs()).into();
        assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
        assert_eq!(backoff(3, 0.0), Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn a_wait_is_never_nothing_and_never_beyond_the_cap(attempts in any::<u32>(), jitter in any::<f64>()) {
            let wait = backoff(attempts, jitter);
            prop_assert!(wait >= BACKOFF_BASE / 2 && wait <= BACKOFF_CAP);
        }
    }
}

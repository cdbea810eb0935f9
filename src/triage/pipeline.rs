//! The durable pipeline: a job is a step and those after it that nobody has to be asked for; their results, their audit
//! events and the next job are written in one transaction. Kill the process anywhere and every case goes on; run a step
//! twice and nothing changes.
//!
//! Steps are worked out before their transaction begins, on the case as it stood; if the case changed
//! meanwhile, the work is done again. What fails for good becomes a case that a person sees, never a lost one.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};

use super::history::{self, Others};
use super::proposals::Noted;
use super::{
    Circumstances, Desk, Error as StepError, Live, Proposal, Step, Thought, about, material, matters, rounds, similar,
    standing,
};
use crate::cases::{
    Act, Actor, AlertId, Case, CaseFile, CaseId, CaseRef, Draft, DraftId, EventKind, IllegalTransition, Ledger,
    MunicipalityId, NewEvent, Practice, Preparer, SplitMatter, Status, Submission,
};
use crate::clock::{Ambient, helsinki};
use crate::intake::extract::{Attached, Cell};
use crate::municipality::Pack;
use crate::storage::{self, Alert, Job, NewJob, Storage, Tx, backoff};
use crate::telemetry;

/// How often a step is tried before a person must look.
const ATTEMPTS: u32 = 5;
/// How often a step is worked out anew because the case changed under it, within one attempt.
const CONFLICTS: u32 = 3;

/// Jobs of one worker that read or write at a time.
const TURNS: usize = 4;
/// Files that one worker has in memory at a time, at most ten megabytes each.
const FILES: usize = 16;

/// How a worker works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Jobs in hand at a time.
    pub in_flight: u32,
    /// How long a claimed job is ours.
    pub lease: Duration,
    /// How long to wait for jobs of other processes.
    pub poll: Duration,
    /// How long a worker that stops finishes what it has in hand.
    pub drain: Duration,
    /// In what the files that came along are read.
    pub attachments: Cell,
}

impl Settings {
    fn in_flight(&self) -> usize {
        usize::try_from(self.in_flight).unwrap_or(usize::MAX).max(1)
    }

    /// Jobs claimed at a time.
    fn batch(&self) -> usize {
        self.in_flight().min(16)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            in_flight: 64,
            lease: Duration::from_mins(1),
            poll: Duration::from_secs(1),
            drain: Duration::from_secs(20),
            attachments: Cell::default(),
        }
    }
}

/// Why an attempt did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Trying again may help.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// Trying again does not help: a person must look.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The job is of a kind that this version does not do. A person must look.
    #[error("no such step")]
    Unknown,
    /// The step panicked: a fault in this program. A person must look.
    #[error("the step broke off")]
    Panic,
    /// The status machine refused.
    #[error(transparent)]
    Status(#[from] IllegalTransition),
}

/// Sends a case that was just stored through the pipeline, in the caller's transaction.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn enter(tx: &mut Tx, case: &Case) -> storage::Result<()> {
    tx.enqueue(&job(&case.municipality, case.id, case.file.round, Step::Read)).await.map(drop)
}

/// Sends a case through the pipeline again from `step`, in the caller's transaction: a new round on the same case,
/// after which jobs of an earlier round change nothing. The caller saves the case.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn reenter(tx: &mut Tx, case: &mut Case, step: Step) -> storage::Result<()> {
    case.file.round += 1;
    tx.enqueue(&job(&case.municipality, case.id, case.file.round, step)).await.map(drop)
}

/// Makes a case of its own of a part of the message that `first` came from: number, event and first job, in the caller's
/// transaction.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn enter_part(tx: &mut Tx, pack: &Pack, first: &Case, file: CaseFile, actor: Actor) -> storage::Result<Case> {
    let year = first.received_at.to_zoned(helsinki()).year();
    let case = Case {
        id: CaseId::new(tx.ambient().id()),
        number: tx.next_case_number(&first.municipality, &pack.municipality.case_prefix, year).await?,
        municipality: first.municipality.clone(),
        submission_id: first.submission_id,
        status: Status::Received,
        file,
        received_at: first.received_at,
        revision: 0,
        claim: None,
    };
    tx.insert_case(&case).await?;
    let payload = json!({ "number": case.number, "submission": case.submission_id, "split_from": first.id });
    let event = NewEvent { actor, kind: EventKind::Registered, case_id: Some(case.id), payload };
    tx.append_event(&case.municipality, event).await?;
    enter(tx, &case).await?;
    Ok(case)
}

fn job(municipality: &MunicipalityId, case: CaseId, round: u32, step: Step) -> NewJob {
    NewJob {
        kind: format!("triage/{}", step.name()),
        key: Some(format!("triage/{case}/{round}/{}", step.name())),
        municipality: municipality.clone(),
        case_id: Some(case),
        payload: json!({ "round": round }),
        run_at: None,
        max_attempts: ATTEMPTS,
    }
}

/// Whether the pipeline makes cases of what else stands in the message: once, in the first round. What shows later, and
/// what a person has put together again, is for people.
fn to_be_split(before: &CaseFile, file: &CaseFile) -> bool {
    file.round == 0 && before.split_off.is_empty() && !file.matters.is_empty()
}

/// What came in for a case, as [`material`] puts it together.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn submission(storage: &Storage, case: &Case) -> storage::Result<Submission> {
    let missing = storage::Error::Missing { what: "submission" };
    let first = storage.submission(&case.municipality, case.submission_id).await?.ok_or(missing.clone())?;
    let mut later = Vec::new();
    for id in &case.file.supplements {
        later.push(storage.submission(&case.municipality, *id).await?.ok_or(missing.clone())?);
    }
    Ok(material::of(&case.file, first, later))
}

/// Whether an alert of the case still waits for a person. Asked only where words of danger were found.
///
/// # Errors
/// Whatever the storage refuses.
pub async fn alerts_open(storage: &Storage, case: &Case) -> storage::Result<bool> {
    if case.file.reading.as_ref().is_some_and(|reading| reading.emergencies.is_empty()) {
        return Ok(false);
    }
    let alerts = storage.alerts_of_case(&case.municipality, case.id).await?;
    Ok(alerts.iter().any(|alert| alert.acknowledged.is_none()))
}

/// Where a job begins that owes a step: at that step, unless what was found before it was found by another pack. Then
/// everything that a pack has a say in is done again: no draft is made by two packs.
fn begin(owed: Step, file: &CaseFile, desk: &Desk) -> Step {
    let before = file.engine.as_ref().map(|engine| &engine.pack);
    let other = before.is_some_and(|pack| *pack != desk.rulebook.hash);
    if other { owed.min(Step::Classify) } else { owed }
}

/// A step itself. A panic in it is contained: the case goes to a person, the worker goes on.
async fn think(
    desk: &Desk,
    step: Step,
    submission: &Submission,
    file: CaseFile,
    at: &Circumstances<'_>,
) -> Result<Thought, Failure> {
    let thought = AssertUnwindSafe(desk.think(step, submission, file, at)).catch_unwind().await;
    thought.map_err(|_| Failure::Panic)?.map_err(Failure::Step)
}

/// Takes jobs and does them. Holds no state: any number of workers in any number of processes.
#[derive(Debug, Clone)]
pub struct Worker {
    storage: Storage,
    triage: Live,
    ambient: Ambient,
    name: String,
    settings: Settings,
    /// Turns at the database: many cases may wait for a model, few at a time for a connection, which has its own limit
    /// of patience.
    turns: Arc<Semaphore>,
    /// Turns at the files: whoever waits for the reading of one waits with its bytes.
    files: Arc<Semaphore>,
}

/// The jobs that a worker has in hand, each a task of its own: while one waits for a language model, others go on.
/// A case keeps its place from step to step, so that nothing is claimed in between.
struct Hands {
    flying: JoinSet<Landed>,
    /// Whether more may wait than the last claim took.
    more: bool,
    /// Becomes true when what is not finished is given back.
    cut: watch::Sender<bool>,
}

/// A job that is done with, and what came of it.
struct Landed {
    job: Job,
    done: Done,
}

/// The steps that a job did, and the job that follows from it.
#[derive(Default)]
struct Done {
    steps: Vec<Step>,
    next: Option<Job>,
}

/// Steps that were worked out one after the other and are not yet written.
struct Stretch {
    file: CaseFile,
    steps: Vec<(Step, Vec<Noted>)>,
    proposal: Option<Proposal>,
}

impl Hands {
    fn new() -> Self {
        Self { flying: JoinSet::new(), more: true, cut: watch::channel(false).0 }
    }
}

impl Worker {
    /// A worker named `name` (for the job table, so that an operator sees who has what). Each job is done by the packs
    /// that are active when it begins.
    #[must_use]
    pub fn new(storage: Storage, triage: impl Into<Live>, ambient: Ambient, name: String, settings: Settings) -> Self {
        let triage = triage.into();
        let [turns, files] = [TURNS, FILES].map(|places| Arc::new(Semaphore::new(places)));
        Self { storage, triage, ambient, name, settings, turns, files }
    }

    /// Works until `stop` becomes true. What was claimed is finished first, as far as the time for it goes; the rest
    /// is given back.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut hands = Hands::new();
        while !*stop.borrow() {
            if let Err(error) = self.take_up(&mut hands).await {
                tracing::error!(worker = self.name, %error, "jobs could not be claimed");
                tokio::time::sleep(self.settings.poll).await;
            }
            let looks = hands.flying.len() < self.settings.in_flight();
            tokio::select! {
                Some(landed) = hands.flying.join_next() => drop(self.go_on(&mut hands, landed)),
                () = self.storage.jobs_enqueued(), if looks => hands.more = true,
                () = tokio::time::sleep(self.settings.poll), if looks => hands.more = true,
                _ = stop.changed() => {}
            }
        }
        self.land(hands).await;
    }

    /// Does every job that may run now and all that follow from them; tells `progress` of each step done.
    /// Gives the number of steps.
    ///
    /// # Errors
    /// When the job table cannot be read.
    pub async fn run_pending(&self, mut progress: impl FnMut(CaseId, &str)) -> storage::Result<usize> {
        let mut hands = Hands::new();
        let mut done = 0;
        loop {
            self.take_up(&mut hands).await?;
            let Some(landed) = hands.flying.join_next().await else { return Ok(done) };
            let Some((job, steps)) = self.go_on(&mut hands, landed) else { continue };
            done += steps.len();
            for (case, step) in job.case_id.iter().flat_map(|case| steps.iter().map(move |step| (*case, step))) {
                progress(case, step.name());
            }
            // What others enqueued meanwhile is done, too.
            hands.more |= hands.flying.is_empty();
        }
    }

    /// Claims while more may wait and there is room for it.
    async fn take_up(&self, hands: &mut Hands) -> storage::Result<()> {
        while hands.more {
            let room = self.settings.in_flight().saturating_sub(hands.flying.len());
            let wanted = room.min(self.settings.batch());
            if wanted == 0 {
                return Ok(());
            }
            let claim = u32::try_from(wanted).unwrap_or(u32::MAX);
            let jobs = self.storage.claim_jobs(&self.name, claim, self.settings.lease).await?;
            hands.more = jobs.len() == wanted;
            for job in jobs {
                self.fly(hands, job);
            }
        }
        Ok(())
    }

    fn fly(&self, hands: &mut Hands, job: Job) {
        let (worker, cut) = (self.clone(), hands.cut.subscribe());
        hands.flying.spawn(async move { worker.work(job, cut).await });
    }

    /// Goes on with what follows from a job; gives the job and the steps that it did.
    fn go_on(&self, hands: &mut Hands, landed: Result<Landed, JoinError>) -> Option<(Job, Vec<Step>)> {
        match landed {
            Ok(Landed { job, done: Done { steps, next } }) => {
                if let Some(next) = next {
                    self.fly(hands, next);
                }
                Some((job, steps))
            }
            Err(error) => {
                // The lease runs out and the job comes back: nothing is lost.
                tracing::error!(worker = self.name, %error, "a job broke off");
                None
            }
        }
    }

    /// The end of a worker: finishes what it has in hand, begins nothing, and gives back what takes too long.
    async fn land(&self, mut hands: Hands) {
        let deadline = tokio::time::Instant::now() + self.settings.drain;
        loop {
            let in_time = tokio::time::timeout_at(deadline, hands.flying.join_next()).await;
            let landed = if let Ok(landed) = in_time {
                landed
            } else {
                hands.cut.send_replace(true);
                hands.flying.join_next().await
            };
            match landed {
                None => return,
                Some(Ok(Landed { done: Done { next: Some(next), .. }, .. })) => self.give_back(&next).await,
                Some(_) => {}
            }
        }
    }

    /// A stopping worker gives back what it has not begun, so that nobody waits for its lease.
    async fn give_back(&self, job: &Job) {
        let released = async {
            let mut tx = self.storage.begin().await?;
            tx.release_job(job).await?;
            tx.commit().await
        };
        if let Err(error) = released.await {
            tracing::warn!(job = %job.id, %error, "a job could not be given back; its lease will run out");
        }
    }

    /// One job, under a lease that is kept alive for as long as it takes.
    async fn work(&self, job: Job, mut cut: watch::Receiver<bool>) -> Landed {
        let writing = AtomicBool::new(false);
        let done = tokio::select! {
            biased;
            done = self.finish(&job, &writing) => done,
            // Another worker has the job now, and will do or has done it.
            () = self.keep_lease(&job, &writing) => Done::default(),
            () = async { drop(cut.wait_for(|cut| *cut).await) } => {
                self.give_back(&job).await;
                Done::default()
            }
        };
        Landed { job, done }
    }

    /// Extends the lease again and again; ends when it is lost. While a step is `writing` its own transaction ends the
    /// lease, and tells whether another worker has: then this goes on, so that what follows is not forgotten.
    async fn keep_lease(&self, job: &Job, writing: &AtomicBool) {
        let mut job = job.clone();
        loop {
            tokio::time::sleep(self.settings.lease / 3).await;
            match self.storage.heartbeat(&mut job, self.settings.lease).await {
                Ok(()) => {}
                Err(storage::Error::LostLease { .. }) if writing.load(Ordering::Relaxed) => {}
                Err(storage::Error::LostLease { .. }) => return,
                Err(error) => tracing::warn!(job = %job.id, %error, "a lease could not be extended"),
            }
        }
    }

    /// One job: done, to be tried again, or given up.
    async fn finish(&self, job: &Job, writing: &AtomicBool) -> Done {
        // The same word as in the times of the steps; whatever else stands in the table is one of no vocabulary.
        let step = Step::of_job(&job.kind).map_or("unknown", Step::name);
        let outcome = if job.is_exhausted() { Err(Failure::Panic) } else { self.attempt(job, writing).await };
        let failure = match outcome {
            Ok(done) => {
                for step in &done.steps {
                    metrics::counter!(telemetry::STEPS, "step" => step.name(), "outcome" => "done").increment(1);
                }
                return done;
            }
            // Another worker has the job now, and will do or has done it.
            Err(Failure::Storage(storage::Error::LostLease { .. })) => return Done::default(),
            Err(failure) => failure,
        };
        let hopeless = !matches!(failure, Failure::Storage(_)) || job.is_last_attempt();
        let outcome = if hopeless { "failed" } else { "retried" };
        metrics::counter!(telemetry::STEPS, "step" => step, "outcome" => outcome).increment(1);
        tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempts, outcome, error = %failure, "step {}", job.kind);
        let written = if hopeless { self.give_up(job, &failure).await } else { self.try_later(job, &failure).await };
        if let Err(error) = written {
            // The lease runs out and the job comes back: nothing is lost.
            tracing::error!(job = %job.id, %error, "the failure of a step could not be noted");
        }
        Done::default()
    }

    async fn attempt(&self, job: &Job, writing: &AtomicBool) -> Result<Done, Failure> {
        let id = job.case_id.ok_or(Failure::Unknown)?;
        let mut conflicts = 0;
        loop {
            match self.steps(job, id, writing).await {
                Err(Failure::Storage(storage::Error::Conflict { .. })) if conflicts < CONFLICTS => conflicts += 1,
                other => return other,
            }
        }
    }

    async fn steps(&self, job: &Job, id: CaseId, writing: &AtomicBool) -> Result<Done, Failure> {
        // Nobody closes it: there is always a turn.
        let turn = self.turns.acquire().await;
        let mut case =
            self.storage.case(&job.municipality, id).await?.ok_or(storage::Error::Missing { what: "case" })?;
        let owed = Step::of_job(&job.kind).ok_or(Failure::Unknown)?;
        // Intake enqueues the first step and knows of no rounds: that is round 0.
        let round = job.payload["round"].as_u64().unwrap_or(0);
        let works = case.status == Status::Received || case.awaits_confirmation();
        let current = works && round == u64::from(case.file.round);
        if !current {
            // Ended, or sent through again since: this job has nothing to do any more.
            let mut tx = self.storage.begin().await?;
            tx.complete_job(job).await?;
            tx.commit().await?;
            return Ok(Done::default());
        }
        let submission = submission(&self.storage, &case).await?;
        let desk = Arc::clone(self.triage.now().desk(&case.municipality)?);
        let first = begin(owed, &case.file, &desk);
        if first == Step::Read && case.file.about.is_none() {
            let found = about::find(&self.storage, &desk.rulebook.pack, &case, &submission).await?;
            case.file.about = found.map(Box::new);
        }
        // Only the checks of the last step ask; what the first step finds is written before they do.
        let alerts_open = first != Step::Read && alerts_open(&self.storage, &case).await?;
        drop(turn);
        let attached = match first {
            Step::Read if submission.attachments.is_empty() => Some(Attached::default()),
            Step::Read => Some(self.attached(&case).await?),
            _ => None,
        };
        let now = self.ambient.now();
        let at = Circumstances {
            case: Some(case.id),
            alerts_open,
            attached: attached.as_ref(),
            ..Circumstances::new(&case.number, now)
        };
        let stretch = self.stretch(&desk, first..=owed, &submission, &case.file, &at).await?;
        let _turn = self.turns.acquire().await;
        writing.store(true, Ordering::Relaxed);
        let written = self.write(job, &case, &submission, stretch).await;
        writing.store(false, Ordering::Relaxed);
        written
    }

    /// What the files of a case say, each read in a process of its own. Meanwhile other cases have their turns: a
    /// stranger's file may take its time.
    async fn attached(&self, case: &Case) -> storage::Result<Attached> {
        let mut attached = Attached::default();
        for id in std::iter::once(&case.submission_id).chain(&case.file.supplements) {
            let turn = self.turns.acquire().await;
            let submission = self.storage.submission(&case.municipality, *id).await?;
            drop(turn);
            for attachment in submission.iter().flat_map(|submission| &submission.attachments) {
                let _place = self.files.acquire().await;
                let turn = self.turns.acquire().await;
                let bytes = match self.storage.file(&case.municipality, *id, attachment).await {
                    // Other bytes than those that came are no reading of it; the other files and the message go on.
                    Err(storage::Error::Corrupt { .. }) => None,
                    other => other?,
                };
                drop(turn);
                attached.read(attachment, bytes, &self.settings.attachments).await;
            }
        }
        Ok(attached)
    }

    /// Works out the steps that a job owes, and further ones until what is known should be written: somebody had to be asked,
    /// words of danger were found, or a language model will be at the letter for a while, which nobody's queue waits for. A
    /// step after those owed that fails leaves what went well to be written, and fails again as a job of its own.
    async fn stretch(
        &self,
        desk: &Desk,
        owed: RangeInclusive<Step>,
        submission: &Submission,
        file: &CaseFile,
        at: &Circumstances<'_>,
    ) -> Result<Stretch, Failure> {
        let mut stretch = Stretch { file: file.clone(), steps: Vec::new(), proposal: None };
        let by_model = desk.agent.is_some();
        let mut next = Some(*owed.start());
        while let Some(step) = next {
            let started = std::time::Instant::now();
            let thought = async {
                let ledger = self.ledger(desk, step, submission, &stretch.file, at).await?;
                let practice = self.practice(desk, step, &stretch.file, at).await?;
                let at = Circumstances { others: Others::Cases(&ledger), practice: practice.as_ref(), ..at.clone() };
                think(desk, step, submission, stretch.file.clone(), &at).await
            };
            let thought = match thought.await {
                Ok(thought) => thought,
                Err(_) if step > *owed.end() => break,
                Err(failure) => return Err(failure),
            };
            metrics::histogram!(telemetry::STEP_SECONDS, "step" => step.name()).record(started.elapsed().as_secs_f64());
            let asked = !thought.noted.is_empty();
            let alarming = thought.file.reading.as_ref().is_some_and(|reading| !reading.emergencies.is_empty());
            stretch.file = thought.file;
            stretch.proposal = thought.proposal;
            stretch.steps.push((step, thought.noted));
            // What a message became is known before any of it is answered.
            let divided = step == Step::Classify && to_be_split(file, &stretch.file);
            let rests = asked || divided || step == Step::Read && alarming;
            let goes_on = |next: &Step| next <= owed.end() || !(rests || *next == Step::Compose && by_model);
            next = step.next().filter(goes_on);
            // A step is work for the processor: between two of them others come by, who may wait for a connection.
            tokio::task::yield_now().await;
        }
        Ok(stretch)
    }

    /// The other cases and rounds that a step looks at.
    async fn ledger(
        &self,
        desk: &Desk,
        step: Step,
        submission: &Submission,
        file: &CaseFile,
        at: &Circumstances<'_>,
    ) -> Result<Ledger, Failure> {
        if step != Step::Assess {
            return Ok(Ledger::EMPTY);
        }
        let (mut cases, rounds) = (history::sought(desk, submission, file), rounds::sought(desk, submission, file, at));
        cases.extend(standing::sought(desk, file));
        if cases.is_empty() && rounds.is_empty() {
            return Ok(Ledger::EMPTY);
        }
        let _turn = self.turns.acquire().await;
        let municipality = &desk.rulebook.pack.municipality.id;
        let mut ledger = self.storage.ledger(municipality, &cases).await?;
        for sought in &rounds {
            ledger.rounds.extend(self.storage.last_round(municipality, sought).await?);
        }
        Ok(ledger)
    }

    /// What earlier decisions say of the rulings, on the facts as they were assessed just now: a fact that a person corrected
    /// may have made the case one like theirs.
    async fn practice(
        &self,
        desk: &Desk,
        step: Step,
        file: &CaseFile,
        at: &Circumstances<'_>,
    ) -> Result<Option<Practice>, Failure> {
        let Some(id) = at.case.filter(|_| step == Step::Compose && !file.rulings.is_empty()) else { return Ok(None) };
        let _turn = self.turns.acquire().await;
        let municipality = &desk.rulebook.pack.municipality.id;
        Ok(similar::practice(&self.storage, municipality, id, file, at.now).await?)
    }

    /// State, audit events, draft, next job and the end of this one, in one transaction. The next job is taken at once.
    async fn write(
        &self,
        job: &Job,
        before: &Case,
        submission: &Submission,
        stretch: Stretch,
    ) -> Result<Done, Failure> {
        // The revision guards the case: if it changed since it was read, `save_case` refuses and the steps are
        // worked out anew.
        let mut tx = self.storage.begin().await?;
        let mut case = before.clone();
        case.file = stretch.file;
        let steps: Vec<Step> = stretch.steps.iter().map(|(step, _)| *step).collect();
        if steps.contains(&Step::Read) || steps.contains(&Step::Classify) {
            self.raise_missed_alert(&mut tx, &case).await?;
        }
        if steps.contains(&Step::Classify) && to_be_split(&case.file, &case.file) {
            // Few messages are split: the future of all others stays small.
            Box::pin(self.split(&mut tx, &mut case, submission)).await?;
        }
        let draft = match stretch.proposal {
            Some(proposal) => Some(self.draft(&mut tx, &case, proposal).await?),
            None => None,
        };
        if let Some(draft) = &draft {
            case.status = case.status.after(Act::Draft, Some(draft.content.kind))?;
            tx.insert_draft(draft).await?;
            tx.note_evaluated(&case).await?;
            let desk = Arc::clone(self.triage.now().desk(&case.municipality)?);
            let entry = history::entry(&desk, case.id, &case.number, case.received_at, &case.file);
            tx.note_ledger(&case.municipality, case.id, entry.as_ref()).await?;
        }
        tx.save_case(&mut case).await?;
        for (step, noted) in stretch.steps {
            let actor = Actor::system(&format!("triage/{}", step.name()));
            let event = |kind, payload| NewEvent { actor: actor.clone(), kind, case_id: Some(case.id), payload };
            for Noted { kind, payload } in noted {
                tx.append_event(&case.municipality, event(kind, payload)).await?;
            }
            let done = match draft.as_ref().filter(|_| step == Step::Compose) {
                Some(draft) => event(
                    EventKind::Drafted,
                    json!({
                        "round": case.file.round, "draft": draft.id, "version": draft.version,
                        "kind": draft.content.kind, "hash": draft.hash, "engine": draft.engine.name,
                        "verified": draft.is_verified(),
                    }),
                ),
                None => event(EventKind::StepDone, json!({ "step": step, "round": case.file.round })),
            };
            tx.append_event(&case.municipality, done).await?;
        }
        let next = match steps.last().and_then(|last| last.next()) {
            Some(next) => {
                let next = self::job(&case.municipality, case.id, case.file.round, next);
                tx.enqueue_claimed(&next, &self.name, self.settings.lease).await?
            }
            None => None,
        };
        tx.complete_job(job).await?;
        tx.commit().await?;
        Ok(Done { steps, next })
    }

    /// Makes a case of each other matter of the message. The step's result and the cases are one transaction, so a step
    /// that runs again makes none twice.
    async fn split(&self, tx: &mut Tx, case: &mut Case, submission: &Submission) -> Result<(), Failure> {
        let desk = Arc::clone(self.triage.now().desk(&case.municipality)?);
        let pack = &desk.rulebook.pack;
        let actor = Actor::system("triage/classify");
        let first = CaseRef { id: case.id, number: case.number.clone() };
        for other in case.file.matters.clone() {
            let file = matters::file_of(first.clone(), submission, &case.file, &other);
            let new = enter_part(tx, pack, case, file, actor.clone()).await?;
            let split = SplitMatter {
                case: CaseRef { id: new.id, number: new.number },
                text: other.text,
                label: Some(other.label),
            };
            case.file.split_off.push(split);
        }
        let into: Vec<CaseId> = case.file.split_off.iter().map(|part| part.case.id).collect();
        let event =
            NewEvent { actor, kind: EventKind::Split, case_id: Some(case.id), payload: json!({ "into": into }) };
        tx.append_event(&case.municipality, event).await?;
        Ok(())
    }

    async fn draft(&self, tx: &mut Tx, case: &Case, proposal: Proposal) -> Result<Draft, Failure> {
        let version = tx.latest_draft(&case.municipality, case.id).await?.map_or(1, |latest| latest.version + 1);
        let engine = case.file.engine.clone().ok_or(StepError::OutOfOrder { step: "compose", needs: "classify" })?;
        Ok(Draft {
            id: DraftId::new(self.ambient.id()),
            case_id: case.id,
            version,
            hash: proposal.content.hash(),
            content: proposal.content,
            checks: proposal.checks,
            engine,
            prepared_by: Preparer::Engine,
            created_at: self.ambient.now(),
        })
    }

    /// Intake raises the alert before anything is queued. What only shows later, in a supplement say, is raised here.
    async fn raise_missed_alert(&self, tx: &mut Tx, case: &Case) -> Result<(), Failure> {
        let hits = case.file.reading.as_ref().map(|reading| reading.emergencies.clone()).unwrap_or_default();
        if hits.is_empty() {
            return Ok(());
        }
        let known: BTreeSet<_> = tx
            .alerts_of_case(&case.municipality, case.id)
            .await?
            .into_iter()
            .flat_map(|alert| alert.hits)
            .map(|hit| (hit.kind, hit.source, hit.words))
            .collect();
        let new: Vec<_> = hits
            .into_iter()
            .filter(|hit| !known.contains(&(hit.kind.clone(), hit.source.clone(), hit.words.clone())))
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let kinds: Vec<_> = new.iter().map(|hit| hit.kind.clone()).collect();
        let alert = Alert {
            id: AlertId::new(self.ambient.id()),
            municipality: case.municipality.clone(),
            case_id: case.id,
            hits: new,
            raised_at: self.ambient.now(),
            acknowledged: None,
        };
        tx.raise_alert(&alert).await?;
        let event = NewEvent {
            actor: Actor::system("triage/read"),
            kind: EventKind::AlertRaised,
            case_id: Some(case.id),
            payload: json!({ "alert": alert.id, "kinds": kinds }),
        };
        tx.append_event(&case.municipality, event).await?;
        Ok(())
    }

    async fn try_later(&self, job: &Job, failure: &Failure) -> storage::Result<()> {
        let mut tx = self.storage.begin().await?;
        tx.retry_job(job, &failure.to_string(), backoff(job.attempts, self.jitter())).await?;
        let event = NewEvent {
            actor: Actor::system(&job.kind),
            kind: EventKind::StepRetried,
            case_id: job.case_id,
            payload: json!({ "attempt": job.attempts, "error": failure.to_string() }),
        };
        tx.append_event(&job.municipality, event).await?;
        tx.commit().await
    }

    /// The case goes to a person, the job to the dead letters, in one transaction.
    async fn give_up(&self, job: &Job, failure: &Failure) -> storage::Result<()> {
        let mut tx = self.storage.begin().await?;
        if let Some(id) = job.case_id
            && let Some(mut case) = tx.case_for_update(&job.municipality, id).await?
            // A job of an earlier round has no say: the newer one goes on.
            && job.payload["round"].as_u64().unwrap_or(0) == u64::from(case.file.round)
            && let Ok(status) = case.status.after(Act::Fail, None)
        {
            case.status = status;
            tx.save_case(&mut case).await?;
        }
        let event = NewEvent {
            actor: Actor::system(&job.kind),
            kind: EventKind::StepFailed,
            case_id: job.case_id,
            payload: json!({ "attempt": job.attempts, "error": failure.to_string() }),
        };
        tx.append_event(&job.municipality, event).await?;
        tx.bury_job(job, &failure.to_string()).await?;
        tx.commit().await
    }

    /// 0–1 from the id source, so that what failed together does not come back together.
    fn jitter(&self) -> f64 {
        let bytes = self.ambient.id().into_bytes();
        f64::from(u16::from_be_bytes([bytes[14], bytes[15]])) / f64::from(u16::MAX)
    }
}

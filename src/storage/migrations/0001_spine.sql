-- The spine: submissions, cases, drafts, decisions, audit chain, jobs.
-- House style: ids text (UUIDv7), times bigint microseconds UTC, money bigint cents, flags bigint 0/1,
-- JSON text, {blob} for bytes. Every table names its municipality. No engine's own types: `Any` cannot read them.

-- Bytes as they came, addressed by their content within one municipality.
create table blobs (
    municipality text not null,
    sha256 text not null,
    size bigint not null,
    bytes {blob} not null,
    primary key (municipality, sha256)
);

create table submissions (
    id text primary key,
    municipality text not null,
    -- SHA-256 of the sender's own id: any text fits, and none of it shows.
    external_key text,
    raw_sha256 text not null,
    received_at bigint not null,
    reading text not null,
    unique (municipality, external_key),
    foreign key (municipality, raw_sha256) references blobs (municipality, sha256)
);

-- The columns beside `file` repeat what the queue filters by; `file` is what the pipeline worked out.
create table cases (
    id text primary key,
    municipality text not null,
    number text not null,
    submission_id text not null references submissions (id),
    status text not null,
    revision bigint not null,
    received_at bigint not null,
    service text,
    matter text,
    category text,
    language text,
    urgency text,
    owner text,
    department text,
    decider text,
    -- The largest bigint but one when nothing is due: such cases stand last.
    due_at bigint not null,
    emergency bigint not null check (emergency in (0, 1)),
    claimed_by text,
    claimed_until bigint,
    claim text,
    -- How often it was sent through the pipeline again; drafts and decisions belong to a round.
    round bigint not null,
    file text not null,
    unique (municipality, number)
);
create index cases_due on cases (municipality, due_at, id);
create index cases_submission on cases (submission_id);

create table numbers (
    municipality text not null,
    prefix text not null,
    year bigint not null,
    last bigint not null,
    primary key (municipality, prefix, year)
);

-- A case that went back and came again is decided again, but one round is decided once.
create table drafts (
    id text primary key,
    municipality text not null,
    case_id text not null references cases (id),
    version bigint not null,
    round bigint not null,
    hash text not null,
    created_at bigint not null,
    file text not null,
    unique (case_id, version)
);

create table decisions (
    case_id text not null references cases (id),
    round bigint not null,
    municipality text not null,
    draft_id text not null unique references drafts (id),
    decided_at bigint not null,
    amount_cents bigint,
    file text not null,
    primary key (case_id, round)
);

create table events (
    municipality text not null,
    seq bigint not null,
    at bigint not null,
    actor text not null,
    kind text not null,
    case_id text,
    payload text not null,
    previous text not null,
    hash text not null,
    primary key (municipality, seq)
);
create index events_case on events (case_id, seq);

-- Kept apart from the events, so that a cut at their end is seen.
create table audit_heads (
    municipality text primary key,
    seq bigint not null,
    hash text not null
);

create table jobs (
    id text primary key,
    municipality text not null,
    kind text not null,
    job_key text,
    case_id text,
    payload text not null,
    state text not null check (state in ('waiting', 'done', 'dead')),
    run_at bigint not null,
    attempts bigint not null,
    max_attempts bigint not null,
    lease_token text,
    lease_until bigint,
    worker text,
    last_error text,
    created_at bigint not null,
    finished_at bigint,
    unique (municipality, job_key)
);
create index jobs_waiting on jobs (run_at, id) where state = 'waiting';
create index jobs_dead on jobs (municipality, id) where state = 'dead';

create table alerts (
    id text primary key,
    municipality text not null,
    case_id text not null references cases (id),
    raised_at bigint not null,
    acknowledged_at bigint,
    file text not null
);
create index alerts_municipality on alerts (municipality, raised_at);
create index alerts_case on alerts (case_id);

create table tokens (
    id text primary key,
    municipality text not null,
    hash text not null unique,
    person text not null,
    created_at bigint not null,
    revoked_at bigint
);

-- Answers to requests with an Idempotency-Key; the key is kept as its SHA-256.
create table answers (
    municipality text not null,
    key_hash text not null,
    body_hash text not null,
    status bigint not null,
    body {blob} not null,
    created_at bigint not null,
    primary key (municipality, key_hash)
);

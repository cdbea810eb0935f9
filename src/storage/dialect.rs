//! The few places where SQLite and PostgreSQL need different words. Pairs of literals, nothing is glued
//! together at run time; each pair is exercised by the story tests, which run on both engines.

/// Which engine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One file, one writer.
    Sqlite,
    /// Many workers.
    Postgres,
}

impl Dialect {
    /// How a writing transaction begins. SQLite takes the write lock at once: a read lock that is
    /// upgraded later ignores `busy_timeout` and fails under load.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin",
        }
    }

    /// How a transaction begins that only reads and must see one moment throughout.
    pub(super) const fn begin_snapshot(self) -> &'static str {
        match self {
            Self::Sqlite => "begin deferred",
            Self::Postgres => "begin transaction isolation level repeatable read, read only",
        }
    }

    /// Settings of each new connection.
    pub(super) const fn connection_settings(self) -> &'static str {
        match self {
            // `busy_timeout` first: switching to WAL needs the lock. `normal` outlives any crash of the
            // process; a power cut may take the last commits, but never tears one. Who cannot bear that
            // runs PostgreSQL.
            Self::Sqlite => {
                "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = normal; \
                 pragma foreign_keys = on; pragma temp_store = memory; pragma cache_size = -16000"
            }
            // A lost client must not hold the head of the audit chain for ever.
            Self::Postgres => {
                "set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '60s'; \
                 set statement_timeout = '60s'"
            }
        }
    }

    /// The type of bytes in a migration.
    pub(super) const fn blob(self) -> &'static str {
        match self {
            Self::Sqlite => "blob",
            Self::Postgres => "bytea",
        }
    }

    /// One case, locked until the transaction ends.
    pub(super) const fn case_for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "select * from cases where municipality = $1 and id = $2",
            Self::Postgres => "select * from cases where municipality = $1 and id = $2 for update",
        }
    }

    /// The head of an audit chain, locked until the transaction ends: appends come one after the other.
    pub(super) const fn head_for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "select seq, hash from audit_heads where municipality = $1",
            Self::Postgres => "select seq, hash from audit_heads where municipality = $1 for update",
        }
    }

    /// Claim up to `$5` jobs at `$4` for worker `$3` under lease `$1` until `$2`.
    ///
    /// `materialized` keeps PostgreSQL from running the choice more than once, and so from claiming
    /// more than asked for.
    pub(super) const fn claim_jobs(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "update jobs set lease_token = $1, lease_until = $2, worker = $3, attempts = attempts + 1 \
                 where id in (select id from jobs where state = 'waiting' and run_at <= $4 \
                 and (lease_until is null or lease_until <= $4) order by run_at, id limit $5) returning *"
            }
            Self::Postgres => {
                "with ready as materialized (select id from jobs where state = 'waiting' and run_at <= $4 \
                 and (lease_until is null or lease_until <= $4) order by run_at, id limit $5 \
                 for update skip locked) \
                 update jobs set lease_token = $1, lease_until = $2, worker = $3, attempts = attempts + 1 \
                 where id in (select id from ready) returning *"
            }
        }
    }

    /// Case `$1` rests on each of the sections `$2`, a JSON list of objects, in the way `$3`, at `$4`: one statement for
    /// all of them, because every draft is stored with it.
    pub(super) const fn insert_section_uses(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "insert into section_uses (municipality, document, version, section, case_id, how, used_at) \
                 select c.municipality, s.value ->> 'document', s.value ->> 'version', s.value ->> 'section', c.id, $3, $4 \
                 from cases c, json_each($2) s where c.id = $1"
            }
            Self::Postgres => {
                "insert into section_uses (municipality, document, version, section, case_id, how, used_at) \
                 select c.municipality, s.value ->> 'document', s.value ->> 'version', s.value ->> 'section', c.id, $3, $4 \
                 from cases c, json_array_elements($2::json) s where c.id = $1"
            }
        }
    }

    /// The facts of case `$1` have the keys `$2`, a JSON list of objects: one statement for all of them, too.
    pub(super) const fn insert_ledger_keys(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "insert into ledger_keys (municipality, service, fact, hash, case_id) \
                 select l.municipality, l.service, k.value ->> 'fact', k.value ->> 'key', l.case_id \
                 from ledger l, json_each($2) k where l.case_id = $1"
            }
            Self::Postgres => {
                "insert into ledger_keys (municipality, service, fact, hash, case_id) \
                 select l.municipality, l.service, k.value ->> 'fact', k.value ->> 'key', l.case_id \
                 from ledger l, json_array_elements($2::json) k where l.case_id = $1"
            }
        }
    }
}

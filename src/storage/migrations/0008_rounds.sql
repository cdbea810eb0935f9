-- What a case says to others of the municipality: one row a case, written with each of its drafts, so that a rule that
-- counts earlier cases need not read the file of every case. Texts that people wrote stand in `ledger_keys` as hashes.
create table ledger (
    case_id text primary key references cases (id),
    municipality text not null,
    service text not null,
    received_at bigint not null,
    outcome text,
    entry text not null
);
create index ledger_service on ledger (municipality, service, received_at);
create table ledger_keys (
    municipality text not null,
    service text not null,
    fact text not null,
    hash text not null,
    case_id text not null references cases (id),
    primary key (municipality, service, fact, hash, case_id)
);
create index ledger_keys_case on ledger_keys (case_id);
-- Computations over all cases of an application window, each by a person's act. `nth` counts those of one window: a
-- later one stands above an earlier one, which stays on the record.
create table rounds (
    id text primary key,
    municipality text not null,
    document text not null,
    round text not null,
    window_end bigint not null,
    nth bigint not null,
    run_at bigint not null,
    file text not null,
    unique (municipality, document, round, window_end, nth)
);

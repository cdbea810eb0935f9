-- Messages between the party of a case and the office. `waits` while nobody of the office has seen a party's message;
-- `became` is the case that a message to an ended case was registered as.
create table messages (
    id text primary key,
    municipality text not null,
    case_id text not null references cases (id),
    at bigint not null,
    waits bigint not null check (waits in (0, 1)),
    became text references cases (id),
    file text not null
);
create index messages_case on messages (municipality, case_id, at);
create index messages_became on messages (municipality, became);
create index messages_waiting on messages (municipality, waits);
-- Consents of a party to the publication of what they sent: no row, no consent. Whoever publishes reads this table.
create table consents (
    municipality text not null,
    case_id text not null references cases (id),
    given_at bigint not null,
    withdrawn_at bigint,
    primary key (municipality, case_id)
);

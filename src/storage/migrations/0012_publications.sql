-- What a person published of a case with the party's consent, as it was shown; `ended_at` once it is shown no more. A case
-- shows at most one. Whoever lists them for everybody joins `consents`: without one that holds nothing is shown.
create table publications (
    id text primary key,
    municipality text not null,
    case_id text not null references cases (id),
    published_at bigint not null,
    ended_at bigint,
    file text not null
);
create unique index publications_shown on publications (municipality, case_id) where ended_at is null;
create index publications_newest on publications (municipality, published_at);

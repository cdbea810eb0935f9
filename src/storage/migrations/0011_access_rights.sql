-- The register of access rights: one row for a case that granted one. The columns beside `file` repeat what it is listed
-- by: `over_at` is the first moment after its last day, `ended_at` the one at which the key or tag came back or was known
-- to be lost, `holder_key` a hash by which rights of one holder are found. That one is overdue is worked out, never stored.
create table access_rights (
    case_id text primary key references cases (id),
    municipality text not null,
    over_at bigint not null,
    handed_over_at bigint,
    ended_at bigint,
    lost bigint not null check (lost in (0, 1)),
    holder_key text not null,
    file text not null
);
create index access_rights_over on access_rights (municipality, over_at);
create index access_rights_holder on access_rights (municipality, holder_key);

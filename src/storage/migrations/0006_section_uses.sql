-- Which sections of policies and statutes a case rests on: `cited` by its current draft, or `evaluated` by the rules that
-- stand under it. Written with each draft, so that a page about a section need not read the file of every case.
create table section_uses (
    municipality text not null,
    document text not null,
    version text not null,
    section text not null,
    case_id text not null references cases (id),
    how text not null check (how in ('cited', 'evaluated')),
    used_at bigint not null,
    primary key (municipality, document, version, section, case_id, how)
);
create index section_uses_case on section_uses (case_id, how);
-- Cases of a service, the newest first: for impact and for similar decisions.
create index cases_service on cases (municipality, service, received_at);
create index decisions_municipality on decisions (municipality, decided_at);

-- Links by which a resident follows a case: whoever has one may see it. Kept as its SHA-256; `id` is the name by which
-- the audit chain knows who acted with it.
create table case_links (
    link_hash text primary key,
    id text not null unique,
    municipality text not null,
    case_id text not null references cases (id),
    created_at bigint not null
);
create index case_links_case on case_links (case_id);
-- Forms that somebody is filling in, by the SHA-256 of their link; deleted when sent, and when nobody comes back.
create table saved_forms (
    link_hash text primary key,
    municipality text not null,
    service text,
    file text not null,
    expires_at bigint not null
);
create index saved_forms_expiry on saved_forms (expires_at);
create table saved_files (
    id text primary key,
    link_hash text not null,
    name text not null,
    bytes {blob} not null
);
create index saved_files_form on saved_files (link_hash);

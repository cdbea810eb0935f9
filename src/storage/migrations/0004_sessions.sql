-- Sessions of the pages. The id is kept as its SHA-256: who reads the database cannot sign in as anybody.
create table sessions (
    id_hash text primary key,
    file text not null,
    expires_at bigint not null
);
create index sessions_expiry on sessions (expires_at);

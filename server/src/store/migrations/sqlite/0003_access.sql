-- Who may ask for what. Secrets are kept only as hashes: a copy of this file lets nobody in.

create table people (
    name_key   text primary key,  -- the name in lower case: equal for equal names
    name       text not null,     -- as it was set
    rank       text not null,     -- viewer or admin
    password   text not null,     -- argon2id, as a PHC string
    changed_at integer not null   -- when the password was last set
) strict, without rowid;

create table sessions (
    hash     text primary key,  -- SHA-256 of the cookie's secret
    name_key text not null,     -- whose
    begun_at integer not null,  -- when the person signed in: it ends 12 h later
    acted_at integer not null,  -- the last time they changed something: acting ends 30 min later
    address  text               -- where they signed in from
) strict, without rowid;

create table tokens (
    id         text primary key,      -- names it in lists and in the audit
    hash       text not null unique,  -- SHA-256 of the secret
    role       text not null,         -- join, viewer, admin, or node: a server's own credential
    name       text not null,         -- what it is for, or the server's name
    server_key text,                  -- set for a node's credential: whose, in lower case
    made_at    integer not null,
    made_by    text not null,         -- who made it, or the token that enrolled
    address    text,                  -- where it was made from
    expires_at integer,
    used_at    integer,               -- to the minute
    revoked_at integer
) strict, without rowid;

create table setup_code (
    id         integer primary key check (id = 1),
    hash       text not null,    -- SHA-256 of the code that makes the first admin, once
    expires_at integer not null
) strict;

create table audit (
    id      integer primary key,  -- in the order of what happened
    at      integer not null,
    who     text not null,        -- a person, a token's name, or a command on the machine itself
    proof   text not null,        -- how they proved it
    address text,                 -- where from
    action  text not null,        -- what
    target  text not null,        -- to what
    outcome text not null         -- done, or why not
) strict;

create trigger audit_is_append_only before update on audit
begin
    select raise(abort, 'the audit is append-only');
end;

-- 400 days are kept; the clock is the last sign of life of a web server.
create trigger audit_is_kept before delete on audit
when old.at > (select mark_at from cluster) - 34560000000
begin
    select raise(abort, 'the audit is append-only');
end;

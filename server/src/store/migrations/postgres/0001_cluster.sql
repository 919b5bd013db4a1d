-- The facts of one cluster. Times are milliseconds since 1970 by this database's clock; verdicts are
-- never stored. Every change locks the one row of `cluster` first, so commits have an order, and the
-- numbers below name it.

create table cluster (
    id                   integer primary key check (id = 1),
    database_id          text    not null,  -- random; part of every reader's cursor
    commit_no            bigint  not null,  -- grows with every change a web server wants to hear of
    changed_at           bigint  not null,  -- when the last change was made that a reader can see
    mark_at              bigint  not null,  -- last sign of life of a web server: a gap is a period
    clock_jumps          bigint  not null,  -- by how much this clock was set, all in all, in milliseconds
    load_balancing       boolean not null,  -- the settings, as the admin set them
    automatic_failover   boolean not null,
    heartbeat_interval_s bigint  not null,
    stale_timeout_s      bigint  not null,
    web_window_s         bigint  not null,
    settings_no          bigint  not null default 0,  -- which commit last changed them,
    references_no        bigint  not null default 0,  -- the reference keys,
    spells_no            bigint  not null default 0,  -- the blind periods,
    keyring_no           bigint  not null default 0,  -- who may ask for what,
    whole_no             bigint  not null default 0   -- and everything, as when all stamps moved
) with (fillfactor = 10);

-- No index on what every heartbeat changes, and room in each page: a heartbeat stays where it is.
create table components (
    server_key        text    not null,  -- the server's name in lower case: equal for equal names
    role              text    not null,  -- web or service
    server            text    not null,  -- the name as first reported
    product           text,              -- a label on the screen
    version           text    not null,
    os_name           text    not null,
    os_version        text    not null,
    ip                text    not null,
    key_check         text,              -- 64 hex digits; never a key
    machine_key_check text,
    messenger_port    bigint,
    stopped           boolean not null,  -- its last heartbeat said goodbye
    boots             text    not null,  -- json: its current and former start, with sequences
    first_seen        bigint  not null,
    last_heartbeat    bigint  not null,
    told_interval     bigint  not null,  -- milliseconds; what it was told with its last answer
    skew_last         bigint,            -- milliseconds its clock was off in the last heartbeat
    skew_before       bigint,            -- and in the one before
    reporter          text    not null,  -- node, own or observer
    came_back         bigint,            -- when it returned under the boot it was removed with
    messenger         text,              -- json: why it fails, since when, which port, who saw it
    removed_at        bigint,            -- set: a tombstone, kept 31 days
    facts_no          bigint  not null,  -- which commit last changed more than its time
    beat_no           bigint  not null,  -- and anything of it
    primary key (server_key, role)
) with (fillfactor = 50);

create table reference_keys (
    kind      text    primary key,  -- encryption or machine
    key_check text    not null,
    agreed    boolean not null      -- two servers agreed on it, or an admin accepted it
);

create table blind_periods (
    start_at bigint primary key,  -- the last mark before nobody watched
    end_at   bigint not null      -- the first moment somebody could write again
);

-- Who may ask for what. Secrets are kept only as hashes: a copy of this database lets nobody in.

create table people (
    name_key   text   primary key,  -- the name in lower case: equal for equal names
    name       text   not null,     -- as it was set
    rank       text   not null,     -- viewer or admin
    password   text   not null,     -- argon2id, as a PHC string
    changed_at bigint not null      -- when the password was last set
);

create table sessions (
    hash     text   primary key,  -- SHA-256 of the cookie's secret
    name_key text   not null,     -- whose
    begun_at bigint not null,     -- when the person signed in: it ends 12 h later
    acted_at bigint not null,     -- the last time they changed something: acting ends 30 min later
    address  text                 -- where they signed in from
);

create table tokens (
    id         text   primary key,      -- names it in lists and in the audit
    hash       text   not null unique,  -- SHA-256 of the secret
    role       text   not null,         -- join, viewer, admin, or node: a server's own credential
    name       text   not null,         -- what it is for, or the server's name
    server_key text,                    -- set for a node's credential: whose, in lower case
    made_at    bigint not null,
    made_by    text   not null,         -- who made it, or the token that enrolled
    address    text,                    -- where it was made from
    expires_at bigint,
    used_at    bigint,                  -- to the minute
    revoked_at bigint
);

create table setup_code (
    id         integer primary key check (id = 1),
    hash       text    not null,  -- SHA-256 of the code that makes the first admin, once
    expires_at bigint  not null
);

create table audit (
    id      bigint generated always as identity primary key,  -- in the order of what happened
    at      bigint not null,
    who     text   not null,  -- a person, a token's name, or a command on the machine itself
    proof   text   not null,  -- how they proved it
    address text,             -- where from
    action  text   not null,  -- what
    target  text   not null,  -- to what
    outcome text   not null   -- done, or why not
);

-- 400 days are kept; the clock is the last sign of life of a web server.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at <= (select mark_at from cluster) - 34560000000 then
        return old;
    end if;
    raise exception 'the audit is append-only';
end $$;

create trigger audit_is_append_only before update or delete on audit
    for each row execute function audit_is_append_only();

create trigger audit_is_never_emptied before truncate on audit
    for each statement execute function audit_is_append_only();

-- The facts of one cluster. Times are milliseconds since 1970 by the database's clock; verdicts are
-- never stored.

create table cluster (
    id                   integer primary key check (id = 1),
    database_id          text not null,     -- random; part of every reader's cursor
    commit_no            integer not null,  -- grows with every change a reader can see
    changed_at           integer not null,  -- when the last such change was made
    mark_at              integer not null,  -- last sign of life of a web server: a gap is a period
    load_balancing       integer not null,  -- the settings, as the admin set them
    automatic_failover   integer not null,
    heartbeat_interval_s integer not null,
    stale_timeout_s      integer not null,
    web_window_s         integer not null
) strict;

create table components (
    server_key        text not null,     -- the server's name in lower case: equal for equal names
    role              text not null,     -- web or service
    server            text not null,     -- the name as first reported
    product           text,              -- a label on the screen
    version           text not null,
    os_name           text not null,
    os_version        text not null,
    ip                text not null,
    key_check         text,              -- 64 hex digits; never a key
    machine_key_check text,
    messenger_port    integer,
    stopped           integer not null,  -- its last heartbeat said goodbye
    boots             text not null,     -- json: its current and former start, with sequences
    first_seen        integer not null,
    last_heartbeat    integer not null,
    told_interval     integer not null,  -- milliseconds; what it was told with its last answer
    skew_last         integer,           -- milliseconds its clock was off in the last heartbeat
    skew_before       integer,           -- and in the one before
    reporter          text not null,     -- node, own or observer
    came_back         integer,           -- when it returned under the boot it was removed with
    removed_at        integer,           -- set: a tombstone, kept 31 days
    primary key (server_key, role)
) strict, without rowid;

create table reference_keys (
    kind      text primary key,  -- encryption or machine
    key_check text not null,
    agreed    integer not null   -- two servers agreed on it, or an admin accepted it
) strict, without rowid;

create table blind_periods (
    start_at integer primary key,  -- the last mark before nobody watched
    end_at   integer not null      -- the first moment somebody could write again
) strict;

-- The data of one cluster in a PostgreSQL database that several web servers share. Until the first release
-- this file may change: a database that an earlier build made is refused. Afterwards each change is a new file.
--
-- Times are milliseconds since 1970 by this database's clock. Verdicts are never stored. Every change first
-- locks the one row of `cluster`, so commits have an order. A column `..._no` holds a commit number: a reader
-- that knows everything up to a commit reads only what came after it.

create table cluster (
    id                   integer primary key check (id = 1),
    database_id          text    not null,            -- random; part of every cursor
    commit_no            bigint  not null,            -- of the last commit that a web server needs to read
    commit_token         bigint  not null default 0,  -- random: tells two commits of one number apart, as after a restore
    changed_at           bigint  not null,            -- time of the last change of a fact
    mark_at              bigint  not null,            -- last time a web server wrote; a long gap is a blind period
    history_begins_at    bigint  not null,            -- when the database was created, or up to when its history was deleted
    clock_jumps          bigint  not null,            -- sum of all steps by which this clock was set, in milliseconds
    settings             text    not null,            -- json: as the admin set them
    settings_changed_at  bigint  not null default 0,  -- when that was
    settings_no          bigint  not null default 0,  -- the commit that last changed the settings,
    reference_keys_no    bigint  not null default 0,  -- the reference keys,
    blind_periods_no     bigint  not null default 0,  -- the blind periods,
    rejections_no        bigint  not null default 0,  -- the rejected heartbeats,
    incidents_no         bigint  not null default 0,  -- the incidents,
    access_no            bigint  not null default 0,  -- accounts, sessions and tokens,
    everything_no        bigint  not null default 0,  -- everything, as when the clock was set back
    probes_fail_until    bigint  not null default 0   -- no probe's failure is known after this time
) with (fillfactor = 10);

-- The last 4,096 commits. A reader that knows one of them gets what came after it; any other gets everything.
create table commits (
    slot      bigint primary key,  -- commit_no % 4096
    commit_no bigint not null,
    token     bigint not null
) with (fillfactor = 50);

-- What seldom changes about a component. A heartbeat that only renews the last one does not write this row.
create table components (
    server_key   text    not null,  -- the server's name in lower case: equal for equal names
    role         text    not null,  -- web or service
    server       text    not null,  -- the name as first reported
    facts        jsonb   not null,  -- json: what it reports about itself, and who reports it
    stopped      boolean not null,  -- the last heartbeat said that the process stops
    boots        jsonb   not null,  -- json: the current and the former boots, and returns between them
    interruptions jsonb  not null, -- json: the last starts of its process, and the last gaps between its heartbeats
    first_seen   bigint  not null,
    came_back_at bigint,            -- when it returned with the boot it was removed with
    messengers   jsonb   not null,  -- json: how each web server that dials its messenger finds it
    removed_at   bigint,            -- set: a tombstone, kept for 31 days
    changed_no   bigint  not null,  -- the commit that last changed the row
    primary key (server_key, role)
);

-- What every heartbeat changes. No index on it, and there is room in each page: a new version of a row stays
-- on its page.
create table last_heartbeats (
    server_key     text    not null,
    role           text    not null,
    sequence       bigint  not null,  -- the highest of the current boot
    received_at    bigint  not null,
    interval_ms    bigint  not null,  -- until the next one, as its answer said
    skew_last_ms   bigint,            -- clock offset of the sender in this heartbeat
    skew_before_ms bigint,            -- and in the one before
    changed_no     bigint  not null,  -- the commit that last changed this row, or the component's
    primary key (server_key, role),
    foreign key (server_key, role) references components on delete cascade
) with (fillfactor = 50);

create table reference_keys (
    kind      text    primary key,  -- encryption or machine
    key_check text    not null,
    agreed    boolean not null      -- two servers agreed on it, or an admin accepted it
);

-- Kept as long as the history. Verdicts use those that ended in the last 30 days.
create table blind_periods (
    start_at  bigint primary key,  -- the last mark before it
    end_at    bigint not null,     -- the first time somebody could write again
    clock_set boolean not null  -- nobody was blind: the clock was set forward
);

-- Rejected heartbeats of known servers, and components whose agents report that a probe fails. At most 1,000 rows, each
-- written at most once a minute.
create table rejections (
    server_key text    not null,  -- the server's name in lower case
    probed     text    not null,  -- the component whose probe fails, web or service; empty: rejected heartbeats
    server     text    not null,  -- the name as it was first sent
    reason     text    not null,  -- json: of the last one
    address    text,              -- where that came from
    since_at   bigint  not null,  -- time of the first
    until_at   bigint  not null,  -- it is shown until then
    primary key (server_key, probed)
);

-- Incidents: from the first hint of a trouble to the last. Kept for `--keep-history` after they ended.
create table incidents (
    id              text    primary key,         -- when it began, and a digest of what it is about
    hint            text    not null,            -- which advice is due, or was due last
    severity        text    not null,            -- of that: error, warning or info
    worst           text    not null,            -- how urgent it was at its worst
    server          text,                        -- which one it is about; null: the cluster
    role            text,                        -- which component, web or service; null: the whole server or cluster
    began_at        bigint  not null,            -- when its first hint was due
    advised_at      bigint  not null,            -- since when advice that is as urgent as this is due, in this turn
    turned_at       bigint  not null,            -- when a hint was due again after a time without
    ended_at        bigint ,                     -- since when no hint is left; null: open
    turns           bigint  not null,            -- how often it began
    replaced_by     text,                        -- the hint that explains its own one
    advice          text,                        -- json: that hint with its evidence, as when it was first due
    acknowledged_by text,                        -- who takes care of it
    acknowledged_at bigint ,
    acknowledgement text,                        -- what they add for the others
    changed_no      bigint  not null             -- the commit that last changed the row
);

create index incidents_by_beginning on incidents (began_at);
create index incidents_by_end on incidents (ended_at);
create index incidents_by_change on incidents (changed_no);

-- The channels that messages were sent to, also those that are no longer in `--channels`.
create table channels (
    name               text    primary key,
    version            bigint  not null default 0,  -- counts messages: two web servers never begin the same one
    created_at         bigint  not null,            -- what ended before is not told
    last_message_at    bigint ,
    last_message_worst text,                        -- the most urgent incident in it: error, warning or info
    paused_until       bigint ,                     -- set: nothing is sent before
    paused_by          text,
    pause_reason       text,
    failing_since      bigint ,                     -- set: since then no message was accepted
    last_error         text                         -- what went wrong last
);

-- What a channel was told of an incident.
create table told (
    channel  text    not null,
    incident text    not null,  -- its id
    severity text    not null,  -- how urgent it was at most when it was told
    told_at  bigint  not null,  -- the last time
    flapping boolean not null,  -- that it comes and goes
    ended    boolean not null,  -- its end
    primary key (channel, incident)
);

-- Messages: written before the first try. Kept for 30 days after their end.
create table deliveries (
    id          text    primary key,           -- the same for every try
    channel     text    not null,
    news        text    not null,              -- json: what is new about which incidents
    begun_at    bigint  not null,              -- when it should have been sent
    tries       bigint  not null default 0,
    next_try_at bigint ,                       -- null: there is none
    ended_at    bigint ,                       -- when it was accepted, or given up
    outcome     text    not null,              -- pending, delivered, merged with a later one, or given-up
    answer      text                           -- what the receiver said last, or what went wrong
);

create index deliveries_by_beginning on deliveries (channel, begun_at);
create index deliveries_by_end on deliveries (ended_at);

-- The history: what changed, written by the transaction that changed it. A heartbeat that changes nothing writes nothing
-- here. Kept for `--keep-history`.

-- The components of which there is history, also those that were removed.
create table recorded_components (
    id             bigint generated always as identity primary key,
    server_key     text    not null,            -- the server's name in lower case: equal for equal names
    role           text    not null,            -- web or service
    server         text    not null,            -- the name as last recorded
    record_count   bigint  not null,            -- how many rows of component_history it has
    complete_since bigint,                      -- set: it had too many of them, and before this time some are missing
    unique (server_key, role)
) with (fillfactor = 50);

-- What happened to one component within a minute. A component has at most one row of a commit, so rows stay unique when the
-- clock is set back and all times move.
create table component_history (
    component bigint  not null,  -- its id in recorded_components
    at        bigint  not null,  -- when the first thing in it happened
    commit_no bigint  not null,  -- the commit of that
    state     text,              -- json: what is known of it from then on, if that changed
    changes   text    not null,  -- json: silences that ended, starts, returns; times relative to `at`
    is_shared boolean not null,  -- several things happened: such rows are deleted first if a component has too many
    primary key (component, at, commit_no)
);

-- What was known of a component at a moment is found without reading the silences after it.
create index component_states on component_history (component, at) where state is not null;

-- What changed for all components.
create table cluster_history (
    at             bigint  not null,
    commit_no      bigint  not null,
    settings       text,              -- json: all of them, if one changed
    reference_keys text,              -- json: all of them, if one changed
    clock_set_ms   bigint,            -- the clock was set back, by this negative number; all times before it moved
    primary key (at, commit_no)
);

-- Accounts, sessions and tokens. Secrets are stored only as hashes: a copy of this database lets nobody in.

create table people (
    name_key   text   primary key,         -- the name in lower case: equal for equal names
    name       text   not null,            -- as it was set
    rank       text   not null,            -- viewer or admin
    password   text   not null,            -- argon2id, as a PHC string; empty: none was chosen yet
    changed_at bigint not null,            -- when the password was last set
    invitation text,                       -- SHA-256 of the code of the open link with which the person chooses a password
    invited_until bigint,                  -- when that link expires
    removed_at bigint,                     -- set: can no longer sign in
    changed_no bigint not null default 0   -- the commit that last changed the row
);

create table sessions (
    hash       text   primary key,         -- SHA-256 of the cookie's secret
    name_key   text   not null,            -- whose
    begun_at   bigint not null,            -- when the person signed in: the session ends 12 h later
    acted_at   bigint not null,            -- the last change: 30 min later the password is asked for again
    address    text,                       -- where they signed in from
    ended_at   bigint,                     -- set: signed out, or replaced
    changed_no bigint not null default 0
);

create index sessions_by_change on sessions (changed_no);
create index sessions_by_person on sessions (name_key, begun_at);

-- A use changes no index, and there is room in each page: a new version of a row stays on its page.
create table tokens (
    id         text   primary key,         -- its name in lists and in the audit log
    hash       text   not null unique,     -- SHA-256 of the secret
    role       text   not null,            -- join, viewer, admin, or node: a server's credential
    name       text   not null,            -- what it is for, or the server's name
    server_key text,                       -- for a server's credential: the server, in lower case
    made_at    bigint not null,
    made_by    text   not null,            -- who made it, or the token that enrolled the server
    maker      text,                       -- person NAME or token ID; null: a command, or a person without an account
    address    text,                       -- where it was made from
    expires_at bigint,
    used_at    bigint,                     -- to the minute
    revoked_at bigint,
    changed_no bigint not null default 0   -- a use does not change it
) with (fillfactor = 50);

create index tokens_by_change on tokens (changed_no);
create index tokens_by_server on tokens (server_key);
create index tokens_by_maker on tokens (maker);

-- People whom a product lets into a frame on its own pages: first by a one-time code, then by a session.
create table guests (
    id         text   primary key,         -- names the session to the product
    hash       text   not null unique,     -- SHA-256 of the code; once that is used, of the cookie's secret
    name       text   not null,            -- the person's name in the product
    rank       text   not null,            -- viewer or admin
    token_hash text   not null,            -- of the product's token: the session ends when it is revoked
    made_at    bigint not null,            -- when the code was made: it is valid for a minute
    begun_at   bigint,                     -- when the code was used: the session ends 12 h later
    acted_at   bigint not null,            -- the last change: 30 min later the session only looks
    ended_at   bigint,                     -- set: the product ended the session
    changed_no bigint not null default 0
);

create index guests_by_change on guests (changed_no);

-- Forms that created something: the same form again, as after a reload, creates nothing.
create table sent_forms (
    nonce   text   primary key,            -- SHA-256 of the random text in the form
    sent_at bigint not null
);

create table setup_code (
    id         integer primary key check (id = 1),
    hash       text    not null,           -- SHA-256 of the code that creates the first admin, once
    expires_at bigint  not null,
    changed_no bigint  not null default 0
);

create table audit (
    id         bigint generated always as identity primary key,  -- in the order in which things happened
    at         bigint not null,
    who        text   not null,            -- a person, a token's name, or a command on the machine itself
    proof      text   not null,            -- how they authenticated
    address    text,                       -- where from
    action     text   not null,
    target     text   not null,            -- what the action was done to
    outcome    text   not null,            -- done, or why not
    digest     text,                       -- SHA-256 of all but the times and the request: equal entries share a row
    repeated   bigint not null default 0,  -- how often the same happened again within an hour
    last_at    bigint,                     -- when it last did
    request_id text                        -- of the first of equal entries; null: a command on the machine itself
);

create index audit_by_time on audit (at);
create index audit_by_digest on audit (digest, at);

-- Only the count of an entry can change, and entries of the last 400 days cannot be deleted. `mark_at` says
-- what time it is.
create function audit_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at <= (select mark_at from cluster) - 34560000000 then
        return old;
    end if;
    if tg_op = 'UPDATE'
        and (new.id, new.at, new.who, new.proof, new.address, new.action, new.target, new.outcome, new.digest,
             new.request_id)
            is not distinct from
            (old.id, old.at, old.who, old.proof, old.address, old.action, old.target, old.outcome, old.digest,
             old.request_id)
    then
        return new;
    end if;
    raise exception 'the audit is append-only';
end $$;

create trigger audit_is_append_only before update or delete on audit
    for each row execute function audit_is_append_only();

create trigger audit_is_never_emptied before truncate on audit
    for each statement execute function audit_is_append_only();

-- Who may ask for what is read as it changes, not as a whole; what somebody made ends with them; and equal
-- entries of the audit share a row.

alter table people   add column changed_no bigint not null default 0;  -- which commit last changed the row
alter table people   add column removed_at bigint;                     -- set: may no longer sign in
alter table sessions add column changed_no bigint not null default 0;
alter table sessions add column ended_at   bigint;                     -- set: signed out, or replaced
alter table tokens   add column changed_no bigint not null default 0;  -- not changed by a use
alter table tokens   add column maker      text;                       -- person NAME or token ID; null: a command, or somebody else's sign-in
alter table guests   add column changed_no bigint not null default 0;
alter table guests   add column ended_at   bigint;                     -- set: their product ended the visit
alter table setup_code add column changed_no bigint not null default 0;

create index sessions_by_change on sessions (changed_no);
create index sessions_by_person on sessions (name_key, begun_at);
create index tokens_by_change on tokens (changed_no);
create index tokens_by_server on tokens (server_key);
create index tokens_by_maker on tokens (maker);
create index guests_by_change on guests (changed_no);
alter table tokens set (fillfactor = 50);  -- a use changes no index: the row stays where it is

alter table audit add column digest text;                           -- SHA-256 of all but the times: equal for equal entries
alter table audit add column repeated bigint not null default 0;    -- how often the same happened again within an hour
alter table audit add column last_at bigint;                        -- when it last did

create index audit_by_time on audit (at);
create index audit_by_digest on audit (digest, at);

-- Only the count of an entry may change.
create or replace function audit_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and old.at <= (select mark_at from cluster) - 34560000000 then
        return old;
    end if;
    if tg_op = 'UPDATE'
        and (new.id, new.at, new.who, new.proof, new.address, new.action, new.target, new.outcome, new.digest)
            is not distinct from
            (old.id, old.at, old.who, old.proof, old.address, old.action, old.target, old.outcome, old.digest)
    then
        return new;
    end if;
    raise exception 'the audit is append-only';
end $$;

-- Who may ask for what is read as it changes, not as a whole; what somebody made ends with them; and equal
-- entries of the audit share a row.

alter table people   add column changed_no integer not null default 0;  -- which commit last changed the row
alter table people   add column removed_at integer;                     -- set: may no longer sign in
alter table sessions add column changed_no integer not null default 0;
alter table sessions add column ended_at   integer;                     -- set: signed out, or replaced
alter table tokens   add column changed_no integer not null default 0;  -- not changed by a use
alter table tokens   add column maker      text;                        -- person NAME or token ID; null: a command, or somebody else's sign-in
alter table guests   add column changed_no integer not null default 0;
alter table guests   add column ended_at   integer;                     -- set: their product ended the visit
alter table setup_code add column changed_no integer not null default 0;

create index sessions_by_change on sessions (changed_no);
create index sessions_by_person on sessions (name_key, begun_at);
create index tokens_by_change on tokens (changed_no);
create index tokens_by_server on tokens (server_key);
create index tokens_by_maker on tokens (maker);
create index guests_by_change on guests (changed_no);

alter table audit add column digest text;                              -- SHA-256 of all but the times: equal for equal entries
alter table audit add column repeated integer not null default 0;      -- how often the same happened again within an hour
alter table audit add column last_at integer;                          -- when it last did

create index audit_by_time on audit (at);
create index audit_by_digest on audit (digest, at);

-- Only the count of an entry may change.
drop trigger audit_is_append_only;
create trigger audit_is_append_only
    before update of id, at, who, proof, address, action, target, outcome, digest on audit
begin
    select raise(abort, 'the audit is append-only');
end;

-- Which request an entry of the audit is about: its answer and its log lines name the same ID. Of equal entries that
-- share a row it is the first one's; a command on the machine itself has none.
alter table audit add column request_id text;

create or replace function audit_is_append_only() returns trigger language plpgsql as $$
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

-- Which request an entry of the audit is about: its answer and its log lines name the same ID. Of equal entries that
-- share a row it is the first one's; a command on the machine itself has none.
alter table audit add column request_id text;

drop trigger audit_is_append_only;
create trigger audit_is_append_only
    before update of id, at, who, proof, address, action, target, outcome, digest, request_id on audit
begin
    select raise(abort, 'the audit is append-only');
end;

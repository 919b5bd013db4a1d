-- A number alone does not identify a commit: after a restore the same numbers are given again. A random token
-- beside it does.

alter table cluster add column commit_token integer not null default 0;  -- of the last commit

-- The last commits: who knows one of them reads what came after it, anybody else reads everything.
create table commits (
    slot      integer primary key,  -- its number modulo 256
    commit_no integer not null,
    token     integer not null
) strict;

insert into commits (slot, commit_no, token)
select commit_no % 256, commit_no, commit_token from cluster;

create trigger commits_are_kept after update of commit_no on cluster when new.commit_no <> old.commit_no
begin
    insert or replace into commits (slot, commit_no, token)
    values (new.commit_no % 256, new.commit_no, new.commit_token);
end;

-- A number alone does not identify a commit: after a restore, or on a standby that lacked the last ones, the same
-- numbers are given again. A random token beside it does.

alter table cluster add column commit_token bigint not null default 0;  -- of the last commit

-- The last commits: who knows one of them reads what came after it, anybody else reads everything.
create table commits (
    slot      bigint primary key,  -- its number modulo 4096
    commit_no bigint not null,
    token     bigint not null
) with (fillfactor = 50);

insert into commits (slot, commit_no, token)
select commit_no % 4096, commit_no, commit_token from cluster;

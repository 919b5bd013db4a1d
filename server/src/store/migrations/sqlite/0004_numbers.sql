-- Which commit last changed what: whoever knows all up to one commit reads only what came after it.

alter table cluster add column settings_no   integer not null default 0;
alter table cluster add column references_no integer not null default 0;
alter table cluster add column spells_no     integer not null default 0;
alter table cluster add column keyring_no    integer not null default 0;
alter table cluster add column whole_no      integer not null default 0;  -- everything, as when all stamps moved

alter table components add column facts_no integer not null default 0;  -- more than its time
alter table components add column beat_no  integer not null default 0;  -- anything of it

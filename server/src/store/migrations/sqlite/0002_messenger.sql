-- The live channel to a service, as the web servers see it.

alter table components add column messenger text;  -- json: why it fails, since when, which port, who
                                                   -- saw it; null where none has been dialled

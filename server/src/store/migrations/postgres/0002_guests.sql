-- Whom products let in, into a frame: by a one-time code, then by a session.

create table guests (
    id         text primary key,      -- names it to the product that let them in
    hash       text not null unique,  -- SHA-256 of the code; once that is used, of the cookie's secret
    name       text not null,         -- the person's, as the product has it
    rank       text not null,         -- viewer or admin
    token_hash text not null,         -- of the product's token: they are out when it is revoked
    made_at    bigint not null,       -- when the code was made: it lets in for a minute
    begun_at   bigint,                -- when it was used: the session ends 12 h later
    acted_at   bigint not null        -- the last time they changed something: acting ends 30 min later
);

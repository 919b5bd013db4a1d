//! The HTTP contract, tested with a real listener and a real database.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the environment says how long to try whatever comes"
)]

mod add_server;
mod admin;
mod agent_health_probe;
mod audit_page;
mod authorization;
mod back_pressure;
mod blocking_work;
mod branding;
mod channel_pages;
mod channels;
mod csrf;
mod embeds;
mod enrolment;
mod error_pages;
mod export;
mod forms;
mod fuzz;
mod hang_ups;
mod harness;
mod headers;
mod heartbeats;
mod history;
mod hostile_clients;
mod http2;
mod incident_pages;
mod incidents;
mod invitations;
mod key_accept;
mod limits;
mod malformed;
mod many_servers;
mod messenger;
mod metrics;
mod not_found;
mod openapi;
mod overview;
mod people;
mod people_races;
mod plain_http;
mod proxied;
mod removals_page;
mod request_ids;
mod revocation;
mod several_web_servers;
mod sign_in;
mod stream;
mod tls;
mod unicode_names;

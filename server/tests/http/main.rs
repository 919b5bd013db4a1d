//! The HTTP contract, told against a real listener and a real database.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a helper fails the story")]
#![allow(
    clippy::disallowed_methods,
    reason = "the environment says how long to try whatever comes"
)]

mod accept;
mod admin;
mod any;
mod bad;
mod branding;
mod busy;
mod composed;
mod elsewhere;
mod embeds;
mod enrolment;
mod forms;
mod gate;
mod guard;
mod hang_ups;
mod harness;
mod headers;
mod heartbeats;
mod held_up;
mod hostile;
mod lasting;
mod limits;
mod many;
mod messenger;
mod metrics;
mod not_kept;
mod openapi;
mod overview;
mod pages;
mod probes;
mod proxied;
mod several;
mod sign_in;
mod stream;
mod tls;

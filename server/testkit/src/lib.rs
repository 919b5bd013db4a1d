//! What the tests and the measurements share: they start the real program, ask it over HTTP, and wait for what
//! must happen. Whatever fails here panics, and with it the story; then the logs of all processes that the
//! story started are printed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what fails in a helper fails the story"
)]
#![allow(clippy::disallowed_methods, reason = "the stories measure real processes")]

mod balancer;
mod client;
mod folder;
mod heartbeats;
mod overview;
mod postgres;
mod process;
mod raw;
mod senders;
mod serve;
mod wait;

pub use balancer::{Balancer, Fault};
pub use client::{Answer, agent, bearer, beat, config, get, send};
pub use folder::{Folder, folder, root, target};
pub use heartbeats::{BOOT, TOKEN, heartbeat, with};
pub use overview::{Overview, create_token};
#[cfg(feature = "databases")]
pub use postgres::postgres;
pub use postgres::{PgBouncer, Postgres};
pub use process::{Process, free_port, program, run, said};
pub use raw::{connect, exchange};
pub use senders::{Acknowledged, Senders, missing};
pub use serve::Serve;
pub use wait::{SOON, try_until_ok, wait_until, wait_until_ok};

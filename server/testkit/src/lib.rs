//! How do the tests and the benchmarks start the real program, send it requests, and wait for results? Whatever
//! fails here panics and fails the test; then the logs of all processes that the test started are printed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a failing helper fails the test"
)]
#![allow(clippy::disallowed_methods, reason = "the tests measure real processes")]

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
mod webhook_receiver;

pub use balancer::{Balancer, Fault};
pub use client::{Answer, agent, bearer_headers, client_config, get, send, send_heartbeat};
pub use folder::{Folder, folder, root, target};
pub use heartbeats::{BOOT, TOKEN, heartbeat, with_field};
pub use overview::{Overview, create_token};
#[cfg(feature = "databases")]
pub use postgres::postgres;
pub use postgres::{PgBouncer, Postgres};
pub use process::{Process, free_port, output_text, program, run};
pub use raw::{connect, exchange};
pub use senders::{Acknowledged, Senders, find_lost_heartbeat};
pub use serve::Serve;
pub use wait::{DEFAULT_TIMEOUT, try_until_ok, wait_until, wait_until_ok};
pub use webhook_receiver::{ReceivedMessage, WebhookReceiver};

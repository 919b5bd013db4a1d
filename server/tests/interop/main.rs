//! Does the overview work with other programs: agents and other senders of heartbeats, generated clients, monitoring
//! systems, and single sign-on?

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]
#![allow(clippy::disallowed_methods, reason = "the tests run real processes")]

mod agents;
mod api;
mod command_line;
mod files_from_windows;
mod files_that_change;
mod hostile_answers;
mod monitoring;
mod single_sign_on;
mod snippets;

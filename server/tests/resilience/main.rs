//! A real `serve` that is killed or loses what it needs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "the stories measure a real process and ask the environment how often to kill it"
)]

mod busy_disk;
mod cleanup;
mod clocks;
mod damage;
mod fail_over;
mod floods;
mod history;
mod kills;
mod limits;
mod long_log;
mod nginx;
mod notifications;
mod outages;
mod owners;
mod pgbouncer;
mod restored_history;
mod restores;
mod several;
mod slow_disk;
mod trouble;

//! What the service messenger makes of a real network: hosts with addresses of their own, in namespaces
//! of the kernel, with firewalls and cables that can be pulled.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]
#![allow(clippy::disallowed_methods, reason = "the tests measure real processes")]

mod cluster;
mod lines;
mod many;
mod names;
mod world;

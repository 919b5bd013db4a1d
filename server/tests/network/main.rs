//! How does the service messenger handle a real network? The hosts are network namespaces with their own addresses
//! and firewalls, and can be disconnected.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]
#![allow(clippy::disallowed_methods, reason = "the tests measure real processes")]

mod cluster;
mod lines;
mod many;
mod names;
mod virtual_network;

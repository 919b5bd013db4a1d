//! The HTTP contract, told against a real listener and a real database.

mod admin;
mod guard;
mod harness;
mod heartbeats;
mod overview;

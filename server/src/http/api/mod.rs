//! The API: one file for each kind of resource.

pub(crate) mod audit;
pub(crate) mod channels;
pub(crate) mod commands;
pub(crate) mod dto;
pub(crate) mod embeds;
pub(crate) mod enrolments;
pub(crate) mod health;
pub(crate) mod heartbeats;
pub(crate) mod history;
pub(crate) mod incidents;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod probe_failures;
pub(crate) mod reference_keys;
pub(crate) mod removals;
pub(crate) mod servers;
pub(crate) mod settings;
pub(crate) mod stream;
pub(crate) mod tokens;
mod webhook;

//! `/api/v1/openapi.json` is complete and correct.

mod checker;
mod document;
mod embeds;
mod people;
mod schemas;
mod statuses;
mod webhook;

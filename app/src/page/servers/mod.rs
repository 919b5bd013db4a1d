//! The servers: the toolbar, the table and its rows.

pub(crate) mod columns;
mod hint_link;
pub(crate) mod list;
pub(crate) mod model;
pub(crate) mod row_cache;
pub(crate) mod row_signals;
mod search;
pub(crate) mod toolbar;
pub(crate) mod view;
mod visibility;

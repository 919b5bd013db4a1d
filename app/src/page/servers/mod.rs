//! The servers: the toolbar, the table and its rows.

pub(crate) mod chunks;
pub(crate) mod columns;
mod groups;
mod hint_link;
pub(crate) mod list;
pub(crate) mod listing;
pub(crate) mod map;
pub(crate) mod model;
mod nearness;
pub(crate) mod row_cache;
mod search;
pub(crate) mod toolbar;
pub(crate) mod view;

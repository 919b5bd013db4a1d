//! The headers of trusted proxies: where a request comes from, and which user the product has signed in.

pub(crate) mod forwarded;
pub mod trusted;
pub(crate) mod unnamed;
pub(crate) mod unreadable;
pub mod user_headers;

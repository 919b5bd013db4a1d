//! What happens to every request before its handler, and to every answer after it.

pub(crate) mod authorize;
pub(crate) mod csrf;
pub(crate) mod error_pages;
pub(crate) mod metrics;
mod rejection;
pub(crate) mod security_headers;

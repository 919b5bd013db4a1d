//! The one door between the page and the server.

use crate::api::{News, Picture, Site};

/// What the page asks of a server.
pub trait Backend: Send + Sync + 'static {
    /// The whole picture.
    fn picture(&self) -> Picture;
    /// What changed since a cursor.
    fn since(&self, cursor: &str) -> News;
    /// Where the page lives.
    fn site(&self) -> Site;
}

//! The one door between the page and the server.

use std::future::Future;
use std::pin::Pin;

use crate::api::{Command, News, Outcome, Picture};

/// What the page asks of a server.
pub trait Backend: Send + Sync + 'static {
    /// The whole picture, as an address with this query shows it.
    fn picture(&self, query: &str) -> Picture;
    /// What changed since a cursor.
    fn since<'a>(&'a self, cursor: &'a str) -> Pin<Box<dyn Future<Output = News> + Send + 'a>>;
    /// Does what an admin wants.
    fn act(&self, command: Command) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>>;
}

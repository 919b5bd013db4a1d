//! The two server functions of the page, and what they ask of a server.

#[cfg(feature = "ssr")]
use std::future::Future;
#[cfg(feature = "ssr")]
use std::pin::Pin;

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::protocol::{CallError, Command, CommandResult, OverviewDelta};

/// What the page asks of a server.
#[cfg(feature = "ssr")]
pub trait Backend: Send + Sync + 'static {
    /// What changed since a cursor.
    fn since<'a>(
        &'a self,
        cursor: &'a str,
    ) -> Pin<Box<dyn Future<Output = OverviewDelta> + Send + 'a>>;
    /// Does what an admin wants.
    fn act(&self, command: Command) -> Pin<Box<dyn Future<Output = CommandResult> + Send + '_>>;
}

/// What changed since `cursor`.
#[server(prefix = "/fn", endpoint = "overview", input = Json)]
pub async fn overview(cursor: String) -> Result<OverviewDelta, CallError> {
    let backend = backend()?;
    Ok(backend.since(&cursor).await)
}

/// Does what an admin wants, or says why not.
#[server(prefix = "/fn", endpoint = "act", input = Json)]
pub async fn act(command: Command) -> Result<CommandResult, CallError> {
    let backend = backend()?;
    Ok(backend.act(command).await)
}

/// The server's half of the door.
#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, CallError> {
    let detail = || "the page was nested without its backend".to_owned();
    use_context().ok_or_else(|| CallError { reason: String::new(), detail: detail() })
}

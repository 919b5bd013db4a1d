//! The two server functions of the page, and the trait that a server implements for them.

#[cfg(feature = "ssr")]
use std::future::Future;
#[cfg(feature = "ssr")]
use std::pin::Pin;

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::packed::Packed;
use crate::protocol::{CallError, Command, CommandResult, OverviewDelta};

#[cfg(feature = "ssr")]
pub trait Backend: Send + Sync + 'static {
    /// The changes since a cursor.
    fn since<'a>(
        &'a self,
        cursor: &'a str,
    ) -> Pin<Box<dyn Future<Output = OverviewDelta> + Send + 'a>>;
    /// Runs a command.
    fn act(&self, command: Command) -> Pin<Box<dyn Future<Output = CommandResult> + Send + '_>>;
}

/// The changes since `cursor`.
#[server(prefix = "/fn", endpoint = "overview", input = Json, output = Packed)]
pub async fn overview(cursor: String) -> Result<OverviewDelta, CallError> {
    let backend = backend()?;
    Ok(backend.since(&cursor).await)
}

/// Runs a command of an admin.
#[server(prefix = "/fn", endpoint = "act", input = Json, output = Packed)]
pub async fn act(command: Command) -> Result<CommandResult, CallError> {
    let backend = backend()?;
    Ok(backend.act(command).await)
}

/// The backend of the current request.
#[cfg(feature = "ssr")]
fn backend() -> Result<std::sync::Arc<dyn Backend>, CallError> {
    let detail = || "the page was nested without its backend".to_owned();
    use_context().ok_or_else(|| CallError { reason: String::new(), detail: detail() })
}

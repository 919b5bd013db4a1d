//! Renders pages on threads for blocking work, a few at the same time, because the page of a large cluster takes long.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::http::single_flight::on_blocking_thread;

/// Renders as many pages at the same time as there are processors. Clones share the limit.
#[derive(Clone, Debug)]
pub(crate) struct RenderPool(Arc<Semaphore>);

impl Default for RenderPool {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from))))
    }
}

impl RenderPool {
    /// Renders a page, always to its end, even if the client has gone.
    pub(crate) async fn run<Rendered>(
        &self,
        render: impl FnOnce() -> Rendered + Send + 'static,
    ) -> Rendered::Output
    where
        Rendered: Future<Output: Send + 'static>,
    {
        // The semaphore is never closed.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        let runtime = Handle::current();
        on_blocking_thread(move || {
            let _permit = permit;
            runtime.block_on(render())
        })
        .await
    }
}

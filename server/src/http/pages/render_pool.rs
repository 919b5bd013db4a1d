//! Where pages are rendered: on threads for blocking work, a few at once. A page of a large cluster takes long, and the
//! threads that answer requests have others to answer meanwhile.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::http::single_flight::on_blocking_thread;

/// Renders as many pages at once as there are processors; the others wait.
#[derive(Debug)]
pub(crate) struct RenderPool(Arc<Semaphore>);

impl Default for RenderPool {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(available_parallelism().map_or(1, usize::from))))
    }
}

impl RenderPool {
    /// What comes of this rendering. It goes on to its end, and keeps its place until then, though who asked for it has
    /// gone.
    pub(crate) async fn run<Rendered>(
        &self,
        render: impl FnOnce() -> Rendered + Send + 'static,
    ) -> Rendered::Output
    where
        Rendered: Future<Output: Send + 'static>,
    {
        // Nobody closes it: an error would mean no more than that everybody renders at once.
        let place = Arc::clone(&self.0).acquire_owned().await.ok();
        let runtime = Handle::current();
        on_blocking_thread(move || {
            let _place = place;
            runtime.block_on(render())
        })
        .await
    }
}

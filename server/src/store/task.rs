//! How does work run to its end although its caller goes away?

use tokio::task::JoinHandle;
use tracing::Instrument as _;

/// Spawns `work` as a task; the returned future waits for it. If the caller goes away (a client disconnects, a
/// request times out), only that future is dropped, and the task continues.
///
/// A panic in `work` is resumed in the caller. While the runtime shuts down, the future stays pending.
pub(crate) fn run_to_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send {
    result_of(tokio::spawn(work.in_current_span()))
}

/// Begins `work` on a thread for work that keeps a core busy; the returned future waits for it. Panics and a shutdown are as with
/// [`run_to_end`].
pub(crate) fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    result_of(tokio::task::spawn_blocking(work))
}

async fn result_of<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_the_caller_goes_away() {
        let (started, finish, finished) = <(Arc<Notify>, Arc<Notify>, Arc<Notify>)>::default();
        let work = {
            let (started, finish, finished) = (started.clone(), finish.clone(), finished.clone());
            async move {
                started.notify_one();
                finish.notified().await;
                finished.notify_one();
            }
        };
        let caller = tokio::spawn(run_to_end(work));
        started.notified().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        finish.notify_one();
        tokio::time::timeout(Duration::from_secs(5), finished.notified()).await.unwrap();
    }
}

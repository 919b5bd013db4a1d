//! Work that runs to its end, whatever becomes of the caller that waits for it.

use tracing::Instrument as _;

/// Starts `work` in a task of its own; the returned future waits for it. A caller that goes away (a client
/// hangs up, a request runs out of time) drops only the waiting: the work goes on to its end.
///
/// A panic in `work` is passed on to the caller. While the runtime shuts down, the wait never ends.
pub(crate) fn run_to_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> + Send {
    let task = tokio::spawn(work.in_current_span());
    async {
        match task.await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_cancelled) => std::future::pending().await,
            },
        }
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

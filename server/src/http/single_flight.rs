//! Computes an expensive value once for all callers that wait for it, on a thread for blocking work.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use crate::clock::Stopwatch;

/// The running computation, if there is one, and its callers.
#[derive(Debug)]
pub(crate) struct SingleFlight<T> {
    /// The last value and when its computation began, while callers wait. Locked during a computation.
    last: Arc<Mutex<Option<(Stopwatch, T)>>>,
    waiting: AtomicUsize,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { last: Arc::default(), waiting: AtomicUsize::new(0) }
    }
}

/// A waiting caller. The last one drops the value.
struct Waiter<'a, T>(&'a SingleFlight<T>);

impl<'a, T> Waiter<'a, T> {
    fn new(flight: &'a SingleFlight<T>) -> Self {
        flight.waiting.fetch_add(1, Ordering::Relaxed);
        Self(flight)
    }
}

impl<T> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        if self.0.waiting.fetch_sub(1, Ordering::Relaxed) == 1
            && let Ok(mut last) = self.0.last.try_lock()
        {
            *last = None;
        }
    }
}

impl<T: Clone + Send + 'static> SingleFlight<T> {
    /// Returns a value whose computation began after this call, so that the caller sees everything that it has seen before. One
    /// computation runs at a time. It is finished for the other callers even if the one that started it has gone.
    pub(crate) async fn run(&self, compute: impl FnOnce() -> T + Send + 'static) -> T {
        let called = Stopwatch::start();
        let _waiter = Waiter::new(self);
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((began, value)) = &*last {
            let since_call = called.elapsed();
            if began.elapsed() <= since_call {
                return value.clone();
            }
        }
        on_blocking_thread(move || {
            let began = Stopwatch::start();
            let value = compute();
            *last = Some((began, value.clone()));
            value
        })
        .await
    }
}

/// Runs work that takes long on a thread for blocking work, always to its end.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let span = tracing::Span::current();
    let result = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    match result.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(value) => value,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime is shutting down.
        Err(Err(_)) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Counts computations.
    #[derive(Clone, Default)]
    struct Count(Arc<AtomicU32>);

    impl Count {
        fn computed(&self) -> u32 {
            self.0.load(Ordering::SeqCst)
        }

        /// A computation that waits for a message.
        fn blocked(&self, go: mpsc::Receiver<()>) -> impl FnOnce() -> u32 + Send + 'static {
            let count = Arc::clone(&self.0);
            move || {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                go.recv_timeout(Duration::from_secs(30)).unwrap();
                number
            }
        }

        fn unblocked(&self) -> impl FnOnce() -> u32 + Send + 'static {
            let count = Arc::clone(&self.0);
            move || count.fetch_add(1, Ordering::SeqCst) + 1
        }
    }

    async fn wait_until(holds: impl Fn() -> bool) {
        tokio::time::timeout(Duration::from_secs(30), async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn all_callers_during_a_computation_share_the_next_one() {
        let (flight, count) = (Arc::new(SingleFlight::default()), Count::default());
        let (go, gate) = mpsc::channel();
        let (one, first) = (Arc::clone(&flight), count.blocked(gate));
        let first = tokio::spawn(async move { one.run(first).await });
        wait_until(|| count.computed() == 1).await;
        let others: Vec<_> = (0..20)
            .map(|_| {
                let (flight, compute) = (Arc::clone(&flight), count.unblocked());
                tokio::spawn(async move { flight.run(compute).await })
            })
            .collect();
        wait_until(|| flight.waiting.load(Ordering::SeqCst) == 21).await;
        go.send(()).unwrap();
        assert_eq!(first.await.unwrap(), 1);
        for other in others {
            assert_eq!(other.await.unwrap(), 2, "the first began before they called");
        }
        assert_eq!(count.computed(), 2);
    }

    #[tokio::test]
    async fn a_cancelled_caller_stops_no_computation_and_delays_nobody() {
        let (flight, count) = (Arc::new(SingleFlight::default()), Count::default());
        let (go, gate) = mpsc::channel();
        let (one, first) = (Arc::clone(&flight), count.blocked(gate));
        let first = tokio::spawn(async move { one.run(first).await });
        wait_until(|| count.computed() == 1).await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let (two, second) = (Arc::clone(&flight), count.unblocked());
        let second = tokio::spawn(async move { two.run(second).await });
        wait_until(|| flight.waiting.load(Ordering::SeqCst) == 1).await;
        assert_eq!(count.computed(), 1, "one runs at a time");
        go.send(()).unwrap();
        assert_eq!(second.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_value_is_dropped_when_no_caller_waits_for_it() {
        let (flight, count) = (SingleFlight::default(), Count::default());
        assert_eq!(flight.run(count.unblocked()).await, 1);
        assert!(flight.last.lock().await.is_none());
        assert_eq!(flight.run(count.unblocked()).await, 2, "an old value is never returned");
    }
}

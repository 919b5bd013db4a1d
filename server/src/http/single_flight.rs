//! Computes an expensive value once for all who wait for it, on a thread for blocking work.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Mutex;

use crate::clock::Stopwatch;

/// The running computation, if there is one, and who waits for it.
#[derive(Debug)]
pub(crate) struct SingleFlight<T> {
    /// The last value and when its computation began, while somebody waits. Locked during a computation.
    last: Arc<Mutex<Option<(Stopwatch, T)>>>,
    waiting: AtomicUsize,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self { last: Arc::default(), waiting: AtomicUsize::new(0) }
    }
}

/// A caller that waits. The last one drops the value.
struct Waiter<'a, T>(&'a SingleFlight<T>);

impl<'a, T> Waiter<'a, T> {
    fn of(flight: &'a SingleFlight<T>) -> Self {
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
    /// A value whose computation began after this was called, so that the caller sees in it all that it has seen
    /// before. One computation runs at a time; it goes on for the others, though who began it has gone.
    pub(crate) async fn run(&self, compute: impl FnOnce() -> T + Send + 'static) -> T {
        let asked = Stopwatch::start();
        let _waiter = Waiter::of(self);
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((began, value)) = &*last {
            let ago = asked.elapsed();
            if began.elapsed() <= ago {
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

/// What comes of work that takes long, done to its end on a thread for blocking work.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let span = tracing::Span::current();
    let done = tokio::task::spawn_blocking(move || span.in_scope(work)).await;
    match done.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(value) => value,
        Err(Ok(panic)) => resume_unwind(panic),
        // The process ends.
        Err(Err(_)) => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Computations that can be counted, and that end when they are told to.
    #[derive(Clone, Default)]
    struct Count(Arc<AtomicU32>);

    impl Count {
        fn computed(&self) -> u32 {
            self.0.load(Ordering::SeqCst)
        }

        /// A computation of the number it is, which waits for a message.
        fn waits(&self, go: mpsc::Receiver<()>) -> impl FnOnce() -> u32 + Send + 'static {
            let count = Arc::clone(&self.0);
            move || {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                go.recv_timeout(Duration::from_secs(30)).unwrap();
                number
            }
        }

        fn passes(&self) -> impl FnOnce() -> u32 + Send + 'static {
            let count = Arc::clone(&self.0);
            move || count.fetch_add(1, Ordering::SeqCst) + 1
        }
    }

    async fn until(holds: impl Fn() -> bool) {
        tokio::time::timeout(Duration::from_secs(30), async {
            while !holds() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn all_who_ask_during_a_computation_share_the_next_one() {
        let (flight, count) = (Arc::new(SingleFlight::default()), Count::default());
        let (go, gate) = mpsc::channel();
        let (one, first) = (Arc::clone(&flight), count.waits(gate));
        let first = tokio::spawn(async move { one.run(first).await });
        until(|| count.computed() == 1).await;
        let others: Vec<_> = (0..20)
            .map(|_| {
                let (flight, compute) = (Arc::clone(&flight), count.passes());
                tokio::spawn(async move { flight.run(compute).await })
            })
            .collect();
        until(|| flight.waiting.load(Ordering::SeqCst) == 21).await;
        go.send(()).unwrap();
        assert_eq!(first.await.unwrap(), 1);
        for other in others {
            assert_eq!(other.await.unwrap(), 2, "the first began before they asked");
        }
        assert_eq!(count.computed(), 2);
    }

    #[tokio::test]
    async fn who_hangs_up_stops_no_computation_and_holds_up_nobody() {
        let (flight, count) = (Arc::new(SingleFlight::default()), Count::default());
        let (go, gate) = mpsc::channel();
        let (one, first) = (Arc::clone(&flight), count.waits(gate));
        let first = tokio::spawn(async move { one.run(first).await });
        until(|| count.computed() == 1).await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let (two, second) = (Arc::clone(&flight), count.passes());
        let second = tokio::spawn(async move { two.run(second).await });
        until(|| flight.waiting.load(Ordering::SeqCst) == 1).await;
        assert_eq!(count.computed(), 1, "one runs at a time");
        go.send(()).unwrap();
        assert_eq!(second.await.unwrap(), 2);
    }

    #[tokio::test]
    async fn a_value_is_forgotten_when_nobody_waits_for_it() {
        let (flight, count) = (SingleFlight::default(), Count::default());
        assert_eq!(flight.run(count.passes()).await, 1);
        assert!(flight.last.lock().await.is_none());
        assert_eq!(flight.run(count.passes()).await, 2, "and nobody is given an old one");
    }
}

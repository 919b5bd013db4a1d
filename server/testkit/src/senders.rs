//! Services that keep sending heartbeats, even while the overview is down, and the acknowledged heartbeats.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::client::{agent, send_heartbeat};

/// The pause before a retry. A real agent waits longer.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// When the last acknowledged heartbeat of each server was received, as the overview said.
pub type Acknowledged = BTreeMap<String, String>;

/// Services, each a thread. They stop on drop.
#[derive(Debug)]
pub struct Senders {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    count: AtomicU64,
    acknowledged: Mutex<Acknowledged>,
}

impl Senders {
    /// Starts a sender for each server. It pauses after each response.
    pub fn start(
        heartbeats_url: &str,
        servers: impl IntoIterator<Item = String>,
        pause: Duration,
        first_sequence: u64,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let start = |server: String| {
            let (url, shared) = (heartbeats_url.to_owned(), Arc::clone(&shared));
            thread::spawn(move || shared.send(&url, &server, pause, first_sequence))
        };
        let threads = servers.into_iter().map(start).collect();
        Self { shared, threads }
    }

    pub fn acknowledged(&self) -> Acknowledged {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    /// How many heartbeats have been acknowledged.
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Stops each sender after its next response, without waiting for it: the overview may be suspended.
    pub fn ask_to_stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Stops all senders and returns what was acknowledged.
    pub fn stop(self) -> Acknowledged {
        let shared = Arc::clone(&self.shared);
        drop(self);
        shared.acknowledged.lock().unwrap().clone()
    }
}

impl Shared {
    fn send(&self, url: &str, server: &str, pause: Duration, first_sequence: u64) {
        let agent = agent();
        let mut sequence = first_sequence;
        while !self.stop.load(Ordering::Relaxed) {
            match send_heartbeat(&agent, url, server, sequence) {
                Some((200, Some(at))) => {
                    self.acknowledged.lock().unwrap().insert(server.to_owned(), at);
                    self.count.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(pause);
                }
                _ => thread::sleep(RETRY_PAUSE.max(pause)),
            }
            sequence += 1;
        }
    }
}

impl Drop for Senders {
    fn drop(&mut self) {
        self.ask_to_stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Describes a heartbeat that was acknowledged before the picture was read, but is not in it; `None` if there is
/// none.
pub fn find_lost_heartbeat(acknowledged: &Acknowledged, picture: &Value) -> Option<String> {
    let servers = picture["servers"].as_array().into_iter().flatten();
    let known: BTreeMap<&str, &str> = servers
        .filter_map(|server| {
            let last = &server["components"][0]["last_heartbeat"];
            Some((server["name"].as_str()?, last.as_str()?))
        })
        .collect();
    acknowledged.iter().find_map(|(server, at)| match known.get(server.as_str()) {
        None => Some(format!("{server} was acknowledged, but is not in the picture")),
        Some(last) if *last < at.as_str() => {
            Some(format!("{server}: acknowledged at {at}, but the picture has {last}"))
        }
        Some(_) => None,
    })
}

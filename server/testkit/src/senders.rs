//! Services that beat on, whatever becomes of the overview, and what was acknowledged of it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::client::{agent, beat};

/// How soon to try again when nobody is there. A real agent waits longer.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// The last acknowledged heartbeat of each server: when the overview says that it came.
pub type Acknowledged = BTreeMap<String, String>;

/// Services, each a thread. They fall silent with this value.
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
    /// Starts them; each waits so long after an answer. They begin with this sequence.
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

    /// What has been acknowledged so far.
    pub fn acknowledged(&self) -> Acknowledged {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    /// How many heartbeats have been acknowledged.
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Has each fall silent after its next answer. The overview may be asleep.
    pub fn ask_to_stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Has them fall silent; what has been acknowledged.
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
            match beat(&agent, url, server, sequence) {
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

/// What a picture lacks of what had been acknowledged before it was asked for; `None` if it has everything.
pub fn missing(acknowledged: &Acknowledged, picture: &Value) -> Option<String> {
    let servers = picture["servers"].as_array().into_iter().flatten();
    let known: BTreeMap<&str, &str> = servers
        .filter_map(|server| {
            let last = &server["components"][0]["last_heartbeat"];
            Some((server["name"].as_str()?, last.as_str()?))
        })
        .collect();
    acknowledged.iter().find_map(|(server, at)| match known.get(server.as_str()) {
        None => Some(format!("{server} was acknowledged and is not there")),
        Some(last) if *last < at.as_str() => {
            Some(format!("{server}: acknowledged at {at}, the picture says {last}"))
        }
        Some(_) => None,
    })
}

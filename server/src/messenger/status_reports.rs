//! Writes the state of each service's messenger to the database, as this web server finds it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::cluster::ComponentKey;
use tokio::sync::Notify;

use crate::live::LiveState;
use crate::messenger::dialer::{DialOutcome, locked};
use crate::store::MessengerReport;
use crate::telemetry::log_limit::LogLimits;

/// How long to collect reports before they are written together.
const COLLECT_TIME: Duration = Duration::from_millis(50);

/// The reports that are not written yet.
#[derive(Debug)]
pub(super) struct StatusReports {
    live: Arc<LiveState>,
    unwritten: Mutex<BTreeMap<ComponentKey, MessengerReport>>,
    changed: Notify,
    failures: LogLimits<()>,
}

impl StatusReports {
    pub(super) fn new(live: Arc<LiveState>) -> Self {
        Self {
            live,
            unwritten: Mutex::default(),
            changed: Notify::new(),
            failures: LogLimits::default(),
        }
    }

    /// `None`: this web server no longer dials the service.
    pub(super) fn add(&self, key: &ComponentKey, outcome: Option<DialOutcome>) {
        let report = MessengerReport { key: key.clone(), outcome };
        locked(&self.unwritten).insert(key.clone(), report);
        self.changed.notify_one();
    }

    /// Writes reports until it is dropped. While the database is unavailable it waits.
    pub(super) async fn run_writer(&self, web_server: &str) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(COLLECT_TIME).await;
            self.live.wait_until_readable().await;
            self.write(web_server).await;
        }
    }

    pub(super) async fn write(&self, web_server: &str) {
        // They stay in the map until they are written: this future may be dropped.
        let reports = locked(&self.unwritten).clone();
        if reports.is_empty() {
            return;
        }
        let written =
            self.live.note_messengers(reports.values().cloned().collect(), web_server.to_owned());
        match written.await {
            Ok(()) => locked(&self.unwritten).retain(|key, now| reports.get(key) != Some(now)),
            Err(error) => {
                if let Some(left_out) = self.failures.check(()) {
                    tracing::warn!(%error, left_out, "cannot write the state of the messengers; trying again");
                }
                self.changed.notify_one();
            }
        }
    }
}

//! One simulated component: sends heartbeats like a real one, with the faults of the timeline.

use std::mem;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use app::cluster::{Boot, ComponentKey, Heartbeat, Role, ServerName};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock;
use crate::demo::fault::Fault;
use crate::demo::servers::{SECOND_MACHINE_ADDRESS, SimServer};
use crate::demo::timeline;
use crate::ingest::Ingest;

/// How long to wait before the second heartbeat, and after one that was rejected.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// Lives for one round.
#[derive(Debug)]
pub(super) struct SimNode {
    server: &'static SimServer,
    /// What it reports when nothing is wrong.
    base: Heartbeat,
    /// A temporary server has none while it is not there.
    faults: Vec<Fault>,
    process: SimProcess,
    /// On a second machine with the same name.
    second_process: SimProcess,
    intake: Ingest,
}

/// One start of the process, and the address of its machine.
#[derive(Debug)]
struct SimProcess {
    boot_id: String,
    sequence: i64,
    ip: IpAddr,
}

impl SimProcess {
    fn at(ip: IpAddr) -> Self {
        Self { boot_id: uuid::Uuid::new_v4().hyphenated().to_string(), sequence: 0, ip }
    }
}

impl SimNode {
    /// A component as it is when a round begins.
    ///
    /// # Errors
    /// What is wrong with the server's name.
    pub(super) fn new(
        server: &'static SimServer,
        role: Role,
        intake: Ingest,
    ) -> Result<Self, String> {
        let name = ServerName::parse(server.name)?;
        Ok(Self {
            server,
            base: server.heartbeat(name, role),
            faults: timeline::faults(server.name, role, 0),
            process: SimProcess::at(server.ip),
            second_process: SimProcess::at(SECOND_MACHINE_ADDRESS),
            intake,
        })
    }

    pub(super) fn key(&self) -> ComponentKey {
        self.base.key()
    }

    /// Its process is one that has sent heartbeats before.
    pub(super) fn resume(&mut self, boot: &Boot) {
        self.process.boot_id.clone_from(&boot.id);
        self.process.sequence = boot.sequence;
    }

    /// The heartbeat with which the round begins; `None` if it is not there yet.
    pub(super) fn first_heartbeat(&mut self) -> Option<Heartbeat> {
        self.is_there().then(|| self.heartbeat(false))
    }

    /// Sends heartbeats and follows the seconds of the round until there are no more.
    pub(super) async fn run(mut self, mut seconds: watch::Receiver<u32>) {
        let mut wait = pin!(sleep(DEFAULT_INTERVAL));
        loop {
            let heartbeat = tokio::select! {
                changed = seconds.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let second = *seconds.borrow_and_update();
                    self.apply(second)
                }
                () = &mut wait, if self.is_sending() => Some(self.heartbeat(false)),
            };
            if let Some(heartbeat) = heartbeat {
                let taken = self.intake.submit(vec![heartbeat]).await;
                wait.set(sleep(taken.map_or(DEFAULT_INTERVAL, |taken| taken.next_in())));
            }
        }
    }

    fn is_there(&self) -> bool {
        self.server.permanent || !self.faults.is_empty()
    }

    fn is_sending(&self) -> bool {
        self.is_there() && !self.faults.iter().any(|fault| fault.is_silent())
    }

    /// Applies the faults of this second. Returns a heartbeat if one has to be sent at once.
    fn apply(&mut self, second: u32) -> Option<Heartbeat> {
        let faults = timeline::faults(self.server.name, self.base.role, second);
        let before = mem::replace(&mut self.faults, faults);
        let begun: Vec<&Fault> =
            self.faults.iter().filter(|fault| !before.contains(fault)).collect();
        let appears = !self.server.permanent && before.is_empty() && self.is_there();
        let restarts = appears
            || self.faults.iter().any(|fault| fault.restarts_at(second))
            || begun.iter().any(|fault| fault.begins_with_restart())
            || before.iter().any(|fault| fault.ends_with_restart() && !self.faults.contains(fault));
        let stops = begun.contains(&&Fault::Stopped);
        let is_heard = stops
            || self.faults.iter().any(|fault| fault.is_heard_at(second))
            || (self.is_sending() && (restarts || self.faults != before));
        if restarts {
            self.process = SimProcess::at(self.server.ip);
            self.second_process = SimProcess::at(SECOND_MACHINE_ADDRESS);
        }
        is_heard.then(|| self.heartbeat(stops))
    }

    fn heartbeat(&mut self, leaving: bool) -> Heartbeat {
        if self.faults.contains(&Fault::SecondMachine) {
            mem::swap(&mut self.process, &mut self.second_process);
        }
        self.process.sequence += 1;
        let mut heartbeat = Heartbeat {
            boot_id: self.process.boot_id.clone(),
            sequence: self.process.sequence,
            sent_at: Some(clock::wall()),
            leaving,
            ..self.base.clone()
        };
        heartbeat.facts.ip = self.process.ip.into();
        for fault in &self.faults {
            fault.apply_to(&mut heartbeat);
        }
        heartbeat
    }
}

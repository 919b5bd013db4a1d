//! One simulated component: sends heartbeats like a real one, with the faults of the timeline.

use std::mem;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use app::cluster::{Heartbeat, Role, ServerName};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock;
use crate::demo::Tick;
use crate::demo::servers::{SECOND_MACHINE_ADDRESS, SimServer};
use crate::demo::timeline::{self, Fault};
use crate::ingest::Ingest;

/// How long to wait before the second heartbeat, and after one that was rejected.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct SimNode {
    server: &'static SimServer,
    /// What it reports when nothing is wrong.
    base: Heartbeat,
    faults: Vec<Fault>,
    round: u64,
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
    /// # Errors
    /// What is wrong with the server's name.
    pub(super) fn new(
        server: &'static SimServer,
        role: Role,
        intake: Ingest,
    ) -> Result<Self, String> {
        let name = ServerName::parse(server.server)?;
        Ok(Self {
            server,
            base: server.heartbeat(name, role),
            faults: timeline::faults(server.server, role, Tick::FIRST.second),
            round: Tick::FIRST.round,
            process: SimProcess::at(server.ip),
            second_process: SimProcess::at(SECOND_MACHINE_ADDRESS),
            intake,
        })
    }

    pub(super) fn first_heartbeat(&mut self) -> Heartbeat {
        self.heartbeat(false)
    }

    /// Sends heartbeats and follows the ticks until there are no more.
    pub(super) async fn run(mut self, mut ticks: watch::Receiver<Tick>) {
        let mut wait = pin!(sleep(DEFAULT_INTERVAL));
        loop {
            let heartbeat = tokio::select! {
                changed = ticks.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let tick = *ticks.borrow_and_update();
                    self.apply(tick)
                }
                () = &mut wait, if self.is_sending() => Some(self.heartbeat(false)),
            };
            if let Some(heartbeat) = heartbeat {
                let taken = self.intake.submit(vec![heartbeat]).await;
                wait.set(sleep(taken.map_or(DEFAULT_INTERVAL, |taken| taken.next_in())));
            }
        }
    }

    fn is_sending(&self) -> bool {
        !self.faults.iter().any(|fault| fault.is_silent())
    }

    /// Applies the faults of this second. Returns a heartbeat if one has to be sent at once.
    fn apply(&mut self, tick: Tick) -> Option<Heartbeat> {
        let faults = timeline::faults(self.server.server, self.base.role, tick.second);
        let is_new_round = tick.round != self.round;
        if !is_new_round && faults == self.faults {
            return None;
        }
        self.round = tick.round;
        let before = mem::replace(&mut self.faults, faults);
        let restarts = is_new_round
            || before.iter().any(|fault| fault.ends_with_restart())
            || self.faults.iter().any(|fault| fault.begins_with_restart());
        if restarts {
            self.process = SimProcess::at(self.server.ip);
            self.second_process = SimProcess::at(SECOND_MACHINE_ADDRESS);
        }
        let stops = self.faults.contains(&Fault::Stopped) && !before.contains(&Fault::Stopped);
        (restarts || stops || self.is_sending()).then(|| self.heartbeat(stops))
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

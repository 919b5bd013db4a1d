//! How one component of the demo beats: like a real node, but for what the script wants of it.

use std::mem;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use app::cluster::{Heartbeat, Role, ServerName};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock;
use crate::demo::Tick;
use crate::demo::servers::{SimServer, TWINS_ADDRESS};
use crate::demo::timeline::{self, Fault};
use crate::ingest::Ingest;

/// How long to wait where no answer says it: after the first heartbeat, and after one not taken.
const UNTOLD: Duration = Duration::from_secs(1);

/// One component.
#[derive(Debug)]
pub(super) struct Node {
    member: &'static SimServer,
    /// What it says on a good day.
    usually: Heartbeat,
    twists: Vec<Fault>,
    round: u64,
    start: Start,
    /// The other machine of its name, which is up only while the script has one.
    twin: Start,
    intake: Ingest,
}

/// One start of its process, and where it runs.
#[derive(Debug)]
struct Start {
    boot_id: String,
    sequence: i64,
    ip: IpAddr,
}

impl Start {
    fn at(ip: IpAddr) -> Self {
        Self { boot_id: uuid::Uuid::new_v4().hyphenated().to_string(), sequence: 0, ip }
    }
}

impl Node {
    /// A component that has not started yet. The error is the rest of "its name …".
    pub(super) fn new(
        member: &'static SimServer,
        role: Role,
        intake: Ingest,
    ) -> Result<Self, String> {
        let name = ServerName::parse(member.server)?;
        Ok(Self {
            member,
            usually: member.heartbeat(name, role),
            twists: timeline::twists(member.server, role, Tick::FIRST.second),
            round: Tick::FIRST.round,
            start: Start::at(member.ip),
            twin: Start::at(TWINS_ADDRESS),
            intake,
        })
    }

    /// Its very first heartbeat.
    pub(super) fn arrive(&mut self) -> Heartbeat {
        self.heartbeat(false)
    }

    /// Follows the cues for as long as there are any, and beats in between.
    pub(super) async fn live(mut self, mut cues: watch::Receiver<Tick>) {
        let mut pause = pin!(sleep(UNTOLD));
        loop {
            let heartbeat = tokio::select! {
                changed = cues.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let cue = *cues.borrow_and_update();
                    self.follow(cue)
                }
                () = &mut pause, if self.is_beating() => Some(self.heartbeat(false)),
            };
            if let Some(heartbeat) = heartbeat {
                let taken = self.intake.take(vec![heartbeat]).await;
                pause.set(sleep(taken.map_or(UNTOLD, |taken| taken.next_in())));
            }
        }
    }

    fn is_beating(&self) -> bool {
        !self.twists.iter().any(|twist| twist.is_quiet())
    }

    /// Takes up what the script wants from now on; what it has to say at once, if anything.
    fn follow(&mut self, cue: Tick) -> Option<Heartbeat> {
        let twists = timeline::twists(self.member.server, self.usually.role, cue.second);
        let anew = cue.round != self.round;
        if !anew && twists == self.twists {
            return None;
        }
        self.round = cue.round;
        let before = mem::replace(&mut self.twists, twists);
        let starts = anew
            || before.iter().any(|twist| twist.ends_with_a_start())
            || self.twists.iter().any(|twist| twist.begins_with_a_start());
        if starts {
            self.start = Start::at(self.member.ip);
            self.twin = Start::at(TWINS_ADDRESS);
        }
        let stops = self.twists.contains(&Fault::Stopped) && !before.contains(&Fault::Stopped);
        (starts || stops || self.is_beating()).then(|| self.heartbeat(stops))
    }

    fn heartbeat(&mut self, leaving: bool) -> Heartbeat {
        if self.twists.contains(&Fault::Twin) {
            mem::swap(&mut self.start, &mut self.twin);
        }
        self.start.sequence += 1;
        let mut heartbeat = Heartbeat {
            boot_id: self.start.boot_id.clone(),
            sequence: self.start.sequence,
            sent_at: Some(clock::wall()),
            leaving,
            ..self.usually.clone()
        };
        heartbeat.facts.ip = self.start.ip.into();
        for twist in &self.twists {
            twist.put_into(&mut heartbeat);
        }
        heartbeat
    }
}

//! Does the real program hold when it is killed, deprived and flooded? What takes too long for the tests.

mod floods;
mod hang_ups;
mod kills;
mod load;
mod outages;

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};
use testkit::{Overview, Postgres, Serve, agent, send_heartbeat, try_until_ok};

use crate::workspace::{self, Profile};

/// Within so long a heartbeat must be taken again, whatever came before.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// The server that beats to see whether heartbeats are taken.
const SURVIVOR: &str = "survivor";

/// How much of everything.
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    kills: usize,
    outages: usize,
    outage: Duration,
    hang_ups: usize,
    sign_ins: usize,
    bodies: usize,
    idle_connections: usize,
    unknown_tokens: usize,
    load: Duration,
    sample: Duration,
}

/// What `cargo xtask test` has time for.
pub(crate) const SHORT: Plan = Plan {
    profile: Profile::Debug,
    kills: 10,
    outages: 2,
    outage: Duration::from_secs(1),
    hang_ups: 500,
    sign_ins: 40,
    bodies: 200,
    idle_connections: 400,
    unknown_tokens: 500,
    load: Duration::from_secs(30),
    sample: Duration::from_secs(3),
};

/// An hour of load, and enough of everything else.
pub(crate) const LONG: Plan = Plan {
    profile: Profile::Release,
    kills: 200,
    outages: 50,
    outage: Duration::from_secs(5),
    hang_ups: 10_000,
    sign_ins: 200,
    bodies: 1_500,
    idle_connections: 800,
    unknown_tokens: 10_000,
    load: Duration::from_hours(1),
    sample: Duration::from_secs(10),
};

/// What was done, and a table of what it took.
struct Held {
    sentence: String,
    table: String,
}

impl From<String> for Held {
    fn from(sentence: String) -> Self {
        Self { sentence, table: String::new() }
    }
}

/// One thing that must be survived: its name, what its `serve` is told, and how it is done.
struct Part {
    name: &'static str,
    options: &'static [&'static str],
    run: fn(&mut Overview, &mut Target, &Plan) -> Result<Held>,
}

const PARTS: [Part; 5] = [
    Part { name: "kills", options: &[], run: kills::run },
    Part { name: "outages", options: &[], run: outages::run },
    Part { name: "hang-ups", options: &[], run: hang_ups::run },
    Part { name: "floods", options: &["--auth", "password"], run: floods::run },
    Part { name: "load", options: &[], run: load::run },
];

/// Whether there are such parts.
pub(crate) fn are_known(parts: &[&str]) -> bool {
    parts.iter().all(|part| PARTS.iter().any(|known| known.name == *part))
}

/// What the program keeps its data in.
enum Target {
    File,
    Server(Postgres),
}

impl Target {
    fn name(&self) -> &'static str {
        match self {
            Self::File => "SQLite",
            Self::Server(_) => "PostgreSQL",
        }
    }

    fn start(&self, profile: Profile, options: &[&str]) -> Overview {
        let serve = Serve::with_options(options).program(workspace::server_binary(profile));
        match self {
            Self::File => serve.start(),
            Self::Server(postgres) => serve.database(&postgres.address("postgres")).start(),
        }
    }
}

/// What came of the parts on one database.
#[derive(Default)]
struct Outcome {
    tables: Vec<String>,
    failures: Vec<String>,
}

/// Does these parts, or all, on both databases at once. Fails with a sentence for each that did not hold.
pub(crate) fn run(plan: &Plan, parts: &[&str]) -> Result<()> {
    println!("▸ soak");
    let targets = [Target::File, Target::Server(Postgres::start())];
    let outcomes = thread::scope(|scope| {
        let started = targets.map(|target| scope.spawn(move || on(target, plan, parts)));
        started.map(thread::ScopedJoinHandle::join)
    });
    let mut failures = Vec::new();
    for outcome in outcomes {
        // What panicked has said why.
        let Ok(outcome) = outcome else { bail!("the soak broke off, as said above") };
        outcome.tables.iter().for_each(|table| println!("{table}"));
        failures.extend(outcome.failures);
    }
    ensure!(failures.is_empty(), "the overview did not hold:\n  {}", failures.join("\n  "));
    Ok(())
}

/// The parts on one database, one after the other. One that does not hold keeps no other from being tried.
fn on(mut target: Target, plan: &Plan, parts: &[&str]) -> Outcome {
    let mut all = Outcome::default();
    for part in PARTS.iter().filter(|part| parts.is_empty() || parts.contains(&part.name)) {
        let (since, name) = (Instant::now(), format!("{}, {}", target.name(), part.name));
        let mut overview = target.start(plan.profile, part.options);
        match (part.run)(&mut overview, &mut target, plan) {
            Ok(Held { sentence, table }) => {
                println!("  {name}: {sentence} ({} s)", since.elapsed().as_secs());
                if !table.is_empty() {
                    all.tables.push(format!("\n  {name}\n{table}"));
                }
            }
            Err(error) => {
                overview.folder.print_logs();
                println!("  {name}: did not hold ({} s)", since.elapsed().as_secs());
                all.failures.push(format!("{name}: {error:#}"));
            }
        }
    }
    all
}

/// Waits until the overview takes a heartbeat.
fn takes_heartbeats(overview: &Overview, after: &str) -> Result<()> {
    let url = overview.url("/api/v1/heartbeats");
    let what = format!("a heartbeat to be taken after {after}");
    let taken = try_until_ok(&what, RECOVERY_TIMEOUT, || {
        match send_heartbeat(&agent(), &url, SURVIVOR, next_sequence()) {
            Some((200, _)) => Ok(()),
            Some((status, _)) => Err(format!("status {status}")),
            None => Err("no answer".to_owned()),
        }
    });
    taken.map_err(|error| anyhow!(error))
}

/// Grows, so that each heartbeat is a change.
fn next_sequence() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A random number: the standard library keys each of its hash maps by one.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Up to so long.
fn random_up_to(most: Duration) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a share of a moment")]
    let share = (random() >> 11) as f64 / (1_u64 << 53) as f64;
    most.mul_f64(share)
}

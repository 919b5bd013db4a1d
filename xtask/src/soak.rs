//! Does the program survive kills, database outages and floods that take too long for the tests?

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

/// The time after a fault until a heartbeat must be accepted again.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(20);

/// The server whose heartbeats check whether heartbeats are accepted.
const PROBE_SERVER: &str = "survivor";

/// How often and how long each fault is caused.
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

/// The plan of `cargo xtask test`: a minute and a half.
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

/// An hour of load, and as many other faults.
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

/// What was done, and a table of the resources it took.
struct PartReport {
    sentence: String,
    table: String,
}

impl From<String> for PartReport {
    fn from(sentence: String) -> Self {
        Self { sentence, table: String::new() }
    }
}

/// A kind of fault: its name, the options of `serve`, and the code that causes it.
struct Part {
    name: &'static str,
    options: &'static [&'static str],
    run: fn(&mut Overview, &mut Target, &Plan) -> Result<PartReport>,
}

const PARTS: [Part; 5] = [
    Part { name: "kills", options: &[], run: kills::run },
    Part { name: "outages", options: &[], run: outages::run },
    Part { name: "hang-ups", options: &[], run: hang_ups::run },
    Part { name: "floods", options: &["--auth", "password"], run: floods::run },
    Part { name: "load", options: &[], run: load::run },
];

pub(crate) fn all_parts_exist(parts: &[&str]) -> bool {
    parts.iter().all(|part| PARTS.iter().any(|known| known.name == *part))
}

/// The database that the program uses.
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

#[derive(Default)]
struct DatabaseOutcome {
    tables: Vec<String>,
    failures: Vec<String>,
}

/// Runs these parts, or all if none is named, on both databases at once. The error describes each part that failed.
pub(crate) fn run(plan: &Plan, parts: &[&str]) -> Result<()> {
    println!("▸ soak");
    let targets = [Target::File, Target::Server(Postgres::start())];
    let outcomes = thread::scope(|scope| {
        let started = targets.map(|target| scope.spawn(move || run_on(target, plan, parts)));
        started.map(thread::ScopedJoinHandle::join)
    });
    let mut failures = Vec::new();
    for outcome in outcomes {
        let Ok(outcome) = outcome else { bail!("the soak panicked; the reason is printed above") };
        outcome.tables.iter().for_each(|table| println!("{table}"));
        failures.extend(outcome.failures);
    }
    ensure!(failures.is_empty(), "these parts failed:\n  {}", failures.join("\n  "));
    Ok(())
}

/// Runs the parts on one database, one after the other, and continues after a failure.
fn run_on(mut target: Target, plan: &Plan, parts: &[&str]) -> DatabaseOutcome {
    let mut outcome = DatabaseOutcome::default();
    for part in PARTS.iter().filter(|part| parts.is_empty() || parts.contains(&part.name)) {
        let (since, name) = (Instant::now(), format!("{}, {}", target.name(), part.name));
        let mut overview = target.start(plan.profile, part.options);
        match (part.run)(&mut overview, &mut target, plan) {
            Ok(PartReport { sentence, table }) => {
                println!("  {name}: {sentence} ({} s)", since.elapsed().as_secs());
                if !table.is_empty() {
                    outcome.tables.push(format!("\n  {name}\n{table}"));
                }
            }
            Err(error) => {
                overview.folder.print_logs();
                println!("  {name}: failed ({} s)", since.elapsed().as_secs());
                outcome.failures.push(format!("{name}: {error:#}"));
            }
        }
    }
    outcome
}

fn wait_for_accepted_heartbeat(overview: &Overview, after: &str) -> Result<()> {
    let url = overview.url("/api/v1/heartbeats");
    let what = format!("a heartbeat to be accepted after {after}");
    let accepted = try_until_ok(&what, RECOVERY_TIMEOUT, || {
        match send_heartbeat(&agent(), &url, PROBE_SERVER, next_sequence()) {
            Some((200, _)) => Ok(()),
            Some((status, _)) => Err(format!("status {status}")),
            None => Err("no response".to_owned()),
        }
    });
    accepted.map_err(|error| anyhow!(error))
}

/// Each heartbeat needs a higher sequence than the last, or it would be ignored.
fn next_sequence() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A random number from the seed that the standard library creates for each hash map.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn random_duration_up_to(max: Duration) -> Duration {
    #[expect(clippy::cast_precision_loss, reason = "a fraction of 53 bits")]
    let share = (random() >> 11) as f64 / (1_u64 << 53) as f64;
    max.mul_f64(share)
}

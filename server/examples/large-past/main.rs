//! Fills a database with the past of a large cluster, and measures what deleting one costs heartbeats. `cargo xtask bench history`
//! runs it: `large-past fill ADDRESS SERVERS` and `large-past prune ADDRESS`.

#![expect(clippy::disallowed_methods, reason = "it measures how long heartbeats take")]

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::cluster::history::{ClusterHistory, ComponentHistory, ComponentRecord};
use app::cluster::receive::{Arrival, Stored, receive};
use app::cluster::{
    Component, ComponentFacts, Heartbeat, KeyCheck, Os, ReferenceKeys, Role, ServerName, Settings,
    Source, Span, Timestamp,
};
use cluster_overview::store::{ImportedPast, Store};

/// The moment that benchmarks ask about.
const ASKED_DAYS_AGO: i64 = 10;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const DAYS: i64 = 30;
const WEEK: i64 = 7;
/// Of each component in 30 days.
const SILENCES: usize = 20;
const CRASHES: usize = 2;
/// How many services have a million silences together, and how many each has.
const SERVICES_TO_PRUNE: usize = 1_000;
const SILENCES_TO_PRUNE: usize = 1_000;
/// So often one of the heartbeats is sent whose time is measured.
const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(10);
const BASELINE: Duration = Duration::from_secs(20);

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["fill", address, servers] => fill(address, servers.parse()?).await,
        ["prune", address] => prune(address).await,
        _ => Err("large-past fill ADDRESS SERVERS, or large-past prune ADDRESS".into()),
    }
}

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((mixed ^ (mixed >> 31)) >> 1).unwrap_or_default() % end.max(1)
    }
}

/// What interrupts the heartbeats of a component.
#[derive(Clone, Copy)]
struct Interruption {
    /// The first heartbeat after it.
    end: Timestamp,
    silence: Span,
    /// Another process sends it, perhaps of the next version.
    starts: bool,
    upgrades: bool,
    stopped: bool,
}

/// The past of one component, and what is there at its end.
struct Life {
    heartbeat: Heartbeat,
    settings: Settings,
    stored: Option<Stored>,
    history: ComponentHistory,
}

impl Life {
    fn new(server: usize, role: Role) -> Result<Self, Failure> {
        let [high, low] = u16::try_from(server).unwrap_or(u16::MAX).to_be_bytes();
        let facts = ComponentFacts {
            product: Some("ProGet".to_owned()),
            version: "2026.1".to_owned(),
            os: Os { name: "Debian GNU/Linux".to_owned(), version: "12".to_owned() },
            ip: std::net::IpAddr::from(Ipv4Addr::new(10, 0, high, low)).into(),
            key_check: KeyCheck::parse(&"9f".repeat(32)),
            machine_key_check: None,
            messenger_port: None,
            source: Source::Node,
        };
        let server = ServerName::parse(&format!("server-{server}"))?;
        let heartbeat = Heartbeat {
            server,
            role,
            boot_id: boot_id(0),
            sequence: 0,
            sent_at: None,
            leaving: false,
            facts,
        };
        let history = ComponentHistory::default();
        Ok(Self { heartbeat, settings: Settings::default(), stored: None, history })
    }

    fn known(&self) -> Option<&Arc<Component>> {
        self.stored.as_ref().and_then(Stored::present)
    }

    /// Until this moment it reported in time, which records nothing.
    fn go_on_until(&mut self, moment: Timestamp, stops: bool) {
        if let Some(known) = self.known() {
            let mut component = Component::clone(known);
            (component.last_heartbeat, component.stopped) = (moment, stops);
            self.stored = Some(Stored::Present(Arc::new(component)));
        }
    }

    fn beat(&mut self, at: Timestamp) {
        self.heartbeat.sequence += 1;
        let settings = &self.settings;
        let arrival = Arrival { at, settings, blind_periods: &[], ends_probe_failure: false };
        let next = receive(self.stored.as_ref(), &self.heartbeat, &arrival).map(Arc::new);
        let Some(next) = next else { return };
        let known = self.known().map(|known| &**known);
        let web_window = self.settings.web_window();
        if let Some(record) = ComponentRecord::of_heartbeat(known, &next, web_window, &[]) {
            let separate = match self.history.records.last_mut() {
                Some(last) => last.add(record).err().map(|separate| *separate),
                None => Some(record),
            };
            self.history.records.extend(separate);
        }
        self.stored = Some(Stored::Present(next));
    }

    fn live(mut self, begins: Timestamp, now: Timestamp, mut all: Vec<Interruption>) -> Self {
        self.beat(begins);
        all.sort_by_key(|one| one.end);
        let mut versions = 1;
        for (one, boot) in all.into_iter().zip(1..) {
            let last = self.known().map_or(begins, |known| known.last_heartbeat);
            self.go_on_until(last.max(one.end - one.silence), one.stopped);
            if one.starts {
                (self.heartbeat.boot_id, self.heartbeat.sequence) = (boot_id(boot), 0);
            }
            if one.upgrades {
                versions += 1;
                self.heartbeat.facts.version = format!("2026.{versions}");
            }
            self.beat(one.end);
        }
        self.go_on_until(now - Span::seconds(5), false);
        self
    }
}

fn boot_id(number: usize) -> String {
    format!("{number:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11")
}

fn cluster(begins: Timestamp) -> ClusterHistory {
    ClusterHistory {
        begins,
        settings: vec![(begins, Settings::default())],
        references: vec![(begins, ReferenceKeys::default())],
        ..ClusterHistory::default()
    }
}

/// Prints how many records it wrote, and the moment that a benchmark asks about.
///
/// 30 days of servers with two components. Each has 20 silences: a service of some minutes, and a web component, which nobody
/// asks at night, of some hours. All are upgraded once a week, and crash twice.
async fn fill(address: &str, servers: usize) -> Result<(), Failure> {
    let store = Store::open(address).await?;
    let now = store.now();
    let begins = now - Span(DAYS * DAY_MS);
    let mut numbers = Numbers(1);
    let (mut history, mut present) = (cluster(begins), Vec::new());
    for server in 1..=servers {
        for role in [Role::Web, Role::Service] {
            let mut moment = || begins + Span(DAY_MS / 2 + numbers.below((DAYS - 1) * DAY_MS));
            let mut ends: Vec<Timestamp> = (0..SILENCES + CRASHES).map(|_| moment()).collect();
            let crashes = ends.split_off(SILENCES);
            let plain = Interruption {
                end: begins,
                silence: Span::ZERO,
                starts: false,
                upgrades: false,
                stopped: false,
            };
            let longest = if role == Role::Web { 8 * 60 } else { 12 };
            let silences = ends.into_iter().map(|end| {
                let minutes = longest / 8 + 2 + numbers.below(longest);
                Interruption { end, silence: Span::minutes(minutes), ..plain }
            });
            let mut all: Vec<Interruption> = silences.collect();
            let silence = Span::seconds(90);
            all.extend(crashes.into_iter().map(|end| Interruption {
                end,
                silence,
                starts: true,
                ..plain
            }));
            all.extend((0..4).map(|week| {
                let end = begins + Span((week * WEEK + 2) * DAY_MS + numbers.below(DAY_MS / 24));
                Interruption { end, silence, starts: true, upgrades: true, stopped: true }
            }));
            let life = Life::new(server, role)?.live(begins + Span::minutes(1), now, all);
            present.extend(life.known().cloned());
            history.components.insert(life.heartbeat.key(), life.history);
        }
    }
    let records: usize = history.components.values().map(|one| one.records.len()).sum();
    store.import_past(ImportedPast { history, present, ..ImportedPast::default() }).await?;
    store.close().await;
    println!("{records}\t{}", (now - Span(ASKED_DAYS_AGO * DAY_MS)).rfc3339());
    Ok(())
}

/// Deletes the million oldest rows while heartbeats come.
async fn prune(address: &str) -> Result<(), Failure> {
    let store = Store::open_keeping(address, Span(DAY_MS)).await?;
    let now = store.now();
    let begins = now - Span(DAYS * DAY_MS);
    let (mut history, mut present) = (cluster(begins), Vec::new());
    for server in 1..=SERVICES_TO_PRUNE {
        let step = Span((DAYS - 2) * DAY_MS / i64::try_from(SILENCES_TO_PRUNE)?);
        let silences = (1..).take(SILENCES_TO_PRUNE).map(|number| Interruption {
            end: begins + step.times(number),
            silence: Span::minutes(3),
            starts: false,
            upgrades: false,
            stopped: false,
        });
        let life = Life::new(server, Role::Service)?;
        let life = life.live(begins, now, silences.collect());
        present.extend(life.known().cloned());
        history.components.insert(life.heartbeat.key(), life.history);
    }
    store.import_past(ImportedPast { history, present, ..ImportedPast::default() }).await?;
    let checkpoints = Arc::clone(&store);
    let checkpoints = tokio::spawn(async move { checkpoints.run_checkpoints().await });
    let mut sequence = 1_000_000;
    let before = waits(&store, &mut sequence, |since| since.elapsed() < BASELINE).await?;
    let pruned = Arc::clone(&store);
    let pruning = tokio::spawn(async move {
        let since = Instant::now();
        pruned.run_housekeeping().await.map(|()| since.elapsed())
    });
    let during = waits(&store, &mut sequence, |_| !pruning.is_finished()).await?;
    let took = pruning.await??;
    checkpoints.abort();
    let rows = SERVICES_TO_PRUNE * SILENCES_TO_PRUNE;
    println!(
        "deleting {rows} rows\t{}\ts\twhile a heartbeat comes every 10 ms",
        took.as_secs_f64()
    );
    for (what, waits) in [("without", before), ("with", during)] {
        let (p99, longest) = (waits.len() * 99 / 100, waits.len().saturating_sub(1));
        let count = waits.len();
        for (name, place) in [("99th percentile", p99), ("longest", longest)] {
            let ms = waits.get(place).copied().unwrap_or_default().as_secs_f64() * 1_000.0;
            println!(
                "{name} wait {what} deletion\t{ms}\tms\t{count} heartbeats; limit 50 more with it"
            );
        }
    }
    Ok(())
}

/// How long each heartbeat took, from the shortest to the longest.
async fn waits(
    store: &Arc<Store>,
    sequence: &mut i64,
    goes_on: impl Fn(Instant) -> bool,
) -> Result<Vec<Duration>, Failure> {
    let since = Instant::now();
    let mut waits = Vec::new();
    while goes_on(since) {
        let mut heartbeat =
            Life::new(waits.len() % SERVICES_TO_PRUNE + 1, Role::Service)?.heartbeat;
        *sequence += 1;
        heartbeat.sequence = *sequence;
        let sent = Instant::now();
        store.receive([heartbeat]).await?;
        waits.push(sent.elapsed());
        tokio::time::sleep(HEARTBEAT_INTERVAL.saturating_sub(sent.elapsed())).await;
    }
    waits.sort_unstable();
    Ok(waits)
}

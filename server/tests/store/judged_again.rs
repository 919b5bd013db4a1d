//! Does the past that a database returns say what was judged with every heartbeat? Random clusters are written with the real store,
//! and their pulses at random moments are compared.

use app::cluster::history::{ComponentHistory, Interval, PastState};
use app::cluster::{Pulse, Snapshot, Timestamp};
use cluster_overview::store::HistoryQuery;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use super::*;
use crate::common::past::{COMPONENTS, Processes, Step, What, moment_between, settings, step};

/// A case takes about a second. `PROPTEST_CASES=50` judges 100,000 moments on each database.
const CASES: u32 = 6;
/// Of each case, for each of its components.
const MOMENTS: usize = 500;

/// What readers knew after a step, and by how much the database's times have been moved since the first one.
struct Known {
    at: Timestamp,
    moved: Span,
    snapshot: Snapshot,
}

/// A database whose times are moved into the past, as if time passed. A moment here is that of the first heartbeat's time
/// scale, which does not move.
struct Recorder<'a> {
    database: &'a Database,
    store: Arc<Store>,
    processes: Processes,
    moved: Span,
    known: Vec<Known>,
}

impl Recorder<'_> {
    /// `is_blind`: no web server ran meanwhile, so its mark becomes older, too.
    async fn let_time_pass(&mut self, ms: i64, is_blind: bool) {
        let mark = if is_blind { "update cluster set mark_at = mark_at - $;" } else { "" };
        // Negated until all are moved, because a new time could be the old one of another row.
        let moves = "update last_heartbeats set received_at = received_at - $;
             update components set first_seen = first_seen - $, came_back_at = came_back_at - $,
                 removed_at = removed_at - $;
             update component_history set at = $ - at;
             update component_history set at = -at;
             update cluster_history set at = at - $;
             update blind_periods set start_at = $ - start_at, end_at = end_at - $;
             update blind_periods set start_at = -start_at;
             update cluster set settings_changed_at = settings_changed_at - $,
                 history_begins_at = history_begins_at - $";
        let is_file = matches!(self.database, Database::Sqlite(_));
        let unsynced = if is_file { "pragma synchronous = off;" } else { "" };
        let moves = format!("{unsynced} begin; {mark}{moves}; commit");
        let moves = moves.replace('$', &ms.to_string());
        execute_all(&self.database.address(), &moves).await;
        self.moved = self.moved + Span(ms);
    }

    async fn take(&mut self, Step { after, what }: Step) {
        self.let_time_pass(after, matches!(what, What::Blind)).await;
        let at = match what {
            What::Heartbeat { component, kind } => {
                let (server, role) = COMPONENTS[component];
                let known = self.known.last().unwrap();
                let boots = known.snapshot.components.get(&key(server, role));
                let boots = boots.map(|component| &component.boots);
                let sent = self.processes.heartbeat(component, boots, kind);
                self.store.receive([sent]).await.unwrap().at
            }
            What::Removal { component } => {
                let (server, role) = COMPONENTS[component];
                self.store.remove(&[key(server, role)], &[], None).await.unwrap().at
            }
            What::Settings { interval_s, more_s } => {
                let next = settings(interval_s, more_s);
                self.store.set_settings(next, &entry()).await.unwrap().at
            }
            What::Blind => self.store.renew_mark().await.unwrap().at,
        };
        self.remember(at).await;
    }

    async fn remember(&mut self, at: Timestamp) {
        let snapshot = self.store.load().await.unwrap().snapshot;
        self.known.push(Known { at: at + self.moved, moved: self.moved, snapshot });
    }

    /// The last state that was known at a moment.
    fn known_at(&self, moment: Timestamp) -> &Known {
        &self.known[self.known.partition_point(|known| known.at <= moment) - 1]
    }
}

/// Records the steps and compares the pulses at moments, which are parts of the way.
async fn check(database: &Database, steps: &[Step], moments: &[f64]) -> Result<(), TestCaseError> {
    let store = Store::open(&database.address()).await.unwrap();
    let (processes, moved) = (Processes::new(), Span::ZERO);
    let mut recorder = Recorder { database, store, processes, moved, known: Vec::new() };
    let begin = recorder.store.renew_mark().await.unwrap().at;
    recorder.remember(begin).await;
    for step in steps {
        recorder.take(*step).await;
    }
    let Recorder { store, moved, known, .. } = &recorder;
    let (first, last) = (known.first().unwrap().at, known.last().unwrap().at);
    let until = last + Span::seconds(400);
    let all = HistoryQuery { from: Timestamp(0), until: until - *moved, servers: None };
    let history = store.history(all).await.unwrap();
    for (server, role) in COMPONENTS {
        let key = key(server, role);
        let nothing = ComponentHistory::default();
        let component = history.components.get(&key).unwrap_or(&nothing);
        let whole = Interval { from: first - *moved, until: until - *moved + Span::TICK };
        let timeline = history.timeline(role, component, whole);
        for part in moments {
            let moment = moment_between(first, until, *part);
            let read_at = moment - *moved;
            let Known { moved, snapshot, .. } = recorder.known_at(moment);
            let expected = match snapshot.components.get(&key) {
                None => PastState::Absent,
                Some(_) if history.blind_period_at(read_at).is_some() => {
                    PastState::Pulse(Pulse::Unknown)
                }
                Some(component) => {
                    let Snapshot { settings, blind_periods, .. } = snapshot;
                    PastState::Pulse(component.pulse(settings, blind_periods, moment - *moved))
                }
            };
            let segment =
                timeline.iter().find(|segment| segment.from <= read_at && read_at < segment.until);
            let after = moment - first;
            prop_assert_eq!(
                segment.unwrap().state,
                expected,
                "{} {:?} after {:?}",
                server,
                role,
                after
            );
        }
    }
    Ok(())
}

/// Random clusters, each in a new database.
#[allow(
    clippy::disallowed_methods,
    reason = "the environment says how many, as it does for all property tests"
)]
fn check_random_clusters(new_database: impl AsyncFn() -> Database) {
    let runtime = Runtime::new().unwrap();
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    // Every attempt to shrink a failing case takes as long as a case.
    config.max_shrink_iters = 100;
    let steps = prop::collection::vec(step(), 1..80);
    let moments = prop::collection::vec(0.0..1.0_f64, MOMENTS);
    let result = TestRunner::new(config).run(&(steps, moments), |(steps, moments)| {
        runtime.block_on(async { check(&new_database().await, &steps, &moments).await })
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_past_read_from_a_file_has_the_pulses_that_were_judged_with_every_heartbeat() {
    check_random_clusters(async || Database::Sqlite(Folder::new("judged-again")));
}

#[test]
fn a_past_read_from_postgresql_has_the_pulses_that_were_judged_with_every_heartbeat() {
    check_random_clusters(async || Database::Postgres(testkit::postgres().create_database().await));
}

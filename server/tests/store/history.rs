//! What is recorded in the history, how long is it kept, and how is it read?

use std::net::IpAddr;

use app::cluster::history::{ArrivalKind, ClusterHistory, ComponentRecord, RecordedState};
use app::cluster::{ReferenceKey, Timestamp};
use cluster_overview::store::HistoryQuery;

use super::*;

const RECORDS: &str = "select count(*) from component_history";
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Moves what is stored into the past, as if so much time had passed in which the overview was running.
pub(crate) async fn let_time_pass(database: &Database, ms: i64) {
    let moves = [
        "update last_heartbeats set received_at = received_at - $",
        "update component_history set at = at - $",
        "update recorded_components set complete_since = complete_since - $",
        "update cluster_history set at = at - $",
        "update blind_periods set start_at = start_at - $, end_at = end_at - $",
        "update cluster set settings_changed_at = settings_changed_at - $, history_begins_at = history_begins_at - $",
    ];
    let moves = moves.join(";").replace('$', &ms.to_string());
    execute_all(&database.address(), &moves).await;
}

/// What is recorded about the last day.
async fn history(store: &Arc<Store>) -> ClusterHistory {
    let until = store.now();
    let from = until + Span(-DAY_MS);
    store.history(HistoryQuery { from, until, servers: None }).await.unwrap()
}

/// The records of one component.
async fn records(store: &Arc<Store>, server: &str, role: Role) -> Vec<ComponentRecord> {
    history(store).await.components.remove(&key(server, role)).unwrap().records
}

pub(crate) fn with_boot(number: usize, heartbeat: Heartbeat) -> Heartbeat {
    Heartbeat { boot_id: format!("{number:08}-3c0a-4d5e-9f7e-3d1b9f0c2a11"), ..heartbeat }
}

#[tokio::test]
async fn a_quiet_day_reads_and_writes_no_history() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let batch = |sequence| [beat("a", Role::Service, sequence), beat("a", Role::Web, sequence)];
        store.receive(batch(1)).await.unwrap();
        assert_eq!(number(&database.address(), RECORDS).await, 2, "both have come");
        for record in records(&store, "a", Role::Web).await {
            let Some(RecordedState::Present { arrival, facts }) = record.state else {
                panic!("it has facts")
            };
            assert_eq!(arrival, Some(ArrivalKind::New));
            assert_eq!(facts.version, "2026.2.1");
        }
        let hide = "alter table recorded_components rename to hidden;
             alter table cluster_history rename to hidden_too";
        execute_all(&database.address(), hide).await;
        for sequence in 2..10 {
            execute_all(
                &database.address(),
                "update last_heartbeats set received_at = received_at - 30000",
            )
            .await;
            store.receive(batch(sequence)).await.unwrap();
        }
        assert_eq!(number(&database.address(), RECORDS).await, 2);
    }
}

#[tokio::test]
async fn a_silence_is_one_record_when_it_ends_and_a_removal_ends_one() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("a", Role::Service, 1), beat("a", Role::Web, 1)]).await.unwrap();
        let_time_pass(&database, 10 * 60_000).await;
        store.receive([beat("a", Role::Service, 2), beat("a", Role::Web, 2)]).await.unwrap();
        let of_service = records(&store, "a", Role::Service).await;
        let [_, silent] = &of_service[..] else { panic!("{of_service:?}") };
        assert_eq!(silent.state, None);
        let [silence] = silent.silences[..] else { panic!("{silent:?}") };
        assert_eq!(
            (silence.end, silence.interval, silence.stopped),
            (silent.at, Span::seconds(30), false)
        );
        assert!((silence.end - silence.start).0 >= 10 * 60_000);
        assert_eq!(records(&store, "a", Role::Web).await.len(), 1, "it waits for requests");
        let_time_pass(&database, 2 * 60_000).await;
        let keys = [key("A", Role::Service), key("none", Role::Web)];
        store.remove(&keys, &[], None).await.unwrap();
        store.remove(&keys, &[], None).await.unwrap();
        let of_service = records(&store, "a", Role::Service).await;
        let [_, _, removal] = &of_service[..] else { panic!("{of_service:?}") };
        assert_eq!(removal.state, Some(RecordedState::Removed));
        assert_eq!(removal.silences.len(), 1);
        let found = history(&store).await;
        let current: Vec<bool> =
            found.components.values().map(|one| one.current.is_some()).collect();
        assert_eq!(current, [true, false], "also what was removed is found");
    }
}

#[tokio::test]
async fn a_web_components_silence_counts_from_a_24th_of_the_shortest_window_in_force_meanwhile() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let window = |web_window_s| Settings { web_window_s, ..Settings::default() };
        store.set_settings(window(24 * 120), &entry()).await.unwrap();
        store.receive([beat("a", Role::Web, 1)]).await.unwrap();
        let_time_pass(&database, 60_000).await;
        store.set_settings(window(86_400), &entry()).await.unwrap();
        let_time_pass(&database, 120_000).await;
        store.receive([beat("a", Role::Web, 2)]).await.unwrap();
        assert_eq!(records(&store, "a", Role::Web).await.len(), 2);
        let_time_pass(&database, 180_000).await;
        store.receive([beat("a", Role::Web, 3)]).await.unwrap();
        assert_eq!(
            records(&store, "a", Role::Web).await.len(),
            2,
            "an hour is too short to matter now"
        );
    }
}

#[tokio::test]
async fn blind_periods_are_kept_but_only_those_of_the_last_30_days_are_used_now() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("a", Role::Service, 1)]).await.unwrap();
        let_time_pass(&database, 40 * DAY_MS).await;
        // Nobody could observe for all of the time but half a minute, more than 30 days ago.
        let blind = "insert into blind_periods (start_at, end_at, clock_set)
             select received_at + 20000, received_at + 3455980000, true from last_heartbeats";
        let blind = if matches!(database, Database::Sqlite(_)) {
            blind.replace("true", "1")
        } else {
            blind.to_owned()
        };
        execute_all(&database.address(), &blind).await;
        execute_all(&database.address(), "update blind_periods set end_at = end_at - 1").await;
        store.receive([beat("a", Role::Service, 2)]).await.unwrap();
        assert_eq!(records(&store, "a", Role::Service).await.len(), 1, "no silence ended");
        let_time_pass(&database, 31 * DAY_MS).await;
        store.run_housekeeping().await.unwrap();
        assert!(store.load().await.unwrap().snapshot.blind_periods.is_empty());
        assert_eq!(history(&store).await.blind_periods.len(), 1);
    }
}

#[tokio::test]
async fn a_start_another_version_another_address_and_a_return_are_recorded_as_they_are_written() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([with_boot(1, beat("a", Role::Service, 1))]).await.unwrap();
        let_time_pass(&database, 90_000).await;
        let started = reporting(with_boot(2, beat("a", Role::Service, 1)), |facts| {
            facts.version = "2026.3.0".to_owned();
        });
        store.receive([started]).await.unwrap();
        let_time_pass(&database, 90_000).await;
        let back = reporting(with_boot(1, beat("A", Role::Service, 2)), |facts| {
            facts.ip = IpAddr::from([10, 0, 0, 99]).into();
        });
        store.receive([back.clone()]).await.unwrap();
        let found = records(&store, "a", Role::Service).await;
        let [arrival, start, returned] = &found[..] else { panic!("{found:?}") };
        assert_eq!((arrival.start_count, start.start_count, returned.return_count), (0, 1, 1));
        assert!(start.starts[0].new_version && start.starts[0].at == start.at);
        assert_eq!(returned.returns[0].ip, back.facts.ip);
        let facts = [start, returned].map(|record| match &record.state {
            Some(RecordedState::Present { facts, .. }) => (facts.version.clone(), facts.ip.clone()),
            other => panic!("{other:?}"),
        });
        assert_eq!(facts[0].0, "2026.3.0");
        assert_eq!(facts[1], (back.facts.version.clone(), back.facts.ip.clone()));
        // One batch is one record, also of an arrival.
        let batch =
            [with_boot(1, beat("b", Role::Service, 1)), with_boot(2, beat("b", Role::Service, 1))];
        store.receive(batch).await.unwrap();
        let of_b = records(&store, "b", Role::Service).await;
        let [both] = &of_b[..] else { panic!("{of_b:?}") };
        assert_eq!(both.start_count, 1);
        let came = Some(ArrivalKind::New);
        assert!(
            matches!(&both.state, Some(RecordedState::Present { arrival, .. }) if *arrival == came)
        );
    }
}

#[tokio::test]
async fn a_process_that_starts_every_second_costs_a_row_a_minute() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([with_boot(0, beat("a", Role::Service, 1))]).await.unwrap();
        let before = store.now();
        for boot in 1..60 {
            store.receive([with_boot(boot, beat("a", Role::Service, 1))]).await.unwrap();
        }
        let minutes = store.now().0 / 60_000 - before.0 / 60_000 + 1;
        let found = records(&store, "a", Role::Service).await;
        assert!(i64::try_from(found.len()).unwrap() <= 1 + minutes, "{found:?}");
        assert_eq!(found.iter().map(|record| record.start_count).sum::<u32>(), 59);
        assert_eq!(number(&database.address(), RECORDS).await, i64::try_from(found.len()).unwrap());
        let counted = "select record_count from recorded_components";
        assert_eq!(number(&database.address(), counted).await, i64::try_from(found.len()).unwrap());
    }
}

#[tokio::test]
async fn settings_and_reference_keys_are_recorded_when_they_change() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.renew_mark().await.unwrap();
        let created = history(&store).await;
        assert_eq!(created.settings, [(created.begins, Settings::default())]);
        assert_eq!(created.references.len(), 1);
        let settings = Settings { stale_timeout_s: 90, ..Settings::default() };
        for _ in 0..2 {
            store.set_settings(settings, &entry()).await.unwrap();
        }
        let other = KeyCheck::parse(&"1a".repeat(32));
        let another = reporting(beat("b", Role::Web, 1), |facts| facts.key_check = other);
        store.receive([beat("a", Role::Web, 1), another]).await.unwrap();
        for _ in 0..2 {
            store.accept_key(KeyKind::Encryption, other.unwrap(), &entry()).await.unwrap();
        }
        let first = KeyCheck::parse(&"9f".repeat(32)).unwrap();
        let command = AdminStore::open(&database.address()).await.unwrap();
        command.accept_key(KeyKind::Encryption, &first.digits()).await.unwrap();
        let found = history(&store).await;
        let of_settings: Vec<Settings> =
            found.settings.iter().map(|(_, settings)| *settings).collect();
        assert_eq!(of_settings, [Settings::default(), settings]);
        let keys: Vec<_> = found.references.iter().map(|(_, keys)| keys.encryption).collect();
        let reference = |check, agreed| Some(ReferenceKey { check, agreed });
        let accepted = [reference(other.unwrap(), true), reference(first, true)];
        assert_eq!(keys, [None, reference(first, false), accepted[0], accepted[1]]);
    }
}

#[tokio::test]
async fn what_is_too_old_is_deleted_except_for_what_was_known_then() {
    for database in databases().await {
        let keep = Span(30 * DAY_MS);
        let store = Store::open_keeping(&database.address(), keep).await.unwrap();
        let batch = |sequence| ["a", "gone"].map(|server| beat(server, Role::Service, sequence));
        store.receive(batch(1)).await.unwrap();
        let_time_pass(&database, 600_000).await;
        store
            .set_settings(Settings { stale_timeout_s: 90, ..Settings::default() }, &entry())
            .await
            .unwrap();
        let of_2 =
            batch(2).map(|heartbeat| reporting(heartbeat, |facts| facts.version = "2".to_owned()));
        store.receive(of_2.clone()).await.unwrap();
        let_time_pass(&database, 600_000).await;
        store.remove(&[key("gone", Role::Service)], &[], None).await.unwrap();
        let [of_a, _] = of_2;
        store.receive([Heartbeat { sequence: 3, ..of_a.clone() }]).await.unwrap();
        let_time_pass(&database, 31 * DAY_MS).await;
        store.receive([Heartbeat { sequence: 4, ..of_a }]).await.unwrap();
        assert_eq!(number(&database.address(), RECORDS).await, 7);
        store.run_housekeeping().await.unwrap();
        let until = store.now();
        let from = until + Span(-29 * DAY_MS);
        let found = store.history(HistoryQuery { from, until, servers: None }).await.unwrap();
        let components: Vec<_> = found.components.values().collect();
        let [component] = components[..] else { panic!("{components:?}") };
        let [known, silent] = &component.records[..] else { panic!("{:?}", component.records) };
        assert_eq!(component.complete_since, None);
        let Some(RecordedState::Present { facts, .. }) = &known.state else { panic!("{known:?}") };
        assert_eq!((facts.version.as_str(), silent.silences.len()), ("2", 1));
        assert_eq!(found.settings.len(), 1, "those in force at the beginning");
        assert_eq!(found.settings[0].1.stale_timeout_s, 90);
        assert_eq!(found.references.len(), 1);
        let kept = until - found.begins;
        assert!(kept >= keep && kept < keep + Span::minutes(5), "{kept}");
    }
}

#[tokio::test]
async fn a_component_with_too_many_rows_loses_shared_ones_then_the_oldest_and_says_since_when_it_is_complete()
 {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("a", Role::Service, 1), beat("b", Role::Service, 1)]).await.unwrap();
        let_time_pass(&database, DAY_MS).await;
        let at = store.now().0 - DAY_MS / 2;
        let insert = format!(
            "insert into component_history (component, at, commit_no, state, changes, is_shared)
                 with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 12000)
                 select id, {at} + n, n, null, '{{}}', n between 6001 and 7000
                 from numbers join recorded_components on server_key = 'a';
             update recorded_components set record_count = record_count + 12000 where server_key = 'a'"
        );
        execute_all(&database.address(), &insert).await;
        store.run_housekeeping().await.unwrap();
        assert_eq!(number(&database.address(), RECORDS).await, 10_001);
        let counted = "select max(record_count) from recorded_components";
        assert_eq!(number(&database.address(), counted).await, 10_000);
        let found = history(&store).await;
        let components: Vec<_> = found.components.values().collect();
        let [a, b] = components[..] else { panic!("{components:?}") };
        assert_eq!(a.complete_since, Some(Timestamp(at + 7_000 + 60_000)));
        assert_eq!((b.complete_since, b.records.len()), (None, 1));
        let numbers: Vec<i64> = a.records.iter().map(|record| record.at.0 - at).collect();
        assert!(a.records[0].state.is_some(), "the last state stays");
        assert_eq!(numbers[1..], (1_002..=6_000).chain(7_001..=12_000).collect::<Vec<_>>()[..]);
    }
}

#[tokio::test]
async fn of_a_component_with_too_many_rows_those_of_the_last_two_minutes_stay_though_they_are_shared()
 {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("a", Role::Service, 1)]).await.unwrap();
        let_time_pass(&database, DAY_MS).await;
        let now = store.now().0;
        let insert = format!(
            "insert into component_history (component, at, commit_no, state, changes, is_shared)
                 with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 10049)
                 select id, case when n > 10000 then {now} - 60000 else {now} - 3600000 end + n, n, null, '{{}}', n > 10000
                 from numbers cross join recorded_components;
             update recorded_components set record_count = 10050"
        );
        execute_all(&database.address(), &insert).await;
        store.run_housekeeping().await.unwrap();
        let shared = "select count(*) from component_history where is_shared";
        assert_eq!(number(&database.address(), shared).await, 49);
        assert_eq!(number(&database.address(), RECORDS).await, 10_000);
        let first =
            "select min(commit_no) from component_history where commit_no > 0 and state is null";
        assert_eq!(number(&database.address(), first).await, 51, "the oldest have gone");
    }
}

#[tokio::test]
async fn a_read_finds_what_was_known_before_and_the_next_two_records_after() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("a", Role::Service, 1), beat("b", Role::Service, 1)]).await.unwrap();
        for sequence in 2..12 {
            let_time_pass(&database, DAY_MS).await;
            store.receive([beat("a", Role::Service, sequence)]).await.unwrap();
        }
        let until = store.now() + Span(-7 * DAY_MS / 2);
        let from = until + Span(-3 * DAY_MS);
        let servers = Some(vec![key("A", Role::Web).server]);
        let found = store.history(HistoryQuery { from, until, servers }).await.unwrap();
        let components: Vec<_> = found.components.values().collect();
        let [a] = components[..] else { panic!("{components:?}") };
        assert!(a.current.is_some());
        let days = |record: &ComponentRecord| (store.now() - record.at).0 / DAY_MS;
        let days: Vec<i64> = a.records.iter().map(days).collect();
        assert_eq!(days, [10, 7, 6, 5, 4, 3, 2], "its facts, a day before, the span, two after it");
        assert!(a.records[0].state.is_some());
    }
}

#[tokio::test]
async fn a_silence_costs_at_most_120_bytes_and_a_change_at_most_500() {
    let database = Database::Sqlite(Folder::new("bytes"));
    let store = Store::open(&database.address()).await.unwrap();
    let servers = 20;
    let batch = |sequence: i64, version: i64| -> Vec<Heartbeat> {
        let names = (0..servers).map(|number| format!("application-server-{number}.example.com"));
        let of = |name: String| {
            reporting(beat(&name, Role::Service, sequence), |facts| {
                facts.version = format!("2026.3.{version}");
            })
        };
        names.map(of).collect()
    };
    store.receive(batch(1, 0)).await.unwrap();
    let size = async |text| number(&database.address(), text).await;
    let bytes = "select coalesce(sum(pgsize), 0) from dbstat
         where name in ('component_history', 'recorded_components', 'sqlite_autoindex_recorded_components_1')";
    for (most, version_step) in [(120, 0), (500, 1)] {
        let (rows_before, bytes_before) = (size(RECORDS).await, size(bytes).await);
        for step in 1..=60 {
            let_time_pass(&database, 10 * 60_000).await;
            let sequence = step + 100 + 100 * version_step;
            store.receive(batch(sequence, step * version_step)).await.unwrap();
        }
        let rows = size(RECORDS).await - rows_before;
        let each = (size(bytes).await - bytes_before) / rows;
        assert_eq!(rows, 60 * servers);
        assert!(each <= most, "{each} bytes a row");
    }
}

use std::net::IpAddr;

use app::cluster::history::{ComponentRecord, Current, Event};
use app::cluster::receive::{Arrival, Stored, receive};
use app::cluster::{
    Component, ComponentFacts, Heartbeat, Os, ReferenceKeys, Role, Settings, Source,
};

use super::*;
use crate::store::{ImportedPast, Store};

/// More components than are read at a time.
const SERVERS: usize = 620;

fn heartbeat(server: usize, role: Role, sequence: i64) -> Heartbeat {
    Heartbeat {
        server: ServerName::parse(&format!("server-{server}")).unwrap(),
        role,
        boot_id: "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11".to_owned(),
        sequence,
        sent_at: None,
        leaving: false,
        facts: ComponentFacts {
            product: None,
            version: "1.0".to_owned(),
            os: Os { name: "Debian".to_owned(), version: "12".to_owned() },
            ip: IpAddr::from([10, 0, 0, 1]).into(),
            key_check: None,
            machine_key_check: None,
            messenger_port: None,
            source: Source::Node,
        },
    }
}

/// Each server has two components, which were silent once: for an hour, each at another time of ten days. The
/// settings changed once.
fn silent_once(begins: Timestamp) -> ImportedPast {
    let mut history = ClusterHistory {
        begins,
        settings: vec![
            (begins, Settings::default()),
            (begins + Span::minutes(60), Settings { stale_timeout_s: 90, ..Settings::default() }),
        ],
        references: vec![(begins, ReferenceKeys::default())],
        ..ClusterHistory::default()
    };
    let settings = Settings::default();
    let mut present = Vec::new();
    for server in 0..SERVERS {
        for role in [Role::Web, Role::Service] {
            let mut stored: Option<Stored> = None;
            let mut of_component = ComponentHistory::default();
            let silent = begins + Span::minutes(23 * i64::try_from(server).unwrap() + 120);
            let beats = [begins + Span::minutes(1), silent, silent + Span::minutes(60)];
            for (at, sequence) in beats.into_iter().zip(1..) {
                let arrival = Arrival {
                    at,
                    settings: &settings,
                    blind_periods: &[],
                    ends_probe_failure: false,
                };
                let known = stored.as_ref().and_then(Stored::present);
                // Until its silence it reported in time, which records nothing.
                let known = known.map(|known| Component {
                    last_heartbeat: if sequence == 2 { at } else { known.last_heartbeat },
                    ..Component::clone(known)
                });
                let before = known.clone().map(|known| Stored::Present(Arc::new(known)));
                let beat = heartbeat(server, role, sequence);
                let after = Arc::new(receive(before.as_ref(), &beat, &arrival).unwrap());
                let window = settings.web_window();
                let record = ComponentRecord::of_heartbeat(known.as_ref(), &after, window, &[]);
                of_component.records.extend(record);
                stored = Some(Stored::Present(after));
            }
            let component = stored.as_ref().and_then(Stored::present).unwrap();
            of_component.current = Some(Current::from(&**component));
            present.push(Arc::clone(component));
            history.components.insert(heartbeat(server, role, 1).key(), of_component);
        }
    }
    ImportedPast { history, present, ..ImportedPast::default() }
}

/// The past of these components, and when it began.
async fn past_in_parts() -> (Past, Timestamp, testkit::Folder) {
    let folder = testkit::folder();
    let store = Store::open(&format!("sqlite:{}", folder.join("overview.db").display())).await;
    let store = store.unwrap();
    let begins = store.now() - Span::minutes(10 * 24 * 60 + 180);
    store.import_past(silent_once(begins)).await.unwrap();
    (Past::new(LiveState::load(store).await.unwrap()), begins, folder)
}

#[tokio::test]
async fn what_is_read_and_judged_in_parts_is_what_the_whole_history_says() {
    let (past, begins, _folder) = past_in_parts().await;
    let now = past.live.now();
    let whole = async |from, until| {
        let query = HistoryQuery { from, until, servers: None };
        past.live.store().history(query).await.unwrap()
    };
    let moment = begins + Span::minutes(5_000);
    let at_moment: Snapshot = past.snapshot(moment).await.unwrap();
    assert_eq!(at_moment.components.len(), 2 * SERVERS);
    assert_eq!(at_moment, whole(moment, moment).await.snapshot(moment));
    let span = Interval { from: begins, until: now };
    let history = whole(begins, now).await;
    let (_, observations) = past.observations(span).await.unwrap();
    assert_eq!(observations.components, history.observations(span, now).components);
    let timeouts = Timeouts { stale_timeout_s: 600, ..Settings::default().into() };
    let length = now - begins;
    let rehearsal = past.rehearse(timeouts, length).await.unwrap();
    assert_eq!(rehearsal.proposed.1.len(), SERVERS);
    assert_eq!(rehearsal.proposed.1, history.rehearse(timeouts, span));
    let query = |limit, before| EventQuery {
        span,
        server: None,
        filter: Arc::new(|_| true),
        before,
        limit,
    };
    let mut expected = history.events(span);
    assert_eq!(expected.iter().filter(|event| event.subject.is_none()).count(), 1);
    let found = past.events(query(expected.len(), None)).await.unwrap();
    assert_eq!((found.events, found.has_more), (expected.clone(), false));
    let mut paged: Vec<Event> = Vec::new();
    loop {
        let before = paged.last().map(Event::id);
        let page = past.events(query(1_000, before)).await.unwrap();
        paged.extend(page.events);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(paged, expected);
    expected.retain(|event| event.at != moment);
    let NearMoment { snapshot, earlier, later } = past.near(moment).await.unwrap();
    assert_eq!(snapshot, past.snapshot(moment).await.unwrap());
    assert_eq!(earlier, expected.iter().find(|event| event.at < moment).map(|event| event.at));
    assert_eq!(later, expected.iter().rfind(|event| event.at > moment).map(|event| event.at));
    assert!(earlier.is_some() && later.is_some());
}

#[test]
fn a_span_is_looked_through_from_either_side_in_windows_that_grow() {
    let days = |span: Interval| [span.from, span.until].map(|at| at.0 / 86_400_000);
    let windows = |first| {
        let rest = Interval { from: Timestamp(0), until: Timestamp(30 * 86_400_000) };
        Windows::new(rest, first).map(days).collect::<Vec<_>>()
    };
    assert_eq!(windows(Side::Newest), [[29, 30], [25, 29], [9, 25], [0, 9]]);
    assert_eq!(windows(Side::Oldest), [[0, 1], [1, 5], [5, 21], [21, 30]]);
}

#[tokio::test]
async fn the_events_of_a_server_of_which_records_were_deleted_are_complete_since_then() {
    use sqlx::Connection as _;

    let (past, begins, folder) = past_in_parts().await;
    let trimmed_since = begins + Span::minutes(600);
    let file = format!("sqlite:{}", folder.join("overview.db").display());
    let mut database = sqlx::SqliteConnection::connect(&file).await.unwrap();
    let trim = "update recorded_components set complete_since = $1
         where server_key = 'server-7' and role = 'service'";
    sqlx::query(trim).bind(trimmed_since.0).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let complete_since = async |server: Option<&str>| {
        let query = EventQuery {
            span: Interval { from: begins, until: past.live.now() },
            server: server.map(|name| ServerName::parse(name).unwrap()),
            filter: Arc::new(|_| true),
            before: None,
            limit: 10_000,
        };
        let found = past.events(query).await.unwrap();
        (found.begins, found.complete_since)
    };
    assert_eq!(complete_since(Some("Server-7")).await, (begins, trimmed_since));
    assert_eq!(complete_since(Some("server-8")).await, (begins, begins));
    assert_eq!(complete_since(None).await, (begins, begins));
}

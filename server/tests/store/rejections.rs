//! Rejected heartbeats and failing probes: kept through a restart, ended by a heartbeat or a removal, within limits.

use app::cluster::reject::{MAX_REJECTED, MAX_UNREPORTED};
use app::cluster::{RejectedHeartbeat, RejectionReason, ServerName};

use super::*;

fn run(store: &Store, server: &str, why: RejectionReason) -> RejectedHeartbeat {
    RejectedHeartbeat {
        server: ServerName::parse(server).unwrap(),
        since: store.now(),
        until: store.now() + Span::minutes(10),
        why,
        from: Some(std::net::IpAddr::from([10, 0, 0, 9]).into()),
    }
}

fn probe(role: Role) -> RejectionReason {
    RejectionReason::Probe { role, reason: "503 \"Busy\"".to_owned() }
}

async fn rejected(store: &Arc<Store>) -> Vec<RejectedHeartbeat> {
    store.load().await.unwrap().snapshot.rejected
}

fn servers(rejected: &[RejectedHeartbeat]) -> Vec<&str> {
    rejected.iter().map(|run| run.server.as_str()).collect()
}

#[tokio::test]
async fn rejected_heartbeats_are_there_after_a_restart_until_they_are_over() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let runs = [
            run(&store, "Web-1", RejectionReason::Revoked),
            run(&store, "web-1", probe(Role::Web)),
            run(&store, "web-1", probe(Role::Service)),
        ];
        let commit = store.write_rejections(runs.to_vec()).await.unwrap();
        assert_eq!(commit.rejected.as_deref(), Some(&runs[..]), "in the order of a snapshot");
        drop(store);
        let store = Store::open(&database.address()).await.unwrap();
        assert_eq!(rejected(&store).await, runs);
        let later = RejectedHeartbeat { why: RejectionReason::Expired, ..runs[0].clone() };
        let over = RejectedHeartbeat { until: store.now(), ..run(&store, "a", probe(Role::Web)) };
        store.write_rejections(vec![later.clone(), over]).await.unwrap();
        assert_eq!(rejected(&store).await, [later, runs[1].clone(), runs[2].clone()]);
    }
}

#[tokio::test]
async fn a_heartbeat_ends_the_failure_of_its_own_probe_and_counts_as_a_start() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let service = |sequence| [beat("web-1", Role::Service, sequence)];
        store.receive(service(1)).await.unwrap();
        let runs = [probe(Role::Service), probe(Role::Web), RejectionReason::Token];
        let runs = runs.map(|why| run(&store, "web-1", why));
        store.write_rejections(runs.to_vec()).await.unwrap();
        let commit = store.receive(service(2)).await.unwrap().commit;
        let left = [runs[2].clone(), runs[1].clone()];
        assert_eq!(commit.rejected.as_deref(), Some(&left[..]));
        assert_eq!(commit.components[0].interruptions.starts.len(), 1);
        let commit = store.receive(service(3)).await.unwrap().commit;
        assert!(commit.rejected.is_none() && commit.components.is_empty(), "only once");
        store.write_rejections(vec![runs[0].clone()]).await.unwrap();
        let leaving = Heartbeat { leaving: true, ..beat("web-1", Role::Service, 4) };
        let commit = store.receive([leaving]).await.unwrap().commit;
        assert_eq!(commit.rejected.as_deref(), Some(&left[..]));
        assert_eq!(commit.components[0].interruptions.starts.len(), 1, "it did not start");
    }
}

#[tokio::test]
async fn a_removal_ends_what_was_rejected_of_the_server_and_of_no_other() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("web-1", Role::Web, 1), beat("web-2", Role::Web, 1)]).await.unwrap();
        let runs = [
            run(&store, "web-1", RejectionReason::Token),
            run(&store, "web-1", probe(Role::Web)),
            run(&store, "web-1", probe(Role::Service)),
            run(&store, "web-2", RejectionReason::Token),
        ];
        store.write_rejections(runs.to_vec()).await.unwrap();
        let web = [key("WEB-1", Role::Web)];
        store.remove(&web, &[], None).await.unwrap();
        assert_eq!(rejected(&store).await, [runs[0].clone(), runs[2].clone(), runs[3].clone()]);
        let whole = [ServerName::parse("WEB-1").unwrap()];
        let commit = store.remove(&[], &whole, None).await.unwrap();
        assert_eq!(commit.rejected.as_deref(), Some(&runs[3..]));
    }
}

#[tokio::test]
async fn only_so_many_rejected_heartbeats_are_kept_and_fewer_of_unreported_servers() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let names = |prefix: &str, count| -> Vec<String> {
            (0..count).map(|number| format!("{prefix}-{number:04}")).collect()
        };
        let reported = names("known", MAX_REJECTED);
        let beats: Vec<Heartbeat> =
            reported.iter().map(|server| beat(server, Role::Web, 1)).collect();
        store.receive(beats).await.unwrap();
        let unreported = names("new", MAX_UNREPORTED + 50);
        let runs = unreported.iter().map(|server| run(&store, server, probe(Role::Web)));
        store.write_rejections(runs.collect()).await.unwrap();
        assert_eq!(servers(&rejected(&store).await), &unreported[..MAX_UNREPORTED]);
        let runs = reported.iter().map(|server| run(&store, server, RejectionReason::Token));
        store.write_rejections(runs.collect()).await.unwrap();
        let left = rejected(&store).await;
        let expected =
            [&reported[..MAX_REJECTED - MAX_UNREPORTED], &unreported[..MAX_UNREPORTED]].concat();
        assert_eq!(servers(&left), expected, "the oldest stay");
    }
}

#[tokio::test]
async fn every_web_server_shows_what_another_one_rejected() {
    let address = testkit::postgres().create_database().await;
    let (one, other) = (Store::open(&address).await.unwrap(), Store::open(&address).await.unwrap());
    one.receive([beat("web-1", Role::Service, 1)]).await.unwrap();
    let there = LiveState::load(Arc::clone(&other)).await.unwrap();
    let cursor = there.view().cursor;
    let runs = [run(&one, "web-1", probe(Role::Service))];
    one.write_rejections(runs.to_vec()).await.unwrap();
    there.apply(other.catch_up().await.unwrap());
    assert_eq!(there.snapshot().rejected, runs);
    let (change, cursor, _) = there.changes_since(&cursor);
    assert_eq!(change.unwrap().rejected.as_deref(), Some(&runs[..]));
    // A heartbeat at the other web server ends it.
    there.apply(other.receive([beat("web-1", Role::Service, 2)]).await.unwrap().commit);
    let (change, ..) = there.changes_since(&cursor);
    assert_eq!(change.unwrap().rejected, Some(Vec::new()));
    one.catch_up().await.unwrap();
    assert_eq!(rejected(&one).await, []);
}

//! A `PgBouncer` between the overview and its database.

use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Overview, PgBouncer, folder, postgres, wait_until_ok};

/// The name of a new database.
fn database() -> String {
    let address = tokio::runtime::Runtime::new().unwrap().block_on(postgres().create_database());
    let (before, _) = address.split_once('?').unwrap();
    before.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn with_a_connection_for_each_session_two_web_servers_work_as_without_it() {
    let (folder, name) = (folder(), database());
    let pooled = PgBouncer::start(postgres(), &folder, "session");
    let one = Overview::start_on(&pooled.address(&name));
    let other = Overview::start_on(&pooled.address(&name));
    assert_eq!(one.send_heartbeat("app-1", 1).0, 200);
    other.wait_for_component("app-1", |component| component["pulse"] == "alive");
    assert_eq!(other.send_heartbeat("app-1", 2).0, 200);
    assert!(one.is_ready() && other.is_ready());
    assert!(!one.log().contains("WARN") && !one.log().contains("ERROR"), "{}", one.log());
}

#[test]
fn with_a_connection_for_each_transaction_the_page_and_the_log_say_which_mode_is_needed() {
    let (folder, name) = (folder(), database());
    let pooled = PgBouncer::start(postgres(), &folder, "transaction");
    let overview = Overview::start_on(&pooled.address(&name));
    let hint = wait_until_ok("the hint", DEFAULT_TIMEOUT, || {
        // Senders use several connections at once.
        std::thread::scope(|scope| {
            for number in 0..4 {
                let overview = &overview;
                scope.spawn(move || overview.send_heartbeat(&format!("app-{number}"), 1));
            }
        });
        let picture = overview.picture();
        let hints = picture["hints"].as_array().cloned().unwrap_or_default();
        let found = hints.into_iter().find(|hint| hint["id"] == "overview-blind");
        found.filter(says_which_mode).ok_or(picture)
    });
    assert!(says_which_mode(&hint));
    let said = overview.log();
    assert!(said.contains("PgBouncer works with pool_mode = session only"), "{said}");
}

fn says_which_mode(hint: &Value) -> bool {
    hint["evidence"].as_str().is_some_and(|evidence| evidence.contains("pool_mode = session"))
}

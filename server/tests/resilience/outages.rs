//! PostgreSQL that is down, comes back, is cut off, hangs, or has another time: the page says
//! so, agents get `Retry-After`, and no server is stale because of it.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{
    Balancer, DEFAULT_TIMEOUT, Fault, Overview, Postgres, Serve, agent, get, heartbeat,
    wait_until_ok, with_field,
};

use crate::clocks::libfaketime;
use crate::history::{check_order, of_kind, read_events};

/// How soon after the database's return the overview is no longer blind.
const RECOVERED_WITHIN: Duration = Duration::from_secs(3);

/// The overview while it is blind.
fn is_blind(picture: &Value) -> bool {
    !picture["blind_since"].is_null()
}

fn is_readable(picture: &Value) -> bool {
    !is_blind(picture)
}

/// The response to a heartbeat: status and `Retry-After`.
fn refused(overview: &Overview, sequence: i64) -> (u16, bool) {
    let answer = overview.post_heartbeats(&heartbeat("living", "service", sequence));
    (answer.status, answer.headers.contains_key("retry-after"))
}

/// How long an outage lasts, or as long as `CLUSTER_OVERVIEW_OUTAGE_SECONDS` says.
fn at_least(lasts: Duration) -> Duration {
    let chosen = std::env::var("CLUSTER_OVERVIEW_OUTAGE_SECONDS");
    chosen.map_or(lasts, |seconds| Duration::from_secs(seconds.parse().unwrap()))
}

/// The overview is blind during the outage, and right again soon after it.
fn check_outage(overview: &Overview, lasts: Duration, end: impl FnOnce()) {
    let picture = overview.wait_for_picture(is_blind);
    assert_eq!(picture["health"], "unknown", "not ok: {picture:#}");
    assert_eq!(picture["servers"][0]["components"][0]["pulse"], "unknown", "{picture:#}");
    assert_eq!(picture["hints"][0]["id"], "overview-blind", "{picture:#}");
    let since = Instant::now();
    assert_eq!(refused(overview, 1_000_000), (503, true));
    assert!(!overview.is_ready(), "not ready");
    assert!(get(&overview.url("/healthz")).is_some(), "but it serves");
    assert!(get(&overview.url("/")).is_some(), "and shows its page");
    while since.elapsed() < lasts {
        assert!(is_blind(&overview.picture()), "the outage goes on");
        thread::sleep(Duration::from_millis(100));
    }
    end();
    let back = Instant::now();
    let picture = overview.wait_for_picture(is_readable);
    assert!(back.elapsed() < RECOVERED_WITHIN, "it took {:?}", back.elapsed());
    // No heartbeat could arrive for longer than the stale timeout, and no server is blamed for it.
    assert_eq!(picture["counts"]["stale"], 0, "{picture:#}");
    assert_eq!(picture["counts"]["late"], 0, "{picture:#}");
    assert!(
        !picture["blind_periods"].as_array().unwrap().is_empty(),
        "the outage is recorded: {picture:#}"
    );
}

/// A stale timeout of 3 s, and one service with a new heartbeat.
fn start_with_one_service(address: &str) -> Overview {
    let overview = Overview::start_on(address);
    overview.use_short_timers();
    assert_eq!(overview.send_heartbeat("living", 1).0, 200);
    overview
}

fn address(port: u16) -> String {
    format!("postgres://overview@127.0.0.1:{port}/postgres")
}

#[test]
fn a_stopped_database_makes_the_overview_blind_until_it_is_back() {
    let mut database = Postgres::start();
    let overview = start_with_one_service(&address(database.port));
    database.stop();
    let lasts = at_least(Duration::from_secs(6));
    check_outage(&overview, lasts, || database.start_again(&[]));
    assert_eq!(overview.send_heartbeat("living", 2).0, 200);
    database.stop();
    database.start_again(&[]);
    overview.wait_for_picture(is_readable);
    assert_eq!(overview.send_heartbeat("living", 3).0, 200);
}

#[test]
fn database_connections_that_break_or_hang_leave_nothing_stuck() {
    let database = Postgres::start();
    let network = Balancer::start(vec![database.port]);
    let overview = start_with_one_service(&address(network.port));
    for _ in 0..5 {
        network.cut_connections();
    }
    overview.wait_for_picture(is_readable);
    assert_eq!(overview.send_heartbeat("living", 2).0, 200);
    network.set_fault(Fault::Blackhole);
    check_outage(&overview, Duration::from_secs(12), || network.set_fault(Fault::None));
    assert_eq!(overview.send_heartbeat("living", 3).0, 200);
}

#[test]
fn a_database_with_a_full_disk_makes_the_overview_blind_until_there_is_room_again() {
    let database = Postgres::start_on_disk_of_mb(96);
    let overview = start_with_one_service(&address(database.port));
    // Repeatedly, because the database uses freed space at once.
    database.run_in_shell(
        "while kill -0 $$; do head -c 96M /dev/zero >> disk/ballast; sleep 0.02; done & filler=$!",
    );
    let mut taken = 1;
    // Each heartbeat is from another server, so that a row soon needs a new page.
    wait_until_ok("the disk to be full", Duration::from_mins(2), || {
        while overview.send_heartbeat(&format!("server-{taken}"), 1).0 == 200 {
            taken += 1;
        }
        Ok::<_, String>(())
    });
    let picture = overview.wait_for_picture(is_blind);
    let said = picture["hints"][0]["evidence"].as_str().unwrap();
    assert!(said.contains("The disk of the database is full."), "{said}");
    check_outage(&overview, Duration::from_secs(6), || {
        database.run_in_shell("kill $filler; wait $filler; rm disk/ballast");
    });
    assert_eq!(
        overview.picture()["counts"]["servers"],
        taken,
        "all acknowledged servers are there"
    );
    assert_eq!(overview.send_heartbeat("another", 1).0, 200);
}

/// Locks this server's rows until the database stops.
fn lock(database: &Postgres, server: &str) {
    let locked = database.file("locked");
    database.run_in_shell(&format!(
        "printf \"begin; select 1 from last_heartbeats where server_key = '{server}' for update;\\n\
         \\\\! touch {}\\nselect pg_sleep(600);\\n\" | psql --host 127.0.0.1 --port {} --username overview \
         postgres >>log 2>&1 &",
        locked.display(),
        database.port,
    ));
    wait_until_ok("the row to be locked", DEFAULT_TIMEOUT, || {
        if locked.exists() { Ok(()) } else { Err("not yet") }
    });
}

/// The removals in the audit log, oldest first.
fn removals(overview: &Overview) -> Vec<String> {
    let audit = overview.get("/api/v1/audit?action=remove").body;
    let entries = audit["entries"].as_array().unwrap().iter().rev();
    entries.map(|entry| entry["target"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_bulk_removal_that_loses_the_database_midway_reports_what_it_removed() {
    let mut database = Postgres::start();
    let network = Balancer::start(vec![database.port]);
    let overview = Overview::start_on(&address(network.port));
    let pods: Vec<String> = (0..1_400).map(|number| format!("pod-{number:04}")).collect();
    for some in pods.chunks(700) {
        let beats: Vec<Value> = some
            .iter()
            .map(|pod| with_field(heartbeat(pod, "service", 1), "leaving", true.into()))
            .collect();
        assert_eq!(overview.post_heartbeats(&beats.into()).status, 200);
    }
    // The first transaction of 500 does not need the row, and the second waits for it.
    lock(&database, "pod-0700");
    let all = serde_json::json!({"name": "pod-*"});
    let stopped = thread::scope(|scope| {
        let removal = scope.spawn(|| overview.json("POST", "/api/v1/removals", &all));
        overview.wait_for_picture(|picture| picture["counts"]["servers"] == 900);
        // First the connections: a database that stops may end the waiting for the row before the removal.
        network.set_fault(Fault::Drop);
        network.cut_connections();
        database.stop();
        removal.join().unwrap()
    });
    assert_eq!(stopped.status, 503, "{}", stopped.body);
    assert_eq!(stopped.header("content-type"), "application/problem+json");
    assert!(stopped.headers.contains_key("retry-after"));
    assert_eq!(stopped.body["removed"], serde_json::json!(pods[..500]));
    let detail = stopped.body["detail"].as_str().unwrap();
    assert!(detail.contains("500 servers were removed"), "{detail}");
    let nothing = overview.json("POST", "/api/v1/removals", &all);
    assert_eq!((nothing.status, &nothing.body["removed"]), (503, &serde_json::json!([])));
    database.start_again(&[]);
    network.set_fault(Fault::None);
    let picture = overview.wait_for_picture(is_readable);
    assert_eq!(picture["counts"]["servers"], 900, "the rest is there");
    let first = format!("500 servers: {}", pods[..500].join(", "));
    assert_eq!(removals(&overview), [first.as_str()], "no more than was removed");
    let rest = overview.json("POST", "/api/v1/removals", &all);
    assert_eq!((rest.status, &rest.body["removed"]), (200, &serde_json::json!(pods[500..])));
    let written = removals(&overview);
    assert_eq!(written.len(), 3, "one for each transaction");
    assert_eq!(written[2], format!("400 servers: {}", pods[1_000..].join(", ")));
}

#[test]
fn serve_starts_without_its_database_and_connects_later() {
    let mut database = Postgres::start();
    database.stop();
    let overview = Overview::start_on(&address(database.port));
    assert!(is_blind(&overview.picture()));
    assert!(get(&overview.url("/")).is_some(), "the page says so");
    assert_eq!(refused(&overview, 1), (503, true));
    database.start_again(&[]);
    let back = Instant::now();
    overview.wait_for_picture(is_readable);
    assert!(back.elapsed() < RECOVERED_WITHIN, "it took {:?}", back.elapsed());
    assert_eq!(overview.send_heartbeat("living", 1).0, 200);
}

#[test]
fn the_first_admins_code_is_offered_once_the_database_is_there() {
    let mut database = Postgres::start();
    database.stop();
    let serve = Serve::with_options(&["--auth", "password"]).database(&address(database.port));
    let mut overview = serve.start();
    database.start_again(&[]);
    let code = overview.serve.wait_for_line("the set-up code", DEFAULT_TIMEOUT, |line| {
        line.strip_prefix("There is no admin yet.")?.rsplit(' ').next().map(str::to_owned)
    });
    let url = overview.url("");
    let form = [("name", "ann"), ("password", "a long enough password"), ("code", code.as_str())];
    let post = agent().post(overview.url("/sign-in"));
    let signed = post.header("origin", &url).send_form(form).unwrap();
    assert_eq!(signed.status(), 303);
    assert!(signed.headers().contains_key("set-cookie"), "the code makes the first admin");
}

#[test]
fn a_changed_clock_after_an_outage_makes_no_server_stale_and_none_alive() {
    let mut database = Postgres::start();
    let overview = start_with_one_service(&address(database.port));
    // An outage of up to 5 s is no blind period. Within that nothing is late with these timers.
    overview.configure(3, 7, 60);
    overview.send_heartbeat("dead", 1);
    let is_dead = |picture: &Value| picture["counts"]["stale"] == 1;
    let mut sequence = 1;
    overview.wait_for_picture(|picture| {
        sequence += 1;
        overview.send_heartbeat("living", sequence);
        is_dead(picture)
    });
    for by in ["+90", "-90"] {
        database.stop();
        overview.wait_for_picture(is_blind);
        let preload = libfaketime().display().to_string();
        database.start_again(&[("LD_PRELOAD", preload), ("FAKETIME", by.to_owned())]);
        let picture = overview.wait_for_picture(is_readable);
        assert_eq!(
            picture["counts"]["stale"], 1,
            "{by}: only the server that was stale: {picture:#}"
        );
        let stale = &picture["servers"][0]["components"][0];
        assert_eq!(
            (&picture["servers"][0]["name"], &stale["pulse"]),
            (&"dead".into(), &"stale".into())
        );
        sequence += 1;
        assert_eq!(overview.send_heartbeat("living", sequence).0, 200, "{by}");
        for _ in 0..20 {
            let picture = overview.picture();
            assert!(is_dead(&picture), "{by}: {picture:#}");
            sequence += 1;
            overview.send_heartbeat("living", sequence);
            thread::sleep(Duration::from_millis(100));
        }
    }
    let events = read_events(&overview);
    check_order(&events);
    let turns: Vec<_> =
        of_kind(&events, "pulse").iter().map(|event| (&event["server"], &event["to"])).collect();
    let dead = Value::from("dead");
    assert_eq!(turns, [(&dead, &"stale".into()), (&dead, &"late".into())], "{events:#?}");
    let set_back: Vec<_> =
        of_kind(&events, "clock").into_iter().filter(|event| event["why"] == "back").collect();
    let [set_back] = set_back[..] else { panic!("once: {events:#?}") };
    let off = set_back["lasted_s"].as_i64().unwrap() - 180;
    assert!(off.abs() <= 2, "from 90 s ahead to 90 s behind: {set_back}");
}

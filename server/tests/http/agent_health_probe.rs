//! A product that cannot send heartbeats itself: an agent probes its health and sends them.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use app::cluster::Role;
use cluster_overview::agent::health_probe::Probe;
use serde_json::{Value, json};
use testkit::{Folder, Process, program, wait_until};

use crate::harness::{Running, TOKEN, bearer_headers, component, folder};

const WELL: &str = r#"{"applicationName": "ProGet", "versionNumber": "2026.2 (Build 1)", "releaseNumber": "26.0.2",
    "databaseStatus": "OK", "databaseStatusDetails": null, "serviceStatus": "OK"}"#;

/// A health endpoint whose answer a test can change.
struct Product {
    url: String,
    answer: Arc<Mutex<Vec<u8>>>,
}

fn answer(status: &str, kind: &str, body: &str) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}

impl Product {
    fn answering(first: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/health/json", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new(first));
        let said = Arc::clone(&answer);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let said = said.lock().unwrap().clone();
                thread::spawn(move || respond(client, &said));
            }
        });
        Self { url, answer }
    }

    fn answers(&self, next: Vec<u8>) {
        *self.answer.lock().unwrap() = next;
    }
}

fn respond(mut client: TcpStream, said: &[u8]) {
    let mut request = [0; 2_000];
    let _ = client.read(&mut request);
    if said == b"hang" {
        thread::sleep(Duration::from_secs(30));
    }
    let _ = client.write_all(said);
}
fn agent(overview: &Running, folder: &Folder, options: &[&str]) -> Process {
    let mut agent = Command::new(program());
    agent.args(["agent", "--overview", &overview.url, "--name", "proget-1"]);
    agent.arg("--token-file").arg(folder.token_file()).args(options);
    Process::start(&mut agent, folder, "agent")
}

fn failing(picture: &Value) -> Vec<Value> {
    let servers = picture["servers"].as_array().unwrap().iter();
    let mut known = servers.filter(|server| server["name"] == "proget-1");
    known.next().map_or(Vec::new(), |server| server["failing_probes"].as_array().unwrap().clone())
}

#[test]
fn one_agent_sends_heartbeats_for_both_components_while_the_product_is_healthy_and_reports_why_it_is_not()
 {
    let overview = Running::start();
    overview.use_short_timers();
    let product = Product::answering(answer("200 OK", "application/json", WELL));
    let folder = folder();
    let _agent = agent(&overview, &folder, &["--role", "web,service", "--probe", &product.url]);
    let picture = overview.overview_when(|picture| {
        let alive = |role| component(picture, "proget-1", role).map(|one| one["pulse"].clone());
        alive("web") == Some(json!("alive")) && alive("service") == Some(json!("alive"))
    });
    for role in ["web", "service"] {
        let found = component(&picture, "proget-1", role).unwrap();
        let told = (&found["product"], &found["version"], &found["probed"]);
        assert_eq!(told, (&json!("ProGet"), &json!("2026.2 (Build 1)"), &json!(true)), "{role}");
        assert!(found["why"].as_str().unwrap().contains("It answers health checks"), "{found}");
    }

    let no_database = WELL
        .replace(r#""databaseStatus": "OK""#, r#""databaseStatus": "Error""#)
        .replace(r#"Details": null"#, r#"Details": "login failed""#);
    product.answers(answer("500 Internal Server Error", "application/json", &no_database));
    let picture = overview.overview_when(|picture| failing(picture).len() == 2);
    for failing in failing(&picture) {
        assert_eq!(failing["detail"], "databaseStatus Error, login failed");
    }
    let page = overview.get("/").body;
    assert!(page.as_str().unwrap().contains("databaseStatus Error, login failed"));
    overview.overview_when(|picture| {
        component(picture, "proget-1", "service").unwrap()["pulse"] == "stale"
    });

    product.answers(answer("200 OK", "application/json", WELL));
    let picture = overview.overview_when(|picture| failing(picture).is_empty());
    assert_eq!(component(&picture, "proget-1", "service").unwrap()["pulse"], "alive");
}

#[test]
fn a_failure_of_the_service_alone_leaves_the_web_component_alive() {
    let overview = Running::start();
    overview.use_short_timers();
    let no_service = WELL.replace(r#""serviceStatus": "OK""#, r#""serviceStatus": "Stopped""#);
    let product = Product::answering(answer("500 Oh", "application/json", &no_service));
    let folder = folder();
    let _agent = agent(&overview, &folder, &["--role", "web,service", "--probe", &product.url]);
    let picture = overview.overview_when(|picture| !failing(picture).is_empty());
    assert_eq!(failing(&picture)[0]["role"], "service");
    assert_eq!(failing(&picture)[0]["detail"], "serviceStatus Stopped");
    assert_eq!(component(&picture, "proget-1", "web").unwrap()["pulse"], "alive");
    assert!(component(&picture, "proget-1", "service").is_none(), "it was never heard");
}

#[test]
fn a_server_whose_product_has_never_been_healthy_is_shown_until_it_is() {
    let overview = Running::start();
    overview.use_short_timers();
    let starting = "the database is being upgraded";
    let product = Product::answering(answer("503 Service Unavailable", "text/plain", starting));
    let folder = folder();
    let _agent = agent(&overview, &folder, &["--probe", &product.url]);
    let named = |picture: &Value| {
        let hints = picture["hints"].as_array().unwrap();
        hints.iter().find(|hint| hint["id"] == "not-reported-yet").cloned()
    };
    let picture = overview.overview_when(|picture| named(picture).is_some());
    assert_eq!((&picture["health"], &picture["counts"]["servers"]), (&json!("warning"), &json!(0)));
    let hint = named(&picture).unwrap();
    assert_eq!(hint["title"], "Not reported yet: proget-1");
    assert!(hint["evidence"].as_str().unwrap().contains(starting), "{hint}");
    assert!(overview.get("/").body.as_str().unwrap().contains("Not reported yet: proget-1"));
    product.answers(answer("200 OK", "application/json", WELL));
    let picture =
        overview.overview_when(|picture| component(picture, "proget-1", "service").is_some());
    assert_eq!(named(&picture), None);
}

#[test]
fn a_probe_can_be_a_command() {
    let overview = Running::start();
    let said = "echo '{\"version\": \"7.1\"}'";
    let folder = folder();
    let _agent = agent(&overview, &folder, &["--probe-command", said]);
    let picture =
        overview.overview_when(|picture| component(picture, "proget-1", "service").is_some());
    assert_eq!(component(&picture, "proget-1", "service").unwrap()["version"], "7.1");
}

/// The result of one probe.
fn asked(probe: &Probe) -> String {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match runtime.block_on(probe.check(Role::Web)) {
        Ok(well) => format!("{well:?}"),
        Err(unwell) => unwell.to_string(),
    }
}

#[test]
fn health_endpoints_that_hang_redirect_lie_or_break_off_are_reported_as_what_they_are() {
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n";
    let breaks_off = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"version\"";
    for (said, told) in [
        (redirect.to_vec(), "redirects to /login"),
        (answer("200 OK", "text/plain", &"x".repeat(10 << 20)), "is longer than 64 KiB"),
        (answer("200 OK", "application/json", "<html>"), "the body is not a JSON object"),
        (breaks_off.to_vec(), "/health/json: "),
        (b"SSH-2.0-OpenSSH\r\n".to_vec(), "/health/json: "),
        (Vec::new(), "/health/json: "),
        (
            answer("500 Oh", "text/plain", "\u{1b}[31mno\r\nmore"),
            "500 Internal Server Error: \u{fffd}[31mno",
        ),
    ] {
        let product = Product::answering(said);
        let found = asked(&Probe::from_url(&product.url).unwrap());
        assert!(found.contains(told), "{told}: {found}");
        assert!(!found.chars().any(char::is_control) && found.len() < 1_200, "{found}");
    }
    let nobody = asked(&Probe::from_url("http://127.0.0.1:1/health").unwrap());
    assert!(nobody.contains("refused"), "{nobody}");
}

#[test]
fn a_probe_that_never_ends_is_killed_with_all_processes_that_it_started() {
    let began = Instant::now();
    let hanging = Product::answering(b"hang".to_vec());
    let address = thread::spawn(move || asked(&Probe::from_url(&hanging.url).unwrap()));
    let folder = folder();
    let mark = folder.join("child");
    let command = format!("sleep 77 & echo $! > {}; wait", mark.display());
    let told = asked(&Probe::Command(command));
    assert_eq!(told, "the probe command did not end within 10 s");
    assert!(address.join().unwrap().contains("timeout"));
    assert!(began.elapsed() < Duration::from_secs(15));
    let child = std::fs::read_to_string(mark).unwrap();
    let stat = format!("/proc/{}/stat", child.trim());
    wait_until("the end of what the command started", Duration::from_secs(2), || {
        let runs = std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        (!runs).then_some(())
    });
}

#[test]
fn a_server_reports_probe_failures_only_for_itself_and_they_create_no_row() {
    let overview = Running::start();
    overview.beat(&crate::harness::heartbeat("web-1", "web", 1));
    let enrolled = overview.send(
        "POST",
        "/api/v1/enrolments",
        &[&bearer_headers(TOKEN)[..], &[("content-type", "application/json")]].concat(),
        br#"{"server": "web-2"}"#,
    );
    let credential = enrolled.body["credential"].as_str().unwrap().to_owned();
    let tell = |token: &str, server: &str, reason: &str| {
        let body = json!({"server": server, "role": "web", "reason": reason}).to_string();
        let headers =
            [&bearer_headers(token)[..], &[("content-type", "application/json")]].concat();
        overview.send("POST", "/api/v1/probe-failures", &headers, body.as_bytes()).status
    };
    assert_eq!(tell(&credential, "web-1", "forged"), 403);
    assert_eq!(tell("forged", "web-1", "forged"), 401);
    assert_eq!(tell(TOKEN, "nobody", "no database"), 204);
    assert_eq!(tell(TOKEN, "web-1", "no\ndatabase"), 204);
    let picture =
        overview.overview_when(|picture| picture["servers"][0]["failing_probes"] != json!([]));
    assert_eq!(picture["counts"]["servers"], 1);
    let server = &picture["servers"][0];
    assert_eq!(server["failing_probes"][0]["detail"], "no\u{fffd}database");
    assert_eq!(server["failing_probes"].as_array().unwrap().len(), 1);
}

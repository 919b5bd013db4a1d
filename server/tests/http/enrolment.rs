//! How a server gets a credential of its own, and what happens to it.

use std::path::{Path, PathBuf};

use app::cluster::{Os, Role};
use cluster_overview::agent::api_client::Client;
use cluster_overview::agent::credential_file::Credential;
use cluster_overview::agent::{Agent, AgentAuth, Facts};
use cluster_overview::auth::AuthPolicy;
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, Folder, bearer_headers, folder, wait_until};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::harness::{Running, component, heartbeat};

/// An agent that runs until it is dropped.
struct Beating {
    stop: Option<oneshot::Sender<()>>,
    runtime: Runtime,
    done: Option<tokio::task::JoinHandle<()>>,
}

fn facts(server: &str) -> Facts {
    Facts {
        server: server.to_owned(),
        role: Role::Service,
        product: None,
        is_version_fixed: true,
        version: "1".to_owned(),
        os: Os { name: "Debian GNU/Linux".to_owned(), version: "12".to_owned() },
        ip: Some([10, 0, 0, 1].into()),
        key_file: None,
    }
}

impl Beating {
    fn start(overview: &Running, token: &Path, credential: &Path) -> Self {
        Self::named("app-1", overview, token, credential)
    }

    fn named(server: &str, overview: &Running, token: &Path, credential: &Path) -> Self {
        let auth = AgentAuth::read(token, credential.to_owned(), server).unwrap();
        let client = Client::new(&overview.url, None).unwrap();
        let agent = Agent::new(client, auth, facts(server), None);
        let (stop, stopped) = oneshot::channel();
        let runtime = Runtime::new().unwrap();
        let done = runtime.spawn(agent.run(async {
            let _ = stopped.await;
        }));
        Self { stop: Some(stop), runtime, done: Some(done) }
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(done) = self.done.take() {
            self.runtime.block_on(done).unwrap();
        }
    }
}

/// The file with the join token, and the one for the credential.
fn files(folder: &Folder) -> (PathBuf, PathBuf) {
    (folder.token_file(), folder.join("credential"))
}

fn pulse(picture: &Value) -> Option<&str> {
    component(picture, "app-1", "service")?["pulse"].as_str()
}

fn id(credential: &Path) -> Option<String> {
    Credential::read(credential).unwrap().map(|credential| credential.id)
}

#[test]
fn an_agent_enrols_at_first_contact_and_needs_the_join_token_no_more() {
    let overview = Running::of(AuthPolicy { require_enrolment: true, ..AuthPolicy::open() });
    overview.use_short_timers();
    let folder = folder();
    let (token, credential) = files(&folder);
    let agent = Beating::start(&overview, &token, &credential);
    overview.overview_when(|picture| pulse(picture) == Some("alive"));
    drop(agent);
    overview.overview_when(|picture| pulse(picture) == Some("stopped"));
    let first = id(&credential).unwrap();
    std::fs::remove_file(&token).unwrap();
    let agent = Beating::start(&overview, &token, &credential);
    overview.overview_when(|picture| pulse(picture) == Some("alive"));
    assert_eq!(id(&credential).unwrap(), first, "the same credential");
    drop(agent);
}

#[test]
fn an_agent_whose_credential_is_revoked_enrols_again_if_it_has_the_join_token() {
    let overview = Running::of(AuthPolicy { require_enrolment: true, ..AuthPolicy::open() });
    overview.use_short_timers();
    let folder = folder();
    let (token, credential) = files(&folder);
    let agent = Beating::start(&overview, &token, &credential);
    overview.overview_when(|picture| pulse(picture) == Some("alive"));
    let first = id(&credential).unwrap();
    assert_eq!(overview.send("DELETE", &format!("/api/v1/tokens/{first}"), &[], &[]).status, 204);
    wait_until("a new credential", DEFAULT_TIMEOUT, || {
        (id(&credential).unwrap() != first).then_some(())
    });
    overview.overview_when(|picture| pulse(picture) == Some("alive"));
    drop(agent);
}

#[test]
fn a_server_that_was_renamed_enrols_under_its_new_name_and_keeps_one_credential_file() {
    let overview = Running::of(AuthPolicy { require_enrolment: true, ..AuthPolicy::open() });
    overview.use_short_timers();
    let folder = folder();
    let (token, credential) = files(&folder);
    drop(Beating::start(&overview, &token, &credential));
    let first = id(&credential).unwrap();
    let is_alive = |server: &'static str| {
        move |picture: &Value| {
            component(picture, server, "service").is_some_and(|it| it["pulse"] == "alive")
        }
    };
    let agent = Beating::named("app-2", &overview, &token, &credential);
    overview.overview_when(is_alive("app-2"));
    drop(agent);
    let second = id(&credential).unwrap();
    assert_ne!(second, first);
    // A file of an older version does not name its server, so the overview rejects the credential.
    let mut former: Value =
        serde_json::from_str(&std::fs::read_to_string(&credential).unwrap()).unwrap();
    assert_eq!(former["server"], "app-2");
    former.as_object_mut().unwrap().remove("server");
    std::fs::write(&credential, former.to_string()).unwrap();
    let agent = Beating::named("app-3", &overview, &token, &credential);
    overview.overview_when(is_alive("app-3"));
    drop(agent);
    assert_ne!(id(&credential).unwrap(), second);
}

/// The rejected heartbeats of this server in the overview.
fn refused(overview: &Running, server: &str) -> Value {
    let picture = overview.overview();
    let servers = picture["servers"].as_array().unwrap();
    servers.iter().find(|found| found["name"] == server).unwrap()["refused"].clone()
}

#[test]
fn a_servers_row_says_that_heartbeats_in_its_name_are_refused_and_from_where() {
    let overview = Running::start();
    assert_eq!(overview.beat(&heartbeat("web-1", "web", 1)).status, 200);
    let etag = overview.get("/api/v1/overview").header("etag").to_owned();
    assert_eq!(refused(&overview, "web-1"), Value::Null);
    let body = json!([heartbeat("WEB-1", "web", 2)]).to_string();
    let headers = [("authorization", "Bearer unknown"), ("content-type", "application/json")];
    let told = |server: &str, sequence| {
        let body = heartbeat(server, "web", sequence).to_string();
        overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes()).status
    };
    let answer = overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes());
    assert_eq!(answer.status, 401);
    overview.overview_when(|picture| !picture["servers"][0]["refused"].is_null());
    let said = refused(&overview, "web-1");
    assert_eq!((&said["reason"], &said["address"]), (&json!("token"), &json!("127.0.0.1")));
    assert_ne!(overview.get("/api/v1/overview").header("etag"), etag, "the picture moved");
    // More of them change nothing, and they create no row for an unknown server.
    let etag = overview.get("/api/v1/overview").header("etag").to_owned();
    for sequence in 3..20 {
        assert_eq!(told("web-1", sequence), 401);
        assert_eq!(told("stranger", sequence), 401);
    }
    assert_eq!(overview.get("/api/v1/overview").header("etag"), etag);
    assert_eq!(overview.overview()["counts"]["servers"], 1);
}

#[test]
fn a_token_that_was_revoked_is_told_from_one_that_was_never_valid() {
    let overview = Running::guarded();
    let heartbeat = |token: &str, sequence: i64| {
        let (bearer, body) = (format!("Bearer {token}"), heartbeat("web-1", "service", sequence));
        let headers = [("authorization", &*bearer), ("content-type", "application/json")];
        overview.send("POST", "/api/v1/heartbeats", &headers, body.to_string().as_bytes()).status
    };
    let admin = overview.token("admin");
    let headers = [&bearer_headers(&admin)[..], &[("content-type", "application/json")]].concat();
    let body = json!({"role": "join", "name": "servers", "expires_in_s": null});
    let made = overview.send("POST", "/api/v1/tokens", &headers, body.to_string().as_bytes()).body;
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(heartbeat(token, 1), 200);
    assert_eq!(overview.send("DELETE", &format!("/api/v1/tokens/{id}"), &headers, &[]).status, 204);
    assert_eq!(heartbeat("unknown", 2), 401);
    assert_eq!(heartbeat(token, 2), 401);
    // A viewer's token never allowed heartbeats.
    assert_eq!(heartbeat(&overview.token("viewer"), 2), 403);
    wait_until("the revoked token to be named", DEFAULT_TIMEOUT, || {
        let picture = overview.send("GET", "/api/v1/overview", &headers, &[]).body;
        (picture["servers"][0]["refused"]["reason"] == "revoked").then_some(())
    });
}

//! A database restored from a backup while a web server is suspended: it uses nothing that it knew before.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{Overview, Serve, bearer_headers, create_token, postgres, wait_until_ok};

/// How soon after it resumes a web server knows that the database was restored.
const NOTICED_WITHIN: Duration = Duration::from_secs(2);

fn start(database: &str) -> Overview {
    Serve::with_options(&["--auth", "password"]).database(database).start()
}

fn names(picture: &Value) -> Vec<&str> {
    let servers = picture["servers"].as_array().into_iter().flatten();
    servers.filter_map(|server| server["name"].as_str()).collect()
}

fn token(database: &str, role: &str) -> String {
    create_token(database, role).trim().to_owned()
}

/// Revokes the only token of this role.
fn revoke_token_with_role(role: &str, overview: &Overview, admin: &str) {
    let list = overview.send("GET", "/api/v1/tokens", &bearer_headers(admin), &[]);
    let tokens = list.body["tokens"].as_array().unwrap().iter();
    let ids: Vec<&str> = tokens
        .filter(|token| token["role"] == role)
        .filter_map(|token| token["id"].as_str())
        .collect();
    let [id] = ids[..] else { panic!("one {role} token in {}", list.body) };
    let revoked =
        overview.send("DELETE", &format!("/api/v1/tokens/{id}"), &bearer_headers(admin), &[]);
    assert_eq!(revoked.status, 204, "{}", revoked.body);
}

#[test]
fn a_web_server_that_was_suspended_during_a_restore_agrees_with_the_others_afterwards() {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(postgres().create_database());
    let suspended = start(&database);
    let mut active = start(&database);
    let (viewer, admin) = (token(&database, "viewer"), token(&database, "admin"));
    assert_eq!(active.send_heartbeat("app-1", 1).0, 200);
    let backup = postgres().back_up(&database);
    // After the backup: a server, a token, and another stale timeout.
    assert_eq!(active.send_heartbeat("ghost", 1).0, 200);
    let late = token(&database, "viewer");
    let get_overview = |overview: &Overview, token: &str| {
        overview.send("GET", "/api/v1/overview", &bearer_headers(token), &[])
    };
    wait_until_ok("the web server to read all of it", NOTICED_WITHIN, || {
        let answer = get_overview(&suspended, &late);
        if names(&answer.body) == ["app-1", "ghost"] { Ok(()) } else { Err(answer.body) }
    });
    suspended.serve.signal("-STOP");
    active.serve.terminate();
    postgres().restore(&backup, &database);
    active.start_again();
    for sequence in 2..100 {
        assert_eq!(active.send_heartbeat("app-1", sequence).0, 200);
    }
    revoke_token_with_role("viewer", &active, &admin);
    suspended.serve.signal("-CONT");
    let since = Instant::now();
    wait_until_ok("the resumed web server to agree with the other", NOTICED_WITHIN, || {
        let (here, there) = (get_overview(&suspended, &admin), get_overview(&active, &admin));
        let refused = [&viewer, &late].map(|token| get_overview(&suspended, token).status);
        if refused == [401; 2] && here.header("etag") == there.header("etag") {
            Ok(())
        } else {
            Err(format!("after {:?}: {refused:?}, {}", since.elapsed(), here.body))
        }
    });
    assert_eq!(names(&get_overview(&suspended, &admin).body), ["app-1"]);
}

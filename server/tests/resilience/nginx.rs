//! Two web servers behind nginx with `server/dist/nginx.conf`.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::json;
use testkit::{
    DEFAULT_TIMEOUT, Folder, Overview, Postgres, Process, Serve, agent, folder, free_port, get,
    send, send_heartbeat, wait_until_ok,
};

/// An nginx in a folder of its own. It ends when this is dropped, or with this process.
struct Nginx {
    keeper: Process,
    port: u16,
    folder: Folder,
}

impl Nginx {
    fn before(servers: &[Overview]) -> Self {
        let port = free_port();
        let dist = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/nginx.conf");
        let mut site = fs::read_to_string(dist).unwrap();
        for (shipped, here) in
            [("3001", servers[0].port), ("3002", servers[1].port), ("8080", port)]
        {
            let (shipped, here) = (format!("127.0.0.1:{shipped}"), format!("127.0.0.1:{here}"));
            assert_eq!(site.matches(&shipped).count(), 1, "{shipped} in {dist}");
            site = site.replace(&shipped, &here);
        }
        Self::with_site(port, &site)
    }

    /// Passes everything to this server, with these lines in its configuration.
    fn with_lines(server: &Overview, lines: &str) -> Self {
        let (port, behind) = (free_port(), server.port);
        Self::with_site(
            port,
            &format!(
                "server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{behind}; {lines} }} }}"
            ),
        )
    }

    /// Starts it with this content of `http { … }`.
    fn with_site(port: u16, site: &str) -> Self {
        let folder = folder();
        fs::write(folder.join("site.conf"), site).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};", folder.display()))
            .concat();
        let whole = format!(
            "daemon off; pid {0}/pid; error_log {0}/log; events {{}} \
             http {{ access_log off; {temporary} include {0}/site.conf; }}",
            folder.display()
        );
        fs::write(folder.join("nginx.conf"), whole).unwrap();
        // Its workers run as the current account, so that the folder can be deleted.
        let user = "test \"$(id -u)\" = 0 && user='user root;'";
        let script = format!(
            "{user}; nginx -e {0}/log -c {0}/nginx.conf -g \"$user\" & nginx=$!; \
             read -r _; kill -TERM $nginx; wait $nginx",
            folder.display()
        );
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script]).stdin(Stdio::piped());
        let keeper = Process::start(&mut shell, &folder, "nginx");
        let nginx = Self { keeper, port, folder };
        wait_until_ok("nginx to start", DEFAULT_TIMEOUT, || {
            let log = || fs::read_to_string(nginx.folder.join("log")).unwrap_or_default();
            get(&nginx.url("/healthz")).map(drop).ok_or_else(log)
        });
        nginx
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.keeper.close_stdin();
        self.keeper.wait("nginx to stop", DEFAULT_TIMEOUT);
    }
}

/// Sends a heartbeat through the proxy. Returns the status.
fn send_through_proxy(nginx: &Nginx, sequence: u64) -> Option<u16> {
    let url = nginx.url("/api/v1/heartbeats");
    send_heartbeat(&agent(), &url, "app-1", sequence).map(|(status, _)| status)
}

#[test]
fn behind_the_proxy_any_web_server_can_answer_and_a_blind_one_still_shows_the_page() {
    let mut database = Postgres::start();
    let address = format!("postgres://overview@127.0.0.1:{}/postgres", database.port);
    let mut servers: Vec<Overview> = (0..2).map(|_| Overview::start_on(&address)).collect();
    let nginx = Nginx::before(&servers);
    for sequence in 1..10_u64 {
        assert_eq!(send_through_proxy(&nginx, sequence), Some(200));
        let settings = json!({
            "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 1,
            "stale_timeout_s": 3 + sequence, "web_window_s": 60
        });
        let (url, headers) =
            (nginx.url("/api/v1/settings"), [("content-type", "application/json")]);
        let put = send(&agent(), "PUT", &url, &headers, settings.to_string().as_bytes());
        assert_eq!(put.unwrap().status, 200);
        let page = get(&nginx.url("/")).unwrap();
        assert!(page.as_str().unwrap().contains(&format!("stale after {} s", 3 + sequence)));
    }
    // One of the two has stopped, so the other answers every request.
    servers[0].kill();
    for sequence in 10..20 {
        assert_eq!(send_through_proxy(&nginx, sequence), Some(200));
        assert!(get(&nginx.url("/")).is_some());
    }
    servers[0].start_again();
    database.stop();
    servers[1].wait_for_picture(|picture| !picture["blind_since"].is_null());
    servers[0].wait_for_picture(|picture| !picture["blind_since"].is_null());
    for sequence in 20..24 {
        assert_eq!(send_through_proxy(&nginx, sequence), Some(503));
        let page = get(&nginx.url("/")).unwrap();
        assert!(page.as_str().unwrap().contains("No live data since"));
    }
    database.start_again(&[]);
    servers[1].wait_for_picture(|picture| picture["blind_since"].is_null());
    servers[0].wait_for_picture(|picture| picture["blind_since"].is_null());
    assert_eq!(send_through_proxy(&nginx, 24), Some(200));
}

#[test]
fn behind_a_proxy_that_changes_the_host_reading_works_and_a_rejected_change_names_the_missing_line()
{
    let server = Serve::with_options(&["--trusted-proxies", "127.0.0.1"]).start();
    // `Host` becomes the overview's own address, or loses its port; or the proxy sends the browser's.
    for (lines, refused) in [
        ("", Some(server.address())),
        ("proxy_set_header Host $host;", Some("localhost".to_owned())),
        ("proxy_set_header Host $http_host;", None),
        ("proxy_set_header X-Forwarded-Host $http_host;", None),
        (
            "proxy_set_header Forwarded 'for=\"$remote_addr:$remote_port\";host=\"$http_host\";proto=$scheme';",
            None,
        ),
    ] {
        let nginx = Nginx::with_lines(&server, lines);
        // Like a browser on the network: over plain HTTP it sends no `Sec-Fetch-Site`.
        let host = format!("localhost:{}", nginx.port);
        let origin = format!("http://{host}");
        let ask = |method: &str, path: &str, accept: &str, body: &str| {
            let headers = [
                ("host", host.as_str()),
                ("origin", &origin),
                ("content-type", "application/json"),
                ("accept", accept),
            ];
            send(&agent(), method, &nginx.url(path), &headers, body.as_bytes()).unwrap()
        };
        assert_eq!(ask("GET", "/", "text/html", "").status, 200, "{lines}");
        assert_eq!(
            ask("POST", "/fn/overview", "application/json", r#"{"cursor":""}"#).status,
            200,
            "{lines}"
        );
        let settings = server.get("/api/v1/settings").body.to_string();
        let put = ask("PUT", "/api/v1/settings", "text/html", &settings);
        let Some(own) = refused else {
            assert_eq!(put.status, 200, "{lines}: {}", put.body);
            continue;
        };
        assert_eq!(put.status, 403, "{lines}");
        let page = put.body.as_str().unwrap();
        for part in [&origin, &own, "Host header", "proxy_set_header Host $http_host;"] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}

#[test]
fn a_forwarding_header_that_cannot_be_read_is_logged_once_with_its_value() {
    let server = Serve::with_options(&["--trusted-proxies", "127.0.0.1"]).start();
    let nginx = Nginx::with_lines(
        &server,
        "proxy_set_header X-Forwarded-For 'client\u{202e}of $remote_addr';",
    );
    for _ in 0..3 {
        get(&nginx.url("/healthz")).unwrap();
    }
    let said = server.log();
    let lines = said.matches("cannot read the client's address in X-Forwarded-For");
    assert_eq!(lines.count(), 1, "{said}");
    assert!(said.contains("client\u{fffd}of 127.0.0.1") && !said.contains('\u{202e}'), "{said}");
}

#[test]
fn options_that_keep_everybody_out_are_warned_about_once_at_the_start() {
    let open = Serve::with_options(&["--auth", "password", "--listen", "0.0.0.0:0"]).start();
    let said = open.log();
    assert_eq!(said.matches("nobody can sign in at http://0.0.0.0:").count(), 1, "{said}");
    assert!(said.contains("--tls-cert") && said.contains("--trusted-proxies"), "{said}");
    let local = Serve::with_options(&["--auth", "password"]).start();
    assert!(!local.log().contains("nobody can sign in"), "{}", local.log());
}

#[test]
fn a_base_path_that_the_overview_itself_uses_is_rejected_at_the_start() {
    for base in ["/embed", "/embed.js", "/branding", "/api", "/fn", "/healthz", "/sign-in/x"] {
        let (said, code) =
            Serve::with_options(&["--base-path", base]).expect_start_failure(&folder());
        assert_eq!(code, Some(1), "{base}: {said}");
        assert!(said.contains(base) && said.contains("itself uses"), "{base}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn behind_the_proxy_user_headers_of_clients_do_not_authenticate() {
    let by_proxy = ["--auth", "proxy", "--trusted-proxies", "127.0.0.1"];
    let servers = [Serve::with_options(&by_proxy).start(), Serve::with_options(&by_proxy).start()];
    let nginx = Nginx::before(&servers);
    let headers = [("x-forwarded-user", "eve"), ("x-forwarded-role", "admin")];
    for server in &servers {
        assert_eq!(server.send("GET", "/api/v1/tokens", &headers, &[]).status, 200, "as its proxy");
    }
    for _ in 0..4 {
        let asked = send(&agent(), "GET", &nginx.url("/api/v1/tokens"), &headers, &[]);
        assert_eq!(asked.unwrap().status, 401);
    }
}

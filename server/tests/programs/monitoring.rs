//! Those that watch the overview: Prometheus, and monitoring plug-ins.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::overview::{Overview, PROGRAM, folder, root, run, said};

fn alerts() -> String {
    root().join("server/dist/alerts.yml").display().to_string()
}

#[test]
fn prometheus_own_tool_finds_nothing_wrong_with_rules_and_metrics() {
    let rules = run("promtool", &["check", "rules", &alerts()]);
    assert!(rules.status.success(), "{}", said(&rules));
    let overview = Overview::start();
    overview.beat("app-1", "1");
    let metrics = ureq::get(format!("{}/metrics", overview.url)).call().unwrap();
    let metrics = metrics.into_body().read_to_string().unwrap();
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let checked = tool.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", said(&checked));
}

/// A Prometheus that asks every second.
struct Prometheus {
    url: String,
    child: Child,
}

impl Prometheus {
    fn watching(overview: &Overview) -> Self {
        let folder = folder();
        let target = overview.url.strip_prefix("http://").unwrap();
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [{}]\n\
             scrape_configs: [{{ job_name: overview, static_configs: [{{ targets: ['{target}'] }}] }}]\n",
            alerts()
        );
        std::fs::write(folder.join("prometheus.yml"), configuration).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { url: format!("http://127.0.0.1:{port}"), child }
    }

    /// The alerts that fire: their names and servers.
    fn firing(&self) -> Vec<(String, String)> {
        let Ok(answer) = ureq::get(format!("{}/api/v1/alerts", self.url)).call() else {
            return Vec::new();
        };
        let told: Value = serde_json::from_reader(answer.into_body().into_reader()).unwrap();
        let alerts = told["data"]["alerts"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        alerts
            .filter(|alert| alert["state"] == "firing")
            .map(|alert| (text(&alert["labels"]["alertname"]), text(&alert["labels"]["server"])))
            .collect()
    }

    fn fires_when(&self, wanted: impl Fn(&[(String, String)]) -> bool) {
        let since = Instant::now();
        loop {
            let firing = self.firing();
            if wanted(&firing) {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(40), "never as wanted: {firing:?}");
            thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_prometheus_wakes_somebody_for_a_stale_service_and_for_no_other() {
    let overview = Overview::start();
    overview.hurry();
    let prometheus = Prometheus::watching(&overview);
    let asked = |metric: &str| {
        let url = format!("{}/api/v1/query?query={metric}", prometheus.url);
        let Ok(answer) = ureq::get(url).call() else { return Value::Null };
        let told: Value = serde_json::from_reader(answer.into_body().into_reader()).unwrap();
        told["data"]["result"].clone()
    };
    let since = Instant::now();
    while asked("cluster_overview_component_up").as_array().is_none_or(Vec::is_empty) {
        assert!(since.elapsed() < Duration::from_secs(30), "it never asked");
        overview.beat("app-1", "1");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(prometheus.firing(), [], "all is well");
    let down = ("ClusterServiceDown".to_owned(), "app-1".to_owned());
    prometheus.fires_when(|firing| firing == [down.clone()]);
}

#[test]
fn the_one_line_of_a_plug_in_says_what_is_wrong_and_the_exit_code_how_bad_it_is() {
    let overview = Overview::start();
    let line = || run(PROGRAM, &["status", "--line", "--overview", &overview.url]);
    overview.beat("app-1", "1");
    let well = line();
    assert_eq!(well.status.code(), Some(0), "{}", said(&well));
    let figures = "servers=1 alive=1 late=0 stale=0 stopped=0 unknown=0";
    assert_eq!(said(&well), format!("OK - 1 servers are in sync | {figures}\n"));
    overview.beat("app-2", "2");
    let skew = line();
    assert_eq!(skew.status.code(), Some(1));
    assert!(
        said(&skew).starts_with("WARNING - More than one software version is running | servers=2")
    );
    overview.hurry();
    // Only from its next heartbeat on is it held to that.
    overview.beat("app-2", "2");
    let since = Instant::now();
    let stale = loop {
        let stale = line();
        if stale.status.code() == Some(2) {
            break stale;
        }
        assert!(since.elapsed() < Duration::from_secs(20), "{}", said(&stale));
        thread::sleep(Duration::from_millis(100));
    };
    assert!(said(&stale).starts_with("CRITICAL - "), "{}", said(&stale));
    assert_eq!(said(&stale).lines().count(), 1);
    let nobody = run(PROGRAM, &["status", "--line", "--overview", "http://127.0.0.1:1"]);
    assert_eq!(nobody.status.code(), Some(3));
    let told = String::from_utf8(nobody.stdout).unwrap();
    assert!(told.starts_with("UNKNOWN - cannot reach"), "{told}");
}

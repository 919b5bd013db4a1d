//! Monitoring systems: Prometheus, and Nagios plug-ins.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{
    DEFAULT_TIMEOUT, Folder, Overview, Process, folder, free_port, get, heartbeat, output_text,
    program, root, run, wait_until, wait_until_ok, with_field,
};

fn alert_rules_path() -> String {
    root().join("server/dist/alerts.yml").display().to_string()
}

#[test]
fn promtool_accepts_the_rules_and_the_metrics() {
    let rules = run("promtool", &["check", "rules", &alert_rules_path()]);
    assert!(rules.status.success(), "{}", output_text(&rules));
    let tests = root().join("server/dist/alerts.test.yml").display().to_string();
    let rule_tests = run("promtool", &["test", "rules", &tests]);
    assert!(rule_tests.status.success(), "{}", output_text(&rule_tests));
    let overview = Overview::start();
    overview.send_heartbeat("app-1", 1);
    let metrics = overview.get("/metrics").body;
    let mut tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(metrics.as_str().unwrap().as_bytes()).unwrap();
    let checked = tool.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", output_text(&checked));
}

/// A Prometheus that scrapes every second.
struct Prometheus {
    url: String,
    _process: Process,
    _folder: Folder,
}

impl Prometheus {
    fn start(overview: &Overview) -> Self {
        let folder = folder();
        let target = overview.address();
        let configuration = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [alerts.yml]\n\
             scrape_configs: [{{ job_name: overview, static_configs: [{{ targets: ['{target}'] }}] }}]\n"
        );
        // Rules fire at once here; promtool tests how long each one waits.
        let rules = std::fs::read_to_string(alert_rules_path()).unwrap();
        std::fs::write(folder.join("alerts.yml"), rules.replace("for: 1m", "for: 2s")).unwrap();
        std::fs::write(folder.join("prometheus.yml"), configuration).unwrap();
        let port = free_port();
        let mut prometheus = Command::new("prometheus");
        prometheus
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(&folder);
        let process = Process::start(&mut prometheus, &folder, "prometheus");
        Self { url: format!("http://127.0.0.1:{port}"), _process: process, _folder: folder }
    }

    /// The firing alerts: names and servers.
    fn firing_alerts(&self) -> Vec<(String, String)> {
        let Some(answer) = get(&format!("{}/api/v1/alerts", self.url)) else { return Vec::new() };
        let alerts = answer["data"]["alerts"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        alerts
            .filter(|alert| alert["state"] == "firing")
            .map(|alert| (text(&alert["labels"]["alertname"]), text(&alert["labels"]["server"])))
            .collect()
    }

    fn wait_for_alerts(&self, wanted: impl Fn(&[(String, String)]) -> bool) {
        wait_until_ok("the alerts as wanted", Duration::from_secs(40), || {
            let firing = self.firing_alerts();
            if wanted(&firing) { Ok(()) } else { Err(format!("{firing:?}")) }
        });
    }
}

#[test]
fn a_real_prometheus_fires_an_alert_for_a_stale_service_and_for_no_other() {
    let overview = Overview::start();
    overview.use_short_timers();
    let prometheus = Prometheus::start(&overview);
    let query = |metric: &str| {
        let url = format!("{}/api/v1/query?query={metric}", prometheus.url);
        get(&url).map_or(Value::Null, |answer| answer["data"]["result"].clone())
    };
    let mut sequence = 0;
    wait_until("the first scrape of Prometheus", Duration::from_secs(30), || {
        sequence += 1;
        overview.send_heartbeat("app-1", sequence);
        let found = query("cluster_overview_component_up");
        found.as_array().is_some_and(|found| !found.is_empty()).then_some(())
    });
    assert_eq!(prometheus.firing_alerts(), [], "there is no problem");
    let down = ("ClusterServiceSilent".to_owned(), "app-1".to_owned());
    prometheus.wait_for_alerts(|firing| firing == [down.clone()]);
}

#[test]
fn the_line_for_nagios_has_the_problem_and_the_exit_code_its_severity() {
    let overview = Overview::start();
    let line = || run(program(), &["status", "--line", "--overview", &overview.url("")]);
    overview.send_heartbeat("app-1", 1);
    let well = line();
    assert_eq!(well.status.code(), Some(0), "{}", output_text(&well));
    let figures = "servers=1 alive=1 late=0 stale=0 stopped=0 unknown=0";
    assert_eq!(output_text(&well), format!("OK - 1 servers are in sync | {figures}\n"));
    let other = |sequence| {
        let beat = with_field(heartbeat("app-2", "service", sequence), "version", json!("2"));
        assert_eq!(overview.post_heartbeats(&beat).status, 200);
    };
    other(1);
    let skew = line();
    assert_eq!(skew.status.code(), Some(1));
    assert!(output_text(&skew).starts_with("WARNING - Servers run different versions | servers=2"));
    overview.use_short_timers();
    // The new interval counts from its next heartbeat on.
    other(2);
    let stale = wait_until_ok("a critical line", DEFAULT_TIMEOUT, || {
        let line = line();
        if line.status.code() == Some(2) { Ok(line) } else { Err(output_text(&line)) }
    });
    assert!(output_text(&stale).starts_with("CRITICAL - "), "{}", output_text(&stale));
    assert_eq!(output_text(&stale).lines().count(), 1);
    let unreachable = run(program(), &["status", "--line", "--overview", "http://127.0.0.1:1"]);
    assert_eq!(unreachable.status.code(), Some(3));
    let output = String::from_utf8(unreachable.stdout).unwrap();
    assert!(output.starts_with("UNKNOWN - cannot reach"), "{output}");
}

//! Prometheus's Alertmanager: as a receiver of alerts, and as the sender of the body that its receivers know.

use std::collections::BTreeSet;
use std::process::Command;

use app::cluster::Severity;
use cluster_overview::notify::{Incident, Message};
use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Process, free_port, get, run, wait_until, wait_until_ok};

use crate::receiver::Receiver;
use crate::{Setup, ended_incident, heading, open_incident, send, test_message};

struct Alertmanager {
    url: String,
    _process: Process,
}

impl Alertmanager {
    /// With a webhook that is told at once.
    fn start(setup: &Setup, webhook: &str) -> Self {
        let configuration = format!(
            "route: {{ receiver: hook, group_wait: 0s, group_interval: 1s }}\n\
             receivers: [{{ name: hook, webhook_configs: [{{ url: '{webhook}' }}] }}]\n"
        );
        setup.write("alertmanager.yml", &configuration);
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("prometheus-alertmanager");
        command
            .current_dir(&setup.folder)
            .args(["--config.file=alertmanager.yml", "--storage.path=alerts"])
            .args(["--cluster.listen-address=", &format!("--web.listen-address={address}")]);
        let process = Process::start(&mut command, &setup.folder, "alertmanager");
        let url = format!("http://{address}");
        wait_until("the Alertmanager to be ready", DEFAULT_TIMEOUT, || {
            get(&format!("{url}/-/ready"))
        });
        Self { url, _process: process }
    }

    /// What `amtool alert` shows: severity and summary of each alert.
    fn alerts(&self) -> Vec<[String; 2]> {
        let url = format!("--alertmanager.url={}", self.url);
        let shown = run("amtool", &[&url, "alert", "query", "--output=json"]);
        assert!(shown.status.success(), "{}", testkit::output_text(&shown));
        let alerts: Vec<Value> = serde_json::from_slice(&shown.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        alerts
            .iter()
            .map(|alert| [&alert["labels"]["severity"], &alert["annotations"]["summary"]].map(text))
            .collect()
    }
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn an_alertmanager_shows_an_incident_while_it_is_open_and_its_receivers_know_our_body() {
    let (setup, hook) = (Setup::new(), Receiver::accepting());
    let alertmanager = Alertmanager::start(&setup, &hook.url("/"));
    let to = |url: &str| {
        setup.channel(&format!(
            "kind = 'webhook'\nformat = 'alertmanager'\nurl = '{url}'\nallow_private = true"
        ))
    };
    let channels = to(&format!("{}/api/v2/alerts", alertmanager.url));
    let title = "The service of web-1 does not respond";
    let wait_for = |expected: &[[&str; 2]]| {
        wait_until_ok("the alerts of amtool", DEFAULT_TIMEOUT, || {
            let alerts = alertmanager.alerts();
            if alerts == expected { Ok(()) } else { Err(format!("{alerts:?}, not {expected:?}")) }
        });
    };
    let warning = Incident { severity: Severity::Warning, ..open_incident() };
    send(&channels, &Message::new(heading(), vec![warning])).unwrap();
    wait_for(&[["warning", title]]);
    // It has become worse: there is still one alert.
    send(&channels, &Message::new(heading(), vec![open_incident()])).unwrap();
    wait_for(&[["error", title]]);
    send(&channels, &Message::new(heading(), vec![ended_incident()])).unwrap();
    wait_for(&[]);
    send(&channels, &test_message()).unwrap();
    wait_for(&[["info", "Test of the channel ops"]]);

    // Alertmanager's own body has the same fields as ours.
    let theirs = wait_until("a request of the Alertmanager", DEFAULT_TIMEOUT, || {
        hook.requests().first().map(crate::receiver::Request::json)
    });
    let own_hook = Receiver::accepting();
    send(&to(&own_hook.url("/")), &Message::new(heading(), vec![open_incident()])).unwrap();
    let ours = own_hook.only_request().json();
    assert_eq!(keys(&ours), keys(&theirs));
    assert_eq!(keys(&ours["alerts"][0]), keys(&theirs["alerts"][0]));
    for field in ["version", "status"] {
        assert_eq!(ours[field], theirs[field]);
    }
    assert_eq!(ours["alerts"][0]["status"], theirs["alerts"][0]["status"]);
}

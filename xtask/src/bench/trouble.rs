//! What does an overview cost when every server has a problem, compared with a healthy cluster of the same size?

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Overview, exchange, try_until_ok};

use super::{Figure, MAX_HEARTBEATS_PER_REQUEST};
use crate::test_server;
use crate::workspace::Profile;

/// A cost that grows faster than these sizes is a defect.
const CLUSTER_SIZES: [usize; 3] = [100, 1_000, 10_000];
/// The fastest counts, because other work of the machine only adds time.
const PICTURES_READ: usize = 9;
const DETECTION_TIMEOUT: Duration = Duration::from_mins(2);
/// The overview remembers rejected heartbeats of this many servers.
const MAX_REJECTED_SERVERS: usize = 1_000;
const JSON: (&str, &str) = ("content-type", "application/json");
/// Nothing listens there.
const CLOSED_PORT: u16 = 1;

/// What a component reports; the other fields are the same for all.
struct Report {
    version: String,
    key: Option<String>,
    machine_key: Option<String>,
    /// Process instances that alternate in sending heartbeats.
    boots: usize,
    /// Heartbeats of each process instance.
    heartbeats_per_boot: usize,
    other_fields: Vec<(&'static str, Value)>,
}

impl Default for Report {
    fn default() -> Self {
        let key = Some("9f".repeat(32));
        let version = "2026.2.1".to_owned();
        Self {
            version,
            key,
            machine_key: None,
            boots: 1,
            heartbeats_per_boot: 1,
            other_fields: Vec::new(),
        }
    }
}

/// A problem that all servers have.
struct Trouble {
    name: &'static str,
    /// The heartbeat interval and the stale timeout, in seconds.
    settings: (u32, u32),
    /// What the server with this number reports.
    report: fn(usize) -> Report,
    /// Whether heartbeats with a wrong token are sent for each server.
    rejected: bool,
    /// A text that the overview contains at least this many times per server once the problem is detected.
    expected: (&'static str, usize),
}

const DEFAULT_TIMERS: (u32, u32) = (30, 300);
/// All components become stale within seconds.
const STALE_SOON: (u32, u32) = (1, 2);
/// All services become late within seconds, and stale only after an hour.
const LATE_SOON: (u32, u32) = (1, 3_600);
/// The web window, in seconds.
const WEB_WINDOW: u32 = 86_400;

const NO_TROUBLE: Trouble = Trouble {
    name: "no problems",
    settings: DEFAULT_TIMERS,
    report: |_| Report::default(),
    rejected: false,
    expected: ("\"alive\"", 2),
};

const TROUBLES: [Trouble; 12] = [
    Trouble {
        name: "half with another key",
        report: |number| Report {
            key: Some(if number % 2 == 0 { "07" } else { "9f" }.repeat(32)),
            ..Report::default()
        },
        ..NO_TROUBLE
    },
    Trouble {
        name: "a different key on each",
        report: |number| Report { key: Some(format!("{number:064x}")), ..Report::default() },
        ..NO_TROUBLE
    },
    Trouble {
        name: "a different machine key on each",
        report: |number| Report {
            machine_key: Some(format!("{number:064x}")),
            ..Report::default()
        },
        ..NO_TROUBLE
    },
    Trouble {
        name: "a different version on each",
        report: |number| Report { version: format!("2026.{number}"), ..Report::default() },
        ..NO_TROUBLE
    },
    Trouble {
        name: "a key on only one",
        report: |number| Report {
            key: Report::default().key.filter(|_| number == 1),
            ..Report::default()
        },
        ..NO_TROUBLE
    },
    Trouble { name: "stale", settings: STALE_SOON, expected: ("\"stale\"", 1), ..NO_TROUBLE },
    Trouble { name: "late", settings: LATE_SOON, expected: ("\"late\"", 1), ..NO_TROUBLE },
    Trouble {
        name: "stopped",
        settings: STALE_SOON,
        report: |_| Report { other_fields: vec![("leaving", json!(true))], ..Report::default() },
        expected: ("\"stopped\"", 2),
        ..NO_TROUBLE
    },
    Trouble {
        name: "each name used twice",
        // The first process instance returns after the second one.
        report: |_| Report { boots: 2, heartbeats_per_boot: 3, ..Report::default() },
        ..NO_TROUBLE
    },
    Trouble {
        name: "clocks off",
        report: |_| Report {
            heartbeats_per_boot: 2,
            other_fields: vec![("sent_at", json!("2030-01-01T00:00:00.000Z"))],
            ..Report::default()
        },
        ..NO_TROUBLE
    },
    Trouble {
        name: "heartbeats rejected",
        rejected: true,
        expected: ("\"token\"", 1),
        ..NO_TROUBLE
    },
    Trouble {
        name: "messenger unreachable",
        report: |_| Report {
            other_fields: vec![("messenger_port", json!(CLOSED_PORT))],
            ..Report::default()
        },
        expected: ("\"unreachable\"", 1),
        ..NO_TROUBLE
    },
];

struct Cost {
    ms: f64,
    /// The peak of additional memory while the overviews are rendered.
    memory_mb: f64,
    /// The length of the hints as JSON.
    hints_bytes: usize,
}

/// Times the overview with each problem, and compares it with that of a healthy cluster of the same size.
pub(super) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for size in CLUSTER_SIZES {
        let baseline = NO_TROUBLE.cost(size)?;
        let how = format!(
            "to the last byte of the response; {:.1} MB more than before",
            baseline.memory_mb
        );
        figures.push(Figure::new(
            format!("{size} servers, {}", NO_TROUBLE.name),
            baseline.ms,
            "ms",
            how,
        ));
        for trouble in &TROUBLES {
            let cost = trouble.cost(size).with_context(|| trouble.name)?;
            let how = format!(
                "{:+.1} ms and {:+.1} MB compared with no problems, {:.1} kB of hints; limits +60, +40, 200",
                cost.ms - baseline.ms,
                cost.memory_mb - baseline.memory_mb,
                divide_by_1000(cost.hints_bytes),
            );
            figures.push(Figure::new(
                format!("{size} servers, {}", trouble.name),
                cost.ms,
                "ms",
                how,
            ));
        }
    }
    Ok(figures)
}

impl Trouble {
    fn has_no_trouble(&self) -> bool {
        self.name == NO_TROUBLE.name
    }

    fn cost(&self, size: usize) -> Result<Cost> {
        let mut overview = test_server::start(Profile::Release);
        let (interval, timeout) = self.settings;
        overview.configure(interval, timeout, WEB_WINDOW);
        self.cause(&overview, size)?;
        // Memory that receiving the heartbeats took must not count.
        overview.kill_and_restart();
        self.wait_for(&overview, size)?;
        // A change that makes the server render a new overview, but leaves the problem as it is. It has the first server's
        // key, so that two servers agree on a reference key.
        let report = Report { key: (self.report)(1).key, ..Report::default() };
        let send_change = |sequence| {
            test_server::send_heartbeats(
                &overview,
                &heartbeat("mover", "web", 0, sequence, &report),
            )
        };
        send_change(1)?;
        let mut times = Vec::new();
        overview.serve.reset_peak_memory();
        let before = overview.serve.memory_kb();
        let mut picture = String::new();
        for round in 0..PICTURES_READ {
            send_change(round + 2)?;
            let since = Instant::now();
            picture = read_picture(&overview)?;
            times.push(since.elapsed().as_secs_f64() * 1_000.0);
        }
        let more = overview.serve.peak_memory_kb().saturating_sub(before);
        let memory_mb = divide_by_1000(usize::try_from(more)?);
        let (_, hints) = picture.split_once("\"hints\":").context("the overview has no hints")?;
        let has_hints = !hints.starts_with("[]");
        ensure!(has_hints != self.has_no_trouble() || self.rejected, "{}: {hints:.200}", self.name);
        let ms = times.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Cost { ms, memory_mb, hints_bytes: hints.len() })
    }

    /// Sends the heartbeats that cause the problem on all servers.
    fn cause(&self, overview: &Overview, size: usize) -> Result<()> {
        let numbers: Vec<usize> = (1..=size).collect();
        let instances = (self.report)(1);
        for turn in 0..instances.boots * instances.heartbeats_per_boot {
            let (boot, sequence) = (turn % instances.boots, turn / instances.boots + 1);
            for part in numbers.chunks(MAX_HEARTBEATS_PER_REQUEST) {
                let beats = part.iter().flat_map(|number| {
                    let (name, report) = (format!("server-{number}"), (self.report)(*number));
                    ["web", "service"].map(|role| heartbeat(&name, role, boot, sequence, &report))
                });
                test_server::send_heartbeats(overview, &beats.collect())?;
            }
        }
        Ok(())
    }

    /// Waits until the overview shows the problem on all servers.
    fn wait_for(&self, overview: &Overview, size: usize) -> Result<()> {
        if self.rejected {
            for number in 1..=size {
                let beat = json!({"server": format!("server-{number}")}).to_string();
                let headers = [("authorization", "Bearer another-token"), JSON];
                let answer = overview.send("POST", "/api/v1/heartbeats", &headers, beat.as_bytes());
                ensure!(answer.status == 401, "{}: {}", answer.status, answer.body);
            }
        }
        let (word, times) = self.expected;
        let servers = if self.rejected { size.min(MAX_REJECTED_SERVERS) } else { size };
        let check = || {
            let picture = read_picture(overview).unwrap_or_default();
            let has_hints =
                self.has_no_trouble() || self.rejected || !picture.ends_with("\"hints\":[]}");
            let seen = picture.matches(word).count();
            if has_hints && seen >= times * servers { Ok(()) } else { Err(seen) }
        };
        try_until_ok(&format!("all are {word}"), DETECTION_TIMEOUT, check)
            .map_err(anyhow::Error::msg)
    }
}

/// The overview as it is sent, uncompressed, with the response's head.
fn read_picture(overview: &Overview) -> Result<String> {
    let address = overview.address();
    let request = format!("GET /api/v1/overview HTTP/1.0\r\nHost: {address}\r\n\r\n");
    Ok(String::from_utf8_lossy(&exchange(&address, request.as_bytes())?).into_owned())
}

fn heartbeat(server: &str, role: &str, boot: usize, sequence: usize, report: &Report) -> Value {
    let Report { version, key, machine_key, other_fields, .. } = report;
    let mut beat = json!({
        "server": server, "role": role, "product": "ProGet", "version": version,
        "os": {"name": "Debian GNU/Linux", "version": "12"}, "ip": "127.0.0.1",
        "boot_id": format!("{boot:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11"), "sequence": sequence,
        "key_check": key,
        "machine_key_check": machine_key.as_ref().filter(|_| role == "web"),
    });
    for (name, value) in other_fields {
        beat[name] = value.clone();
    }
    beat
}

/// Converts bytes to kilobytes, or kilobytes to megabytes.
fn divide_by_1000(number: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no machine has that much memory")]
    let number = number as f64;
    number / 1_000.0
}

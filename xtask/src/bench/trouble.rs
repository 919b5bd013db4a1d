//! What does a picture cost when a whole cluster is in trouble, beside one of the same size that is well?

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Overview, exchange, try_until_ok};

use super::{AT_ONCE, Figure};
use crate::overview;
use crate::workspace::Profile;

/// A cost that grows faster than these do is a fault.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// How many pictures: the quickest counts, for what else the machine does only adds to it.
const PICTURES: usize = 9;
/// How long a trouble may take to be seen by all.
const PATIENCE: Duration = Duration::from_mins(2);
/// For how many servers refused heartbeats are kept.
const MAX_REFUSED: usize = 1_000;
const JSON: (&str, &str) = ("content-type", "application/json");
/// Nobody listens there.
const CLOSED_PORT: u16 = 1;

/// What a component says of itself; the rest is the same for all.
struct Says {
    version: String,
    key: Option<String>,
    machine_key: Option<String>,
    /// The starts of its process whose heartbeats come in turns.
    boots: usize,
    /// How many heartbeats each start sends.
    beats: usize,
    /// Other fields.
    more: Vec<(&'static str, Value)>,
}

impl Default for Says {
    fn default() -> Self {
        let key = Some("9f".repeat(32));
        let version = "2026.2.1".to_owned();
        Self { version, key, machine_key: None, boots: 1, beats: 1, more: Vec::new() }
    }
}

/// A trouble that all servers are in.
struct Trouble {
    name: &'static str,
    /// The heartbeat interval and the stale timeout, in seconds.
    settings: (u32, u32),
    /// What the server of this number says.
    says: fn(usize) -> Says,
    /// Heartbeats in each server's name are refused.
    refused: bool,
    /// What stands in the picture, at least so often for each server, once the trouble is there.
    seen: (&'static str, usize),
}

const USUAL: (u32, u32) = (30, 300);
/// Everybody is soon silent.
const QUICK: (u32, u32) = (1, 2);
/// Everybody is soon late, and stale much later.
const PATIENT: (u32, u32) = (1, 3_600);
/// The web window, in seconds.
const WEB_WINDOW: u32 = 86_400;

const QUIET: Trouble = Trouble {
    name: "all well",
    settings: USUAL,
    says: |_| Says::default(),
    refused: false,
    seen: ("\"alive\"", 2),
};

const TROUBLES: [Trouble; 12] = [
    Trouble {
        name: "half on another key",
        says: |number| Says {
            key: Some(if number % 2 == 0 { "07" } else { "9f" }.repeat(32)),
            ..Says::default()
        },
        ..QUIET
    },
    Trouble {
        name: "a key each",
        says: |number| Says { key: Some(format!("{number:064x}")), ..Says::default() },
        ..QUIET
    },
    Trouble {
        name: "a machine key each",
        says: |number| Says { machine_key: Some(format!("{number:064x}")), ..Says::default() },
        ..QUIET
    },
    Trouble {
        name: "a version each",
        says: |number| Says { version: format!("2026.{number}"), ..Says::default() },
        ..QUIET
    },
    Trouble {
        name: "no key but on one",
        says: |number| Says { key: Says::default().key.filter(|_| number == 1), ..Says::default() },
        ..QUIET
    },
    Trouble { name: "stale", settings: QUICK, seen: ("\"stale\"", 1), ..QUIET },
    Trouble { name: "late", settings: PATIENT, seen: ("\"late\"", 1), ..QUIET },
    Trouble {
        name: "stopped",
        settings: QUICK,
        says: |_| Says { more: vec![("leaving", json!(true))], ..Says::default() },
        seen: ("\"stopped\"", 2),
        ..QUIET
    },
    Trouble {
        name: "each name twice",
        // The first start comes back three times.
        says: |_| Says { boots: 2, beats: 3, ..Says::default() },
        ..QUIET
    },
    Trouble {
        name: "clocks off",
        says: |_| Says {
            beats: 2,
            more: vec![("sent_at", json!("2030-01-01T00:00:00.000Z"))],
            ..Says::default()
        },
        ..QUIET
    },
    Trouble { name: "heartbeats refused", refused: true, seen: ("\"token\"", 1), ..QUIET },
    Trouble {
        name: "no messenger",
        says: |_| Says { more: vec![("messenger_port", json!(CLOSED_PORT))], ..Says::default() },
        seen: ("\"unreachable\"", 1),
        ..QUIET
    },
];

/// What pictures of one overview cost.
struct Cost {
    ms: f64,
    /// How much more it holds at most while they are made than before.
    memory_mb: f64,
    hints: usize,
}

/// The quickest of some pictures of each trouble, each beside that of a cluster of its size which is well.
pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for size in SIZES {
        let quiet = QUIET.cost(size)?;
        let how = format!("to the picture's last byte; {:.1} MB more than before", quiet.memory_mb);
        figures.push(Figure::of(format!("{size} servers, {}", QUIET.name), quiet.ms, "ms", how));
        for trouble in &TROUBLES {
            let cost = trouble.cost(size).with_context(|| trouble.name)?;
            let how = format!(
                "{:+.1} ms and {:+.1} MB beside the quiet, {:.1} kB of hints; limits +60, +40, 200",
                cost.ms - quiet.ms,
                cost.memory_mb - quiet.memory_mb,
                thousands(cost.hints),
            );
            figures.push(Figure::of(
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
    fn is_well(&self) -> bool {
        self.name == QUIET.name
    }

    fn cost(&self, size: usize) -> Result<Cost> {
        let mut overview = overview::start(Profile::Release);
        let (interval, timeout) = self.settings;
        overview.configure(interval, timeout, WEB_WINDOW);
        self.bring(&overview, size)?;
        // What it takes to hear of all of them is not what a picture takes.
        overview.kill_and_restart();
        self.wait_for(&overview, size)?;
        // A fact that moves the picture and leaves the trouble as it is. Its key is the first one's: two servers agree on
        // it, and the reference is looked for no more.
        let says = Says { key: (self.says)(1).key, ..Says::default() };
        let moves = |sequence| overview::beat(&overview, &beat("mover", "web", 0, sequence, &says));
        moves(1)?;
        let mut times = Vec::new();
        overview.serve.reset_peak_memory();
        let before = overview.serve.memory_kb();
        let mut picture = String::new();
        for round in 0..PICTURES {
            moves(round + 2)?;
            let since = Instant::now();
            picture = text(&overview)?;
            times.push(since.elapsed().as_secs_f64() * 1_000.0);
        }
        let more = overview.serve.peak_memory_kb().saturating_sub(before);
        let memory_mb = thousands(usize::try_from(more)?);
        let (_, hints) = picture.split_once("\"hints\":").context("a picture without hints")?;
        let advised = !hints.starts_with("[]");
        ensure!(advised != self.is_well() || self.refused, "{}: {hints:.200}", self.name);
        let ms = times.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Cost { ms, memory_mb, hints: hints.len() })
    }

    /// Lets all servers come into the trouble.
    fn bring(&self, overview: &Overview, size: usize) -> Result<()> {
        let numbers: Vec<usize> = (1..=size).collect();
        let starts = (self.says)(1);
        for turn in 0..starts.boots * starts.beats {
            let (boot, sequence) = (turn % starts.boots, turn / starts.boots + 1);
            for part in numbers.chunks(AT_ONCE) {
                let beats = part.iter().flat_map(|number| {
                    let (name, says) = (format!("server-{number}"), (self.says)(*number));
                    ["web", "service"].map(|role| beat(&name, role, boot, sequence, &says))
                });
                overview::beat(overview, &beats.collect())?;
            }
        }
        Ok(())
    }

    /// Waits until all servers are seen in it.
    fn wait_for(&self, overview: &Overview, size: usize) -> Result<()> {
        if self.refused {
            for number in 1..=size {
                let beat = json!({"server": format!("server-{number}")}).to_string();
                let headers = [("authorization", "Bearer another-token"), JSON];
                let answer = overview.send("POST", "/api/v1/heartbeats", &headers, beat.as_bytes());
                ensure!(answer.status == 401, "{}: {}", answer.status, answer.body);
            }
        }
        let (word, times) = self.seen;
        // Of servers whose heartbeats are refused so many are kept in memory.
        let servers = if self.refused { size.min(MAX_REFUSED) } else { size };
        let there = || {
            let picture = text(overview).unwrap_or_default();
            let advised = self.is_well() || self.refused || !picture.ends_with("\"hints\":[]}");
            let seen = picture.matches(word).count();
            if advised && seen >= times * servers { Ok(()) } else { Err(seen) }
        };
        try_until_ok(&format!("all are {word}"), PATIENCE, there).map_err(anyhow::Error::msg)
    }
}

/// The picture, as it is sent.
fn text(overview: &Overview) -> Result<String> {
    let address = overview.address();
    let request = format!("GET /api/v1/overview HTTP/1.0\r\nHost: {address}\r\n\r\n");
    Ok(String::from_utf8_lossy(&exchange(&address, request.as_bytes())?).into_owned())
}

fn beat(server: &str, role: &str, boot: usize, sequence: usize, says: &Says) -> Value {
    let Says { version, key, machine_key, more, .. } = says;
    let mut beat = json!({
        "server": server, "role": role, "product": "ProGet", "version": version,
        "os": {"name": "Debian GNU/Linux", "version": "12"}, "ip": "127.0.0.1",
        "boot_id": format!("{boot:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11"), "sequence": sequence,
        "key_check": key,
        "machine_key_check": machine_key.as_ref().filter(|_| role == "web"),
    });
    for (name, value) in more {
        beat[name] = value.clone();
    }
    beat
}

/// Of bytes kilobytes, of kilobytes megabytes.
fn thousands(number: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody has so much memory")]
    let number = number as f64;
    number / 1_000.0
}

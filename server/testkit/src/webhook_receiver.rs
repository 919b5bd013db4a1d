//! A receiver of webhooks on a port of its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::folder::Folder;
use crate::wait::wait_until;

/// A message as it was received.
#[derive(Clone, Debug)]
pub struct ReceivedMessage {
    /// The first line of the request.
    pub line: String,
    /// Its `webhook-id`; may be empty.
    pub id: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Null if there is none.
    pub body: Value,
}

impl ReceivedMessage {
    /// Title and state of each incident.
    pub fn incidents(&self) -> Vec<(String, String)> {
        let all = self.body["incidents"].as_array().unwrap();
        let word = |incident: &Value, field: &str| incident[field].as_str().unwrap().to_owned();
        all.iter().map(|one| (word(one, "title"), word(one, "state"))).collect()
    }
}

/// A webhook's receiver on a port of its own.
#[derive(Debug)]
pub struct WebhookReceiver {
    pub port: u16,
    /// What it answers.
    status: Arc<AtomicU16>,
    received: Arc<Mutex<Vec<ReceivedMessage>>>,
}

impl WebhookReceiver {
    /// As a status: it answers nothing at all.
    pub const SILENT: u16 = 0;

    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let status = Arc::new(AtomicU16::new(200));
        let received = Arc::<Mutex<Vec<ReceivedMessage>>>::default();
        let (answers, log) = (Arc::clone(&status), Arc::clone(&received));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), answers, log) = (stream, Arc::clone(&answers), Arc::clone(&log))
                else {
                    continue;
                };
                std::thread::spawn(move || receive(stream, &answers, &log));
            }
        });
        Self { port, status, received }
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub fn received(&self) -> Vec<ReceivedMessage> {
        self.received.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn wait_for(&self, messages: usize, within: Duration) -> Vec<ReceivedMessage> {
        wait_until(&format!("{messages} messages"), within, || {
            Some(self.received()).filter(|received| received.len() >= messages)
        })
    }

    /// A channel file in this folder whose channel `ops` is this receiver.
    pub fn write_channel_file(&self, folder: &Folder) -> PathBuf {
        let (secret, file) = (folder.join("secret"), folder.join("channels.toml"));
        std::fs::write(&secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        set_mode(&secret);
        let text = format!(
            "[[channel]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/hook\"\n\
         secret_file = \"{}\"\nallow_private = true\n",
            self.port,
            secret.display()
        );
        std::fs::write(&file, text).unwrap();
        set_mode(&file);
        file
    }
}

/// Reads one request, remembers it, and answers.
fn receive(stream: std::net::TcpStream, status: &AtomicU16, log: &Mutex<Vec<ReceivedMessage>>) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut headers) = (String::new(), BTreeMap::new());
    if reader.read_line(&mut first).is_err() || first.trim().is_empty() {
        return;
    }
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or(("", ""));
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let (id, length) = (header("webhook-id"), header("content-length").parse().unwrap_or(0));
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    let line = first.trim().to_owned();
    log.lock().unwrap().push(ReceivedMessage { line, id, headers, body });
    let status = status.load(Ordering::Relaxed);
    if status == WebhookReceiver::SILENT {
        std::thread::sleep(Duration::from_mins(1));
    }
    let answer =
        format!("HTTP/1.1 {status} Status\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(answer.as_bytes());
}

fn set_mode(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

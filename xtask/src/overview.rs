//! How is a server of ours started for measuring, and asked?

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::{self, Profile};

/// What heartbeats of a measurement bear.
pub(crate) const TOKEN: &str = "a-join-token-for-measuring";

/// A server on a database of its own, that ends with this value.
pub(crate) struct Overview {
    process: Child,
    /// Host and port.
    pub(crate) address: String,
}

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    /// Time on a processor, user and system.
    pub(crate) processor: Duration,
    /// Resident memory.
    pub(crate) memory_kb: u64,
}

impl Overview {
    /// Starts one on a file, that reports nothing of itself.
    pub(crate) fn start(profile: Profile) -> Result<Self> {
        let folder = folder();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        Self::start_with(&file(), profile)
    }

    /// Starts one on the database at this address.
    pub(crate) fn start_on(database: &str, profile: Profile) -> Result<Self> {
        let folder = folder();
        std::fs::create_dir_all(&folder)?;
        Self::start_with(database, profile)
    }

    fn start_with(database: &str, profile: Profile) -> Result<Self> {
        std::fs::write(token_file(), TOKEN)?;
        let mut serve = Command::new(workspace::server_binary(profile));
        serve.args(["serve", "--auth", "none", "--listen", "127.0.0.1:0", "--report-self", "none"]);
        serve.args(["--database", database]);
        serve.arg("--join-token-file").arg(token_file());
        let process = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut overview = Self { process, address: String::new() };
        overview.address = overview.listens_at()?;
        Ok(overview)
    }

    /// The picture, as text.
    pub(crate) fn picture(&self) -> Result<String> {
        let request = format!("GET /api/v1/overview HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        Ok(String::from_utf8_lossy(&exchange(&self.address, &request)?).into_owned())
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts another in its place, on the same database.
    pub(crate) fn start_again(&mut self, profile: Profile) -> Result<()> {
        *self = Self::start_with(&file(), profile)?;
        Ok(())
    }

    /// What its process has used of a processor so far, and holds of memory now.
    pub(crate) fn used(&self) -> Result<Used> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = stat.rsplit_once(')').context("/proc has no such process")?;
        // From the third field on; user and system time are the 14th and 15th, in hundredths of a second.
        let field = |number: usize| -> Result<u64> {
            let field = fields.split_whitespace().nth(number - 3).context("too few fields")?;
            Ok(field.parse()?)
        };
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|kb| kb.trim().strip_suffix(" kB"));
        Ok(Used {
            processor: Duration::from_millis((field(14)? + field(15)?) * 10),
            memory_kb: resident.context("no resident memory")?.parse()?,
        })
    }

    /// What a page has that asks for the first time, and where it is.
    pub(crate) fn cursor(&self) -> Result<String> {
        let answer = exchange(&self.address, &self.since("", "1.0"))?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (_, rest) = answer.split_once("\"cursor\":\"").context("no cursor")?;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }

    /// The request of a page that has everything up to a cursor.
    pub(crate) fn since(&self, cursor: &str, version: &str) -> String {
        let body = format!("{{\"cursor\":\"{cursor}\"}}");
        format!(
            "POST /fn/overview HTTP/{version}\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
    }

    /// The tag of the picture as it is.
    pub(crate) fn etag(&self) -> Result<String> {
        let request = format!("GET /api/v1/overview HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        let answer = String::from_utf8_lossy(&exchange(&self.address, &request)?).into_owned();
        let tag = answer.lines().find_map(|line| line.strip_prefix("etag: "));
        Ok(tag.context("the picture has no tag")?.to_owned())
    }

    /// Whether it can do its work.
    pub(crate) fn is_ready(&self) -> bool {
        let request = format!("GET /readyz HTTP/1.0\r\nHost: {}\r\n\r\n", self.address);
        exchange(&self.address, &request).is_ok_and(|answer| answer.starts_with(b"HTTP/1.0 200"))
    }

    /// Where it listens, once it says so.
    fn listens_at(&mut self) -> Result<String> {
        let out = self.process.stdout.take().context("the server has no output")?;
        for line in BufReader::new(out).lines() {
            if let Some((_, url)) = line?.split_once(" at http://") {
                return Ok(url.trim_end_matches('/').to_owned());
            }
        }
        bail!("the server ended before it listened")
    }

    /// Posts heartbeats, and fails unless they are taken.
    pub(crate) fn beat(&self, heartbeats: &str) -> Result<()> {
        let request = self.heartbeats(heartbeats, "1.0");
        let answer = exchange(&self.address, &request)?;
        ensure!(answer.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&answer));
        Ok(())
    }

    /// The request that posts heartbeats.
    pub(crate) fn heartbeats(&self, body: &str, version: &str) -> String {
        format!(
            "POST /api/v1/heartbeats HTTP/{version}\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
    }

    /// The length of an answer's body as it is sent, compressed.
    pub(crate) fn length(&self, path: &str) -> Result<u64> {
        let request =
            format!("GET {path} HTTP/1.0\r\nHost: {}\r\nAccept-Encoding: br\r\n\r\n", self.address);
        let answer = exchange(&self.address, &request)?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.context("the answer has no body")?;
        let headers = String::from_utf8_lossy(&answer[..end]).to_lowercase();
        ensure!(headers.contains("content-encoding: br"), "it came uncompressed: {headers}");
        Ok((answer.len() - end - 4) as u64)
    }
}

impl Drop for Overview {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The address of the file of a measured server.
fn file() -> String {
    format!("sqlite:{}", folder().join("overview.db").display())
}

/// Where a measured server keeps its files: one at a time.
fn folder() -> PathBuf {
    workspace::target().join("measured")
}

/// Where agents find what they join with.
pub(crate) fn token_file() -> PathBuf {
    folder().join("join-token")
}

fn exchange(address: &str, request: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// What the components of so many servers say, one server in ten with another key, one of another
/// version.
pub(crate) fn cluster(servers: usize) -> String {
    let mut beats = String::from("[");
    for number in 1..=servers {
        for role in ["web", "service"] {
            let key = if number % 10 == 2 { "07" } else { "9f" }.repeat(32);
            let version = if number % 10 == 4 { "2026.1.9" } else { "2026.2.1" };
            let comma = if beats.len() > 1 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(beats, "{comma}{}", heartbeat(number, role, version, &key, 1));
        }
    }
    beats + "]"
}

/// One heartbeat of a server's component.
pub(crate) fn heartbeat(
    number: usize,
    role: &str,
    version: &str,
    key: &str,
    sequence: u64,
) -> String {
    format!(
        r#"{{"server":"server-{number}","role":"{role}","product":"ProGet","version":"{version}","os":{{"name":"Debian GNU/Linux","version":"12"}},"ip":"10.0.{}.{}","boot_id":"{number:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11","sequence":{sequence},"key_check":"{key}"}}"#,
        number / 250,
        number % 250
    )
}

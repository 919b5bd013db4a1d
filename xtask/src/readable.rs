//! How many bytes of HTML does a browser get of a cluster of ten servers, before any script?

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace::{self, Profile};

const TOKEN: &str = "a-join-token-for-measuring";

/// Asks a server of ours for the page of a cluster of ten, each with both components.
pub(crate) fn html(profile: Profile) -> Result<u64> {
    let folder = workspace::target().join("measured");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let token = folder.join("join-token");
    std::fs::write(&token, TOKEN)?;
    let mut serve = Command::new(workspace::server_binary(profile));
    serve.args(["serve", "--listen", "127.0.0.1:0", "--report-self", "none"]);
    serve.arg("--database").arg(format!("sqlite:{}", folder.join("overview.db").display()));
    serve.arg("--join-token-file").arg(&token);
    let mut serve = Running(serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
    let address = serve.address()?;
    let beats = heartbeats();
    let head = format!(
        "POST /api/v1/heartbeats HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        beats.len()
    );
    let answer = exchange(&address, &format!("{head}{beats}"))?;
    ensure!(answer.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&answer));
    let page = exchange(
        &address,
        &format!("GET / HTTP/1.0\r\nHost: {address}\r\nAccept-Encoding: br\r\n\r\n"),
    )?;
    let end = page.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.context("the page has no body")?;
    let headers = String::from_utf8_lossy(&page[..end]).to_lowercase();
    ensure!(headers.contains("content-encoding: br"), "the page came uncompressed: {headers}");
    Ok((page.len() - end - 4) as u64)
}

/// A server that ends with this value.
struct Running(Child);

impl Running {
    /// Where it listens, once it says so.
    fn address(&mut self) -> Result<String> {
        let out = self.0.stdout.take().context("the server has no output")?;
        for line in BufReader::new(out).lines() {
            if let Some((_, url)) = line?.split_once(" at http://") {
                return Ok(url.trim_end_matches('/').to_owned());
            }
        }
        bail!("the server ended before it listened")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn exchange(address: &str, request: &str) -> Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// What twenty components say, one of them with another key and one of another version.
fn heartbeats() -> String {
    let mut beats = String::from("[");
    for number in 1..=10 {
        for role in ["web", "service"] {
            let key = if number == 2 { "07" } else { "9f" }.repeat(32);
            let version = if number == 4 { "2026.1.9" } else { "2026.2.1" };
            let comma = if beats.len() > 1 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(
                beats,
                r#"{comma}{{"server":"server-{number}","role":"{role}","product":"ProGet","version":"{version}","os":{{"name":"Debian GNU/Linux","version":"12"}},"ip":"10.0.0.{number}","boot_id":"{number:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11","sequence":1,"key_check":"{key}"}}"#
            );
        }
    }
    beats + "]"
}

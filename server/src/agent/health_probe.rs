//! Health probes: ask a product that cannot send heartbeats itself for its health, at a URL or by a command.
//!
//! The answer is a JSON object as ProGet has it at `/health/json`, or plain text as at `/health`. Status 200 or exit code 0
//! means healthy; otherwise the body says what is wrong.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use app::cluster::Role;
use app::cluster::server_name::check_text;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use crate::store::without_password;
use crate::telemetry::outside_text::one_line;

const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_ANSWER_BYTES: u64 = 64 << 10;
/// A shell exits with this plus the number of the signal that ended its command.
const SIGNAL_EXIT_CODE: i32 = 128;
const MAX_REASON_CHARS: usize = 300;

/// Where a product's health comes from.
#[derive(Clone, Debug)]
pub enum Probe {
    Url {
        url: String,
        agent: Box<ureq::Agent>,
    },
    /// Run by the shell.
    Command(String),
}

/// What a healthy product says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Healthy {
    pub product: Option<String>,
    pub version: Option<String>,
}

/// Why a probe failed: one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unhealthy(String);

impl Unhealthy {
    fn new(reason: impl Into<String>) -> Self {
        let line = one_line(reason.into().trim());
        Self(line.chars().take(MAX_REASON_CHARS).collect())
    }
}

/// An answer that has not been interpreted yet.
struct Answer {
    /// Status 200, or exit code 0.
    is_success: bool,
    /// The status or exit code in words.
    outcome: String,
    /// By its content type.
    is_json: bool,
    body: Vec<u8>,
}

impl Probe {
    /// # Errors
    /// Why this is not an HTTP URL.
    pub fn from_url(url: &str) -> Result<Self, String> {
        let uri: axum::http::Uri = url.parse().map_err(|error| format!("{url:?}: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!(
                "{url:?} is not an HTTP URL; give one such as http://127.0.0.1:8080/health/json"
            ));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PROBE_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .new_agent();
        Ok(Self::Url { url: url.to_owned(), agent: Box::new(agent) })
    }

    /// Probes once. `role`: the component whose health it is about.
    pub async fn check(&self, role: Role) -> Result<Healthy, Unhealthy> {
        let answer = match self {
            Self::Url { url, agent } => {
                let (url, agent) = (url.clone(), agent.clone());
                let fetched = tokio::task::spawn_blocking(move || fetch(&url, &agent));
                fetched.await.map_err(|error| Unhealthy::new(error.to_string()))??
            }
            Self::Command(command) => run(command).await?,
        };
        interpret(&answer, role)
    }
}

/// Gets the answer of a URL. Blocks.
fn fetch(url: &str, agent: &ureq::Agent) -> Result<Answer, Unhealthy> {
    // The reason is shown to everybody who can see the overview.
    let shown = without_password(url);
    let failed = |error: &dyn std::fmt::Display| Unhealthy::new(format!("{shown}: {error}"));
    let mut answer = agent.get(url).call().map_err(|error| failed(&error))?;
    let status = answer.status();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if status.is_redirection() {
        let target = header("location").unwrap_or("nowhere").to_owned();
        let why = format!("{shown} redirects to {target}: set --probe to the final URL");
        return Err(Unhealthy::new(why));
    }
    let is_json = header("content-type").is_some_and(|kind| kind.contains("json"));
    let mut body = Vec::new();
    let mut reader = answer.body_mut().as_reader().take(MAX_ANSWER_BYTES + 1);
    reader.read_to_end(&mut body).map_err(|error| failed(&error))?;
    if body.len() as u64 > MAX_ANSWER_BYTES {
        return Err(too_long(&shown));
    }
    Ok(Answer { is_success: status == 200, outcome: status.to_string(), is_json, body })
}

fn too_long(source: &str) -> Unhealthy {
    Unhealthy::new(format!("the answer of {source} is longer than {} KiB", MAX_ANSWER_BYTES >> 10))
}

/// Runs a command. If it takes too long, it is killed together with all processes that it started.
async fn run(command: &str) -> Result<Answer, Unhealthy> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).process_group(0).kill_on_drop(true);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| Unhealthy::new(format!("the probe command: {error}"));
    let mut child = shell.spawn().map_err(failed)?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(PROBE_TIMEOUT, async {
        let (out, err) = tokio::try_join!(read_all(out), read_all(err))?;
        Ok::<_, Unhealthy>((out, err, child.wait().await.map_err(failed)?))
    });
    let ended = ended.await;
    if !matches!(ended, Ok(Ok(_)))
        && let Some(group) = group
    {
        // It fails if the command has ended in the meantime.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let (out, err, status) = ended.map_err(|_| {
        Unhealthy::new(format!(
            "the probe command did not end within {} s",
            PROBE_TIMEOUT.as_secs()
        ))
    })??;
    // Commands write the reason of a failure to standard error, or else to standard output.
    let body = if status.success() || err.is_empty() { out } else { err };
    if let Some(reason) = why_not_run(status, &body) {
        return Err(Unhealthy::new(reason));
    }
    Ok(Answer { is_success: status.success(), outcome: status.to_string(), is_json: false, body })
}

/// Why a command could not run as it should, if so: then its result says nothing about the product. Usually the sandbox of the
/// agent's systemd unit is the reason.
fn why_not_run(status: ExitStatus, output: &[u8]) -> Option<String> {
    use rustix::process::Signal;
    let output = String::from_utf8_lossy(output);
    let line = output.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let code = status.code();
    let signal = status.signal().or_else(|| Some(code? - SIGNAL_EXIT_CODE));
    let is = |known: Signal| signal == Some(known.as_raw());
    let forbidden = line.contains("Operation not permitted") || line.contains("Permission denied");
    let what = if is(Signal::SYS) {
        "SIGSYS ended it, because it made a system call that is not allowed".to_owned()
    } else if is(Signal::TRAP) {
        "SIGTRAP ended it, as happens where a program must not generate code while it runs"
            .to_owned()
    } else if matches!(code, Some(126 | 127)) || (forbidden && !status.success()) {
        format!("{status}: {line}")
    } else {
        return None;
    };
    Some(format!(
        "the probe command could not run, so nothing is known about the product: {what}. Make sure that the agent's account \
         and the sandbox of its unit allow it; agent.toml says how"
    ))
}

/// The whole output of a command, unless it is too long.
async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Unhealthy> {
    let Some(pipe) = pipe else { return Ok(Vec::new()) };
    let mut output = Vec::new();
    let read = pipe.take(MAX_ANSWER_BYTES + 1).read_to_end(&mut output).await;
    read.map_err(|error| Unhealthy::new(format!("the probe command: {error}")))?;
    if output.len() as u64 > MAX_ANSWER_BYTES {
        return Err(too_long("the probe command"));
    }
    Ok(output)
}

/// What an answer means for a component of this role.
fn interpret(
    Answer { is_success, outcome, is_json, body }: &Answer,
    role: Role,
) -> Result<Healthy, Unhealthy> {
    let text = String::from_utf8_lossy(body);
    let object = match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(object)) => object,
        _ if *is_json => {
            return Err(Unhealthy::new(format!("{outcome}, and the body is not a JSON object")));
        }
        _ if *is_success => return Ok(Healthy::default()),
        _ => {
            let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            return Err(Unhealthy::new(format!("{outcome}: {}", line.trim())));
        }
    };
    let text_of = |name: &str| object.get(name).and_then(Value::as_str).map(str::trim);
    // A failed service does not make the web component unhealthy that reports it.
    let concerns_role = |name: &str| !(name == "serviceStatus" && role == Role::Web);
    let is_bad = |name: &str| text_of(name).is_some_and(|status| status != "OK");
    let bad: Vec<String> = object
        .keys()
        .filter(|name| name.ends_with("Status") && concerns_role(name) && is_bad(name))
        .map(|name| {
            // ProGet uses both spellings, also in one answer.
            let details = ["Detail", "Details"].map(|end| text_of(&format!("{name}{end}")));
            let details = details.into_iter().flatten().find(|details| !details.is_empty());
            let details = details.map(|details| format!(", {details}")).unwrap_or_default();
            format!("{name} {}{details}", text_of(name).unwrap_or_default())
        })
        .collect();
    if !bad.is_empty() {
        return Err(Unhealthy::new(bad.join("; ")));
    }
    // The status is 500 also if only the service has failed.
    let only_service_failed = role == Role::Web && is_bad("serviceStatus");
    if !is_success && !only_service_failed {
        return Err(Unhealthy::new(outcome.clone()));
    }
    let label = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| text_of(name));
        found.find(|text| check_text(text, 1, 100).is_ok()).map(str::to_owned)
    };
    Ok(Healthy {
        product: label(&["applicationName", "product"]),
        version: label(&["versionNumber", "version", "releaseNumber"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interpreted(
        is_success: bool,
        is_json: bool,
        body: &str,
        role: Role,
    ) -> Result<Healthy, String> {
        let outcome = if is_success { "200 OK" } else { "500 Internal Server Error" }.to_owned();
        let answer = Answer { is_success, outcome, is_json, body: body.as_bytes().to_vec() };
        interpret(&answer, role).map_err(|unhealthy| unhealthy.to_string())
    }

    fn healthy(product: Option<&str>, version: Option<&str>) -> Healthy {
        Healthy { product: product.map(str::to_owned), version: version.map(str::to_owned) }
    }

    const HEALTH: &str = r#"{"applicationName": "ProGet", "databaseStatus": "OK", "databaseStatusDetails": null,
        "licenseStatus": "OK", "versionNumber": "2026.2 (Build 1)", "releaseNumber": "26.0.2", "serviceStatus": "OK"}"#;

    #[test]
    fn a_healthy_product_reports_its_name_and_version() {
        for role in [Role::Web, Role::Service] {
            assert_eq!(
                interpreted(true, true, HEALTH, role),
                Ok(healthy(Some("ProGet"), Some("2026.2 (Build 1)")))
            );
        }
        assert_eq!(interpreted(true, false, "healthy", Role::Web), Ok(healthy(None, None)));
        let marked = format!("\u{feff}{HEALTH}");
        assert!(interpreted(true, true, &marked, Role::Web).is_ok(), "with a byte order mark");
        assert_eq!(
            interpreted(true, false, HEALTH, Role::Web),
            Ok(healthy(Some("ProGet"), Some("2026.2 (Build 1)")))
        );
        let odd = r#"{"versionNumber": "2026\n2", "version": " 2026.3 "}"#;
        assert_eq!(interpreted(true, true, odd, Role::Web), Ok(healthy(None, Some("2026.3"))));
    }

    #[test]
    fn an_unhealthy_product_reports_why() {
        let no_database =
            HEALTH.replace(r#""databaseStatus": "OK""#, r#""databaseStatus": "Error""#).replace(
                "\"databaseStatusDetails\": null",
                "\"databaseStatusDetails\": \"no\\nroute\"",
            );
        for role in [Role::Web, Role::Service] {
            let said = interpreted(false, true, &no_database, role).unwrap_err();
            assert_eq!(said, "databaseStatus Error, no\u{fffd}route");
        }
        for (body, is_json, said) in [
            ("\n  out of memory\nmore", false, "500 Internal Server Error: out of memory"),
            ("", false, "500 Internal Server Error:"),
            ("[1]", true, "500 Internal Server Error, and the body is not a JSON object"),
            ("{}", true, "500 Internal Server Error"),
        ] {
            assert_eq!(interpreted(false, is_json, body, Role::Web), Err(said.to_owned()));
        }
        let lie = interpreted(true, true, "<html>", Role::Web);
        assert_eq!(lie, Err("200 OK, and the body is not a JSON object".to_owned()));
    }

    #[test]
    fn a_failed_service_does_not_make_the_web_component_unhealthy() {
        let no_service = HEALTH.replace(r#""serviceStatus": "OK""#, r#""serviceStatus": "Error""#);
        assert!(interpreted(false, true, &no_service, Role::Web).is_ok());
        assert_eq!(
            interpreted(false, true, &no_service, Role::Service),
            Err("serviceStatus Error".into())
        );
    }

    #[tokio::test]
    async fn a_command_reports_health_by_its_exit_code_and_its_output() {
        let ask = |command: &'static str| async move {
            Probe::Command(command.to_owned())
                .check(Role::Service)
                .await
                .map_err(|error| error.to_string())
        };
        assert_eq!(ask("echo '{\"version\": \"7\"}'").await, Ok(healthy(None, Some("7"))));
        assert_eq!(ask("true").await, Ok(healthy(None, None)));
        assert_eq!(ask("echo no disk >&2; exit 3").await, Err("exit status: 3: no disk".into()));
        let binary =
            ask("head -c 20 /dev/zero; printf '\\377\\033[31m'; exit 1").await.unwrap_err();
        assert!(!binary.chars().any(char::is_control), "{binary:?}");
        assert_eq!(
            ask("yes").await,
            Err("the answer of the probe command is longer than 64 KiB".into())
        );
    }

    #[tokio::test]
    async fn a_command_that_could_not_run_says_nothing_about_the_product() {
        for (command, why) in [
            ("kill -SYS $$", "SIGSYS"),
            ("sh -c 'kill -SYS $$'; exit $?", "SIGSYS"),
            ("sh -c 'kill -TRAP $$'; exit $?", "SIGTRAP"),
            ("no-such-program-anywhere", "not found"),
            ("/etc/passwd", "Permission denied"),
            ("echo 'nice: cannot set niceness: Operation not permitted' >&2; exit 1", "niceness"),
        ] {
            let asked = Probe::Command(command.to_owned()).check(Role::Service).await;
            let said = asked.unwrap_err().to_string();
            assert!(said.contains("nothing is known about the product"), "{command}: {said}");
            assert!(
                said.contains(why) && said.ends_with("agent.toml says how"),
                "{command}: {said}"
            );
        }
        for (command, why) in [("exit 1", "exit status: 1:"), ("kill -TERM $$", "signal: 15")] {
            let asked = Probe::Command(command.to_owned()).check(Role::Service).await;
            let said = asked.unwrap_err().to_string();
            assert!(said.starts_with(why), "{command}: {said}");
        }
    }

    #[test]
    fn anything_but_an_http_url_is_rejected() {
        for url in ["", "proget", "ftp://proget/health", "/health", "http://"] {
            assert!(Probe::from_url(url).is_err(), "{url}");
        }
    }
}

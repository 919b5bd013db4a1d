//! Asks a product that cannot be changed for its health: at an address, or by a command.
//!
//! The answer is a JSON object as ProGet gives it at `/health/json`, or plain text as at `/health`. A status of
//! 200, or an exit code of 0, says that all is well; anything else says in its body what is not.

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

/// How long a probe may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const LONGEST: u64 = 64 << 10;
/// A shell's exit code for a command that a signal ended is this and the signal's number.
const ENDED_BY_SIGNAL: i32 = 128;
/// What is read of an answer that failed: a sentence.
const TOLD: usize = 300;

/// How a product is asked.
#[derive(Clone, Debug)]
pub enum Probe {
    /// At an address of HTTP.
    Address {
        /// The address.
        url: String,
        /// What asks.
        agent: Box<ureq::Agent>,
    },
    /// By a command, which the shell runs.
    Command(String),
}

/// What a product that is well says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Well {
    /// Its name, if it says it.
    pub product: Option<String>,
    /// Its version, if it says it.
    pub version: Option<String>,
}

/// Why a product is not well: one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unwell(String);

impl Unwell {
    fn of(why: impl Into<String>) -> Self {
        let line = one_line(why.into().trim());
        Self(line.chars().take(TOLD).collect())
    }
}

/// What came back, whatever it means.
struct Answer {
    /// 200, or an exit code of 0.
    is_good: bool,
    /// What else it was, in words.
    outcome: String,
    /// Whether it calls itself JSON.
    is_json: bool,
    body: Vec<u8>,
}

impl Probe {
    /// Asks at this address.
    ///
    /// # Errors
    /// What is no address of HTTP, in words.
    pub fn of_address(url: &str) -> Result<Self, String> {
        let uri: axum::http::Uri = url.parse().map_err(|error| format!("{url:?}: {error}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(format!("{url:?} is no address such as http://127.0.0.1:8080/health/json"));
        }
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .new_agent();
        Ok(Self::Address { url: url.to_owned(), agent: Box::new(agent) })
    }

    /// Asks once; what it means for a component of this role.
    pub async fn ask(&self, role: Role) -> Result<Well, Unwell> {
        let answer = match self {
            Self::Address { url, agent } => {
                let (url, agent) = (url.clone(), agent.clone());
                let asked = tokio::task::spawn_blocking(move || fetch(&url, &agent));
                asked.await.map_err(|error| Unwell::of(error.to_string()))??
            }
            Self::Command(command) => run(command).await?,
        };
        understand(&answer, role)
    }
}

/// Gets the answer of an address. Blocks.
fn fetch(url: &str, agent: &ureq::Agent) -> Result<Answer, Unwell> {
    // What is said of it goes to the overview, and everybody there reads it.
    let shown = without_password(url);
    let lost = |error: &dyn std::fmt::Display| Unwell::of(format!("{shown}: {error}"));
    let mut answer = agent.get(url).call().map_err(|error| lost(&error))?;
    let status = answer.status();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    if status.is_redirection() {
        let place = header("location").unwrap_or("nowhere").to_owned();
        let why = format!("{shown} leads on to {place}: give the address that answers");
        return Err(Unwell::of(why));
    }
    let is_json = header("content-type").is_some_and(|kind| kind.contains("json"));
    let mut body = Vec::new();
    let mut reader = answer.body_mut().as_reader().take(LONGEST + 1);
    reader.read_to_end(&mut body).map_err(|error| lost(&error))?;
    if body.len() as u64 > LONGEST {
        return Err(too_long(&shown));
    }
    Ok(Answer { is_good: status == 200, outcome: status.to_string(), is_json, body })
}

fn too_long(who: &str) -> Unwell {
    Unwell::of(format!("{who} answers with more than {} kB", LONGEST >> 10))
}

/// Runs a command to its end, or ends it and all that it started.
async fn run(command: &str) -> Result<Answer, Unwell> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).process_group(0).kill_on_drop(true);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| Unwell::of(format!("the probe's command: {error}"));
    let mut child = shell.spawn().map_err(failed)?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let ended = tokio::time::timeout(PATIENCE, async {
        let (out, err) = tokio::try_join!(all(out), all(err))?;
        Ok::<_, Unwell>((out, err, child.wait().await.map_err(failed)?))
    });
    let ended = ended.await;
    if !matches!(ended, Ok(Ok(_)))
        && let Some(group) = group
    {
        // It may have ended in this very moment.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let (out, err, status) = ended.map_err(|_| {
        Unwell::of(format!("the probe's command did not end within {} s", PATIENCE.as_secs()))
    })??;
    // What a failing command says stands where it says it.
    let body = if status.success() || err.is_empty() { out } else { err };
    if let Some(obstacle) = obstacle(status, &body) {
        return Err(Unwell::of(obstacle));
    }
    Ok(Answer { is_good: status.success(), outcome: status.to_string(), is_json: false, body })
}

/// What kept a command from asking: then nothing is known about the product. Most often that is the sandbox of the
/// agent's unit.
fn obstacle(status: ExitStatus, said: &[u8]) -> Option<String> {
    use rustix::process::Signal;
    let said = String::from_utf8_lossy(said);
    let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let code = status.code();
    let signal = status.signal().or_else(|| Some(code? - ENDED_BY_SIGNAL));
    let is = |known: Signal| signal == Some(known.as_raw());
    let forbidden = line.contains("Operation not permitted") || line.contains("Permission denied");
    let what = if is(Signal::SYS) {
        "SIGSYS ended it: it made a system call that it may not make".to_owned()
    } else if is(Signal::TRAP) {
        "SIGTRAP ended it, as it does where a program may not make code while it runs".to_owned()
    } else if matches!(code, Some(126 | 127)) || (forbidden && !status.success()) {
        format!("{status}: {line}")
    } else {
        return None;
    };
    Some(format!(
        "the probe's command could not ask, so nothing is known about the product: {what}. See that the agent's account \
         and the sandbox of its unit allow it; agent.toml says how"
    ))
}

/// All that somebody writes, unless it is too much.
async fn all(pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, Unwell> {
    let Some(pipe) = pipe else { return Ok(Vec::new()) };
    let mut said = Vec::new();
    let read = pipe.take(LONGEST + 1).read_to_end(&mut said).await;
    read.map_err(|error| Unwell::of(format!("the probe's command: {error}")))?;
    if said.len() as u64 > LONGEST {
        return Err(too_long("the probe's command"));
    }
    Ok(said)
}

/// What an answer means for a component of this role.
fn understand(
    Answer { is_good, outcome, is_json, body }: &Answer,
    role: Role,
) -> Result<Well, Unwell> {
    let text = String::from_utf8_lossy(body);
    let object = match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(object)) => object,
        _ if *is_json => {
            return Err(Unwell::of(format!(
                "{outcome}, and what it calls JSON is no object of it"
            )));
        }
        _ if *is_good => return Ok(Well::default()),
        _ => {
            let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            return Err(Unwell::of(format!("{outcome}: {}", line.trim())));
        }
    };
    let said = |name: &str| object.get(name).and_then(Value::as_str).map(str::trim);
    // The service's own status is nothing against the web component that told it.
    let own = |name: &str| !(name == "serviceStatus" && role == Role::Web);
    let wrong = |name: &&String| {
        name.ends_with("Status") && own(name) && said(name).is_some_and(|status| status != "OK")
    };
    let wrong: Vec<String> = object
        .keys()
        .filter(wrong)
        .map(|name| {
            // Both spellings are in use, also in one answer.
            let mut told =
                ["Detail", "Details"].map(|end| said(&format!("{name}{end}"))).into_iter();
            let details = told.find_map(|told| told.filter(|told| !told.is_empty()));
            let details = details.map(|details| format!(", {details}")).unwrap_or_default();
            format!("{name} {}{details}", said(name).unwrap_or_default())
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Unwell::of(wrong.join("; ")));
    }
    // A failure that is the service's alone is told with 500 too.
    let of_service = said("serviceStatus").is_some_and(|status| status != "OK");
    let excused = role == Role::Web && of_service;
    if !is_good && !excused {
        return Err(Unwell::of(outcome.clone()));
    }
    let label = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| said(name));
        found.find(|text| check_text(text, 1, 100).is_ok()).map(str::to_owned)
    };
    Ok(Well {
        product: label(&["applicationName", "product"]),
        version: label(&["versionNumber", "version", "releaseNumber"]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(is_good: bool, is_json: bool, body: &str, role: Role) -> Result<Well, String> {
        let outcome = if is_good { "200 OK" } else { "500 Internal Server Error" }.to_owned();
        let answer = Answer { is_good, outcome, is_json, body: body.as_bytes().to_vec() };
        understand(&answer, role).map_err(|unwell| unwell.to_string())
    }

    fn well(product: Option<&str>, version: Option<&str>) -> Well {
        Well { product: product.map(str::to_owned), version: version.map(str::to_owned) }
    }

    const HEALTH: &str = r#"{"applicationName": "ProGet", "databaseStatus": "OK", "databaseStatusDetails": null,
        "licenseStatus": "OK", "versionNumber": "2026.2 (Build 1)", "releaseNumber": "26.0.2", "serviceStatus": "OK"}"#;

    #[test]
    fn a_product_that_is_well_says_its_name_and_version() {
        for role in [Role::Web, Role::Service] {
            assert_eq!(
                of(true, true, HEALTH, role),
                Ok(well(Some("ProGet"), Some("2026.2 (Build 1)")))
            );
        }
        assert_eq!(of(true, false, "healthy", Role::Web), Ok(well(None, None)));
        let marked = format!("\u{feff}{HEALTH}");
        assert!(of(true, true, &marked, Role::Web).is_ok(), "with a byte order mark");
        assert_eq!(
            of(true, false, HEALTH, Role::Web),
            Ok(well(Some("ProGet"), Some("2026.2 (Build 1)")))
        );
        let odd = r#"{"versionNumber": "2026\n2", "version": " 2026.3 "}"#;
        assert_eq!(of(true, true, odd, Role::Web), Ok(well(None, Some("2026.3"))));
    }

    #[test]
    fn a_product_that_is_not_says_why() {
        let no_database =
            HEALTH.replace(r#""databaseStatus": "OK""#, r#""databaseStatus": "Error""#).replace(
                "\"databaseStatusDetails\": null",
                "\"databaseStatusDetails\": \"no\\nroute\"",
            );
        for role in [Role::Web, Role::Service] {
            let said = of(false, true, &no_database, role).unwrap_err();
            assert_eq!(said, "databaseStatus Error, no\u{fffd}route");
        }
        for (body, is_json, said) in [
            ("\n  out of memory\nmore", false, "500 Internal Server Error: out of memory"),
            ("", false, "500 Internal Server Error:"),
            ("[1]", true, "500 Internal Server Error, and what it calls JSON is no object of it"),
            ("{}", true, "500 Internal Server Error"),
        ] {
            assert_eq!(of(false, is_json, body, Role::Web), Err(said.to_owned()));
        }
        let lie = of(true, true, "<html>", Role::Web);
        assert_eq!(lie, Err("200 OK, and what it calls JSON is no object of it".to_owned()));
    }

    #[test]
    fn what_is_wrong_with_the_service_is_nothing_against_the_web_component() {
        let no_service = HEALTH.replace(r#""serviceStatus": "OK""#, r#""serviceStatus": "Error""#);
        assert!(of(false, true, &no_service, Role::Web).is_ok());
        assert_eq!(of(false, true, &no_service, Role::Service), Err("serviceStatus Error".into()));
    }

    #[tokio::test]
    async fn a_command_says_it_by_its_exit_code_and_its_words() {
        let ask = |command: &'static str| async move {
            Probe::Command(command.to_owned())
                .ask(Role::Service)
                .await
                .map_err(|error| error.to_string())
        };
        assert_eq!(ask("echo '{\"version\": \"7\"}'").await, Ok(well(None, Some("7"))));
        assert_eq!(ask("true").await, Ok(well(None, None)));
        assert_eq!(ask("echo no disk >&2; exit 3").await, Err("exit status: 3: no disk".into()));
        let binary =
            ask("head -c 20 /dev/zero; printf '\\377\\033[31m'; exit 1").await.unwrap_err();
        assert!(!binary.chars().any(char::is_control), "{binary:?}");
        assert_eq!(
            ask("yes").await,
            Err("the probe's command answers with more than 64 kB".into())
        );
    }

    #[tokio::test]
    async fn a_command_that_could_not_ask_says_nothing_about_the_product() {
        for (command, why) in [
            ("kill -SYS $$", "SIGSYS"),
            ("sh -c 'kill -SYS $$'; exit $?", "SIGSYS"),
            ("sh -c 'kill -TRAP $$'; exit $?", "SIGTRAP"),
            ("no-such-program-anywhere", "not found"),
            ("/etc/passwd", "Permission denied"),
            ("echo 'nice: cannot set niceness: Operation not permitted' >&2; exit 1", "niceness"),
        ] {
            let asked = Probe::Command(command.to_owned()).ask(Role::Service).await;
            let said = asked.unwrap_err().to_string();
            assert!(said.contains("nothing is known about the product"), "{command}: {said}");
            assert!(
                said.contains(why) && said.ends_with("agent.toml says how"),
                "{command}: {said}"
            );
        }
        for (command, why) in [("exit 1", "exit status: 1:"), ("kill -TERM $$", "signal: 15")] {
            let asked = Probe::Command(command.to_owned()).ask(Role::Service).await;
            let said = asked.unwrap_err().to_string();
            assert!(said.starts_with(why), "{command}: {said}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in ["", "proget", "ftp://proget/health", "/health", "http://"] {
            assert!(Probe::of_address(url).is_err(), "{url}");
        }
    }
}

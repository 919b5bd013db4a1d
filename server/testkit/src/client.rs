//! An HTTP client that returns every status and has a timeout.

use std::time::Duration;

use serde_json::Value;
use ureq::config::ConfigBuilder;
use ureq::http::{HeaderMap, Request};
use ureq::typestate::AgentScope;

use crate::heartbeats::{TOKEN, heartbeat};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// A JSON string if the body is not JSON.
    pub body: Value,
}

impl Answer {
    /// A header's value; empty if the header is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The configuration of a client that returns every status and follows no redirect.
pub fn client_config() -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(ANSWER_TIMEOUT))
}

/// A client with this configuration. It reuses its connections.
pub fn agent() -> ureq::Agent {
    client_config().build().into()
}

/// More than the overview of the largest cluster in a test.
const MAX_BODY_BYTES: u64 = 64 << 20;

/// Sends a request and reads the whole response.
pub fn send(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, ureq::Error> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent.run(request.body(body.to_vec())?)?;
    let text = answer.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_string()?;
    Ok(Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}

/// The body of a successful response.
pub fn get(url: &str) -> Option<Value> {
    let answer = send(&agent(), "GET", url, &[], &[]).ok()?;
    (200..300).contains(&answer.status).then_some(answer.body)
}

/// Sends one heartbeat of a service. Returns the status and when the heartbeat was received; `None` without a
/// response.
pub fn send_heartbeat(
    agent: &ureq::Agent,
    url: &str,
    server: &str,
    sequence: u64,
) -> Option<(u16, Option<String>)> {
    let beat = heartbeat(server, "service", sequence.try_into().unwrap());
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = send(agent, "POST", url, &headers, beat.to_string().as_bytes()).ok()?;
    Some((answer.status, answer.body["received_at"].as_str().map(str::to_owned)))
}

/// The headers that authenticate with a token.
pub fn bearer_headers(token: &str) -> Vec<(&'static str, &'static str)> {
    // A few dozen bytes until the test ends.
    vec![("authorization", format!("Bearer {token}").leak())]
}

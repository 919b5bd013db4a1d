//! An HTTP client that sees every status and never waits for ever.

use std::time::Duration;

use serde_json::Value;
use ureq::config::ConfigBuilder;
use ureq::http::{HeaderMap, Request};
use ureq::typestate::AgentScope;

use crate::heartbeats::{TOKEN, heartbeat};

/// No answer takes longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; a text if it is not JSON.
    pub body: Value,
}

impl Answer {
    /// A header's value; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// How a client is that sees every status and follows no redirect.
pub fn config() -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(ANSWER_TIMEOUT))
}

/// Such a client. It keeps its connections.
pub fn agent() -> ureq::Agent {
    config().build().into()
}

/// Sends a request and reads the answer to its end.
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
    let text = answer.body_mut().read_to_string()?;
    Ok(Answer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}

/// What a good answer holds.
pub fn get(url: &str) -> Option<Value> {
    let answer = send(&agent(), "GET", url, &[], &[]).ok()?;
    (200..300).contains(&answer.status).then_some(answer.body)
}

/// One heartbeat of a service; the status of the answer, and when it came. `None` if nobody answers.
pub fn beat(
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

/// The headers that prove somebody by a token.
pub fn bearer(token: &str) -> Vec<(&'static str, &'static str)> {
    // A few dozen bytes for the length of a story.
    vec![("authorization", format!("Bearer {token}").leak())]
}

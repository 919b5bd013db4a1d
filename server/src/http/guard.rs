//! What no caller may do to another: under a foreign Host where nobody signs in, or by a page of another
//! site that makes a browser write.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::Site;
use crate::access::Mode;
use crate::access::audit::Proof;
use crate::access::caller::{Caller, Person};

/// Refuses a `Host` that is no loopback name or address: a page elsewhere that has its own name
/// resolve to this machine must not read what needs no password.
pub(crate) async fn local_host_only(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if site.access.policy.mode != Mode::Open || is_loopback_host(request.headers()) {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::FORBIDDEN,
        "without sign-in this overview answers only under a loopback name: use http://localhost or http://127.0.0.1",
    )
    .into_response()
}

/// Refuses a write that a page of another origin made the browser send. A bearer token proves that no
/// browser was made to send it; heartbeats and enrolments take no other proof.
pub(crate) async fn own_writes_only(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let path = request.uri().path();
    let path = path.strip_prefix(site.base.as_str()).unwrap_or(path);
    let by_token = [super::HEARTBEATS, super::ENROLMENTS, super::PROBE_FAILURES].contains(&path);
    let caller = request.extensions().get::<Caller>();
    if reads || by_token || caller.is_some_and(Caller::is_proved_by_token) {
        return next.run(request).await;
    }
    let ambient = matches!(
        caller,
        Some(Caller::Person(Person { proof: Proof::Session | Proof::Proxy | Proof::Host, .. }))
    );
    if is_own(request.headers(), ambient) {
        return next.run(request).await;
    }
    Problem::new(
        StatusCode::FORBIDDEN,
        "this change was not sent by the overview's own page; make it there, or send a token: Authorization: Bearer TOKEN",
    )
    .into_response()
}

/// Counts requests that the own web component beats on: the page and the API, but not probes,
/// static files and heartbeats.
pub(crate) async fn notice(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(own) = &site.own {
        own.was_asked();
    }
    next.run(request).await
}

/// Whether the browser, if there is one, says that our own page sent this. Where the proof is one that
/// a browser sends by itself, there must be one that says so.
fn is_own(headers: &HeaderMap, ambient: bool) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")).is_some_and(
                |authority| host(headers).is_some_and(|h| h.eq_ignore_ascii_case(authority)),
            )
        }
        (None, None) => !ambient,
    }
}

/// Whether a request was sent to a loopback name or address.
pub(crate) fn is_loopback_host(headers: &HeaderMap) -> bool {
    host(headers).is_some_and(is_loopback)
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// `localhost`, a name below it, or a loopback address, with or without a port.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_and_addresses_are_ours() {
        for ours in [
            "localhost",
            "LOCALHOST:3000",
            "a.localhost",
            "127.0.0.1:80",
            "[::1]:3000",
            "127.9.9.9",
        ] {
            assert!(is_loopback(ours), "{ours}");
        }
        for foreign in ["evil.example", "localhost.evil.example:3000", "10.0.0.1", "[::2]:80", ""] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}

//! What no caller may do to another: under a foreign Host where nobody signs in, or by a page of another
//! site that makes a browser write.

use std::net::IpAddr;
use std::sync::Arc;

use app::cluster::hints::Arg;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Site;
use crate::access::Mode;
use crate::access::audit::Proof;
use crate::access::caller::{Caller, Person};
use crate::access::forwarded::host_header;
use crate::access::origin::{Origin, OwnHost, host, is_loopback};
use crate::http::problem::Problem;
use crate::telemetry::outside_text::one_line;

/// What a proxy's configuration lacks if the overview takes itself for another host than the browser does.
const HOST_LINE: &str = "proxy_set_header Host $http_host;";

/// Refuses a `Host` that is no loopback name or address: a page elsewhere that has its own name
/// resolve to this machine must not read what needs no password.
pub(crate) async fn local_host_only(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let named = host(request.headers());
    if site.access.policy.mode != Mode::Open || named.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let named = Arg::Text(one_line(named.unwrap_or_default()));
    Problem::said(StatusCode::FORBIDDEN, "plain.foreign.host", vec![("host", named)])
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
    let by_token = [crate::http::HEARTBEATS, crate::http::ENROLMENTS, crate::http::PROBE_FAILURES]
        .contains(&path);
    let caller = request.extensions().get::<Caller>();
    // The page asks for news by POST.
    let reads = reads || path == crate::http::POLL;
    if reads || by_token || caller.is_some_and(Caller::is_proved_by_token) {
        return next.run(request).await;
    }
    let ambient = matches!(
        caller,
        Some(Caller::Person(Person { proof: Proof::Session | Proof::Proxy | Proof::Host, .. }))
    );
    let origin = request.extensions().get::<Origin>().copied();
    let own = || OwnHost::of(request.headers(), &origin?, &site.access.policy.proxies);
    match check(request.headers(), own, ambient) {
        Ok(()) => next.run(request).await,
        Err(foreign) => {
            let unbelieved = origin.and_then(|origin| unbelieved(request.headers(), &origin));
            foreign.problem(unbelieved).into_response()
        }
    }
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

/// The peer that sent this and is not trusted, and the header by which it names a host, if it does.
fn unbelieved(headers: &HeaderMap, origin: &Origin) -> Option<(IpAddr, &'static str)> {
    let peer = origin.peer.filter(|_| !origin.trusted)?;
    Some((peer, host_header(headers)?))
}

/// Why a change is not taken for one of our own page's.
enum Foreign {
    /// The browser says from where it was sent, and that is not our page.
    Site(String),
    /// The page that sent it has another origin than we have.
    Origin { page: String, own: Option<OwnHost> },
    /// The proof is one that a browser sends by itself, and nothing says which page had it sent.
    Unsaid,
}

/// Whether the browser, if there is one, says that our own page sent this. Where the proof is one that
/// a browser sends by itself, there must be one that says so.
fn check(
    headers: &HeaderMap,
    own: impl FnOnce() -> Option<OwnHost>,
    ambient: bool,
) -> Result<(), Foreign> {
    let text = |name: &str| {
        headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if site == "same-origin" => Ok(()),
        (Some(site), _) => Err(Foreign::Site(site)),
        (None, Some(page)) => match own() {
            Some(own) if own.is_origin(&page) => Ok(()),
            own => Err(Foreign::Origin { page, own }),
        },
        (None, None) if ambient => Err(Foreign::Unsaid),
        (None, None) => Ok(()),
    }
}

impl Foreign {
    /// Both values where two differ, and what a proxy must send so that they do not.
    /// `unbelieved`: a peer that is not trusted, and the header by which it names a host.
    fn problem(&self, unbelieved: Option<(IpAddr, &str)>) -> Problem {
        let text = |text: &str| Arg::Text(one_line(text));
        let (key, values) = match self {
            Self::Site(site) => ("plain.foreign.site", vec![("site", text(site))]),
            Self::Origin { page, own: Some(own) } => {
                let mut values = vec![
                    ("page", text(page)),
                    ("own", text(&own.authority)),
                    ("header", text(own.header)),
                ];
                let (key, line) = match unbelieved {
                    None => ("plain.foreign.origin", HOST_LINE.to_owned()),
                    Some((peer, said)) => {
                        values.extend([("said", text(said)), ("peer", text(&peer.to_string()))]);
                        ("plain.foreign.unbelieved", format!("--trusted-proxies {peer}"))
                    }
                };
                values.push(("line", text(&line)));
                (key, values)
            }
            Self::Origin { page, own: None } => {
                ("plain.foreign.no-host", vec![("page", text(page)), ("line", text(HOST_LINE))])
            }
            Self::Unsaid => ("plain.foreign.unsaid", Vec::new()),
        };
        Problem::said(StatusCode::FORBIDDEN, key, values).titled("plain.foreign.title")
    }
}

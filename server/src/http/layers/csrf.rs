//! CSRF check: rejects writes that a page of another site makes a browser send.

use std::net::IpAddr;
use std::sync::Arc;

use app::cluster::hints::Arg;
use app::i18n::MessageKey;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::auth::audit::AuthMethod;
use crate::auth::identity::{Identity, User};
use crate::auth::origin::{PublicHost, RequestOrigin};
use crate::auth::proxy::forwarded::host_header;
use crate::http::problem::Problem;
use crate::http::{ENROLMENTS_PATH, HEARTBEATS_PATH, POLL_PATH, PROBE_FAILURES_PATH};
use crate::site::Site;
use crate::telemetry::outside_text::one_line;

/// The line that is missing in a proxy's configuration if the overview sees another host than the browser.
const PROXY_HOST_LINE: &str = "proxy_set_header Host $http_host;";

/// Rejects a write unless our own page sent it. A page of another site cannot send a bearer token; heartbeats and enrolments
/// require one.
pub(crate) async fn check_write(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let path = path.strip_prefix(site.base.as_str()).unwrap_or(path);
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // The page polls by POST.
    let is_read = is_read || path == POLL_PATH;
    let needs_token = [HEARTBEATS_PATH, ENROLMENTS_PATH, PROBE_FAILURES_PATH].contains(&path);
    let identity = request.extensions().get::<Identity>();
    if is_read || needs_token || identity.is_some_and(Identity::has_token) {
        return next.run(request).await;
    }
    let is_ambient = matches!(
        identity,
        Some(Identity::User(User {
            auth_method: AuthMethod::Session | AuthMethod::Proxy | AuthMethod::Host,
            ..
        }))
    );
    let origin = request.extensions().get::<RequestOrigin>().copied();
    let own = || PublicHost::from_request(request.headers(), &origin?, &site.auth.policy.proxies);
    match check(request.headers(), own, is_ambient) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            let untrusted_host =
                origin.and_then(|origin| untrusted_host(request.headers(), &origin));
            error.problem(untrusted_host).into_response()
        }
    }
}

/// The peer and the header in which it sends a host, if it is a proxy that is not trusted.
fn untrusted_host(headers: &HeaderMap, origin: &RequestOrigin) -> Option<(IpAddr, &'static str)> {
    let peer = origin.peer.filter(|_| !origin.trusted)?;
    Some((peer, host_header(headers)?))
}

/// Why a write may not come from our own page.
enum ForeignWrite {
    /// The value of `Sec-Fetch-Site`: another site sent it.
    Site(String),
    /// The sending page has another origin than the overview.
    Origin { page: String, own: Option<PublicHost> },
    /// The browser authenticates every request, and no header says which page sent this one.
    NoOrigin,
}

/// Whether our own page sent this. `is_ambient`: browsers authenticate every request, as with a cookie, so a header must say
/// which page sent it.
fn check(
    headers: &HeaderMap,
    own: impl FnOnce() -> Option<PublicHost>,
    is_ambient: bool,
) -> Result<(), ForeignWrite> {
    let text = |name: &str| {
        headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if site == "same-origin" => Ok(()),
        (Some(site), _) => Err(ForeignWrite::Site(site)),
        (None, Some(page)) => match own() {
            Some(own) if own.is_origin(&page) => Ok(()),
            own => Err(ForeignWrite::Origin { page, own }),
        },
        (None, None) if is_ambient => Err(ForeignWrite::NoOrigin),
        (None, None) => Ok(()),
    }
}

impl ForeignWrite {
    /// Names both values where two differ, and what a proxy must send to make them equal.
    fn problem(&self, untrusted_host: Option<(IpAddr, &str)>) -> Problem {
        let text = |text: &str| Arg::Text(one_line(text));
        let (key, values) = match self {
            Self::Site(site) => (MessageKey::PagesCrossSiteOtherSite, vec![("site", text(site))]),
            Self::Origin { page, own: Some(own) } => {
                let mut values = vec![
                    ("page", text(page)),
                    ("own", text(&own.authority)),
                    ("header", text(own.header)),
                ];
                let (key, line) = match untrusted_host {
                    None => (MessageKey::PagesCrossSiteOrigin, PROXY_HOST_LINE.to_owned()),
                    Some((peer, said)) => {
                        values.extend([("said", text(said)), ("peer", text(&peer.to_string()))]);
                        (
                            MessageKey::PagesCrossSiteUntrustedHeader,
                            format!("--trusted-proxies {peer}"),
                        )
                    }
                };
                values.push(("line", text(&line)));
                (key, values)
            }
            Self::Origin { page, own: None } => (
                MessageKey::PagesCrossSiteNoHost,
                vec![("page", text(page)), ("line", text(PROXY_HOST_LINE))],
            ),
            Self::NoOrigin => (MessageKey::PagesCrossSiteNoOrigin, Vec::new()),
        };
        Problem::translated(StatusCode::FORBIDDEN, key, values)
            .titled(MessageKey::PagesCrossSiteTitle)
    }
}

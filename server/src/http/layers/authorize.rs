//! What each route wants of whoever asks: the one place where that is told, and where it is refused.
//!
//! A route can only be added behind a [`Need`]; see [`behind`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use app::cluster::{RejectionReason, ServerName};
use app::protocol::Rank;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use crate::Site;
use crate::access::caller::{Caller, Person, Unproved};
use crate::access::forwarded::{FORWARDED, X_FOR, X_HOST, X_PROTO};
use crate::access::origin::{Origin, OverTls};
use crate::access::{Access, Mode, Policy};
use crate::files::text::utf8;
use crate::http::api::openapi;
use crate::http::body;
use crate::http::layers::rejection::{Bar, Denied};
use crate::net::connections::Room;
use crate::telemetry::scrape::Refusal;

/// The longest header that is kept of whoever reads the stream, in bytes: a list of roles may be long.
const MAX_KEPT_HEADER_BYTES: usize = 8 << 10;

/// What a route wants of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing.
    Nothing,
    /// A viewer's token, unless anybody may read the metrics.
    Measure,
    /// To be a viewer at least.
    Look,
    /// To be an admin, and to have proved it lately.
    Act,
    /// The same, and to be no guest whom a product let into a frame: whatever they made would stay when they go.
    Grant,
    /// To be an admin.
    Administer,
    /// A join token or a credential.
    Enrol,
    /// The same; the join token only where no enrolment is required.
    HeartbeatUpdate,
}

/// How a refusal is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// To a program, as a problem.
    Problem,
    /// To a browser that wants a page: it is led to sign in.
    Page,
    /// To the page's own half in the browser.
    Function,
}

/// Routes with what they want told.
pub(crate) struct Gated(OpenApiRouter<Arc<Site>>);

/// Puts routes behind a need. Nothing else makes a [`Gated`], and only those are served.
pub(crate) fn behind(
    site: &Arc<Site>,
    need: Need,
    manner: Manner,
    routes: OpenApiRouter<Arc<Site>>,
) -> Gated {
    let gate = Gate { site: Arc::clone(site), need, manner };
    let mut routes = routes;
    openapi::say_need(routes.get_openapi_mut(), need);
    Gated(routes.layer(middleware::from_fn_with_state(gate, admit)))
}

/// All routes that are behind something.
pub(crate) fn all(
    head: OpenApiRouter<Arc<Site>>,
    gated: impl IntoIterator<Item = Gated>,
) -> OpenApiRouter<Arc<Site>> {
    gated.into_iter().fold(head, |all, Gated(routes)| all.merge(routes))
}

#[derive(Clone)]
struct Gate {
    site: Arc<Site>,
    need: Need,
    manner: Manner,
}

/// Finds out who asks, for every route.
pub(crate) async fn identify(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    if site.access.brings_unknown(request.headers(), request.extensions(), &site.watch) {
        // Another web server may have given it out a moment ago.
        site.watch.refresh().await;
    }
    let (caller, origin) = site.access.caller(request.headers(), request.extensions(), &site.watch);
    let person = match &caller {
        Caller::Person(person) => Some(person.clone()),
        // Where nobody signs in, whoever has another proof may no less than who has none.
        _ if site.access.policy.mode == Mode::Open => Some(Person::anybody(&origin)),
        Caller::Nobody(_) | Caller::Node { .. } | Caller::Joiner { .. } => None,
    };
    request.extensions_mut().insert(origin);
    if let Some(person) = person {
        request.extensions_mut().insert(person);
    }
    site.access.notice_proxy(&origin, request.headers());
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Who asks, for as long as an answer goes on: copies of what says so and of nothing else, for whoever keeps
/// a part of a request keeps the 8 kB that it was read into.
pub(crate) struct Asker {
    headers: HeaderMap,
    extensions: Extensions,
}

impl Asker {
    /// Who sent this. What a host product put into the request is known to it alone, and kept.
    pub(crate) fn of(request: &Parts, access: &Access) -> Self {
        let Parts { headers, extensions, .. } = request;
        let kept: &[&HeaderName] = match &access.policy.mode {
            Mode::Host(_) => {
                return Self { headers: headers.clone(), extensions: extensions.clone() };
            }
            Mode::Proxy { user, role } => &[&header::AUTHORIZATION, user, role],
            // What the cookie is called depends on how the overview is reached.
            Mode::Password => &[
                &header::AUTHORIZATION,
                &header::HOST,
                &X_FOR.0,
                &X_HOST.0,
                &X_PROTO.0,
                &FORWARDED.0,
            ],
            Mode::Open => &[],
        };
        let mut copies = HeaderMap::new();
        for name in kept {
            let short = |value: &&HeaderValue| value.len() <= MAX_KEPT_HEADER_BYTES;
            for value in headers.get_all(*name).iter().filter(short) {
                let name = HeaderName::from_bytes(name.as_str().as_bytes());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
                    copies.append(name, value);
                }
            }
        }
        if let Some(cookies) = access.own_cookies(headers) {
            copies.insert(header::COOKIE, cookies);
        }
        let mut extensions = Extensions::new();
        if let Some(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>() {
            extensions.insert(*peer);
        }
        if let Some(tls) = request.extensions.get::<OverTls>() {
            extensions.insert(*tls);
        }
        Self { headers: copies, extensions }
    }

    /// Whether they may look, as of now.
    pub(crate) fn may_look(&self, site: &Site) -> bool {
        let (caller, _) = site.access.caller(&self.headers, &self.extensions, &site.watch);
        allows(&site.access.policy, Need::Look, &caller).is_ok()
    }
}

async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let nobody = Caller::Nobody(Unproved::Silent);
    let caller = request.extensions().get::<Caller>().unwrap_or(&nobody);
    let Err(denied) = allows(&gate.site.access.policy, gate.need, caller) else {
        return next.run(request).await;
    };
    let why = match caller {
        Caller::Joiner { .. } => RejectionReason::NotEnrolled,
        Caller::Nobody(_) | Caller::Person(_) | Caller::Node { .. } => RejectionReason::Token,
    };
    let from = request.extensions().get::<Origin>().and_then(|origin| origin.client);
    let peer = request.extensions().get::<Origin>().and_then(|origin| origin.peer);
    let query = request.uri().query().map(str::to_owned);
    let _offered = request.extensions().get::<Room>().map(Room::offer);
    if gate.need == Need::HeartbeatUpdate {
        let claim = gate.site.bodies.read_claim(request.into_body()).await;
        gate.site.intake.figures().refuse(Refusal::Token);
        if let Some(server) = claim.and_then(|body| claimed(&body)) {
            gate.site.watch.refused(&server, why, from);
        }
    } else {
        body::discard(request.into_body()).await;
    }
    gate.refuse(denied, query.as_deref(), peer)
}

/// In whose name a refused heartbeat speaks, or the first of several.
fn claimed(body: &[u8]) -> Option<ServerName> {
    let value: Value = serde_json::from_str(utf8(body).ok()?).ok()?;
    let heartbeat = value.get(0).unwrap_or(&value);
    ServerName::parse(heartbeat.get("server")?.as_str()?).ok()
}

fn allows(policy: &Policy, need: Need, caller: &Caller) -> Result<(), Denied> {
    match need {
        Need::Nothing => Ok(()),
        Need::Measure if policy.metrics_public => Ok(()),
        Need::Measure | Need::Look | Need::Act | Need::Grant | Need::Administer
            if policy.mode == Mode::Open =>
        {
            Ok(())
        }
        Need::Measure | Need::Look => person(caller).map(drop),
        Need::Administer => admin(caller).map(drop),
        Need::Act => active_admin(caller).map(drop),
        Need::Grant => active_admin(caller).and_then(|person| {
            if person.is_guest() { Err(Denied::Forbidden(Bar::Guest)) } else { Ok(()) }
        }),
        Need::Enrol => node(caller),
        Need::HeartbeatUpdate => match caller {
            Caller::Joiner { .. } if policy.require_enrolment => {
                Err(Denied::Forbidden(Bar::Unenrolled))
            }
            Caller::Nobody(_) | Caller::Person(_) | Caller::Node { .. } | Caller::Joiner { .. } => {
                node(caller)
            }
        },
    }
}

impl Gate {
    fn refuse(&self, denied: Denied, query: Option<&str>, peer: Option<IpAddr>) -> Response {
        match (self.manner, denied) {
            (Manner::Page, Denied::Unproved(_) | Denied::Lapsed)
                if self.site.access.policy.mode == Mode::Password =>
            {
                Redirect::to(&crate::http::pages::sign_in::address(&self.site.base, query))
                    .into_response()
            }
            (Manner::Page | Manner::Problem, denied) => {
                denied.problem(&self.site, self.need, peer).into_response()
            }
            (Manner::Function, denied) => {
                let (status, word) = match denied {
                    Denied::Unproved(_) => (StatusCode::UNAUTHORIZED, app::protocol::SIGNED_OUT),
                    Denied::Lapsed => (StatusCode::UNAUTHORIZED, app::protocol::LAPSED),
                    Denied::Forbidden(_) => (StatusCode::FORBIDDEN, app::protocol::FORBIDDEN),
                };
                (status, [(header::CACHE_CONTROL, "no-store")], app::protocol::failure(word))
                    .into_response()
            }
        }
    }
}

fn person(caller: &Caller) -> Result<&Person, Denied> {
    match caller {
        Caller::Person(person) => Ok(person),
        Caller::Nobody(why) => Err(Denied::Unproved(*why)),
        Caller::Node { .. } | Caller::Joiner { .. } => Err(Denied::Forbidden(Bar::Node)),
    }
}

fn admin(caller: &Caller) -> Result<&Person, Denied> {
    let person = person(caller)?;
    match person.rank {
        Rank::Admin => Ok(person),
        Rank::Viewer => Err(Denied::Forbidden(Bar::Viewer)),
    }
}

/// An admin who has proved it lately.
fn active_admin(caller: &Caller) -> Result<&Person, Denied> {
    admin(caller).and_then(|person| if person.may_act { Ok(person) } else { Err(Denied::Lapsed) })
}

fn node(caller: &Caller) -> Result<(), Denied> {
    match caller {
        Caller::Node { .. } | Caller::Joiner { .. } => Ok(()),
        // Where nobody signs in, heartbeats want their token all the same.
        Caller::Nobody(why) => Err(Denied::Unproved(*why)),
        Caller::Person(person) if person.proof == crate::access::audit::Proof::Token => {
            Err(Denied::Forbidden(Bar::PersonsToken))
        }
        Caller::Person(_) => Err(Denied::Unproved(Unproved::Silent)),
    }
}

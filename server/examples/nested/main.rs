//! How does a product nest the overview? Its admin menu has an entry for the overview, its own sign-in
//! authenticates the users, and it reports its own components.

use std::collections::HashMap;
use std::error::Error;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};

use app::cluster::{Role, ServerName, Source};
use app::protocol::UserRole;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use cluster_overview::agent::host;
use cluster_overview::auth::{AuthMode, AuthPolicy, Authenticate, HostAuth, HostUser};
use cluster_overview::files::key::{KeySource, key_check};
use cluster_overview::self_report::SelfReport;
use cluster_overview::{Options, Site};
use serde::Deserialize;
use tokio::net::TcpListener;

/// The path of the overview in the product.
const OVERVIEW_PATH: &str = "/admin/cluster";
const COOKIE: &str = "product-session";

/// The product's own sessions. A real one asks for passwords.
#[derive(Clone, Default)]
struct Sessions(Arc<RwLock<HashMap<String, HostUser>>>);

/// All that the overview needs from the product's sign-in.
impl Authenticate for Sessions {
    fn user(&self, headers: &HeaderMap, _: &Extensions) -> Option<HostUser> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(session_cookie(headers)?).cloned()
    }
}

impl Sessions {
    fn begin(&self, name: String) -> String {
        let session = uuid::Uuid::new_v4().to_string();
        let role = if name == "ann" { UserRole::Admin } else { UserRole::Viewer };
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(session.clone(), HostUser { name, role });
        session
    }

    fn end(&self, headers: &HeaderMap) {
        if let Some(session) = session_cookie(headers) {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(session);
        }
    }
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let mut cookies = headers.get(header::COOKIE)?.to_str().ok()?.split("; ");
    cookies.find_map(|cookie| cookie.strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The product's first page: its admin menu, or its sign-in.
async fn home(State(sessions): State<Sessions>, headers: HeaderMap) -> Html<String> {
    let body = if sessions.user(&headers, &Extensions::new()).is_some() {
        format!(
            r#"<nav aria-label="Admin"><a href="/admin/users">Users</a> <a href="{OVERVIEW_PATH}">Cluster Overview</a></nav>
            <form method="post" action="/sign-out"><button>Sign out</button></form>"#
        )
    } else {
        r#"<form method="post" action="/sign-in"><label>Name <input name="name"></label> <button>Sign in</button></form>"#
            .to_owned()
    };
    Html(format!(
        r#"<!doctype html><html lang="en"><title>Product</title><link rel="icon" href="data:,">{body}"#
    ))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

async fn sign_in(State(sessions): State<Sessions>, Form(form): Form<SignIn>) -> Response {
    let session = sessions.begin(form.name);
    let cookie = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

async fn sign_out(State(sessions): State<Sessions>, headers: HeaderMap) -> Redirect {
    sessions.end(&headers);
    Redirect::to("/")
}

/// Redirects browsers without a session to the sign-in.
async fn redirect_to_sign_in(
    State(sessions): State<Sessions>,
    request: Request,
    next: Next,
) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    let accepts_html = accepts.is_some_and(|accepts| accepts.contains("text/html"));
    if accepts_html && sessions.user(request.headers(), request.extensions()).is_none() {
        return Redirect::to("/").into_response();
    }
    next.run(request).await
}

/// The web component's heartbeats say that the product receives requests.
async fn note_request(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    if let Some(reporter) = site.reporter() {
        reporter.note_request();
    }
    next.run(request).await
}

async fn open_overview(database: String, sessions: &Sessions) -> Result<Arc<Site>, Box<dyn Error>> {
    let name = "product-1";
    let identity = SelfReport {
        server: ServerName::parse(name)?,
        product: Some("Product".to_owned()),
        version: "2026.2.1".to_owned(),
        os: host::os(),
        ip: Ipv4Addr::LOCALHOST.into(),
        key: key_check(b"the key of the product").map(KeySource::Product),
        source: Source::Own,
    };
    let options = Options {
        base: OVERVIEW_PATH.to_owned(),
        admin_url: Some("/".to_owned()),
        own: Some((identity, vec![Role::Web, Role::Service])),
        dials_as: Some(name.to_owned()),
        ..Options::new(database, AuthPolicy::new(AuthMode::Host(HostAuth::new(sessions.clone()))))
    };
    Ok(Site::open(options).await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument =
        |number, default: &str| std::env::args().nth(number).unwrap_or_else(|| default.to_owned());
    let listener = TcpListener::bind(argument(1, "127.0.0.1:8080")).await?;
    let address = listener.local_addr()?;
    let sessions = Sessions::default();
    let site = open_overview(argument(2, "sqlite:product-overview.db"), &sessions).await?;
    site.connect_to_services(address);
    let nested = Router::new()
        .nest_service(OVERVIEW_PATH, cluster_overview::router(Arc::clone(&site)))
        .layer(middleware::from_fn_with_state(sessions.clone(), redirect_to_sign_in));
    let product = Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/admin/users", get(|| async { StatusCode::NOT_IMPLEMENTED }))
        .with_state(sessions)
        .merge(nested)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), note_request));
    writeln!(std::io::stdout(), "A product at http://{address}/")?;
    let stopping = Arc::clone(&site);
    axum::serve(listener, product.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            // An error means that Ctrl+C cannot be received; then stop at once.
            let _ = tokio::signal::ctrl_c().await;
            stopping.stop();
        })
        .await?;
    site.close().await;
    Ok(())
}

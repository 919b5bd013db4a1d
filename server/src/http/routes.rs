//! Which address is answered by whom.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use axum::middleware;
use axum::routing::{MethodRouter, any, get, post};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::Site;
use crate::http::api::{audit, embeds, health, heartbeats, openapi, overview, probe_failures};
use crate::http::api::{settings, stream, tokens};
use crate::http::layers::authorize::{Gated, Manner, Need, behind};
use crate::http::layers::{csrf, metrics};
use crate::http::pages::{self, access, forms, sign_in};
use crate::http::{assets, branding};

/// Routes that want the same of whoever asks.
pub(crate) struct Group {
    need: Need,
    manner: Manner,
    /// Whether the overview's own web component beats on them.
    noticed: bool,
    routes: OpenApiRouter<Arc<Site>>,
    /// The paths of those that the API's description does not name.
    undescribed: Vec<&'static str>,
}

impl Group {
    /// Routes that nothing notices, yet none.
    fn new(need: Need, manner: Manner) -> Self {
        let (routes, undescribed) = (OpenApiRouter::new(), Vec::new());
        Self { need, manner, noticed: false, routes, undescribed }
    }

    /// The same, on which the overview's own web component beats.
    fn noticed(need: Need, manner: Manner) -> Self {
        Self { noticed: true, ..Self::new(need, manner) }
    }

    /// And this route, which the API's description does not name.
    fn route(mut self, path: &'static str, method: MethodRouter<Arc<Site>>) -> Self {
        self.undescribed.push(path);
        Self { routes: self.routes.route(path, method), ..self }
    }

    /// And this route of the API.
    fn described(self, route: UtoipaMethodRouter<Arc<Site>>) -> Self {
        Self { routes: self.routes.routes(route), ..self }
    }

    /// Behind their gate.
    pub(crate) fn gated(self, site: &Arc<Site>) -> Gated {
        let routes = if self.noticed {
            self.routes.layer(middleware::from_fn_with_state(Arc::clone(site), csrf::notice))
        } else {
            self.routes
        };
        behind(site, self.need, self.manner, routes)
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let described = self.routes.get_openapi().paths.paths.keys().map(String::as_str);
        self.undescribed.iter().copied().chain(described)
    }
}

/// The first part of every path, without its slash.
pub(crate) fn first_parts() -> BTreeSet<String> {
    let groups = people().into_iter().chain([monitors()]).chain(machines());
    let parts = groups.flat_map(|group| {
        let first = |path: &str| path.split('/').nth(1).unwrap_or_default().to_owned();
        group.paths().map(first).collect::<Vec<_>>()
    });
    parts.filter(|part| !part.is_empty()).collect()
}

/// The paths that people's browsers go to.
pub(crate) fn pages() -> &'static BTreeSet<&'static str> {
    static PAGES: LazyLock<BTreeSet<&'static str>> =
        LazyLock::new(|| people().into_iter().flat_map(|group| group.undescribed).collect());
    &PAGES
}

/// What people use, with a browser or a program of their own.
pub(crate) fn people() -> Vec<Group> {
    vec![
        Group::noticed(Need::Nothing, Manner::Problem)
            .route("/sign-in", get(sign_in::get).post(sign_in::post))
            .route("/sign-out", post(sign_in::sign_out))
            .route("/embed", get(embeds::enter)),
        Group::noticed(Need::Look, Manner::Page).route("/", get(pages::overview::get)),
        Group::noticed(Need::Look, Manner::Function)
            .route("/fn/overview", any(pages::overview::function)),
        Group::noticed(Need::Act, Manner::Function)
            .route("/fn/act", any(pages::overview::function)),
        Group::noticed(Need::Act, Manner::Page)
            .route("/settings", post(forms::settings))
            .route("/removal", post(forms::removal))
            .route("/acceptance", post(forms::acceptance))
            .route("/reconnection", post(forms::reconnection)),
        Group::noticed(Need::Administer, Manner::Page)
            .route("/access", get(access::get))
            .route("/audit", get(audit::page)),
        Group::noticed(Need::Grant, Manner::Page).route("/access/tokens", post(access::create)),
        Group::noticed(Need::Act, Manner::Page).route("/access/revocation", post(access::revoke)),
        Group::noticed(Need::Look, Manner::Problem)
            .described(routes!(overview::get))
            .described(routes!(settings::settings))
            .described(routes!(embeds::create))
            .described(routes!(embeds::delete))
            .described(routes!(openapi::get)),
        Group::noticed(Need::Act, Manner::Problem)
            .described(routes!(settings::put_settings))
            .described(routes!(settings::delete_server))
            .described(routes!(settings::delete_component))
            .described(routes!(settings::remove_many))
            .described(routes!(settings::put_reference_key))
            .described(routes!(settings::reconnect))
            .described(routes!(tokens::revoke)),
        Group::noticed(Need::Grant, Manner::Problem).described(routes!(tokens::create)),
        Group::noticed(Need::Administer, Manner::Problem)
            .described(routes!(tokens::list))
            .described(routes!(audit::get)),
    ]
}

/// What monitors read.
pub(crate) fn monitors() -> Group {
    Group::new(Need::Measure, Manner::Problem).described(routes!(metrics::get))
}

/// What servers, balancers and browsers use by themselves, and often. None of it is compressed on its
/// way: it is short, comes in pieces, or is packed already; and room for a compressor is 5 kB an answer.
pub(crate) fn machines() -> Vec<Group> {
    vec![
        Group::new(Need::HeartbeatUpdate, Manner::Problem)
            .described(routes!(heartbeats::post))
            .described(routes!(probe_failures::post)),
        Group::new(Need::Enrol, Manner::Problem).described(routes!(tokens::enrol)),
        Group::noticed(Need::Look, Manner::Problem).described(routes!(stream::get)),
        Group::new(Need::Nothing, Manner::Problem)
            .described(routes!(health::healthz))
            .described(routes!(health::readyz))
            .route("/assets/{*path}", get(assets::get))
            .route("/branding/{hash}/{name}", get(branding::get))
            .route("/embed.js", get(embeds::script)),
    ]
}

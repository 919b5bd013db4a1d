//! The route table: each path with the permission that it requires, and its handler.

mod accept;
pub(crate) mod api;
mod assets;
mod body;
mod branding;
mod channels;
mod csv;
mod extract;
mod incidents;
mod json;
mod layers;
mod moment;
mod not_found;
mod pages;
mod problem;
pub(crate) mod query;
mod single_flight;
mod state;

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use axum::middleware::map_response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::api::channels as channels_api;
use self::api::incidents as incidents_api;
use self::api::openapi::{self, Document};
use self::api::{
    audit, embeds, enrolments, health, heartbeats, history, metrics, overview, people,
};
use self::api::{probe_failures, reference_keys, removals, servers, settings, stream, tokens};
use self::layers::authorize::RejectionFormat::{Page, Problem, ServerFunction};
use self::layers::authorize::{ProtectedRoutes, require, serve};
use self::layers::compression::{compression, forbid_caching};
use self::layers::permission::Permission::{
    Act, Admin, Change, Enrol, GrantAccess, Public, ReadMetrics, SendHeartbeats, View,
};
use self::pages::people as people_forms;
use self::pages::{access, account, add_server, channel, embed, forms, invitation, sign_in};
use self::state::HttpState;
use crate::site::Site;

/// Where servers send heartbeats.
pub(crate) const HEARTBEATS_PATH: &str = "/api/v1/heartbeats";
/// Where servers get a credential of their own.
pub(crate) const ENROLMENTS_PATH: &str = "/api/v1/enrolments";
/// Where agents report why they send no heartbeat.
pub(crate) const PROBE_FAILURES_PATH: &str = "/api/v1/probe-failures";
/// Where the page polls for changes.
const POLL_PATH: &str = "/fn/overview";

/// Pages and their forms. Requests count for the overview's own web component.
fn page_routes() -> Vec<ProtectedRoutes> {
    let routes = vec![
        require(View, Page, ("/", get(pages::overview::get))),
        require(View, ServerFunction, ("/fn/overview", any(pages::overview::call_function))),
        require(Change, ServerFunction, ("/fn/act", any(pages::overview::call_function))),
        require(Change, Page, ("/settings", post(forms::settings))),
        require(View, Problem, ("/settings/rehearsal", get(pages::rehearsal::get))),
        require(Change, Page, ("/removal", post(forms::removal))),
        require(View, Page, ("/export.csv", get(pages::export::csv))),
        require(View, Page, ("/export.json", get(pages::export::json))),
        require(View, Page, ("/removals", get(pages::removals::get))),
        require(Change, Page, ("/removals", post(pages::removals::post))),
        require(Change, Page, ("/acceptance", post(forms::acceptance))),
        require(Change, Page, ("/reconnection", post(forms::reconnection))),
        require(Admin, Page, ("/add-server", get(add_server::get))),
        require(GrantAccess, Page, ("/add-server", post(add_server::create_token))),
        require(Admin, Page, ("/add-server/new-servers", get(add_server::list_new))),
        require(Admin, Page, ("/access", get(access::get))),
        require(GrantAccess, Page, ("/access/tokens", post(access::create_token))),
        require(Change, Page, ("/access/revocation", post(access::revoke_token))),
        require(GrantAccess, Page, ("/access/people", post(people_forms::invite))),
        require(GrantAccess, Page, ("/access/people/role", post(people_forms::change_role))),
        require(GrantAccess, Page, ("/access/people/invitation", post(people_forms::reset))),
        require(Change, Page, ("/access/people/sessions", post(people_forms::end_sessions))),
        require(Change, Page, ("/access/people/removal", post(people_forms::remove))),
        require(View, Page, ("/history", get(pages::history::get))),
        require(View, Problem, ("/history/recent", get(pages::history::recent))),
        require(View, Page, ("/incidents/{id}", get(pages::incidents::get))),
        require(Act, Page, ("/incidents/{id}", post(pages::incidents::post))),
        require(View, Page, ("/notifications", get(pages::notifications::get))),
        require(View, Page, ("/notifications/channels/{name}", get(channel::get))),
        require(Change, Page, ("/notifications/channels/{name}/test", post(channel::test))),
        require(Change, Page, ("/notifications/channels/{name}/pause", post(channel::pause))),
        require(Admin, Page, ("/audit", get(pages::audit::get))),
        require(View, Page, ("/account", get(account::get))),
        require(Act, Problem, ("/account/session", get(account::may_change))),
        require(View, Page, ("/account/password", post(account::change_password))),
        require(Public, Problem, ("/invitation", get(invitation::get).post(invitation::post))),
        require(Admin, Page, ("/audit.csv", get(pages::audit::csv))),
        require(Public, Problem, ("/sign-in", get(sign_in::get).post(sign_in::post))),
        require(Public, Problem, ("/sign-out", post(sign_in::sign_out))),
        require(Public, Problem, ("/embed", get(embed::enter))),
    ];
    routes.into_iter().map(ProtectedRoutes::noted).collect()
}

/// The API for people's programs. Requests count too.
fn api_routes() -> Vec<ProtectedRoutes> {
    let routes = vec![
        require(View, Problem, routes!(overview::get)),
        require(View, Problem, routes!(settings::get)),
        require(Change, Problem, routes!(settings::put)),
        require(Change, Problem, routes!(servers::delete)),
        require(Change, Problem, routes!(servers::delete_component)),
        require(Change, Problem, routes!(servers::reconnect)),
        require(Change, Problem, routes!(removals::post)),
        require(Change, Problem, routes!(reference_keys::put)),
        require(Admin, Problem, routes!(tokens::list)),
        require(GrantAccess, Problem, routes!(tokens::create)),
        require(Change, Problem, routes!(tokens::revoke)),
        require(Admin, Problem, routes!(people::list)),
        require(GrantAccess, Problem, routes!(people::invite)),
        require(GrantAccess, Problem, routes!(people::change_role)),
        require(Change, Problem, routes!(people::remove)),
        require(Change, Problem, routes!(people::end_sessions)),
        require(GrantAccess, Problem, routes!(people::reset_password)),
        require(View, Problem, routes!(embeds::create)),
        require(View, Problem, routes!(embeds::delete)),
        require(Admin, Problem, routes!(audit::get)),
        require(View, Problem, routes!(history::events)),
        require(View, Problem, routes!(history::availability)),
        require(View, Problem, routes!(history::rehearsal)),
        require(View, Problem, routes!(channels_api::list)),
        require(View, Problem, routes!(channels_api::deliveries)),
        require(Change, Problem, routes!(channels_api::test)),
        require(Change, Problem, routes!(channels_api::pause)),
        require(View, Problem, routes!(incidents_api::list)),
        require(View, Problem, routes!(incidents_api::get)),
        require(Act, Problem, routes!(incidents_api::acknowledge)),
        require(Act, Problem, routes!(incidents_api::withdraw)),
        require(View, Problem, routes!(openapi::get)),
    ];
    routes.into_iter().map(ProtectedRoutes::noted).collect()
}

/// For monitoring systems.
fn monitoring_routes() -> [ProtectedRoutes; 1] {
    [require(ReadMetrics, Problem, routes!(metrics::get))]
}

/// Routes that servers, load balancers and browsers request often. Responses are not compressed: they are short, streamed or
/// compressed already, and a compressor needs 5 kB for each response.
fn machine_routes() -> Vec<ProtectedRoutes> {
    vec![
        require(SendHeartbeats, Problem, routes!(heartbeats::post)),
        require(SendHeartbeats, Problem, routes!(probe_failures::post)),
        require(Enrol, Problem, routes!(enrolments::post)),
        require(View, Problem, routes!(stream::get)).noted(),
        require(Public, Problem, routes!(health::healthz)),
        require(Public, Problem, routes!(health::readyz)),
        require(Public, Problem, ("/assets/{*path}", get(assets::get))),
        require(Public, Problem, ("/branding/{hash}/{name}", get(branding::get))),
        require(Public, Problem, ("/embed.js", get(embed::script))),
    ]
}

/// The paths of all pages and forms.
fn page_paths() -> &'static BTreeSet<String> {
    static PATHS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        page_routes().iter().flat_map(ProtectedRoutes::paths).map(str::to_owned).collect()
    });
    &PATHS
}

/// All routes, with and without the base path. `max_connections`: the limit of the listener, if it has one.
pub(crate) fn router(site: Arc<Site>, max_connections: Option<usize>) -> Router {
    let state = HttpState::new(site, max_connections);
    let compressed = page_routes().into_iter().chain(api_routes()).chain(monitoring_routes());
    let description = OpenApiRouter::with_openapi(openapi::without_routes());
    let (routes, document) = serve(description, compressed, &state)
        .layer(compression())
        .merge(serve(OpenApiRouter::new(), machine_routes(), &state))
        .layer(map_response(forbid_caching))
        .split_for_parts();
    let document = Document::new(&document, &state.site);
    let routes = if state.site.base.is_empty() { routes } else { below_base(routes, &state) };
    let routes = routes
        .fallback(not_found::answer)
        .method_not_allowed_fallback(not_found::answer_wrong_method);
    layers::wrap(routes, &state).layer(Extension(document)).with_state(state)
}

/// The routes below the base path, and at the root too: a proxy may strip the base path.
fn below_base(routes: Router<HttpState>, state: &HttpState) -> Router<HttpState> {
    // `nest` serves the base path itself, but not the base path with a slash.
    let slash = format!("{}/", state.site.base);
    let slash = require(View, Page, (slash.as_str(), get(pages::overview::get))).noted();
    let slash: Router<HttpState> = serve(OpenApiRouter::new(), [slash], state).into();
    slash
        .layer(map_response(forbid_caching))
        .layer(compression())
        .nest(&state.site.base, routes.clone())
        .merge(routes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::base_path::RESERVED_SEGMENTS;

    #[test]
    fn the_first_segments_of_all_routes_are_reserved() {
        let all = page_routes().into_iter().chain(api_routes()).chain(monitoring_routes());
        let segments: BTreeSet<String> = all
            .chain(machine_routes())
            .flat_map(|routes| routes.paths().map(str::to_owned).collect::<Vec<_>>())
            .filter_map(|path| path.split('/').nth(1).map(str::to_owned))
            .filter(|segment| !segment.is_empty())
            .collect();
        assert_eq!(segments.into_iter().collect::<Vec<_>>(), RESERVED_SEGMENTS);
    }
}

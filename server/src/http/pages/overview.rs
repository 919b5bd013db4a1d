//! `GET /`: the page, rendered on the server; and its server functions.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use app::PastMoment;
use app::cluster::hints::Arg;
use app::i18n::{Catalog, Language, MessageKey};
use app::page::route::Route;
use app::page::route::dialog::Dialog;
use app::pages::Document;
use app::protocol::{
    Command, CommandResult, CurrentUser, InitialState, OverviewDelta, PageContext,
};
use app::server_fns::Backend;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::auth::audit::AuthMethod;
use crate::auth::identity::User;
use crate::http::api::stream::MAX_CURSOR_BYTES;
use crate::http::assets;
use crate::http::body;
use crate::http::moment;
use crate::http::pages::html::{document_response, set_document_headers};
use crate::http::problem::Problem;
use crate::http::state::{HttpParts, HttpState};
use crate::past::{NearMoment, PastError};
use crate::site::Site;

/// Of a text that is no moment.
const MAX_SHOWN_CHARS: usize = 40;

/// Runs the server functions for one person.
struct PageBackend {
    site: Arc<Site>,
    user: User,
    language: Language,
    /// For the form of the settings, as it was rendered.
    rehearsal: String,
}

impl PageBackend {
    /// The state from which a page with this query is rendered.
    fn initial_state(&self, query: &str) -> InitialState {
        // With an empty cursor the delta has everything.
        let delta = self.site.delta_since("");
        let context = PageContext { site: self.site.page_info(), user: self.user.for_page() };
        let rehearsal = self.rehearsal.clone();
        InitialState { delta, query: query.to_owned(), context, rehearsal, language: self.language }
    }
}

impl User {
    /// The user as a page shows them.
    pub(crate) fn for_page(&self) -> CurrentUser {
        let named = self.auth_method != AuthMethod::Nothing;
        CurrentUser {
            name: named.then(|| self.name.clone()),
            role: self.role,
            can_sign_out: self.auth_method == AuthMethod::Session,
        }
    }
}

impl Backend for PageBackend {
    fn since<'a>(
        &'a self,
        cursor: &'a str,
    ) -> Pin<Box<dyn Future<Output = OverviewDelta> + Send + 'a>> {
        // A longer cursor is not valid.
        let cursor = if cursor.len() <= MAX_CURSOR_BYTES { cursor } else { "" };
        Box::pin(async move {
            self.site.live.catch_up_to(cursor).await;
            self.site.delta_since(cursor)
        })
    }

    fn act(&self, command: Command) -> Pin<Box<dyn Future<Output = CommandResult> + Send + '_>> {
        Box::pin(async move { self.site.act(command, &self.user.actor()).await })
    }
}

impl Site {
    pub(crate) fn delta_since(&self, cursor: &str) -> OverviewDelta {
        let (change, cursor, now) = self.live.changes_since(cursor);
        OverviewDelta { cursor, now, change, build: assets::hash().to_owned() }
    }

    /// Separated by spaces.
    fn frame_ancestors(&self) -> String {
        self.frame_ancestors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn page_info(&self) -> app::protocol::SiteInfo {
        app::protocol::SiteInfo {
            base: self.base.clone(),
            assets: format!("{}/assets/{}", self.base, assets::hash()),
            admin_url: self.admin_url.clone(),
            frame_ancestors: self.frame_ancestors(),
            branding: self.branding().for_page(&self.base),
        }
    }
}

pub(crate) async fn get(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    request: Request,
) -> Response {
    let route = Route::parse(request.uri().query().unwrap_or_default());
    if route.is_past() {
        return past(&state, user, request, &route.at)
            .await
            .unwrap_or_else(IntoResponse::into_response);
    }
    let HttpParts { site, render_pool, .. } = &*state;
    // After a form, or after another web server, the page must have at least what was changed or shown there.
    site.live.refresh().await;
    let language = site.language(request.headers());
    let nonce = Arc::new(OnceLock::new());
    let rendered_nonce = Arc::clone(&nonce);
    let rehearsal = rehearsal(site, &route, language).await;
    let backend = PageBackend { site: Arc::clone(site), user, language, rehearsal };
    let render = move || {
        let initial = backend.initial_state(request.uri().query().unwrap_or_default());
        let backend: Arc<dyn Backend> = Arc::new(backend);
        leptos_axum::render_app_async_with_context(
            move || leptos::prelude::provide_context(Arc::clone(&backend)),
            move || app::shell(initial.clone(), rendered_nonce.get_or_init(app::nonce)),
        )(request)
    };
    let mut response = render_pool.run(render).await;
    if let Some(nonce) = nonce.get() {
        set_document_headers(response.headers_mut(), nonce);
    }
    response
}

/// What the timeouts that were typed would have called stale, for a form that is rendered with them.
async fn rehearsal(site: &Site, route: &Route, language: Language) -> String {
    let Dialog::Settings(Some(draft)) = &route.dialog else { return String::new() };
    let catalog = Catalog::for_language(route.appearance.language.unwrap_or(language));
    // Without the past the form still saves.
    site.rehearse_in_words(draft, catalog).await.ok().flatten().unwrap_or_default()
}

/// The page as it stood at a moment.
async fn past(
    state: &HttpState,
    user: User,
    request: Request,
    at: &str,
) -> Result<Response, Problem> {
    let HttpParts { site, render_pool, .. } = &**state;
    let at = moment::exact("at", at).map_err(|error| {
        let values = vec![("text", Arg::Text(at.chars().take(MAX_SHOWN_CHARS).collect()))];
        Problem::fields(vec![error]).for_people(MessageKey::PagesPastUnreadableMoment, values)
    })?;
    let NearMoment { snapshot, earlier, later } =
        site.past.near(at).await.map_err(|error| match error {
            PastError::Future => {
                let values = vec![("moment", Arg::Text(at.date_and_clock()))];
                Problem::from(error).for_people(MessageKey::PagesPastFuture, values)
            }
            PastError::BeforeRecord { .. } | PastError::Unreadable => error.into(),
        })?;
    let delta = OverviewDelta {
        cursor: String::new(),
        now: at,
        change: None,
        build: assets::hash().to_owned(),
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let context = PageContext { site: site.page_info(), user: user.for_page() };
    let language = site.language(request.headers());
    let initial = InitialState { delta, query, context, rehearsal: String::new(), language };
    let nonce = app::nonce();
    let document = nonce.clone();
    let moment = PastMoment { at, snapshot, earlier, later };
    let render = move || async move { app::past_document(initial, moment, &document) };
    let html = render_pool.run(render).await;
    Ok(document_response(StatusCode::OK, Document { html, nonce }))
}

pub(crate) async fn call_function(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    request: Request,
) -> Response {
    let request = match body::read_function_call(&state.bodies, request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let site = Arc::clone(&state.site);
    let language = site.language(request.headers());
    let backend: Arc<dyn Backend> =
        Arc::new(PageBackend { site, user, language, rehearsal: String::new() });
    let mut response = leptos_axum::handle_server_fns_with_context(
        move || leptos::prelude::provide_context(Arc::clone(&backend)),
        request,
    )
    .await
    .into_response();
    // A failed command is a normal response. A server function itself fails only if its arguments cannot be read.
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

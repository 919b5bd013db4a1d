//! The page, rendered on the server, and the functions its wasm half calls.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use app::api::{Command, News, Outcome, Picture};
use app::backend::Backend;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use crate::Site;

impl Backend for Site {
    fn picture(&self, query: &str) -> Picture {
        // A cursor that places nobody: everything is news.
        let news = Backend::since(self, "");
        Picture { news, query: query.to_owned(), site: Backend::site(self) }
    }

    fn since(&self, cursor: &str) -> News {
        let (change, cursor, now) = self.watch.since(cursor);
        News { cursor, now, change, build: self.build.clone() }
    }

    fn site(&self) -> app::api::Site {
        app::api::Site {
            base: self.base.clone(),
            assets: format!("{}/assets/{}", self.base, self.build),
            admin_url: self.admin_url.clone(),
        }
    }

    fn act(&self, command: Command) -> Pin<Box<dyn Future<Output = Outcome> + Send + '_>> {
        Box::pin(self.act(command))
    }
}

pub(crate) async fn get(State(site): State<Arc<Site>>, request: Request) -> Response {
    let picture = site.picture(request.uri().query().unwrap_or_default());
    let backend: Arc<dyn Backend> = site;
    let render = leptos_axum::render_app_async_with_context(
        move || leptos::prelude::provide_context(Arc::clone(&backend)),
        move || app::shell(picture.clone()),
    );
    render(request).await.into_response()
}

pub(crate) async fn function(State(site): State<Arc<Site>>, request: Request) -> Response {
    let backend: Arc<dyn Backend> = site;
    leptos_axum::handle_server_fns_with_context(
        move || leptos::prelude::provide_context(Arc::clone(&backend)),
        request,
    )
    .await
    .into_response()
}

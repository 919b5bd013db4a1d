//! Extractors: the context of a page, and the parameters of a path.

use std::convert::Infallible;

use app::i18n::{Catalog, Language};
use app::page::appearance::Appearance;
use app::pages::DocumentContext;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

use crate::auth::identity::User;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::site::Site;

/// The parameters in a path, or why they cannot be read.
pub(crate) type PathParams<T> = Result<Path<T>, PathRejection>;

/// The context of a server-rendered page.
pub(crate) struct PageRequest(pub(crate) DocumentContext);

impl FromRequestParts<HttpState> for PageRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let context = state.site.document_context(query, &parts.headers);
        let user = parts.extensions.get::<User>().map(User::for_page);
        Ok(Self(DocumentContext { user, ..context }))
    }
}

impl Site {
    /// The language of a page whose URL has no `lang`: the site's, else what the browser prefers.
    pub(crate) fn language(&self, headers: &HeaderMap) -> Language {
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|wanted| wanted.to_str().ok());
        let wanted = || wanted.and_then(Language::preferred);
        self.language.or_else(wanted).unwrap_or_default()
    }

    /// The context of a server-rendered page with this query, for a reader who is not known.
    pub(crate) fn document_context(&self, query: &str, headers: &HeaderMap) -> DocumentContext {
        let appearance = Appearance::parse(query);
        let language = appearance.language.unwrap_or_else(|| self.language(headers));
        DocumentContext {
            site: self.page_info(),
            appearance,
            catalog: Catalog::for_language(language),
            user: None,
        }
    }
}

pub(crate) fn unreadable_path(rejection: PathRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the URL cannot be read: {rejection}"))
}

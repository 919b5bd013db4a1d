//! Writes problems: as JSON for a program, as a page for a browser that navigates.

use std::any::Any;
use std::sync::Arc;

use app::i18n::MessageKey;
use app::pages::DocumentContext;
use app::pages::error::{ErrorPage, NextLink, render};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::auth::AuthMode;
use crate::auth::origin::RequestId;
use crate::http::accept;
use crate::http::api::dto;
use crate::http::pages::html::document_response;
use crate::http::pages::sign_in::NO_SIGN_IN;
use crate::http::problem::{AnsweredBy, Problem};
use crate::site::Site;

/// Writes the body of a problem that a handler or a layer has returned.
pub(crate) async fn render_problem(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let context = is_navigation(request.headers()).then(|| {
        site.document_context(request.uri().query().unwrap_or_default(), request.headers())
    });
    let id = request.extensions().get::<RequestId>().copied();
    let response = next.run(request).await;
    match (context, response.extensions().get::<AnsweredBy>().cloned()) {
        (_, None) => response,
        (Some(context), Some(AnsweredBy(problem))) => as_page(&site, context, &problem, response),
        (None, Some(AnsweredBy(problem))) => as_json(&problem.body(id), response),
    }
}

/// The problem as JSON. The other headers of the response stay.
fn as_json(problem: &dto::Problem, response: Response) -> Response {
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    // Texts, numbers and lists of them: nothing that JSON cannot represent.
    let body = serde_json::to_vec(problem).unwrap_or_default();
    Response::from_parts(head, Body::from(body))
}

/// The response if a handler has panicked.
pub(crate) fn answer_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::translated(
        StatusCode::INTERNAL_SERVER_ERROR,
        MessageKey::PagesInternalError,
        Vec::new(),
    )
    .into_response()
}

/// Whether a browser navigates with this request, and will show the response as a page.
fn is_navigation(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // Browsers do not send it over plain HTTP.
    if let Some(mode) = text(header::HeaderName::from_static("sec-fetch-mode")) {
        return mode == "navigate";
    }
    let accepted = text(header::ACCEPT).unwrap_or_default();
    let html = accept::quality_of(accepted, &["text/html"]).unwrap_or(0);
    let json = ["application/problem+json", "application/json"];
    html > 0 && html >= accept::quality_of(accepted, &json).unwrap_or(0)
}

/// An error page. The other headers of the response stay.
fn as_page(
    site: &Site,
    context: DocumentContext,
    problem: &Problem,
    response: Response,
) -> Response {
    let next = match (problem.status(), &site.auth.policy.mode) {
        _ if problem.title() == Some(NO_SIGN_IN) => NextLink::TryAgain,
        (StatusCode::UNAUTHORIZED, AuthMode::Password) => NextLink::SignIn,
        (StatusCode::UNAUTHORIZED, AuthMode::Proxy { .. } | AuthMode::Host(_)) => {
            NextLink::TryAgain
        }
        _ => NextLink::Overview,
    };
    let sentences = problem.sentences(context.catalog);
    let untranslated = sentences.is_none().then(|| problem.detail().to_owned());
    let page = render(ErrorPage {
        context,
        status: problem.status().as_u16(),
        title: problem.title(),
        sentences: sentences.unwrap_or_default(),
        untranslated,
        line: problem.line().map(str::to_owned),
        retry_after_s: problem.retry_after(),
        next,
    });
    let mut page = document_response(problem.status(), page);
    let (mut head, _) = response.into_parts();
    for replaced in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING] {
        head.headers.remove(replaced);
    }
    for (name, value) in &head.headers {
        page.headers_mut().append(name, value.clone());
    }
    page
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn navigates(headers: &[(&'static str, &'static str)]) -> bool {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        is_navigation(&headers.iter().map(header).collect())
    }

    #[test]
    fn only_a_browser_that_navigates_gets_a_page() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert!(navigates(&[("accept", browser)]));
        assert!(navigates(&[("accept", browser), ("sec-fetch-mode", "navigate")]));
        assert!(navigates(&[("sec-fetch-mode", "navigate")]));
        assert!(!navigates(&[("accept", browser), ("sec-fetch-mode", "cors")]));
        assert!(!navigates(&[("accept", "*/*")]));
        assert!(!navigates(&[("accept", "application/json, text/html;q=0.5")]));
        assert!(!navigates(&[("accept", "text/html;q=0, */*")]));
        assert!(!navigates(&[]));
    }

    #[test]
    fn a_panic_is_answered_with_500() {
        let answer = answer_panic(Box::new("why"));
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.extensions().get::<AnsweredBy>().is_some());
    }
}

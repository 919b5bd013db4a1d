//! Answers requests that no route matches: says where the page is and, if the path shows it, what is wrong with a proxy.

use std::sync::Arc;

use app::cluster::hints::Arg;
use app::i18n::MessageKey;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::http::problem::Problem;
use crate::http::query::encode_unsafe;
use crate::site::Site;
use crate::telemetry::outside_text::one_line;

/// Answers a path that no route has.
pub(crate) async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (base, path) = (site.base.as_str(), request.uri().path());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(inner) = other_case(base, path) {
        if reads {
            return Redirect::permanent(&redirect_url(&format!("{base}{inner}"), request.uri()))
                .into_response();
        }
        return problem(MessageKey::PagesNotFoundCase, base, path, &[]);
    }
    if path.starts_with("//") {
        let location = if base.is_empty() { "/" } else { base };
        let slash = location.trim_end_matches('/');
        let line = format!("location {slash}/ {{ proxy_pass http://127.0.0.1:3000/; }}");
        return problem(MessageKey::PagesNotFoundSlashes, base, path, &[("line", &line)]);
    }
    if reads && let Some(whole) = without_last_slash(base, path) {
        return Redirect::permanent(&redirect_url(&whole, request.uri())).into_response();
    }
    if let Some(outer) =
        path_before_ours(path).filter(|outer| crate::site::base_path::parse(outer).is_ok())
    {
        let line = format!("--base-path {outer}");
        return problem(
            MessageKey::PagesNotFoundBasePath,
            base,
            path,
            &[("base", outer), ("line", &line)],
        );
    }
    let api = format!("{base}/api/v1/");
    problem(MessageKey::PagesNotFound, base, path, &[("api", &api)])
}

fn problem(key: MessageKey, base: &str, path: &str, values: &[(&'static str, &str)]) -> Response {
    let text = |(name, value): &(&'static str, &str)| (*name, Arg::Text(one_line(value)));
    let page = format!("{base}/");
    let all = [("path", path), ("page", &page)];
    let values = all.iter().chain(values).map(text).collect();
    Problem::translated(StatusCode::NOT_FOUND, key, values).into_response()
}

/// The rest of a path that begins with the base path in another case.
fn other_case<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    let (given, inner) = path.split_at_checked(base.len())?;
    let is_other = given != base && given.eq_ignore_ascii_case(base);
    (is_other && (inner.is_empty() || inner.starts_with('/'))).then_some(inner)
}

/// The path of a page, without the slash that was added to its end.
fn without_last_slash(base: &str, path: &str) -> Option<String> {
    // A proxy may have stripped the base path.
    let inner = path.strip_prefix(base).unwrap_or(path).strip_suffix('/')?;
    crate::http::page_paths().contains(inner).then(|| format!("{base}{inner}"))
}

/// The part before one of our paths, such as `/admin/cluster` in `/admin/cluster/sign-in`.
fn path_before_ours(path: &str) -> Option<&str> {
    let ours = ["/sign-in", "/assets/", "/api/v1/", "/fn/"];
    let outer = ours.iter().find_map(|own| path.find(own).map(|at| &path[..at]));
    outer.filter(|outer| !outer.is_empty())
}

/// The URL of a redirect to this path, with the query of the request.
fn redirect_url(path: &str, requested: &Uri) -> String {
    let query =
        requested.query().map(|query| format!("?{}", encode_unsafe(query))).unwrap_or_default();
    format!("{}{query}", encode_unsafe(path))
}

/// Answers a method that the route does not have.
pub(crate) async fn answer_wrong_method(request: Request) -> Problem {
    let text = |text: &str| Arg::Text(one_line(text));
    let values =
        vec![("method", text(request.method().as_str())), ("path", text(request.uri().path()))];
    Problem::translated(StatusCode::METHOD_NOT_ALLOWED, MessageKey::PagesMethodNotAllowed, values)
}

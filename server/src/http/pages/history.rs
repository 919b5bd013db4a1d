//! `GET /history`: when the servers were up, and what happened.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::cluster::history::{EventId, Interval};
use app::cluster::{ServerName, Span};
use app::page::route::query::to_query;
use app::pages::history::{ALL_STRIPS, HistoryFilter, HistoryPage, HistoryRange, Strips, render};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, Response};

use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::value;
use crate::http::state::{HttpParts, HttpState};
use crate::past::{EventQuery, FoundEvents, Side};

const EVENTS_PER_PAGE: usize = 100;
/// How many events the details of a server show.
const RECENT_EVENTS: usize = 5;
/// So far back they are looked for.
const RECENT: Span = Span::minutes(30 * 24 * 60);

pub(crate) async fn get(
    State(state): State<HttpState>,
    PageRequest(context): PageRequest,
    uri: Uri,
) -> Result<Response, Problem> {
    let HttpParts { site, render_pool, .. } = &*state;
    let query = uri.query().unwrap_or_default();
    let (range, filter) = (HistoryRange::parse(query), HistoryFilter::parse(query));
    // An id of another version shows the newest events.
    let before = value(uri.query(), "before").and_then(|id| EventId::parse(&id));
    let now = site.live.now();
    let span = Interval { from: now - range.length(), until: now };
    let (wanted, catalog) = (filter.clone(), context.catalog);
    let servers = match filter.server.as_str() {
        "" => None,
        _ => filter.servers(site.past.servers().await?.iter()),
    };
    let only = servers.clone();
    let events = EventQuery {
        span: Interval { until: now + Span::TICK, ..span },
        server: None,
        filter: Arc::new(move |event| {
            let server = event.subject.as_ref().map(|subject| &subject.server);
            let is_of_server = servers
                .as_ref()
                .is_none_or(|servers| server.is_some_and(|server| servers.contains(server)));
            is_of_server && wanted.matches(event, catalog)
        }),
        before,
        limit: EVENTS_PER_PAGE,
    };
    let first = (Vec::new(), FoundEvents::default());
    let read = site.past.fold(events.span, None, first, move |(strips, found), part| {
        strips.push(Strips::new(part, span, only.as_ref()));
        found.add(&events, events.span, Side::Newest, part);
    });
    let (strips, found) = read.await?;
    let strips = Strips::join(strips);
    let last = found.events.last().filter(|_| found.has_more);
    let older = last.map(|event| {
        let before = [("before", event.id().to_string())].into_iter();
        let kept = range.pairs().into_iter().chain(filter.pairs());
        to_query(before.chain(kept).chain(context.appearance.pairs()))
    });
    let page = HistoryPage {
        context,
        range,
        span,
        begins: found.begins,
        filter,
        strips,
        has_all_strips: value(uri.query(), ALL_STRIPS.0).is_some_and(|value| value == ALL_STRIPS.1),
        events: found.events,
        older,
        is_older: before.is_some(),
    };
    let document = render_pool.run(move || async move { render(page) }).await;
    Ok(document_response(StatusCode::OK, document))
}

/// The last day and the last events of a server, for its details.
pub(crate) async fn recent(
    State(state): State<HttpState>,
    PageRequest(context): PageRequest,
    uri: Uri,
) -> Result<Html<String>, Problem> {
    let name = value(uri.query(), "server").unwrap_or_default();
    let server =
        ServerName::parse(&name).map_err(|_| Problem::not_found("there is no such server"))?;
    let now = state.site.live.now();
    let last_day = Interval { from: now - HistoryRange::Day.length(), until: now };
    let only = BTreeSet::from([server.clone()]);
    // What is recorded of one server is in one part.
    let strip =
        state.site.past.fold(last_day, Some(vec![server.clone()]), None, move |strip, part| {
            *strip = Strips::new(part, last_day, Some(&only)).servers.pop();
        });
    let strip = strip.await?;
    let query = EventQuery {
        span: Interval { from: now - RECENT, until: now + Span::TICK },
        server: Some(server),
        filter: Arc::new(|_| true),
        before: None,
        limit: RECENT_EVENTS,
    };
    let found = state.site.past.events(query).await?;
    Ok(Html(app::pages::history::recent(&context, last_day, strip.as_ref(), &found.events)))
}

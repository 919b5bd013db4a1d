//! `GET /notifications/channels/{name}`, and its forms: `POST …/test` and `POST …/pause`.

use std::time::Duration;

use app::cluster::server_name::check_text;
use app::cluster::{Span, Timestamp};
use app::i18n::MessageKey;
use app::pages::DocumentContext;
use app::pages::channel::{ChannelPage, MAX_REASON_CHARS, PAUSES, PauseForm, render};
use app::pages::deliveries::{ShownDelivery, ShownLog};
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::auth::identity::User;
use crate::commands::ChannelError;
use crate::http::body::Submitted;
use crate::http::channels;
use crate::http::extract::{PageRequest, PathParams, unreadable_path};
use crate::http::moment;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::{encode_value, value};
use crate::http::state::HttpState;
use crate::site::Site;
use crate::store::StoreError;

const MESSAGES_PER_PAGE: u32 = 50;
/// The page appears without the answer of a receiver that takes longer. A test may take a minute, a request may not.
const TEST_WAIT: Duration = Duration::from_secs(6);
/// No test takes longer.
const MAX_TEST_DURATION: Span = Span::seconds(90);

#[derive(Deserialize)]
pub(crate) struct SentPause {
    /// In seconds.
    #[serde(default)]
    duration: String,
    #[serde(default)]
    reason: String,
    /// `true`: the pause ends.
    #[serde(default)]
    resume: String,
}

/// What a form adds to the page.
#[derive(Default)]
struct Outcome {
    test_error: Option<MessageKey>,
    form: PauseForm,
}

pub(crate) async fn get(
    State(state): State<HttpState>,
    PageRequest(context): PageRequest,
    RawQuery(query): RawQuery,
    name: PathParams<String>,
) -> Result<Response, Problem> {
    let name = known_name(&state.site, name)?;
    state.site.live.refresh().await;
    page(&state.site, context, &name, query.as_deref(), Outcome::default(), StatusCode::OK).await
}

/// Sends a test, and leads to the page, which says what the receiver answered.
pub(crate) async fn test(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    name: PathParams<String>,
) -> Result<Response, Problem> {
    let site = &state.site;
    let name = known_name(site, name)?;
    let sent = site.live.now();
    let by = user.actor();
    let test = tokio::time::timeout(TEST_WAIT, site.commands.test_channel(&name, &by));
    let unanswered = match test.await {
        Ok(Ok(_) | Err(ChannelError::NotAccepted(_))) => None,
        Ok(Err(ChannelError::Absent)) => return Err(absent()),
        Ok(Err(ChannelError::Blind)) => {
            let test_error = Some(MessageKey::PagesChannelTestBlind);
            let outcome = Outcome { test_error, ..Outcome::default() };
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return page(site, context, &name, None, outcome, status).await;
        }
        Err(_elapsed) => Some(("sent", sent.rfc3339())),
    };
    let pairs = context.appearance.pairs().into_iter().chain(unanswered);
    let query = pairs.map(|(name, value)| format!("{name}={}", encode_value(&value)));
    let query = query.collect::<Vec<_>>().join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    let (base, path) = (&site.base, channels::path(&name));
    Ok(Redirect::to(&format!("{base}/{path}{separator}{query}#test")).into_response())
}

/// Begins a pause, changes it or ends it, and leads to the page.
pub(crate) async fn pause(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    name: PathParams<String>,
    sent: Submitted<SentPause>,
) -> Result<Response, Problem> {
    let site = &state.site;
    let name = known_name(site, name)?;
    let sent = sent.0?;
    let (error, status) = match wanted_pause(&sent, site.live.now()) {
        Err(error) => (error, StatusCode::UNPROCESSABLE_ENTITY),
        Ok((until, reason)) => {
            match site.commands.pause_channel(&name, until, reason, &user.actor()).await {
                Ok(()) => {
                    let address = context.address(&channels::path(&name));
                    return Ok(Redirect::to(&address).into_response());
                }
                Err(ChannelError::Absent) => return Err(absent()),
                Err(ChannelError::NotAccepted(_) | ChannelError::Blind) => {
                    (MessageKey::PagesIncidentErrorBlind, StatusCode::SERVICE_UNAVAILABLE)
                }
            }
        }
    };
    let SentPause { duration, reason, .. } = sent;
    let form = PauseForm { duration, reason, error: Some(error) };
    let outcome = Outcome { form, ..Outcome::default() };
    page(site, context, &name, None, outcome, status).await
}

/// Until when, if the form does not end a pause, and why.
fn wanted_pause(
    sent: &SentPause,
    now: Timestamp,
) -> Result<(Option<Timestamp>, String), MessageKey> {
    if sent.resume == "true" {
        return Ok((None, String::new()));
    }
    let seconds = sent.duration.parse::<i64>().ok().map(Span::seconds);
    let span = PAUSES.into_iter().find(|span| Some(*span) == seconds);
    let span = span.ok_or(MessageKey::PagesChannelPauseErrorDuration)?;
    let reason = sent.reason.trim().to_owned();
    check_text(&reason, 0, MAX_REASON_CHARS)
        .map_err(|_| MessageKey::PagesChannelPauseErrorReason)?;
    Ok((Some(now + span), reason))
}

/// The name of a channel as its file spells it.
fn known_name(site: &Site, name: PathParams<String>) -> Result<String, Problem> {
    let Path(name) = name.map_err(unreadable_path)?;
    site.commands.channel_name(&name).ok_or_else(absent)
}

fn absent() -> Problem {
    Problem::translated(StatusCode::NOT_FOUND, MessageKey::PagesChannelAbsent, Vec::new())
}

/// 503 while the database cannot be read, whatever else `status` is.
async fn page(
    site: &Site,
    context: DocumentContext,
    name: &str,
    query: Option<&str>,
    outcome: Outcome,
    status: StatusCode,
) -> Result<Response, Problem> {
    let channel = channels::find(site, name).await.ok_or_else(absent)?;
    let before = value(query, "before").and_then(|text| moment::exact("before", &text).ok());
    let read = match channel.condition {
        Some(_) => messages(site, &context, name, before).await.ok(),
        None => None,
    };
    let status = if read.is_some() { status } else { StatusCode::SERVICE_UNAVAILABLE };
    let (log, last_test) = read.unzip();
    let last_test = last_test.flatten();
    let Outcome { test_error, form } = outcome;
    let awaits_answer = awaits_answer(site, query, last_test.as_ref());
    let page = ChannelPage { channel, last_test, awaits_answer, test_error, form, log, context };
    Ok(document_response(status, render(page)))
}

/// A page of the log, and the last test.
async fn messages(
    site: &Site,
    context: &DocumentContext,
    name: &str,
    before: Option<Timestamp>,
) -> Result<(ShownLog, Option<ShownDelivery>), StoreError> {
    let mut messages = site.store.deliveries(name, before, MESSAGES_PER_PAGE + 1).await?;
    let limit = usize::try_from(MESSAGES_PER_PAGE).unwrap_or(usize::MAX);
    let has_more = messages.len() > limit;
    messages.truncate(limit);
    let log = ShownLog {
        older: messages.last().filter(|_| has_more).map(|last| last.begun),
        messages: channels::name_incidents(site, context.catalog, &messages).await?,
        is_older: before.is_some(),
        latest: context.address(&channels::path(name)),
    };
    let last_test = site.store.last_test(name).await?;
    Ok((log, last_test.as_ref().map(channels::shown_delivery)))
}

/// Whether the query says that a test was sent a moment ago, of which the log does not know the end.
fn awaits_answer(site: &Site, query: Option<&str>, last_test: Option<&ShownDelivery>) -> bool {
    let sent = value(query, "sent").and_then(|text| moment::exact("sent", &text).ok());
    sent.is_some_and(|sent| {
        let age = site.live.now() - sent;
        (Span::ZERO..MAX_TEST_DURATION).contains(&age)
            && last_test.is_none_or(|test| test.begun < sent)
    })
}

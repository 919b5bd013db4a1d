//! `GET /api/v1/overview`: the whole picture with verdicts, made anew only when it has moved, and never on the threads
//! that answer requests.

use std::sync::{Arc, PoisonError, RwLock};

use app::cluster::Source;
use app::cluster::health::{Counts, KeyVerdict, VersionCount};
use app::cluster::{
    BlindPeriod, ComponentStatus, Health, Hint, Messenger, MessengerFailure, RejectedHeartbeat,
    RejectionReason, ServerStatus, Settings, Snapshot, Timestamp, VersionCheck,
};
use app::i18n::Words;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::Site;
use crate::http::api::dto;
use crate::http::single_flight::SingleFlight;
use crate::live::{LiveState, LiveView};

static OVERVIEW_NOW: HeaderName = HeaderName::from_static("overview-now");

/// The body as it last was, so that nobody computes it twice, and the computation that all share who ask for
/// another.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Locked only to take or put a pointer.
    last: RwLock<Option<Arc<Cached>>>,
    flight: SingleFlight<(Arc<Cached>, Timestamp)>,
}

#[derive(Debug)]
struct Cached {
    cursor: String,
    /// For which moment it was made, and when time alone may turn a verdict in it.
    made: Timestamp,
    until: Option<Timestamp>,
    body: Bytes,
    etag: HeaderValue,
}

/// The whole picture with verdicts
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    operation_id = "overview",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of the picture one has.", nullable = false)),
    responses(
        (
            status = 200,
            description = "The picture; while blind, as it was at the last sight.",
            body = dto::Overview,
            headers(
                ("ETag", description = "Moves with the picture."),
                ("Overview-Now", description = "The moment of this answer.")
            )
        ),
        (
            status = 304,
            description = "The picture one has still holds.",
            headers(
                ("ETag", description = "Moves with the picture."),
                ("Overview-Now", description = "The moment of this answer.")
            )
        )
    )
)]
pub(crate) async fn get(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let (mut cached, mut now) = site.picture().await;
    if !holds(&headers, &cached.etag) {
        // The picture one has may be another web server's, and newer than this one's.
        site.live.refresh().await;
        (cached, now) = site.picture().await;
    }
    let mut response = if holds(&headers, &cached.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], cached.body.clone()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, cached.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(now) = HeaderValue::from_str(&now.rfc3339()) {
        headers.insert(OVERVIEW_NOW.clone(), now);
    }
    response
}

/// Whether the picture one has is the one with this tag.
fn holds(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

impl Site {
    /// The picture, and the moment it is told for.
    async fn picture(self: &Arc<Self>) -> (Arc<Cached>, Timestamp) {
        if let Some(known) = self.overview.known(&self.live) {
            return known;
        }
        let site = Arc::clone(self);
        self.overview.flight.run(move || site.overview.current(&site.live)).await
    }
}

impl Cache {
    /// The picture as it last was, if it still is.
    fn known(&self, live: &LiveState) -> Option<(Arc<Cached>, Timestamp)> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (cursor, now) = live.cursor();
        last.holds(&cursor, now).then_some((last, now))
    }

    /// The picture as it is. Takes long, and one at a time calls it.
    fn current(&self, live: &LiveState) -> (Arc<Cached>, Timestamp) {
        // Whoever waited for a turn may find it made.
        if let Some(known) = self.known(live) {
            return known;
        }
        let sight = live.view();
        let now = sight.now;
        let cached = Arc::new(Cached::of(sight));
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&cached));
        (cached, now)
    }
}

impl Cached {
    fn of(LiveView { snapshot, cursor, now }: LiveView) -> Self {
        let body = Bytes::from(body(&snapshot, now));
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(&body)[..16]);
        let tag = format!("\"{:032x}\"", u128::from_be_bytes(digest));
        let etag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        let until = snapshot.next_turn(now);
        Self { cursor, made: now, until, body, etag }
    }

    /// Whether it is still the picture: no fact has come, and time has turned no verdict.
    fn holds(&self, cursor: &str, now: Timestamp) -> bool {
        self.cursor == cursor && now >= self.made && self.until.is_none_or(|until| now < until)
    }
}

/// The picture, written a server at a time: as one value in memory it would be ten times as long.
#[derive(Serialize)]
struct Picture<'a> {
    as_of: String,
    blind_since: Option<String>,
    blind_periods: Each<'a, BlindPeriod>,
    health: Health,
    settings: &'a Settings,
    counts: &'a Counts,
    versions: &'a [VersionCount],
    servers: Each<'a, ServerStatus>,
    hints: Each<'a, Hint>,
}

/// A list, of which each becomes a value when it is written.
struct Each<'a, T>(&'a [T], &'a dyn Fn(&T) -> Value);

impl<T> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

fn body(snapshot: &Snapshot, now: Timestamp) -> Vec<u8> {
    let overview = snapshot.overview(now);
    let picture = Picture {
        as_of: overview.as_of.rfc3339(),
        blind_since: overview.blind_since.map(Timestamp::rfc3339),
        blind_periods: Each(
            &snapshot.blind_periods,
            &|period| json!({"start": period.start.rfc3339(), "end": period.end.rfc3339()}),
        ),
        health: overview.health,
        settings: &snapshot.settings,
        counts: &overview.counts,
        versions: &overview.versions,
        servers: Each(&overview.servers, &|server| self::server(server, snapshot, now)),
        hints: Each(&snapshot.hints(&overview, now), &hint),
    };
    // Strings, numbers and lists of them: nothing that JSON cannot write.
    serde_json::to_vec(&picture).unwrap_or_default()
}

fn server(server: &ServerStatus, snapshot: &Snapshot, now: Timestamp) -> Value {
    let latest = server.latest();
    let told = || snapshot.rejected_of(&server.name, now);
    let components: Vec<Value> =
        server.components.iter().map(|status| component(status, snapshot)).collect();
    json!({
        "name": server.name,
        "os": latest.map(|component| &component.facts.os),
        "ip": latest.map(|component| &component.facts.ip),
        "health": server.health,
        "refused": told().find(|refusal| refusal.why.probed().is_none()).map(refusal),
        "failing_probes": told().filter_map(failing_probe).collect::<Vec<_>>(),
        "components": components,
    })
}

fn refusal(refusal: &RejectedHeartbeat) -> Value {
    json!({
        "since": refusal.since.rfc3339(),
        "reason": refusal.why.as_str(),
        "address": refusal.from,
    })
}

fn failing_probe(refusal: &RejectedHeartbeat) -> Option<Value> {
    let RejectionReason::Probe { role, said } = &refusal.why else { return None };
    Some(json!({ "role": role, "since": refusal.since.rfc3339(), "detail": said }))
}

fn component(status: &ComponentStatus, snapshot: &Snapshot) -> Value {
    let component = &status.component;
    json!({
        "role": component.role,
        "product": component.facts.product,
        "version": component.facts.version,
        "pulse": status.pulse,
        "health": status.health,
        "why": Words::for_programs().why(status, snapshot),
        "observer": component.is_observer(),
        "probed": component.facts.source == Source::Probe,
        "first_seen": component.first_seen.rfc3339(),
        "last_heartbeat": component.last_heartbeat.rfc3339(),
        "version_in_sync": status.version.map(|check| check == VersionCheck::InSync),
        "key_in_sync": status.key.map(|verdict| verdict == KeyVerdict::InSync),
        "machine_key_in_sync": status.machine_key.map(|verdict| verdict == KeyVerdict::InSync),
        "key_digits": component.facts.key_check.map(|check| check.short()),
        "ip": component.facts.ip,
        "boot_id": component.boots.current.id,
        "clock_skew_ms": component.skew.map(|skew| skew.last),
        "told_interval_ms": component.told_interval,
        "messenger_port": component.facts.messenger_port,
        "messenger": status.messenger.as_deref().map(messenger),
    })
}

/// How a messenger is, as the API says it.
pub(crate) fn messenger(messenger: &Messenger) -> Value {
    let (state, reason) = match messenger.failure {
        None => ("connected", None),
        Some(MessengerFailure::Connecting | MessengerFailure::Lost) => ("connecting", None),
        Some(reason) => ("unreachable", Some(reason)),
    };
    json!({
        "state": state,
        "reason": reason,
        "since": messenger.since.rfc3339(),
        "port": messenger.port,
        "seen_by": messenger.seen_by,
    })
}

fn hint(hint: &Hint) -> Value {
    let text = Words::for_programs().hint(hint);
    json!({
        "id": hint.id.as_str(),
        "anchor": hint.anchor(),
        "severity": hint.severity(),
        "title": text.title,
        "evidence": text.evidence,
        "steps": text.steps,
        "avoid": text.avoid,
        "server": hint.server,
        "role": hint.role,
    })
}

//! Errors as RFC 9457 problems, without internal details. `layers/problems.rs` writes them: as JSON for programs, as a page for
//! browsers.

use std::sync::Arc;

use app::cluster::hints::Arg;
use app::cluster::{FieldError, Timestamp};
use app::i18n::{Catalog, MessageKey};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::auth::origin::RequestId;
use crate::http::api::dto;
use crate::past::PastError;
use crate::telemetry::heartbeats::RejectReason;

/// The values of a message, by name.
pub(crate) type Values = Vec<(&'static str, Arg)>;

/// Why a request failed, and what to do.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    /// For programs, in English.
    detail: String,
    /// For people, in their language; without it they read the detail.
    for_people: Option<Box<Sentences>>,
    errors: Vec<FieldError>,
    /// The servers that were removed although the request failed.
    removed: Option<Vec<String>>,
    /// The beginning of the record, if the request is about a time before it.
    begins: Option<Timestamp>,
    retry_after: Option<u32>,
}

/// Sentences for people.
#[derive(Clone, Debug)]
struct Sentences {
    message: MessageKey,
    values: Values,
    /// The heading, where the status alone says too little.
    title: Option<MessageKey>,
}

/// An extension of a response: the problem that it reports.
#[derive(Clone, Debug)]
pub(crate) struct AnsweredBy(pub(crate) Arc<Problem>);

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            status,
            detail,
            for_people: None,
            errors: Vec::new(),
            removed: None,
            begins: None,
            retry_after: None,
        }
    }

    /// A problem with a message in every language.
    pub(crate) fn translated(status: StatusCode, message: MessageKey, values: Values) -> Self {
        let detail = Catalog::english().format_all(message, &values).join(" ");
        Self::new(status, detail).for_people(message, values)
    }

    /// Adds a message for people, which is different from the one for programs.
    pub(crate) fn for_people(self, message: MessageKey, values: Values) -> Self {
        Self { for_people: Some(Box::new(Sentences { message, values, title: None })), ..self }
    }

    /// Sets a heading for people, instead of the heading of the status.
    pub(crate) fn titled(mut self, title: MessageKey) -> Self {
        if let Some(sentences) = &mut self.for_people {
            sentences.title = Some(title);
        }
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// In seconds.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The message for people in this language, if there is one.
    pub(crate) fn sentences(&self, catalog: &Catalog) -> Option<Vec<String>> {
        self.for_people
            .as_deref()
            .map(|sentences| catalog.format_all(sentences.message, &sentences.values))
    }

    /// The heading for people, if it is not the one of the status.
    pub(crate) fn title(&self) -> Option<MessageKey> {
        self.for_people.as_deref().and_then(|sentences| sentences.title)
    }

    /// The configuration line to copy, if the message has one.
    pub(crate) fn line(&self) -> Option<&str> {
        let (_, line) =
            self.for_people.as_deref()?.values.iter().find(|(name, _)| *name == "line")?;
        if let Arg::Text(line) = line { Some(line) } else { None }
    }

    /// The body for programs.
    pub(crate) fn body(&self, request: Option<RequestId>) -> dto::Problem {
        let errors: Vec<dto::BadField> = self.errors.iter().cloned().map(Into::into).collect();
        dto::Problem {
            r#type: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or_default().to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: request.map(|id| format!("urn:uuid:{id}")),
            errors: Some(errors).filter(|errors| !errors.is_empty()),
            removed: self.removed.clone(),
            begins: self.begins.map(Timestamp::rfc3339),
        }
    }

    /// For programs, in English.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// 422, with one entry for each invalid field.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let named: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        let detail =
            format!("{} bad: {}", count(named.len(), "field is", "fields are"), named.join(", "));
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// 503: the same request may succeed later.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// Adds the servers that were removed although the request failed.
    pub(crate) fn with_removed(self, removed: Vec<String>) -> Self {
        Self { removed: Some(removed), ..self }
    }

    /// 503: only what is in memory can be read.
    pub(crate) fn unreadable_database() -> Self {
        Self::unavailable("the overview cannot read its database at present")
    }

    /// 410: nothing is recorded before this moment.
    pub(crate) fn before_record(begins: Timestamp) -> Self {
        let values = vec![("begins", Arg::Text(begins.rfc3339()))];
        let gone = Self::translated(StatusCode::GONE, MessageKey::PagesPastBeforeRecord, values);
        Self { begins: Some(begins), ..gone }
    }

    /// 429.
    pub(crate) fn too_soon(seconds: u32, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// 401.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// How the metrics count a heartbeat that was rejected with this problem.
    pub(crate) fn reject_reason(&self) -> RejectReason {
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            RejectReason::Busy
        } else {
            RejectReason::Malformed
        }
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

impl From<PastError> for Problem {
    fn from(error: PastError) -> Self {
        match error {
            PastError::Future => {
                let later = FieldError::new("at", "must not be later than now");
                Self::fields(vec![later])
            }
            PastError::BeforeRecord { begins } => Self::before_record(begins),
            PastError::Unreadable => Self::unreadable_database(),
        }
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Without a body: `layers/problems.rs` writes it, because it knows whether the client is a browser.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let (status, retry_after) = (self.status, self.retry_after);
        response.extensions_mut().insert(AnsweredBy(Arc::new(self)));
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // The rest of the body may still arrive, and nothing reads it.
        if status == StatusCode::REQUEST_TIMEOUT {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

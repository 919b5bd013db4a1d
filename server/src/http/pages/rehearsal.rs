//! `GET /settings/rehearsal`: what the timeouts in the form of the settings would have called stale, in sentences.

use std::sync::Arc;

use app::cluster::hints::Arg;
use app::cluster::{Settings, Span};
use app::i18n::{Catalog, MessageKey};
use app::page::settings::draft::Draft;
use app::pages::DocumentContext;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::http::extract::PageRequest;
use crate::http::problem::Problem;
use crate::past::{PastError, RehearsalError};
use crate::site::Site;

/// So much of the past is tried.
const LENGTH: Span = Span::minutes(30 * 24 * 60);

/// A text, or 204 if there is nothing to say: a field cannot be read, or no timeout differs.
pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    PageRequest(DocumentContext { catalog, .. }): PageRequest,
    uri: Uri,
) -> Result<Response, Problem> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let pairs: Vec<_> = pairs.into_owned().collect();
    let draft = Draft::from_pairs(&pairs);
    let said = match draft {
        Some(draft) => site.rehearse_in_words(&draft, catalog).await?,
        None => None,
    };
    Ok(said.map_or_else(|| StatusCode::NO_CONTENT.into_response(), IntoResponse::into_response))
}

impl Site {
    /// What the timeouts of a draft would have called stale; `None` if there is nothing to say.
    pub(crate) async fn rehearse_in_words(
        &self,
        draft: &Draft,
        catalog: &Catalog,
    ) -> Result<Option<String>, PastError> {
        let current = self.live.snapshot().settings;
        let Ok(typed) = draft.rebase_onto(&current).settings() else { return Ok(None) };
        let differs = |of: fn(&Settings) -> u32| of(&typed) != of(&current);
        let timeouts_differ = differs(|s| s.stale_timeout_s) || differs(|s| s.web_window_s);
        let mut said = Vec::new();
        if timeouts_differ {
            said.push(match self.past.rehearse(typed.into(), LENGTH).await {
                Ok(rehearsed) => {
                    let length = rehearsed.span.length();
                    catalog.rehearsed(&rehearsed.proposed.1, &rehearsed.current.1, length)
                }
                Err(RehearsalError::WebWindow { min }) => {
                    catalog.format(MessageKey::PagesRehearsalWebWindow, &[("min", Arg::Span(min))])
                }
                Err(RehearsalError::Past(error)) => return Err(error),
            });
        }
        if differs(|s| s.heartbeat_interval_s) {
            said.push(catalog.text(MessageKey::PagesRehearsalInterval).to_owned());
        }
        Ok((!said.is_empty()).then(|| said.join(" ")))
    }
}

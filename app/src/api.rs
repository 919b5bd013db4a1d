//! The server function of the page, and what travels through it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cluster::{Change, Snapshot, Timestamp};

/// Where the page lives and which files it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The base path without a slash at its end.
    pub base: String,
    /// Where the assets are, base included.
    pub assets: String,
    /// The target of the breadcrumb.
    pub admin_url: Option<String>,
    /// The hash of the files.
    pub build: String,
}

/// What the first render and hydration start from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Picture {
    /// All facts.
    pub snapshot: Snapshot,
    /// The moment of the picture.
    pub now: Timestamp,
    /// The reader's place.
    pub cursor: String,
    /// The site.
    pub site: Site,
}

/// What a poll brings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct News {
    /// The reader's next place.
    pub cursor: String,
    /// The moment of the answer.
    pub now: Timestamp,
    /// What changed, if anything did.
    pub change: Option<Change>,
    /// The hash of the server's files.
    pub build: String,
}

/// What changed since `cursor`.
#[allow(missing_docs, reason = "the macro makes the argument a public field")]
#[allow(clippy::unused_async, reason = "a server function is asynchronous for the browser's sake")]
#[server(prefix = "/fn", endpoint = "overview")]
pub async fn overview(cursor: String) -> Result<News, ServerFnError> {
    let backend = expect_context::<std::sync::Arc<dyn crate::backend::Backend>>();
    Ok(backend.since(&cursor))
}

//! The document in a frame of the page *Add server*: which servers have reported since a moment? It stays up to date by
//! itself, so that the page around it keeps its token: `new-servers.js` does that, and without scripts it reloads.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{Health, ServerName, Snapshot, Timestamp};
use crate::i18n::MessageKey;
use crate::page::appearance::Theme;
use crate::page::document::{head, nonce};
use crate::page::route::query::to_query;
use crate::page::status_style;
use crate::pages::layout::{Document, DocumentContext, time};

/// How often it reloads without scripts; `new-servers.js` asks as often.
const RELOAD_SECONDS: u8 = 3;
/// More are counted.
const MAX_LISTED: usize = 10;

#[derive(Clone, Debug)]
pub struct NewServersPage {
    pub context: DocumentContext,
    /// In the order of their first heartbeats.
    pub servers: Vec<(ServerName, Timestamp)>,
}

/// The servers that have a component whose first heartbeat came since this moment, without what the overview reports about
/// itself.
pub fn new_servers(snapshot: &Snapshot, since: Timestamp) -> Vec<(ServerName, Timestamp)> {
    let mut servers: Vec<(ServerName, Timestamp)> = Vec::new();
    // Ordered by server.
    for component in snapshot.components.values() {
        if component.facts.source.is_own() || component.first_seen < since {
            continue;
        }
        match servers.last_mut() {
            Some((server, first)) if *server == component.server => {
                *first = (*first).min(component.first_seen);
            }
            _ => servers.push((component.server.clone(), component.first_seen)),
        }
    }
    servers.sort_by_key(|(_, first)| *first);
    servers
}

pub fn render(page: NewServersPage) -> Document {
    let NewServersPage { context, servers } = page;
    let nonce = nonce();
    let assets = context.site.assets.clone();
    let asset = move |name: &str| format!("{assets}/{name}");
    let title = context.text(MessageKey::PagesAddServerNew);
    let count = servers.len().to_string();
    let body = if servers.is_empty() {
        view! { <p class="muted">{context.text(MessageKey::PagesAddServerWaiting)}</p> }.into_any()
    } else {
        list(&context, servers).into_any()
    };
    let html = view! {
        <html
            lang=context.catalog.language().as_str()
            class="notranslate"
            translate="no"
            data-theme=context.appearance.theme.map(Theme::as_str)
        >
            <head>
                <meta charset="utf-8" />
                <noscript>
                    <meta http-equiv="refresh" content=RELOAD_SECONDS.to_string() />
                </noscript>
                {head(title.to_owned(), "favicon.svg", &asset)}
                <link rel="stylesheet" href=asset("pages.css") />
                <script nonce=nonce.clone() src=asset("header.js")></script>
                <script nonce=nonce.clone() r#type="module" src=asset("times.js")></script>
                <script nonce=nonce.clone() r#type="module" src=asset("new-servers.js")></script>
            </head>
            <body class="new-servers">
                <div class="icon-sprite" inner_html=status_style::SPRITE></div>
                <div role="status" data-servers=count>{body}</div>
            </body>
        </html>
    };
    Document { html: format!("<!DOCTYPE html>{}", html.to_html()), nonce }
}

fn list(
    context: &DocumentContext,
    mut servers: Vec<(ServerName, Timestamp)>,
) -> impl IntoView + use<> {
    let more = servers.len().saturating_sub(MAX_LISTED);
    servers.truncate(MAX_LISTED);
    let more = (more > 0).then(|| {
        let count = [("count", Arg::Number(more))];
        view! { <li>{context.catalog.format(MessageKey::NamesMore, &count)}</li> }
    });
    let icon = status_style::icon(status_style::health(Health::Ok)).into_string();
    let line = |(server, first): (ServerName, Timestamp)| {
        let mut pairs = context.appearance.pairs();
        pairs.push(("server", server.to_string()));
        let address = format!("{}/?{}", context.site.base, to_query(pairs));
        view! {
            <li>
                <span inner_html=icon.clone()></span>
                " "
                <a href=address target="_parent">
                    <bdi>{server.to_string()}</bdi>
                </a>
                " "
                {context.text(MessageKey::PagesAddServerReports)}
                " "
                {time(Some(first), "")}
            </li>
        }
    };
    let lines: Vec<_> = servers.into_iter().map(line).collect();
    view! {
        <ul>
            {lines}
            {more}
        </ul>
    }
}

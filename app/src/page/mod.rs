//! What is on the screen: the document, and the parts of the page in reading order.

#![allow(
    unreachable_pub,
    reason = "the component macro makes every component and its props public"
)]

#[cfg(feature = "hydrate")]
mod elapsed;
mod header;
mod hints;
#[cfg(feature = "hydrate")]
pub mod live;
mod look;
mod seen;
mod strip;
mod table;
mod verdict;
mod view;

use leptos::prelude::*;

use self::view::{Screen, View};
use crate::api::Picture;

/// The whole HTML document: readable before, and without, its scripts.
pub fn shell(picture: Picture) -> impl IntoView {
    let assets = picture.site.assets.clone();
    let asset = move |name: &str| format!("{assets}/{name}");
    // A `<` would let a name on the picture end the script that carries it.
    let json = serde_json::to_string(&picture).unwrap_or_default().replace('<', "\\u003c");
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <title>"Cluster Overview"</title>
                <link rel="icon" type="image/svg+xml" href=asset("favicon.svg") />
                <link rel="stylesheet" href=asset("app.css") />
                <script src=asset("theme.js")></script>
                <link rel="modulepreload" href=asset("app.js") />
                <link
                    rel="preload"
                    r#as="fetch"
                    r#type="application/wasm"
                    crossorigin="anonymous"
                    href=asset("app_bg.wasm")
                />
                <noscript>
                    <meta http-equiv="refresh" content="30" />
                </noscript>
            </head>
            <body>
                <div id="app">
                    <Page screen=Screen::new(picture) />
                </div>
                <script type="application/json" id="picture" inner_html=json></script>
                <script type="module" src=asset("start.js")></script>
            </body>
        </html>
    }
}

/// Everything that is alive on the page.
#[component]
fn Page(
    /// What is shown, and the signals by which it changes.
    screen: Screen,
) -> impl IntoView {
    let blind = move || screen.head.with(|head| head.blind);
    view! {
        <div class="page" class:blind=blind>
            <div class="sprite" inner_html=look::SPRITE></div>
            <header::Header screen />
            <main>
                <verdict::VerdictBanner screen />
                <strip::Strip screen />
                <div class="columns">
                    <table::Servers screen />
                    <hints::Troubleshooting screen />
                </div>
            </main>
        </div>
    }
}

impl Screen {
    /// The screen of a first picture.
    fn new(picture: Picture) -> Self {
        let view = View::of(&picture.snapshot, picture.now);
        Self::showing(view, picture)
    }
}

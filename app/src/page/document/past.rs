//! The document of the page as it stood at a past moment. Nothing on it changes any more: it has no script but those of the
//! header, and for copying.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{Snapshot, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::appearance::{Appearance, Theme};
use crate::page::banner::view as banner;
use crate::page::document::{Page, PageProps, branding, copied, head, keyboard};
use crate::page::header::view as header;
use crate::page::route::Route;
use crate::page::state::PageState;
use crate::page::status_style;
use crate::protocol::InitialState;

/// A past moment, and where the events next to it are.
#[derive(Clone, Debug)]
pub struct PastMoment {
    pub at: Timestamp,
    /// The facts of then, and what is not known of them. They do not travel.
    pub snapshot: Snapshot,
    /// The moment of the last event before it.
    pub earlier: Option<Timestamp>,
    /// The moment of the first event after it.
    pub later: Option<Timestamp>,
}

/// The whole HTML document. `nonce` is that of the Content-Security-Policy.
pub fn past_document(initial: InitialState, moment: PastMoment, nonce: &str) -> String {
    let rendered = Owner::new().with(|| document(initial, moment, nonce).to_html());
    format!("<!DOCTYPE html>{rendered}")
}

fn document(initial: InitialState, moment: PastMoment, nonce: &str) -> impl IntoView + use<> {
    let nonce = nonce.to_owned();
    let appearance = Appearance::parse(&initial.query);
    let Appearance { language, theme, hide_chrome } = appearance;
    let language = language.unwrap_or(initial.language);
    let catalog = Catalog::for_language(language);
    let site = initial.context.site.clone();
    let assets = site.assets.clone();
    let asset = move |name: &str| format!("{assets}/{name}");
    let state = PageState::new(initial, &moment.snapshot, catalog);
    let verdict = state.model_untracked().banner.clone();
    let icon = format!("favicon-{}.svg", status_style::health(verdict.health).icon);
    let at = moment.at.date_and_clock();
    let title = banner::title(&format!("{at}: {}", verdict.headline));
    view! {
        <html
            lang=language.as_str()
            class="notranslate"
            translate="no"
            data-theme=theme.map(Theme::as_str)
            data-chrome=hide_chrome.then_some("none")
        >
            <head>
                <meta charset="utf-8" />
                {head(title, &icon, &asset)}
                <script nonce=nonce.clone() src=asset("header.js")></script>
                <script nonce=nonce.clone() r#type="module" src=asset("copy.js")></script>
                {branding::stylesheets(&site, &appearance)}
                {branding::frame_script(&site, &nonce, false)}
            </head>
            <body>
                {keyboard::skip_links(catalog)}
                <div class="icon-sprite" inner_html=status_style::SPRITE></div>
                {branding::product_bar(&site, &appearance)}
                {header::header(state, ())}
                {past_bar(state, &moment)}
                <div id="app" class="past">
                    {Page(PageProps { state })}
                </div>
                {copied(catalog)}
            </body>
        </html>
    }
}

/// Says which moment the page shows, and leads to others.
fn past_bar(state: PageState, moment: &PastMoment) -> impl IntoView + use<> {
    let catalog = state.catalog();
    let text = |key| catalog.text(key);
    let route = state.route.get_untracked();
    let to = |at: Timestamp| Route { at: at.rfc3339(), ..route.clone() }.address();
    let link = |id: &'static str, at: Option<Timestamp>, key| {
        at.map(|at| {
            let title = at.date_and_clock();
            view! { <a class="button" id=id href=to(at) title=title>{text(key)}</a> }
        })
    };
    let at = [("moment", Arg::Text(moment.at.date_and_clock()))];
    let now = Route { at: String::new(), ..route.clone() }.address();
    let history = state.action_address("history");
    view! {
        <div class="bar past-bar" role="region" aria-label=text(MessageKey::PagesPastTitle)>
            <p>
                <b>{catalog.format(MessageKey::PagesPastLead, &at)}</b>
            </p>
            <p class="buttons">
                {link("earlier", moment.earlier, MessageKey::PagesPastEarlier)}
                {link("later", moment.later, MessageKey::PagesPastLater)}
                <a class="button" id="to-history" href=history>{text(MessageKey::PagesPastHistory)}</a>
                <a class="button primary" id="now" href=now>{text(MessageKey::PagesPastNow)}</a>
            </p>
        </div>
        <aside class="not-recorded muted">{text(MessageKey::PagesPastNotRecorded)}</aside>
    }
}

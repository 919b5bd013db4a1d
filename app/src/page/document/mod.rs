//! The HTML document of the page, and the order of its parts.

#[cfg(feature = "ssr")]
pub(crate) mod branding;
#[cfg(feature = "ssr")]
mod keyboard;
#[cfg(feature = "ssr")]
mod past;
#[cfg(feature = "ssr")]
pub(crate) mod sign_in_again;

#[cfg(feature = "ssr")]
pub use self::past::{PastMoment, past_document};

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::cluster::Snapshot;
#[cfg(feature = "ssr")]
use crate::i18n::{Catalog, MessageKey};
#[cfg(feature = "ssr")]
use crate::packed::pack;
#[cfg(feature = "ssr")]
use crate::page::appearance::{Appearance, Theme};
use crate::page::banner::view as banner;
#[cfg(feature = "ssr")]
use crate::page::document::sign_in_again::sign_in_again;
use crate::page::header::model::Connection;
use crate::page::header::view as header;
use crate::page::hints::view as hints;
use crate::page::live_html::live_html;
use crate::page::panel::view as panel;
#[cfg(feature = "ssr")]
use crate::page::route::query::to_query;
use crate::page::servers::view as servers;
use crate::page::settings::view as settings;
use crate::page::state::{PageState, Part};
#[cfg(feature = "ssr")]
use crate::page::{status_style, watchdog};
#[cfg(feature = "ssr")]
use crate::protocol::InitialState;

/// The whole HTML document. It can be read before its scripts run, and without them.
///
/// `nonce` is that of the Content-Security-Policy.
#[cfg(feature = "ssr")]
pub fn shell(initial: InitialState, nonce: &str) -> impl IntoView + use<> {
    let nonce = nonce.to_owned();
    let appearance = Appearance::parse(&initial.query);
    let Appearance { language, theme, hide_chrome } = appearance;
    let language = language.unwrap_or(initial.language);
    let catalog = Catalog::for_language(language);
    let site = initial.context.site.clone();
    let assets = site.assets.clone();
    let unbuilt = assets.ends_with("/none");
    let asset = move |name: &str| format!("{assets}/{name}");
    // A snapshot can always be packed.
    let packed = pack(&initial).unwrap_or_default();
    let snapshot = initial.snapshot();
    let state = PageState::new(initial, &snapshot, catalog);
    let first_server = (!hide_chrome).then(|| first_server_link(state, &snapshot)).flatten();
    let banner = state.model_untracked().banner.clone();
    let title = banner::title(&banner.headline);
    let icon = format!("favicon-{}.svg", status_style::health(banner.health).icon);
    let context = state.shared();
    let user = &context.page_context.user;
    let (again_form, again_script) =
        (!hide_chrome).then(|| sign_in_again(catalog, &site, user, &nonce)).flatten().unzip();
    let unbuilt = unbuilt.then(|| {
        view! {
            <p role="alert">
                {catalog.text(MessageKey::PagesUnbuilt)} " " <code>"cargo xtask build"</code>
            </p>
        }
    });
    view! {
        <!DOCTYPE html>
        <html
            lang=language.as_str()
            class="notranslate"
            translate="no"
            data-theme=theme.map(Theme::as_str)
            data-chrome=hide_chrome.then_some("none")
        >
            <head>
                <meta charset="utf-8" />
                {watchdog::script(state, &site, &nonce)}
                {head(title, &icon, &asset)}
                <script nonce=nonce.clone() src=asset("header.js")></script>
                // A browser without scripts does not fetch what only scripts need.
                <link rel="modulepreload" nonce=nonce.clone() media="(scripting: enabled)" href=asset("app.js") />
                <link
                    rel="preload"
                    media="(scripting: enabled)"
                    r#as="fetch"
                    r#type="application/wasm"
                    crossorigin="anonymous"
                    href=asset("app_bg.wasm")
                />
                {branding::stylesheets(&site, &appearance)}
                {branding::frame_script(&site, &nonce, false)}
                <link
                    rel="preload"
                    media="(scripting: enabled)"
                    r#as="fetch"
                    r#type="text/plain"
                    crossorigin="anonymous"
                    href=asset(&format!("messages-{}.txt", language.as_str()))
                />
                {meta_refresh(state)}
            </head>
            <body>
                {unbuilt}
                {keyboard::skip_links(catalog)}
                <div class="icon-sprite" inner_html=status_style::SPRITE></div>
                {branding::product_bar(&site, &appearance)}
                {header::header(state, header::live_status(state))}
                {again_form}
                {print_head(state)}
                {first_server}
                <div id="app">
                    <Page state />
                </div>
                {(!hide_chrome).then(|| export_links(state))}
                {keyboard::help(catalog)}
                {copied(catalog)}
                <script nonce=nonce.clone() type="text/plain" id="initial-state" inner_html=packed></script>
                {again_script}
                <script nonce=nonce type="module" src=asset("start.js")></script>
            </body>
        </html>
    }
}

/// Says to a screen reader that something was copied.
#[cfg(feature = "ssr")]
fn copied(catalog: &Catalog) -> impl IntoView + use<> {
    let text = catalog.text(MessageKey::PagesCopied);
    view! { <p id="copied" class="visually-hidden" aria-live="polite" data-copied-text=text></p> }
}

/// A nonce for the Content-Security-Policy: 128 random bits in base 64.
#[cfg(feature = "ssr")]
pub fn nonce() -> String {
    use leptos::nonce::{provide_nonce, use_nonce};
    let create = || {
        provide_nonce();
        use_nonce()
    };
    let nonce = use_nonce().or_else(|| Owner::new().with(create));
    nonce.map(|nonce| nonce.to_string()).unwrap_or_default()
}

/// What the head of every document has. `icon` is the file of the tab's icon; `asset` makes the address of a file.
///
/// Browsers are asked not to rewrite text of the document: hydration needs it as it was rendered.
#[cfg(feature = "ssr")]
pub(crate) fn head(
    title: String,
    icon: &str,
    asset: &dyn Fn(&str) -> String,
) -> impl IntoView + use<> {
    view! {
        <meta name="google" content="notranslate" />
        <meta name="format-detection" content="telephone=no,date=no,address=no,email=no" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" type="image/svg+xml" href=asset(icon) />
        <link rel="stylesheet" href=asset("app.css") />
        // A browser that draws on the screen does not wait for it.
        <link rel="stylesheet" media="print, (forced-colors: active)" href=asset("media.css") />
    }
}

/// While only the overview itself reports, an admin finds here how to add a server. It is not hydrated: CSS hides it when
/// one has come, which the number of servers that were there (0, 1 or several) tells.
#[cfg(feature = "ssr")]
fn first_server_link(state: PageState, snapshot: &Snapshot) -> Option<impl IntoView + use<>> {
    let is_alone = snapshot.components.values().all(|component| component.facts.source.is_own());
    let is_known = snapshot.blind_since.is_none();
    (is_alone && is_known && !state.is_read_only()).then(|| {
        let catalog = state.catalog();
        view! {
            <p class="first-server" data-servers=snapshot.count_servers().to_string()>
                {catalog.text(MessageKey::PagesAddServerFirstLead)} " "
                <a class="button" href=state.action_address("add-server")>
                    {catalog.text(MessageKey::PagesAddServerFirst)}
                </a>
            </p>
        }
    })
}

/// The links to the list as a file. They are not hydrated: `start.js` gives them the query of the current address when they
/// are followed.
#[cfg(feature = "ssr")]
fn export_links(state: PageState) -> impl IntoView + use<> {
    let query = to_query(state.route.get_untracked().list.pairs());
    let base = state.shared().page_context.site.base.clone();
    let link = |name: &'static str, label: &'static str| {
        view! {
            <a download href=format!("{base}/{name}?{query}")>
                {label}
            </a>
        }
    };
    view! {
        <footer>
            {state.catalog().text(MessageKey::PagesExport)} " " {link("export.csv", "CSV")} " "
            {link("export.json", "JSON")}
        </footer>
    }
}

/// What a print says of itself. `page.js` completes it with the whole address, and the time of the print.
#[cfg(feature = "ssr")]
fn print_head(state: PageState) -> impl IntoView {
    let base = state.shared().page_context.site.base.clone();
    let route = state.route.get_untracked().address();
    let printed = format!("{} · {base}/{route}", state.as_of.get_untracked().date_and_clock());
    view! {
        <p class="print-only" id="printed">{printed}</p>
        <p class="print-only print-part">{state.catalog().text(MessageKey::PagesPrintPart)}</p>
    }
}

/// Without scripts the page reloads every 30 s, but not while a form is open, which a reload would empty.
#[cfg(feature = "ssr")]
fn meta_refresh(state: PageState) -> Option<impl IntoView> {
    let route = state.route.get_untracked();
    (!route.dialog.is_form()).then(|| {
        let content = format!("30; url={}", route.address());
        view! {
            <noscript>
                <meta http-equiv="refresh" content=content />
            </noscript>
        }
    })
}

/// Everything below the header.
#[component]
pub(super) fn Page(state: PageState) -> impl IntoView {
    let blind = move || state.model(Part::Banner).banner.blind.is_some();
    let paused = move || state.connection.get() == Connection::Paused;
    let progress = move || state.busy.get().then(|| view! { <div class="progress"></div> });
    view! {
        <div class="page" class:blind=blind class:paused=paused>
            {progress}
            <div class="part" aria-live="polite">
                {live_html(Box::new(move || header::paused_bar(state)))}
            </div>
            <main>
                <banner::VerdictBanner state />
                <settings::SettingsSummary state />
                <div class="columns">
                    <hints::Troubleshooting state />
                    <servers::Servers state />
                </div>
            </main>
            <panel::SidePanel state />
            <banner::LiveRegion state />
        </div>
    }
}

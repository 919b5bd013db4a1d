//! The header: the breadcrumb, the connection status, and the user. The connection status and the verdict follow the cluster.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::hints::Arg;
#[cfg(feature = "ssr")]
use crate::i18n::Catalog;
use crate::i18n::{self, MessageKey};
use crate::page::header::model::Connection;
#[cfg(feature = "ssr")]
use crate::page::route::query::to_query;
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::link;
#[cfg(feature = "ssr")]
use crate::page::watchdog;
#[cfg(feature = "ssr")]
use crate::protocol::{CurrentUser, UserRole};

/// Without chrome it has no breadcrumb and no menu. `status` says whether the page is up to date.
#[cfg(feature = "ssr")]
pub(crate) fn header<S: IntoView>(state: PageState, status: S) -> impl IntoView + use<S> {
    let catalog = state.catalog();
    let route = state.route.get_untracked();
    let has_chrome = !route.appearance.hide_chrome;
    let is_past = route.is_past();
    let breadcrumb = has_chrome.then(|| breadcrumb(state));
    let address = |name: &str| match name {
        "removals" => removals_address(state),
        _ => state.action_address(name),
    };
    let user = state.shared().page_context.user.clone();
    let add_server = (has_chrome && !state.is_read_only()).then(|| {
        view! {
            <a class="button" id="add-server" href=address("add-server")>
                {catalog.text(MessageKey::PagesAddServer)}
            </a>
        }
    });
    let menu = has_chrome.then(|| menu(catalog, user, is_past, &address));
    view! {
        <header class="page-header">
            {breadcrumb}
            <div id="header-verdict" aria-hidden="true" inner_html=verdict(state).into_string()></div>
            <div class="page-header-end">
                {status}
                {add_server}
                {menu}
            </div>
        </header>
    }
}

/// Whether the page follows the cluster.
#[cfg(feature = "ssr")]
pub(crate) fn live_status(state: PageState) -> impl IntoView {
    view! {
        {watchdog::notice(state.catalog())}
        <div id="connection-status" inner_html=connection_status(state).into_string()></div>
    }
}

#[cfg(feature = "ssr")]
fn breadcrumb(state: PageState) -> impl IntoView + use<> {
    let admin = state.shared().page_context.site.admin_url.clone();
    let catalog = state.catalog();
    view! {
        <nav aria-label=catalog.text(MessageKey::HeaderBreadcrumb)>
            // Without an address this is text, not a link.
            <a href=admin>{catalog.text(MessageKey::HeaderAdmin)}</a>
            <span class="muted" aria-hidden="true">" / "</span>
            <b aria-current="page">"Cluster Overview"</b>
        </nav>
    }
}

/// CSS adds the current theme to its text.
#[cfg(feature = "ssr")]
pub(crate) fn theme_button(catalog: &Catalog) -> impl IntoView + use<> {
    let [label, auto, light, dark] = [
        MessageKey::HeaderTheme,
        MessageKey::HeaderThemeAuto,
        MessageKey::HeaderThemeLight,
        MessageKey::HeaderThemeDark,
    ]
    .map(|key| catalog.text(key));
    view! {
        <button
            type="button"
            class="if-scripting"
            id="theme"
            data-auto=auto
            data-light=light
            data-dark=dark
        >
            {label}
        </button>
    }
}

/// With the query of the list as it was rendered, so that a search becomes a pattern of names.
#[cfg(feature = "ssr")]
fn removals_address(state: PageState) -> String {
    let query = to_query(state.route.get_untracked().persistent_params());
    format!("{}/removals?{query}", state.shared().page_context.site.base)
}

/// Everything that is not about the cluster now: the theme, the history, the pages for admins, and who uses this one. A page
/// of the past (`is_past`) leads to nothing that changes the cluster. `address` makes the address of a page.
#[cfg(feature = "ssr")]
pub(crate) fn menu(
    catalog: &Catalog,
    user: CurrentUser,
    is_past: bool,
    address: &dyn Fn(&str) -> String,
) -> impl IntoView + use<> {
    let CurrentUser { name, role, can_sign_out } = user;
    let name = name.unwrap_or_else(|| catalog.text(MessageKey::PagesMenu).to_owned());
    let read_only = (role == UserRole::Viewer).then(|| {
        view! {
            <span class="muted" id="read-only">
                {catalog.text(MessageKey::HeaderReadOnly)}
            </span>
        }
    });
    let admin_links = (role == UserRole::Admin).then(|| {
        let add_server = (!is_past).then(|| {
            view! {
                <a class="button if-narrow" href=address("add-server")>
                    {catalog.text(MessageKey::PagesAddServer)}
                </a>
            }
        });
        let removals = (!is_past).then(|| {
            view! {
                <a class="button" href=address("removals")>
                    {catalog.text(MessageKey::PagesRemovals)}
                </a>
            }
        });
        view! {
            {add_server}
            <a class="button" href=address("access")>
                {catalog.text(MessageKey::HeaderAccess)}
            </a>
            <a class="button" href=address("audit")>
                {catalog.text(MessageKey::HeaderAudit)}
            </a>
            {removals}
        }
        .into_any()
    });
    let sign_out = can_sign_out.then(|| {
        view! {
            <form method="post" action=address("sign-out")>
                <a class="button" href=address("account")>
                    {catalog.text(MessageKey::PagesAccount)}
                </a>
                <button>{catalog.text(MessageKey::HeaderSignOut)}</button>
                <button name="everywhere" value="true">{catalog.text(MessageKey::HeaderSignOutEverywhere)}</button>
            </form>
        }
    });
    view! {
        {read_only}
        <details class="menu">
            <summary class="button" id="user"><bdi>{name}</bdi></summary>
            <div class="menu-items">
                {theme_button(catalog)}
                // Shown by the script of a page that has shortcuts.
                <button type="button" id="open-help" hidden>{catalog.text(MessageKey::PagesKeys)}</button>
                <a class="button" href=address("history")>
                    {catalog.text(MessageKey::PagesHistory)}
                </a>
                <a class="button" href=address("notifications")>
                    {catalog.text(MessageKey::PagesNotifications)}
                </a>
                {admin_links}
                {sign_out}
            </div>
        </details>
    }
}

/// The verdict, for those who have scrolled.
pub(crate) fn verdict(state: PageState) -> Markup {
    let model = state.model(Part::Banner);
    let style = status_style::health(model.banner.health);
    html! { (status_style::icon(style)) span { (model.banner.headline) } }
}

/// How the page gets updates, how old its data is, and the button that pauses it.
pub(crate) fn connection_status(state: PageState) -> Markup {
    let connection = state.connection.get();
    let blind = state.model(Part::Banner).banner.blind;
    let catalog = state.catalog();
    let (key, moment) = match blind {
        Some(since) => (MessageKey::ConnectionNoDataSince, since),
        None => (MessageKey::ConnectionUpdated, state.as_of.get()),
    };
    let (utc, at) = (moment.date_and_clock(), moment.rfc3339());
    let moment = i18n::clock(moment);
    let updated = format!(" · {}", catalog.format(key, &[("moment", Arg::Text(moment.clone()))]));
    let refusal = [("detail", Arg::Text(state.shared().error_detail.get()))];
    // Matches `meta_refresh` of the document: an open form is not emptied by a reload.
    let form_is_open = state.route.get().dialog.is_form();
    let reload_note = catalog.text(if form_is_open {
        MessageKey::ConnectionRefreshPaused
    } else {
        MessageKey::ConnectionRefreshes
    });
    let dot = match (connection, blind) {
        (Connection::Live | Connection::Polling, None) => "dot ok",
        (Connection::Paused, _) => "dot unknown",
        _ => "dot warning",
    };
    let key = if connection == Connection::Paused {
        MessageKey::ConnectionResume
    } else {
        MessageKey::ConnectionPause
    };
    let signed_out = connection == Connection::SignedOut;
    let reload = (signed_out || state.outdated.get()).then_some(if signed_out {
        MessageKey::ConnectionSignIn
    } else {
        MessageKey::ConnectionNewVersion
    });
    html! {
        span class=(dot) aria-hidden="true" {}
        // The watchdog compares `data-time` with the text; `copy.js` makes a link to the page at `data-at`.
        span.muted data-testid="connection" data-time=(moment) data-at=(at) title=(utc) {
            span.if-scripting { (catalog.format(connection.message(), &refusal)) }
            span.if-no-scripting { (reload_note) }
            (updated)
        }
        @if let Some(key) = reload { (link("reload", "", "", catalog.text(key))) }
        button.if-hydrated #pause type="button" data-pause { (catalog.text(key)) }
    }
}

/// Says above a page that is paused that it is, and ends that.
pub(crate) fn paused_bar(state: PageState) -> Markup {
    if state.connection.get() != Connection::Paused {
        return Markup::default();
    }
    let catalog = state.catalog();
    let moment = [("moment", Arg::Moment(state.as_of.get()))];
    html! {
        p.bar.paused-bar {
            (catalog.format(MessageKey::ConnectionPausedSince, &moment)) " "
            button #resume type="button" data-pause { (catalog.text(MessageKey::ConnectionResume)) }
        }
    }
}

//! The header: the breadcrumb, the connection status, and the user. Only the connection status is hydrated.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
#[cfg(feature = "ssr")]
use crate::i18n::Catalog;
use crate::i18n::MessageKey;
use crate::page::header::model::Connection;
#[cfg(feature = "ssr")]
use crate::page::route::query::to_query;
use crate::page::state::{PageState, Part};
use crate::page::ui::link;
#[cfg(feature = "ssr")]
use crate::page::watchdog;
#[cfg(feature = "ssr")]
use crate::protocol::{CurrentUser, UserRole};

/// Without chrome it has only the connection status.
#[cfg(feature = "ssr")]
pub(crate) fn header(state: PageState) -> impl IntoView {
    let catalog = state.catalog();
    let has_chrome = !state.route.get_untracked().appearance.hide_chrome;
    let breadcrumb = has_chrome.then(|| breadcrumb(state));
    let address = |name: &str| match name {
        "removals" => removals_address(state),
        _ => state.action_address(name),
    };
    let user = state.shared().page_context.user.clone();
    let menu = has_chrome.then(|| menu(catalog, user, &address));
    view! {
        <header class="page-header">
            {breadcrumb}
            <div class="page-header-end">
                {watchdog::notice(catalog)}
                <div id="connection-status">{move || connection_status(state)}</div>
                {menu}
            </div>
        </header>
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

/// Everything that is not about the cluster: the theme, the pages for admins, and who uses this one. `address` makes the
/// address of a page.
#[cfg(feature = "ssr")]
pub(crate) fn menu(
    catalog: &Catalog,
    user: CurrentUser,
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
        view! {
            <a class="button" href=address("add-server")>
                {catalog.text(MessageKey::PagesAddServer)}
            </a>
            <a class="button" href=address("access")>
                {catalog.text(MessageKey::HeaderAccess)}
            </a>
            <a class="button" href=address("audit")>
                {catalog.text(MessageKey::HeaderAudit)}
            </a>
            <a class="button" href=address("removals")>
                {catalog.text(MessageKey::PagesRemovals)}
            </a>
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
                {admin_links}
                {sign_out}
            </div>
        </details>
    }
}

/// How the page gets updates, how old its data is, and the button that pauses it.
pub(crate) fn connection_status(state: PageState) -> impl IntoView + use<> {
    let connection = state.connection.get();
    let blind = state.model(Part::Banner).banner.blind;
    let catalog = state.catalog();
    let (key, moment) = match blind {
        Some(since) => (MessageKey::ConnectionNoDataSince, since),
        None => (MessageKey::ConnectionUpdated, state.as_of.get()),
    };
    let moment = format_utc(moment);
    let updated = format!(" · {}", catalog.format(key, &[("moment", Arg::Text(moment.clone()))]));
    let refusal = [("detail", Arg::Text(state.shared().error_detail.get()))];
    // Matches `meta_refresh` of the document: an open form is not emptied by a reload.
    let form_is_open = state.route.get().dialog.is_form();
    let reload_note = catalog.text(if form_is_open {
        MessageKey::ConnectionRefreshPaused
    } else {
        MessageKey::ConnectionRefreshes
    });
    let (dot, next, key) = match (connection, blind) {
        (Connection::Live | Connection::Polling, None) => {
            ("dot ok", Connection::Paused, MessageKey::ConnectionPause)
        }
        (Connection::Live | Connection::Polling, Some(_))
        | (
            Connection::Reconnecting
            | Connection::Offline
            | Connection::Refused
            | Connection::Foreign
            | Connection::SignedOut,
            _,
        ) => ("dot warning", Connection::Paused, MessageKey::ConnectionPause),
        (Connection::Paused, _) => {
            ("dot unknown", Connection::Polling, MessageKey::ConnectionResume)
        }
    };
    let signed_out = connection == Connection::SignedOut;
    let reload = (signed_out || state.outdated.get()).then_some(if signed_out {
        MessageKey::ConnectionSignIn
    } else {
        MessageKey::ConnectionNewVersion
    });
    let reload = reload.map(|key| link("reload", "", String::new(), catalog.text(key)));
    let toggle = move |_| state.connection.set(next);
    view! {
        <span class=dot aria-hidden="true"></span>
        // The watchdog compares this attribute with the text.
        <span class="muted" data-testid="connection" data-time=moment>
            <span class="if-scripting">{catalog.format(connection.message(), &refusal)}</span>
            <span class="if-no-scripting">{reload_note}</span>
            {updated}
        </span>
        {reload}
        <button type="button" class="if-hydrated" id="pause" on:click=toggle>{catalog.text(key)}</button>
    }
}

/// `12:00:03 UTC`
fn format_utc(moment: crate::cluster::Timestamp) -> String {
    format!("{} UTC", moment.clock().trim_end_matches('Z'))
}

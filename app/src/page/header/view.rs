//! The header: the breadcrumb, the connection status, and the user. Only the connection status is hydrated.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
#[cfg(feature = "ssr")]
use crate::i18n::Words;
use crate::page::header::model::Connection;
use crate::page::state::PageState;
#[cfg(feature = "ssr")]
use crate::page::ui::READ_ONLY_ID;
use crate::page::ui::link;
#[cfg(feature = "ssr")]
use crate::page::watchdog;
#[cfg(feature = "ssr")]
use crate::protocol::{CurrentUser, UserRole};

/// Without chrome it has only the connection status.
#[cfg(feature = "ssr")]
pub(crate) fn header(state: PageState) -> impl IntoView {
    let words = state.words();
    let has_chrome = state.route.with_untracked(|route| !route.appearance.hide_chrome);
    let breadcrumb = has_chrome.then(|| breadcrumb(state));
    let theme = has_chrome.then(|| theme_button(words));
    let user_menu = has_chrome.then(|| user_menu(state));
    view! {
        <header class="page-header">
            {breadcrumb}
            <div class="page-header-end">
                {watchdog::notice(words)}
                <div id="connection-status">{move || connection_status(state)}</div>
                {theme}
                {user_menu}
            </div>
        </header>
    }
}

#[cfg(feature = "ssr")]
fn breadcrumb(state: PageState) -> impl IntoView + use<> {
    let admin = state.page_context(|context| context.site.admin_url.clone());
    let words = state.words();
    view! {
        <nav aria-label=words.label("page.breadcrumb")>
            // Without an address this is text, not a link.
            <a href=admin>{words.label("page.admin")}</a>
            <span class="muted" aria-hidden="true">" / "</span>
            <b aria-current="page">"Cluster Overview"</b>
        </nav>
    }
}

/// CSS adds the current theme to its text.
#[cfg(feature = "ssr")]
pub(crate) fn theme_button(words: &Words) -> impl IntoView + use<> {
    let [label, auto, light, dark] =
        ["page.theme", "page.theme.auto", "page.theme.light", "page.theme.dark"]
            .map(|key| words.label(key));
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

#[cfg(feature = "ssr")]
fn user_menu(state: PageState) -> impl IntoView + use<> {
    let CurrentUser { name, role, can_sign_out } =
        state.page_context(|context| context.user.clone());
    let words = state.words();
    let read_only = (role == UserRole::Viewer).then(|| {
        view! {
            <span class="muted" id=READ_ONLY_ID>
                {words.label("page.only-looks")}
            </span>
        }
    });
    let admin_links = (role == UserRole::Admin).then(|| {
        view! {
            <span class="admin-links">
                <a class="button" href=state.action_address("access")>
                    {words.label("page.access")}
                </a>
                <a class="button" href=state.action_address("audit")>
                    {words.label("page.audit")}
                </a>
            </span>
        }
    });
    let (links_beside, admin_links) =
        if can_sign_out { (None, admin_links) } else { (admin_links, None) };
    // Where nobody can sign out the name is text, not a menu.
    let (name, menu) = if can_sign_out { (None, name) } else { (name, None) };
    let name = name.map(|name| view! { <bdi id="user">{name}</bdi> });
    let menu = menu.map(|name| {
        view! {
            <details class="menu">
                <summary class="button" id="user"><bdi>{name}</bdi></summary>
                <form method="post" action=state.action_address("sign-out")>
                    {admin_links}
                    <button>{words.label("page.sign-out")}</button>
                    <button name="everywhere" value="true">{words.label("page.sign-out-everywhere")}</button>
                </form>
            </details>
        }
    });
    view! {
        {read_only}
        {links_beside}
        {name}
        {menu}
    }
}

/// How the page gets updates, how old its data is, and the button that pauses it.
pub(crate) fn connection_status(state: PageState) -> impl IntoView + use<> {
    let connection = state.connection.get();
    let blind = state.banner.with(|banner| banner.blind);
    let words = state.words();
    let (key, moment) = match blind {
        Some(since) => ("news.blind", since),
        None => ("news.as-of", state.as_of.get()),
    };
    let moment = format_utc(moment);
    let updated = format!(" · {}", words.say(key, &[("moment", Arg::Text(moment.clone()))]));
    let refusal = [("detail", Arg::Text(state.error_detail().get()))];
    // Matches `meta_refresh` of the document: an open form is not emptied by a reload.
    let form_is_open = state.route.with(|route| route.dialog.is_form());
    let reload_note = words.label(if form_is_open { "news.waits" } else { "news.reloads" });
    let (dot, next, key) = match (connection, blind) {
        (Connection::Live | Connection::Polling, None) => {
            ("dot ok", Connection::Paused, "news.pause")
        }
        (Connection::Live | Connection::Polling, Some(_))
        | (
            Connection::Reconnecting
            | Connection::Offline
            | Connection::Refused
            | Connection::Foreign
            | Connection::SignedOut,
            _,
        ) => ("dot warning", Connection::Paused, "news.pause"),
        (Connection::Paused, _) => ("dot unknown", Connection::Polling, "news.resume"),
    };
    let signed_out = connection == Connection::SignedOut;
    let reload = (signed_out || state.outdated.get()).then_some(if signed_out {
        "news.sign-in"
    } else {
        "news.outdated"
    });
    let reload = reload.map(|key| link("reload", "", String::new(), words.label(key)));
    let toggle = move |_| state.connection.set(next);
    view! {
        <span class=dot aria-hidden="true"></span>
        // The watchdog compares this attribute with the text.
        <span class="muted" data-testid="connection" data-time=moment>
            <span class="if-scripting">{words.say(connection.message_key(), &refusal)}</span>
            <span class="if-no-scripting">{reload_note}</span>
            {updated}
        </span>
        {reload}
        <button type="button" class="if-hydrated" id="pause" on:click=toggle>{words.label(key)}</button>
    }
}

/// `12:00:03 UTC`
fn format_utc(moment: crate::cluster::Timestamp) -> String {
    format!("{} UTC", moment.clock().trim_end_matches('Z'))
}

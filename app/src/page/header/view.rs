//! The header: the breadcrumb, the connection status, and the user. Only the connection status is hydrated.

use leptos::prelude::*;

use crate::cluster::hints::Arg;
#[cfg(feature = "ssr")]
use crate::i18n::Words;
use crate::page::state::{Connection, PageState};
#[cfg(feature = "ssr")]
use crate::page::ui::READ_ONLY_ID;
use crate::page::ui::link;
#[cfg(feature = "ssr")]
use crate::page::watchdog;
#[cfg(feature = "ssr")]
use crate::protocol::{CurrentUser, UserRole};

/// The header; without chrome only the connection status.
#[cfg(feature = "ssr")]
pub(crate) fn header(state: PageState) -> impl IntoView {
    let words = state.words();
    let dressed = state.route.with_untracked(|route| !route.appearance.hide_chrome);
    let breadcrumb = dressed.then(|| breadcrumb(state));
    let theme = dressed.then(|| theme(words));
    let visitor = dressed.then(|| visitor(state));
    view! {
        <header class="top">
            {breadcrumb}
            <div class="top-right">
                {watchdog::notice(words)}
                <div id="news">{move || connection_status(state)}</div>
                {theme}
                {visitor}
            </div>
        </header>
    }
}

/// The breadcrumb.
#[cfg(feature = "ssr")]
fn breadcrumb(state: PageState) -> impl IntoView + use<> {
    let admin = state.page_context(|context| context.site.admin_url.clone());
    let words = state.words();
    view! {
        <nav aria-label=words.label("page.breadcrumb")>
            // Without an address it is a word, not a link.
            <a href=admin>{words.label("page.admin")}</a>
            <span class="muted" aria-hidden="true">" / "</span>
            <b aria-current="page">"Cluster Overview"</b>
        </nav>
    }
}

/// The switch between light and dark; its style says which it is.
#[cfg(feature = "ssr")]
pub(crate) fn theme(words: &Words) -> impl IntoView + use<> {
    let [said, auto, light, dark] =
        ["page.theme", "page.theme.auto", "page.theme.light", "page.theme.dark"]
            .map(|key| words.label(key));
    view! {
        <button
            type="button"
            class="with-scripts"
            id="theme"
            data-auto=auto
            data-light=light
            data-dark=dark
        >
            {said}
        </button>
    }
}

/// The user, what they may do, and the sign-out form.
#[cfg(feature = "ssr")]
fn visitor(state: PageState) -> impl IntoView + use<> {
    let CurrentUser { name, role, can_sign_out } =
        state.page_context(|context| context.user.clone());
    let words = state.words();
    let looks = (role == UserRole::Viewer).then(|| {
        view! {
            <span class="muted" id=READ_ONLY_ID>
                {words.label("page.only-looks")}
            </span>
        }
    });
    let doors = (role == UserRole::Admin).then(|| {
        view! {
            <span class="doors">
                <a class="button" href=state.action("access")>
                    {words.label("page.access")}
                </a>
                <a class="button" href=state.action("audit")>
                    {words.label("page.audit")}
                </a>
            </span>
        }
    });
    let (apart, doors) = if can_sign_out { (None, doors) } else { (doors, None) };
    // Without a way out the name is a word, not a menu.
    let (name, menu) = if can_sign_out { (None, name) } else { (name, None) };
    let name = name.map(|name| view! { <bdi id="visitor">{name}</bdi> });
    let menu = menu.map(|name| {
        view! {
            <details class="menu">
                <summary class="button" id="visitor"><bdi>{name}</bdi></summary>
                <form method="post" action=state.action("sign-out")>
                    {doors}
                    <button>{words.label("page.sign-out")}</button>
                    <button name="everywhere" value="true">{words.label("page.sign-out-everywhere")}</button>
                </form>
            </details>
        }
    });
    view! {
        {looks}
        {apart}
        {name}
        {menu}
    }
}

/// How the page gets changes, how old its data is, and the button that pauses it.
pub(crate) fn connection_status(state: PageState) -> impl IntoView + use<> {
    let connection = state.connection.get();
    let blind = state.banner.with(|head| head.blind);
    let words = state.words();
    let (key, moment) = match blind {
        Some(since) => ("news.blind", since),
        None => ("news.as-of", state.as_of.get()),
    };
    let moment = utc(moment);
    let as_of = format!(" · {}", words.say(key, &[("moment", Arg::Text(moment.clone()))]));
    let refusal = [("detail", Arg::Text(state.error_detail().get()))];
    // As the document's head has it: a form that is filled in is not emptied.
    let asked = state.route.with(|route| route.dialog.is_form());
    let reloads = words.label(if asked { "news.waits" } else { "news.reloads" });
    let (dot, switched, key) = match (connection, blind) {
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
    let switch = move |_| state.connection.set(switched);
    view! {
        <span class=dot aria-hidden="true"></span>
        // The watchdog compares the moment with the text.
        <span class="muted" data-testid="connection" data-moment=moment>
            <span class="with-scripts">{words.say(connection.key(), &refusal)}</span>
            <span class="without-scripts">{reloads}</span>
            {as_of}
        </span>
        {reload}
        <button type="button" class="script-only" id="pause" on:click=switch>{words.label(key)}</button>
    }
}

/// `12:00:03 UTC`
fn utc(moment: crate::cluster::Timestamp) -> String {
    format!("{} UTC", moment.clock().trim_end_matches('Z'))
}

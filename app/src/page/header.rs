//! Where one is, how news comes, and the two switches of the page itself.

use leptos::prelude::*;

use super::opener::WHY;
use super::screen::{Connection, Screen};
use crate::api::{Rank, Visitor};

#[component]
pub(super) fn Header(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let admin = screen.visit.with_value(|visit| visit.site.admin_url.clone());
    view! {
        <header class="top">
            <nav aria-label="Breadcrumb">
                // Without an address it is a word, not a link.
                <a href=admin>"Admin"</a> <span class="muted" aria-hidden="true">" / "</span>
                <b aria-current="page">"Cluster Overview"</b>
            </nav>
            <div class="top-right">
                {move || news(screen)}
                <button type="button" class="script-only" id="theme">"Theme"</button>
                {visitor(screen)}
            </div>
        </header>
    }
}

/// Who looks, what they may, and the way out.
fn visitor(screen: Screen) -> impl IntoView + use<> {
    let Visitor { name, rank, leaves } = screen.visit.with_value(|visit| visit.visitor.clone());
    let looks = (rank == Rank::Viewer).then(|| {
        view! {
            <span class="muted" id=WHY>
                "You may look; only an admin may change things."
            </span>
        }
    });
    let doors = (rank == Rank::Admin).then(|| {
        view! {
            <a class="button" href=screen.action("access")>
                "Access"
            </a>
            <a class="button" href=screen.action("audit")>
                "Audit"
            </a>
        }
    });
    let (apart, doors) = if leaves { (None, doors) } else { (doors, None) };
    // Without a way out the name is a word, not a menu.
    let (name, menu) = if leaves { (None, name) } else { (name, None) };
    let name = name.map(|name| view! { <bdi id="visitor">{name}</bdi> });
    let menu = menu.map(|name| {
        view! {
            <details class="menu">
                <summary class="button" id="visitor"><bdi>{name}</bdi></summary>
                <form method="post" action=screen.action("sign-out")>
                    {doors}
                    <button>"Sign out"</button>
                    <button name="everywhere" value="true">"Sign out everywhere"</button>
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

/// How news comes, how old the picture is, and the switch that makes it stand still.
fn news(screen: Screen) -> impl IntoView + use<> {
    let connection = screen.connection.get();
    let blind = screen.head.with(|head| head.blind);
    let state = match blind {
        Some(since) => format!(" · blind since {}", utc(since)),
        None => format!(" · as of {}", utc(screen.pictured.get())),
    };
    // As the document's head has it: a form that is filled in is not emptied.
    let asked = screen.place.with(|place| place.open.asks());
    let reloads = if asked { "Not reloading while a form is open" } else { "Reloads every 30 s" };
    let (dot, switched, word) = match (connection, blind) {
        (Connection::Live | Connection::Polling, None) => ("dot ok", Connection::Paused, "Pause"),
        (Connection::Live | Connection::Polling, Some(_))
        | (Connection::Reconnecting | Connection::Offline, _) => {
            ("dot warning", Connection::Paused, "Pause")
        }
        (Connection::Paused, _) => ("dot unknown", Connection::Polling, "Resume"),
    };
    let outdated = screen.outdated.get().then(|| {
        view! { <a id="reload" href="">"The overview was updated: reload"</a> }
    });
    let switch = move |_| screen.connection.set(switched);
    view! {
        <span class=dot aria-hidden="true"></span>
        <span class="muted" data-testid="connection">
            <span class="with-scripts">{connection.word()}</span>
            <span class="without-scripts">{reloads}</span>
            {state}
        </span>
        {outdated}
        <button type="button" class="script-only" id="pause" on:click=switch>{word}</button>
    }
}

/// `12:00:03 UTC`
fn utc(moment: crate::cluster::Timestamp) -> String {
    format!("{} UTC", moment.clock().trim_end_matches('Z'))
}

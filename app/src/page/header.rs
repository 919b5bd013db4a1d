//! Where one is, how news comes, and the two switches of the page itself.

use leptos::prelude::*;

use super::view::{Connection, Screen};

#[component]
pub(super) fn Header(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let admin = screen.site.with_value(|site| site.admin_url.clone());
    let admin = match admin {
        Some(url) => view! { <a href=url>"Admin"</a> }.into_any(),
        None => view! { <span>"Admin"</span> }.into_any(),
    };
    let state = move || {
        let clock = screen.pictured.get().clock();
        let word = screen.connection.get().word();
        format!("{word} · as of {} UTC", clock.trim_end_matches('Z'))
    };
    let dot = move || match screen.connection.get() {
        Connection::Polling => "dot ok",
        Connection::Paused => "dot unknown",
        Connection::Reconnecting => "dot warning",
    };
    let pause = move |_| {
        screen.connection.update(|connection| {
            *connection = match connection {
                Connection::Paused => Connection::Polling,
                Connection::Polling | Connection::Reconnecting => Connection::Paused,
            };
        });
    };
    let pause_word = move || match screen.connection.get() {
        Connection::Paused => "Resume",
        Connection::Polling | Connection::Reconnecting => "Pause",
    };
    view! {
        <header class="top">
            <nav aria-label="Breadcrumb">
                {admin} <span class="muted" aria-hidden="true">" / "</span>
                <b aria-current="page">"Cluster Overview"</b>
            </nav>
            <div class="top-right">
                <span class=dot aria-hidden="true"></span>
                <span class="muted" data-testid="connection">{state}</span>
                <Show when=move || screen.outdated.get()>
                    <a href="">"The overview was updated: reload"</a>
                </Show>
                <button type="button" class="script-only" on:click=pause>{pause_word}</button>
                <button type="button" class="script-only" id="theme">"Theme"</button>
            </div>
        </header>
    }
}

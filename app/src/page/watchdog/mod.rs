//! What notices that the page's own half in the browser does not run: a script that stands in the document
//! itself, and the sentences that it shows in the header.

use std::sync::LazyLock;

use leptos::prelude::*;

use crate::i18n::Words;
use crate::page::state::PageState;
use crate::protocol::SiteInfo;

/// The script without what only its readers need.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let lines = include_str!("watchdog.js").lines().map(str::trim);
    let code: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    code.join("\n")
});

/// The script; before everything whose failure it should see.
pub(crate) fn script(state: PageState, site: &SiteInfo, nonce: &str) -> impl IntoView + use<> {
    let again = state.route.with_untracked(crate::page::route::Route::address);
    let (files, nonce) = (site.assets.clone(), nonce.to_owned());
    view! { <script nonce=nonce data-files=files data-again=again inner_html=SCRIPT.as_str()></script> }
}

/// What it shows, hidden until then.
pub(crate) fn notice(words: &Words) -> impl IntoView + use<> {
    let keys = [
        "plain.not-live.script",
        "plain.not-live.text",
        "plain.not-live.reloads",
        "plain.not-live.waits",
    ];
    // The script knows them by their numbers.
    let parts = keys.into_iter().zip(1..).map(|(key, part)| {
        let said = format!("{} ", words.label(key));
        view! { <span data-part=part>{said}</span> }
    });
    let mark = format!("{} – ", words.label("plain.not-live"));
    view! {
        <p id="not-live" hidden data-mark=mark>
            {parts.collect_view()}
        </p>
    }
}

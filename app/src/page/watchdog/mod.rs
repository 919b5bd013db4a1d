//! The watchdog: an inline script that notices when the page does not run in the browser, and the notice that
//! it shows.

use std::sync::LazyLock;

use leptos::prelude::*;

use crate::i18n::{Catalog, MessageKey};
use crate::page::state::PageState;
use crate::protocol::SiteInfo;

/// The script without comments and indentation.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let lines = include_str!("watchdog.js").lines().map(str::trim);
    let code: Vec<&str> =
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    code.join("\n")
});

/// It comes before everything whose failure it should notice.
pub(crate) fn script(state: PageState, site: &SiteInfo, nonce: &str) -> impl IntoView + use<> {
    let again = state.route.get_untracked().address();
    let (files, nonce) = (site.assets.clone(), nonce.to_owned());
    view! { <script nonce=nonce data-assets=files data-reload-url=again inner_html=SCRIPT.as_str()></script> }
}

/// Hidden until the script shows it.
pub(crate) fn notice(catalog: &Catalog) -> impl IntoView + use<> {
    let keys = [
        MessageKey::PagesNotLiveScript,
        MessageKey::PagesNotLiveText,
        MessageKey::PagesNotLiveReloads,
        MessageKey::PagesNotLiveReloadPaused,
    ];
    // The script finds them by their number.
    let parts = keys.into_iter().zip(1..).map(|(key, part)| {
        let said = format!("{} ", catalog.text(key));
        view! { <span data-part=part>{said}</span> }
    });
    let mark = format!("{} – ", catalog.text(MessageKey::PagesNotLive));
    view! {
        <p id="not-live" hidden data-title-prefix=mark>
            {parts.collect_view()}
        </p>
    }
}

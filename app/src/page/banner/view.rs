//! The verdict on the cluster, which servers cause it, and the result of the last command.

use leptos::prelude::*;

use crate::i18n::MessageKey;
use crate::page::banner::model::Banner;
use crate::page::state::PageState;
use crate::page::status_style;
use crate::page::ui::link;

#[component]
pub(crate) fn VerdictBanner(state: PageState) -> impl IntoView {
    move || state.banner.with(|banner| verdict(state, banner))
}

fn verdict(state: PageState, banner: &Banner) -> impl IntoView + use<> {
    let done = banner.done.clone().map(|done| {
        view! {
            <p class="done card" data-testid="done">
                <span>{done}</span>
                {link("dismiss", "", state.address(""), state.catalog().text(MessageKey::ActionDismiss))}
            </p>
        }
    });
    view! {
        {done}
        <section class="verdict" aria-labelledby="verdict">
            <div class="verdict-icon">{status_style::icon_alone(status_style::health(banner.health), state.catalog())}</div>
            <div>
                <h1 id="verdict" data-testid="verdict">{banner.headline.clone()}</h1>
                <p class="muted">{banner.detail.clone()}</p>
                {link("to-hints", "to-hints", "#troubleshooting".to_owned(), state.catalog().text(MessageKey::ActionShowHints))}
            </div>
        </section>
    }
}

/// The only live region: it announces a new verdict and the result of a command. It starts empty, because a
/// screen reader reads the heading anyway.
#[component]
pub(crate) fn LiveRegion(state: PageState) -> impl IntoView {
    view! { <p class="visually-hidden" role="status">{state.announcement()}</p> }
}

/// The tab's title is the verdict, so that it can be read from another tab.
pub(crate) fn title(headline: &str) -> String {
    format!("{headline} – Cluster Overview")
}

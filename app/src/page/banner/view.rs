//! The first sentence: how the cluster is, who is wrong and why; and what came of the last action.

use leptos::prelude::*;

use crate::page::model::Banner;
use crate::page::state::PageState;
use crate::page::status_style;
use crate::page::ui::link;

#[component]
pub(crate) fn VerdictBanner(state: PageState) -> impl IntoView {
    move || state.banner.with(|head| banner(state, head))
}

fn banner(state: PageState, head: &Banner) -> impl IntoView + use<> {
    let done = head.done.clone().map(|done| {
        view! {
            <p class="done card" data-testid="done">
                <span>{done}</span>
                {link("dismiss", "", state.address(""), state.words().label("page.dismiss"))}
            </p>
        }
    });
    view! {
        {done}
        <section class="verdict" aria-labelledby="verdict">
            <div class="verdict-icon">{status_style::icon_alone(status_style::health(head.health), state.words())}</div>
            <div>
                <h1 id="verdict" data-testid="verdict">{head.headline.clone()}</h1>
                <p class="muted">{head.detail.clone()}</p>
                {link("jump", "jump", "#troubleshooting".to_owned(), state.words().label("page.to-hints"))}
            </div>
        </section>
    }
}

/// The only live region: it announces a changed verdict and what a command did. Empty at first: a
/// reader meets the heading itself.
#[component]
pub(crate) fn LiveRegion(state: PageState) -> impl IntoView {
    view! { <p class="spoken" role="status">{state.announcement()}</p> }
}

/// The tab says how the cluster is, even behind other tabs.
pub(crate) fn title(headline: &str) -> String {
    format!("{headline} – Cluster Overview")
}

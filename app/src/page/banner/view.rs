//! The verdict on the cluster, which servers cause it, and the result of the last command.

use leptos::prelude::*;
use maud::html;

use crate::i18n::MessageKey;
use crate::page::banner::model::Banner;
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::link;

#[component]
pub(crate) fn VerdictBanner(state: PageState) -> impl IntoView {
    move || verdict(state, &state.model(Part::Banner).banner)
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
    let icon = status_style::icon_alone(status_style::health(banner.health), state.catalog());
    let problems = html! {
        (banner.note)
        @for (place, problem) in banner.problems.iter().enumerate() {
            @if place > 0 { " · " }
            a id={"problem-" (place)} href=(problem.address) { (problem.text) }
        }
    };
    view! {
        {done}
        <section class="verdict" aria-labelledby="verdict">
            <div class="verdict-icon" inner_html=icon.into_string()></div>
            <div>
                <h1 id="verdict" data-testid="verdict">{banner.headline.clone()}</h1>
                <p class="muted" data-testid="problems" inner_html=problems.into_string()></p>
                {link("to-hints", "to-hints", "#troubleshooting".to_owned(), state.catalog().text(MessageKey::ActionShowHints))}
            </div>
        </section>
    }
}

/// The only live region: it announces a new verdict and the result of a command. It starts empty, because a
/// screen reader reads the heading anyway.
#[component]
pub(crate) fn LiveRegion(state: PageState) -> impl IntoView {
    view! { <p class="visually-hidden" role="status">{state.shared().announcement}</p> }
}

/// The tab's title is the verdict, so that it can be read from another tab.
pub(crate) fn title(headline: &str) -> String {
    format!("{headline} – Cluster Overview")
}

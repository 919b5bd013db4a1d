//! The verdict on the cluster, which servers cause it, and the result of the last command.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::i18n::MessageKey;
use crate::page::banner::model::Banner;
use crate::page::live_html::live_html;
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::link;

#[component]
pub(crate) fn VerdictBanner(state: PageState) -> impl IntoView {
    live_html(Box::new(move || verdict(state, &state.model(Part::Banner).banner)))
}

fn verdict(state: PageState, banner: &Banner) -> Markup {
    let catalog = state.catalog();
    let icon = status_style::icon_alone(status_style::health(banner.health), catalog);
    html! {
        @if let Some(said) = banner.done.as_ref().or(banner.error.as_ref()) {
            p.done.card data-key="done" data-testid="done" role=[banner.error.as_ref().map(|_| "alert")] {
                span class=[banner.error.as_ref().map(|_| "error-text")] { (said) }
                (link("dismiss", "", &state.address(""), catalog.text(MessageKey::ActionDismiss)))
            }
        }
        section.verdict aria-labelledby="verdict" {
            .verdict-icon { (icon) }
            div {
                h1 #verdict data-testid="verdict" { (banner.headline) }
                p.muted data-testid="problems" {
                    (banner.note)
                    @for (place, problem) in banner.problems.iter().enumerate() {
                        @if place > 0 { " · " }
                        a id={"problem-" (place)} href=(problem.address) { (problem.text) }
                    }
                }
                (link("to-hints", "to-hints", "#troubleshooting", catalog.text(MessageKey::ActionShowHints)))
            }
        }
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

//! The first sentence: how the cluster is, who is wrong and why.

use leptos::prelude::*;

use super::look;
use super::view::Screen;

#[component]
pub(super) fn VerdictBanner(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let headline = Memo::new(move |_| screen.head.with(|head| head.headline.clone()));
    let health = Memo::new(move |_| screen.head.with(|head| head.health));
    let detail = Memo::new(move |_| screen.head.with(|head| head.detail.clone()));
    view! {
        <section class="verdict" aria-labelledby="verdict">
            <div class="verdict-icon">{move || look::icon_alone(look::health(health.get()))}</div>
            <div>
                <h1 id="verdict" data-testid="verdict">{headline}</h1>
                <p class="muted">{detail}</p>
                <a class="jump" href="#troubleshooting">"What to do"</a>
            </div>
            <p class="spoken" role="status">{headline}</p>
        </section>
    }
}

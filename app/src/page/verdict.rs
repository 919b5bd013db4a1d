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
    // Empty at first: a reader meets the heading itself; only a change is spoken.
    let spoken = RwSignal::new(String::new());
    Effect::new(move |before: Option<String>| {
        let now = headline.get();
        if before.is_some_and(|before| before != now) {
            spoken.set(now.clone());
        }
        now
    });
    view! {
        <section class="verdict" aria-labelledby="verdict">
            <div class="verdict-icon">{move || look::icon_alone(look::health(health.get()))}</div>
            <div>
                <h1 id="verdict" data-testid="verdict">{headline}</h1>
                <p class="muted">{detail}</p>
                <a class="jump" href="#troubleshooting">"Go to troubleshooting"</a>
            </div>
            <p class="spoken" role="status">{spoken}</p>
        </section>
    }
}

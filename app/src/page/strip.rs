//! The cluster's configuration in one strip: label over value.

use leptos::prelude::*;

use super::view::Screen;

#[component]
pub(super) fn Strip(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let facts = move || {
        let facts = screen.facts.get().into_iter();
        facts
            .map(|fact| {
                let detail = (!fact.detail.is_empty())
                    .then(|| view! { <span class="muted">" · "{fact.detail}</span> });
                view! {
                    <div>
                        <dt>{fact.label}</dt>
                        <dd><b>{fact.value}</b>{detail}</dd>
                    </div>
                }
            })
            .collect_view()
    };
    view! {
        <section class="card strip" aria-label="Cluster configuration">
            <dl>{facts}</dl>
        </section>
    }
}

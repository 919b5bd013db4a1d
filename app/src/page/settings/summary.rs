//! The cluster's configuration in one strip: label over value, and the way to change it.

use leptos::prelude::*;

use crate::page::model::Fact;
use crate::page::permitted_link::opener;
use crate::page::route::{Open, written};
use crate::page::settings::view::configure;
use crate::page::state::Screen;

#[component]
pub(crate) fn Strip(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let facts = move || screen.facts.with(|facts| facts.iter().map(fact).collect::<Vec<_>>());
    let form = move || screen.form.with(|form| form.as_ref().map(|form| configure(screen, form)));
    view! {
        <section class="card strip" aria-label=screen.words().label("page.configuration")>
            <div class="strip-line">
                <dl>{facts}</dl>
                {move || switch(screen)}
            </div>
            {form}
        </section>
    }
}

fn fact(fact: &Fact) -> impl IntoView + use<> {
    let detail = (!fact.detail.is_empty())
        .then(|| view! { <span class="muted">" · "{fact.detail.clone()}</span> });
    view! {
        <div>
            <dt>{fact.label}</dt>
            <dd><b>{fact.value.clone()}</b>{detail}</dd>
        </div>
    }
}

/// Opens the form, and closes it.
fn switch(screen: Screen) -> impl IntoView + use<> {
    let open = screen.form.with(Option::is_some);
    let opens = if open { String::new() } else { written(Open::Configuration(None).pairs()) };
    let (class, expanded) = if open { ("button pressed", "true") } else { ("button", "false") };
    // A viewer's form opens as little as it closes.
    let expanded = (!screen.only_looks()).then_some(expanded);
    opener(
        screen,
        "configure".to_owned(),
        class,
        opens,
        screen.words().label("page.configure").to_owned(),
    )
    .attr("aria-expanded", expanded)
}

//! The cluster's configuration in one strip: label over value, and the way to change it.

use leptos::prelude::*;

use crate::page::route::dialog::Dialog;
use crate::page::model::SummaryItem;
use crate::page::route::query::to_query;
use crate::page::settings::view::configure;
use crate::page::state::PageState;
use crate::page::ui::permitted_link;

#[component]
pub(crate) fn Strip(state: PageState) -> impl IntoView {
    let facts = move || state.summary.with(|facts| facts.iter().map(fact).collect::<Vec<_>>());
    let form = move || state.form.with(|form| form.as_ref().map(|form| configure(state, form)));
    view! {
        <section class="card strip" aria-label=state.words().label("page.configuration")>
            <div class="strip-line">
                <dl>{facts}</dl>
                {move || switch(state)}
            </div>
            {form}
        </section>
    }
}

fn fact(fact: &SummaryItem) -> impl IntoView + use<> {
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
fn switch(state: PageState) -> impl IntoView + use<> {
    let dialog = state.form.with(Option::is_some);
    let opens = if dialog { String::new() } else { to_query(Dialog::Settings(None).pairs()) };
    let (class, expanded) = if dialog { ("button pressed", "true") } else { ("button", "false") };
    // A viewer's form opens as little as it closes.
    let expanded = (!state.is_read_only()).then_some(expanded);
    permitted_link(
        state,
        "configure".to_owned(),
        class,
        opens,
        state.words().label("page.configure").to_owned(),
    )
    .attr("aria-expanded", expanded)
}

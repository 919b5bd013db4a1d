//! What stands above the servers: filters with true counts, the search, and the orders.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;

use crate::i18n::{self, Words};
use crate::page::route::Sort;
use crate::page::servers::columns::COLUMNS;
use crate::page::servers::list::{Filter, Pager, SortOption, Toolbar};
use crate::page::state::PageState;
use crate::page::ui::{hidden_fields, link};

#[component]
pub(crate) fn Filters(state: PageState) -> impl IntoView {
    move || state.toolbar.with(|tools| filters(state, tools))
}

fn filters(state: PageState, tools: &Toolbar) -> impl IntoView + use<> {
    let chips: Vec<_> = tools.chips.iter().map(filter).collect();
    let trouble = tools.orders.iter().find(|order| order.sort == Sort::Trouble);
    let trouble = trouble.map(|trouble| order(trouble, state.words()));
    // With scripts the list follows each letter; the form is for browsers without.
    let typing = move |event: Event| {
        let typed = event_target_value(&event);
        state.route.update(|route| {
            route.list.search = typed;
            route.list.page = 0;
        });
    };
    view! {
        <div class="filters">
            <nav class="chips" aria-label=state.words().label("list.filter")>{chips}</nav>
            {trouble}
            <form
                role="search"
                class="search"
                method="get"
                on:submit=|event: SubmitEvent| event.prevent_default()
            >
                {hidden_fields(tools.hidden_params.clone())}
                <input
                    type="search"
                    id="search"
                    name="q"
                    value=tools.search.clone()
                    prop:value=tools.search.clone()
                    placeholder=state.words().label("list.search.what")
                    aria-label=state.words().label("list.search.label")
                    autocomplete="off"
                    on:input=typing
                />
                <button type="submit" class="script-less">{state.words().label("list.search")}</button>
            </form>
        </div>
    }
}

fn filter(chip: &Filter) -> impl IntoView + use<> {
    let current = chip.current.then_some("true");
    view! {
        <a class="chip" id=format!("chip-{}", chip.name) aria-current=current href=chip.address.clone()>
            {chip.word}" "<b>{i18n::number(chip.count)}</b>
        </a>
    }
}

/// The link that orders the servers so; again, the other way round.
fn order(order: &SortOption, words: &Words) -> impl IntoView + use<> {
    let arrow = match order.direction {
        None => "",
        Some("descending") => " ↑",
        Some(_) => " ↓",
    };
    let current = order.direction.map(|_| "true");
    let id = format!("sort-{}", order.sort.as_str());
    view! {
        <a class="order" id=id href=order.address.clone() aria-current=current>
            {words.label(order.sort.key())}<span aria-hidden="true">{arrow}</span>
        </a>
    }
}

/// The heads of the columns: those one can order by are links.
#[component]
pub(crate) fn HeaderRow(state: PageState) -> impl IntoView {
    let heads = move || {
        state.toolbar.with(|tools| {
            let heads = std::iter::once(("column.server", Some(Sort::Name)))
                .chain(COLUMNS.iter().map(|column| (column.key, column.sort)));
            heads.map(|(key, sort)| head(state, tools, key, sort)).collect::<Vec<_>>()
        })
    };
    view! {
        <div role="rowgroup" class="heads">
            <div role="row" class="line" data-order=state.words().label("list.order")>
                {heads}
            </div>
        </div>
    }
}

fn head(
    state: PageState,
    tools: &Toolbar,
    key: &'static str,
    sort: Option<Sort>,
) -> impl IntoView + use<> {
    let of = sort.and_then(|sort| tools.orders.iter().find(|order| order.sort == sort));
    let plain = of.is_none().then(|| state.words().label(key));
    view! {
        <span role="columnheader" aria-sort=of.and_then(|of| of.direction)>
            {of.map(|of| order(of, state.words()))}{plain}
        </span>
    }
}

/// Below the servers: why there are none, or the way to the others.
#[component]
pub(crate) fn ListFooter(state: PageState) -> impl IntoView {
    move || {
        state.toolbar.with(|tools| {
            let nothing = tools.nothing.clone().map(|why| {
                let everything = tools.everything.clone();
                view! {
                    <p class="nothing muted">
                        {why}" "{link("everything", "", everything, state.words().label("list.everything"))}
                    </p>
                }
            });
            view! {
                {nothing}
                {tools.pager.as_ref().map(|pager| pages(pager, state.words()))}
            }
        })
    }
}

fn pages(pager: &Pager, words: &Words) -> impl IntoView + use<> {
    let turn = |id: &'static str, to: &Option<String>, word: &'static str| {
        to.clone().map(|to| link(id, "button", to, word))
    };
    view! {
        <nav class="pager" aria-label=words.label("list.pages.label")>
            {turn("page-before", &pager.before, words.label("list.before"))}
            <span class="muted">{pager.place.clone()}</span>
            {turn("page-after", &pager.after, words.label("list.after"))}
        </nav>
    }
}

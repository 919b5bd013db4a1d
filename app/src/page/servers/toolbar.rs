//! The toolbar: filters, sort order and search; and the header row of the table and the pager.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;

use crate::i18n::{self, Catalog, MessageKey};
use crate::page::route::Sort;
use crate::page::servers::columns::{COLUMNS, PULSE};
use crate::page::servers::list::{Filter, Pager, SortOption, Toolbar};
use crate::page::state::PageState;
use crate::page::ui::{hidden_fields, link};

#[component]
pub(crate) fn ToolbarView(state: PageState) -> impl IntoView {
    move || state.toolbar.with(|toolbar| toolbar_view(state, toolbar))
}

fn toolbar_view(state: PageState, toolbar: &Toolbar) -> impl IntoView + use<> {
    let filters: Vec<_> = toolbar.filters.iter().map(filter_link).collect();
    let problems_first = toolbar.sort_options.iter().find(|option| option.sort == Sort::Trouble);
    let problems_first =
        problems_first.map(|problems_first| sort_link(problems_first, state.catalog()));
    // In a hydrated page the list follows each key; the form is for browsers without scripts.
    let update_search = move |event: Event| {
        let typed = event_target_value(&event);
        state.route.update(|route| {
            route.list.search = typed;
            route.list.page = 0;
        });
    };
    view! {
        <div class="toolbar">
            <nav class="filter-list" aria-label=state.catalog().text(MessageKey::ListFilter)>{filters}</nav>
            {problems_first}
            <form
                role="search"
                class="search"
                method="get"
                on:submit=|event: SubmitEvent| event.prevent_default()
            >
                {hidden_fields(toolbar.hidden_params.clone())}
                <input
                    type="search"
                    id="search"
                    name="q"
                    value=toolbar.search.clone()
                    prop:value=toolbar.search.clone()
                    placeholder=state.catalog().text(MessageKey::ListSearchPlaceholder)
                    aria-label=state.catalog().text(MessageKey::ListSearchLabel)
                    autocomplete="off"
                    on:input=update_search
                />
                <button type="submit" class="unless-hydrated">{state.catalog().text(MessageKey::ListSearch)}</button>
            </form>
        </div>
    }
}

fn filter_link(filter: &Filter) -> impl IntoView + use<> {
    let current = filter.current.then_some("true");
    view! {
        <a class="filter" id=format!("filter-{}", filter.name) aria-current=current href=filter.address.clone()>
            {filter.label}" "<b>{i18n::number(filter.count)}</b>
        </a>
    }
}

/// A second click reverses the order.
fn sort_link(option: &SortOption, catalog: &Catalog) -> impl IntoView + use<> {
    let arrow = match option.direction {
        None => "",
        Some("descending") => " ↑",
        Some(_) => " ↓",
    };
    let current = option.direction.map(|_| "true");
    let id = format!("sort-{}", option.sort.as_str());
    view! {
        <a class="sort-link" id=id href=option.address.clone() aria-current=current>
            {catalog.text(option.sort.message())}<span aria-hidden="true">{arrow}</span>
        </a>
    }
}

/// The headings of the columns; those that can be sorted by are links.
#[component]
pub(crate) fn HeaderRow(state: PageState) -> impl IntoView {
    let headers = move || {
        state.toolbar.with(|toolbar| {
            let columns = std::iter::once(&PULSE).chain(&COLUMNS);
            std::iter::once(("server-name", MessageKey::ColumnServer, Some(Sort::Name)))
                .chain(columns.map(|column| (column.name, column.heading, column.sort)))
                .chain([("facts", MessageKey::ColumnFacts, None)])
                .map(|(name, heading, sort)| column_header(state, toolbar, name, heading, sort))
                .collect::<Vec<_>>()
        })
    };
    view! {
        <div role="rowgroup" class="table-header">
            <div role="row" class="table-row" data-sort-label=state.catalog().text(MessageKey::ListSortBy)>
                {headers}
            </div>
        </div>
    }
}

fn column_header(
    state: PageState,
    toolbar: &Toolbar,
    name: &'static str,
    heading: MessageKey,
    sort: Option<Sort>,
) -> impl IntoView + use<> {
    let option =
        sort.and_then(|sort| toolbar.sort_options.iter().find(|option| option.sort == sort));
    let plain_text = option.is_none().then(|| state.catalog().text(heading));
    view! {
        <span role="columnheader" class=name aria-sort=option.and_then(|option| option.direction)>
            {option.map(|option| sort_link(option, state.catalog()))}{plain_text}
        </span>
    }
}

/// The pager, or why no server is shown.
#[component]
pub(crate) fn ListFooter(state: PageState) -> impl IntoView {
    move || {
        state.toolbar.with(|toolbar| {
            let empty_text = toolbar.empty_text.clone().map(|why| {
                let clear_address = toolbar.clear_address.clone();
                view! {
                    <p class="empty-text muted">
                        {why}" "{link("clear-filters", "", clear_address, state.catalog().text(MessageKey::ListClearFilters))}
                    </p>
                }
            });
            view! {
                {empty_text}
                {toolbar.pager.as_ref().map(|pager| pager_view(pager, state.catalog()))}
            }
        })
    }
}

fn pager_view(pager: &Pager, catalog: &Catalog) -> impl IntoView + use<> {
    let page_link = |id: &'static str, to: &Option<String>, word: &'static str| {
        to.clone().map(|to| link(id, "button", to, word))
    };
    view! {
        <nav class="pager" aria-label=catalog.text(MessageKey::ListPagesLabel)>
            {page_link("previous-page", &pager.previous, catalog.text(MessageKey::ListPrevious))}
            <span class="muted">{pager.range.clone()}</span>
            {page_link("next-page", &pager.next, catalog.text(MessageKey::ListNext))}
        </nav>
    }
}

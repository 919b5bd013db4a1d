//! The toolbar: filters, sort order and search; and the header row of the table and the pager.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;
use maud::{Markup, html};

use crate::i18n::{self, Catalog, MessageKey};
use crate::page::route::Sort;
use crate::page::servers::columns::{COLUMNS, PULSE};
use crate::page::servers::list::{Filter, Pager, SortOption, Toolbar};
use crate::page::state::{PageState, Part};
use crate::page::ui::{hidden_fields, link};

#[component]
pub(crate) fn ToolbarView(state: PageState) -> impl IntoView {
    move || toolbar_view(state, &state.model(Part::Toolbar).toolbar)
}

fn toolbar_view(state: PageState, toolbar: &Toolbar) -> impl IntoView + use<> {
    let filters = html! {
        @for filter in toolbar.filters.iter().chain(&toolbar.facets) { (filter_link(filter)) " " }
    };
    let problems_first = toolbar.sort_options.iter().find(|option| option.sort == Sort::Trouble);
    let problems_first = html! {
        @if let Some(option) = problems_first { (sort_link(option, state.catalog())) }
        @if !toolbar.group_options.is_empty() {
            span.groups {
                (state.catalog().text(MessageKey::ListGroupBy))
                @for option in &toolbar.group_options {
                    " · "
                    a.sort-link id={"group-" (option.name)} href=(option.address) aria-current=[option.current.then_some("true")] {
                        (option.label)
                    }
                }
            }
        }
    };
    // In a hydrated page the list follows each key; the form is for browsers without scripts.
    let update_search = move |event: Event| {
        let typed = event_target_value(&event);
        state.route.update(|route| {
            route.list = route.list.searched(typed);
        });
    };
    view! {
        <div class="toolbar">
            <nav class="filter-list" aria-label=state.catalog().text(MessageKey::ListFilter) inner_html=filters.into_string()></nav>
            <span inner_html=problems_first.into_string()></span>
            <form
                role="search"
                class="search"
                method="get"
                on:submit=|event: SubmitEvent| event.prevent_default()
            >
                {hidden_fields(&toolbar.hidden_params)}
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

fn filter_link(filter: &Filter) -> Markup {
    html! {
        a.filter id={"filter-" (filter.name)} aria-current=[filter.current.then_some("true")] href=(filter.address) {
            (filter.label) " " b { (i18n::number(filter.count)) }
        }
    }
}

/// A second click reverses the order.
fn sort_link(option: &SortOption, catalog: &Catalog) -> Markup {
    let arrow = match option.direction {
        None => "",
        Some("descending") => " ↑",
        Some(_) => " ↓",
    };
    html! {
        a.sort-link id={"sort-" (option.sort.as_str())} href=(option.address) aria-current=[option.direction.map(|_| "true")] {
            (catalog.text(option.sort.message())) span aria-hidden="true" { (arrow) }
        }
    }
}

/// The headings of the columns; those that can be sorted by are links.
#[component]
pub(crate) fn HeaderRow(state: PageState) -> impl IntoView {
    let headers = move || {
        let toolbar = &state.model(Part::Toolbar).toolbar;
        let columns = std::iter::once(&PULSE).chain(&COLUMNS);
        let columns = std::iter::once(("server-name", MessageKey::ColumnServer, Some(Sort::Name)))
            .chain(columns.map(|column| (column.name, column.heading, column.sort)))
            .chain([("facts", MessageKey::ColumnFacts, None)]);
        let html = html! {
            @for (name, heading, sort) in columns {
                (column_header(state, toolbar, name, heading, sort))
            }
        };
        html.into_string()
    };
    view! {
        <div role="rowgroup" class="table-header">
            <div role="row" class="table-row" data-sort-label=state.catalog().text(MessageKey::ListSortBy) inner_html=headers></div>
        </div>
    }
}

fn column_header(
    state: PageState,
    toolbar: &Toolbar,
    name: &'static str,
    heading: MessageKey,
    sort: Option<Sort>,
) -> Markup {
    let option =
        sort.and_then(|sort| toolbar.sort_options.iter().find(|option| option.sort == sort));
    html! {
        span role="columnheader" class=(name) aria-sort=[option.and_then(|option| option.direction)] {
            @if let Some(option) = option { (sort_link(option, state.catalog())) }
            @else { (state.catalog().text(heading)) }
        }
    }
}

/// The pager, or why no server is shown.
#[component]
pub(crate) fn ListFooter(state: PageState) -> impl IntoView {
    move || {
        let toolbar = &state.model(Part::Toolbar).toolbar;
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
    }
}

fn pager_view(pager: &Pager, catalog: &Catalog) -> impl IntoView + use<> {
    let page_link = |id: &'static str, to: &Option<String>, key: MessageKey| {
        to.clone().map(|to| link(id, "button", to, catalog.text(key)))
    };
    let other_extent = pager.other_extent.clone();
    let other_extent =
        other_extent.map(|(to, key)| link("other-extent", "", to, catalog.text(key)));
    view! {
        <nav class="pager" aria-label=catalog.text(MessageKey::ListPagesLabel)>
            {page_link("previous-page", &pager.previous, MessageKey::ListPrevious)}
            <span class="muted">{pager.range.clone()}</span>
            {page_link("next-page", &pager.next, MessageKey::ListNext)}
            {other_extent}
        </nav>
    }
}

//! The toolbar: filters, sort order and search; and the header row of the table and the pager.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::i18n::{self, Catalog, MessageKey};
use crate::page::live_html::live_html;
use crate::page::route::Sort;
use crate::page::servers::columns::{COLUMNS, PULSE};
use crate::page::servers::list::{Filter, Pager, SortOption, Toolbar};
use crate::page::state::{PageState, Part};
use crate::page::ui::{hidden_fields, link};

#[component]
pub(crate) fn ToolbarView(state: PageState) -> impl IntoView {
    live_html(Box::new(move || toolbar_html(state.catalog(), &state.model(Part::Toolbar).toolbar)))
}

fn toolbar_html(catalog: &Catalog, toolbar: &Toolbar) -> Markup {
    let problems_first = toolbar.sort_options.iter().find(|option| option.sort == Sort::Trouble);
    html! {
        .toolbar {
            nav.filter-list aria-label=(catalog.text(MessageKey::ListFilter)) {
                @for filter in toolbar.filters.iter().chain(&toolbar.facets) { (filter_link(filter)) " " }
            }
            span {
                @if let Some(option) = problems_first { (sort_link(option, catalog)) }
                @if !toolbar.group_options.is_empty() {
                    span.groups {
                        (catalog.text(MessageKey::ListGroupBy))
                        @for option in &toolbar.group_options {
                            " · "
                            a.sort-link id={"group-" (option.name)} href=(option.address) aria-current=[option.current.then_some("true")] {
                                (option.label)
                            }
                        }
                    }
                }
            }
            form.search #search-form role="search" method="get" {
                (hidden_fields(&toolbar.hidden_params))
                input #search type="search" name="q" value=(toolbar.search) autocomplete="off"
                    placeholder=(catalog.text(MessageKey::ListSearchPlaceholder))
                    aria-label=(catalog.text(MessageKey::ListSearchLabel));
                button.unless-hydrated type="submit" { (catalog.text(MessageKey::ListSearch)) }
            }
        }
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
    live_html(Box::new(move || header_row(state.catalog(), &state.model(Part::Toolbar).toolbar)))
}

fn header_row(catalog: &Catalog, toolbar: &Toolbar) -> Markup {
    let columns = std::iter::once(&PULSE).chain(&COLUMNS);
    let columns = std::iter::once(("server-name", MessageKey::ColumnServer, Some(Sort::Name)))
        .chain(columns.map(|column| (column.name, column.heading, column.sort)))
        .chain([("facts", MessageKey::ColumnFacts, None)]);
    html! {
        .table-header role="rowgroup" {
            .table-row role="row" data-sort-label=(catalog.text(MessageKey::ListSortBy)) {
                @for (name, heading, sort) in columns { (column_header(catalog, toolbar, name, heading, sort)) }
            }
        }
    }
}

fn column_header(
    catalog: &Catalog,
    toolbar: &Toolbar,
    name: &str,
    heading: MessageKey,
    sort: Option<Sort>,
) -> Markup {
    let option =
        sort.and_then(|sort| toolbar.sort_options.iter().find(|option| option.sort == sort));
    html! {
        span role="columnheader" class=(name) aria-sort=[option.and_then(|option| option.direction)] {
            @if let Some(option) = option { (sort_link(option, catalog)) }
            @else { (catalog.text(heading)) }
        }
    }
}

/// The pager, or why no server is shown.
#[component]
pub(crate) fn ListFooter(state: PageState) -> impl IntoView {
    let footer = move || {
        let toolbar = &state.model(Part::Toolbar).toolbar;
        let catalog = state.catalog();
        html! {
            @if let Some(why) = &toolbar.empty_text {
                p.empty-text.muted {
                    (why) " "
                    (link("clear-filters", "", &toolbar.clear_address, catalog.text(MessageKey::ListClearFilters)))
                }
            }
            @if let Some(pager) = &toolbar.pager { (pager_html(pager, catalog)) }
        }
    };
    live_html(Box::new(footer))
}

fn pager_html(pager: &Pager, catalog: &Catalog) -> Markup {
    let page_link = |id: &str, to: &Option<String>, key: MessageKey| {
        html! {
            @if let Some(to) = to { (link(id, "button", to, catalog.text(key))) }
        }
    };
    html! {
        nav.pager aria-label=(catalog.text(MessageKey::ListPagesLabel)) {
            (page_link("previous-page", &pager.previous, MessageKey::ListPrevious))
            span.muted { (pager.range) }
            (page_link("next-page", &pager.next, MessageKey::ListNext))
            @if let Some((to, key)) = &pager.other_extent { (link("other-extent", "", to, catalog.text(*key))) }
        }
    }
}

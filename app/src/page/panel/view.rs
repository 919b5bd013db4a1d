//! The side panel: the details of a server, or the confirmation of a command.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::ServerName;
use crate::i18n::{self, Catalog, HintText, MessageKey};
use crate::page::hints::model::DialogLink;
use crate::page::hints::view::instructions;
use crate::page::live_html::live_html;
use crate::page::panel::model::{Advice, Confirmation, Item, Panel, Section, TypedConfirmation};
use crate::page::route::query::to_query;
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::{copy_button, hidden_fields, link, permitted_link, time_since};

#[component]
pub(crate) fn SidePanel(state: PageState) -> impl IntoView {
    live_html(Box::new(move || {
        let model = state.model(Part::Panel);
        html! { @if let Some(panel) = &model.panel { (panel_html(state, panel)) } }
    }))
}

fn panel_html(state: PageState, panel: &Panel) -> Markup {
    let catalog = state.catalog();
    let is_read_only = state.is_read_only();
    html! {
        aside.panel role="dialog" aria-labelledby="panel-title" {
            .panel-header {
                @if let Some(style) = panel.style { (status_style::icon_alone(style, catalog)) }
                h2 #panel-title tabindex="-1" { bdi { (panel.title) } }
                (link("close", "button", &state.address(""), catalog.text(MessageKey::ActionClose)))
            }
            @for text in &panel.paragraphs { p { (text) } }
            @for advice in &panel.advice { (advice_html(advice, catalog)) }
            .sections data-key="sections" { @for section in &panel.sections { (section_html(state, section)) } }
            @if let Some(server) = &panel.history_of { (history_html(state, server)) }
            @if let Some(error) = &panel.error { p.error-text { (error) } }
            @match &panel.confirmation {
                Some(confirmation) if !is_read_only => (confirmation_form(state, confirmation)),
                // The address of a question may come from an admin.
                Some(question) if question.is_destructive => p.muted { (catalog.text(MessageKey::HeaderReadOnly)) },
                _ => {},
            }
            .buttons { @for action in &panel.actions { (dialog_link(state, action)) } }
        }
    }
}

/// The last day and the last events of a server, which `page.js` fetches, and the way to its whole history.
fn history_html(state: PageState, server: &ServerName) -> Markup {
    let base = &state.shared().page_context.site.base;
    let own = [("server", server.to_string())].into_iter();
    let query = to_query(own.chain(state.route.get_untracked().appearance.pairs()));
    html! {
        section.recent data-key={ "history-" (server) } {
            h3 { a href={ (base) "/history?" (query) } { (state.catalog().text(MessageKey::DetailsHistory)) } }
            div data-src={ (base) "/history/recent?" (query) } {}
        }
    }
}

/// The same words as in the list of all hints, so that nobody has to look for them there.
fn advice_html(advice: &Advice, catalog: &Catalog) -> Markup {
    let HintText { title, evidence, steps, avoid } = &advice.text;
    html! {
        .advice data-key=(title) {
            (status_style::icon_alone(advice.style, catalog))
            div {
                b { (title) }
                p.muted { (evidence) }
                (instructions(steps, avoid.as_deref(), catalog))
            }
        }
    }
}

fn section_html(state: PageState, section: &Section) -> Markup {
    html! {
        section {
            h3 { (section.heading) }
            dl { @for item in &section.items { (item_html(state, item)) } }
            @if !section.more.is_empty() {
                details {
                    summary.muted { (state.catalog().text(MessageKey::DetailsMore)) }
                    dl { @for item in &section.more { (item_html(state, item)) } }
                }
            }
            @if let Some(action) = &section.action { (dialog_link(state, action)) }
        }
    }
}

fn item_html(state: PageState, item: &Item) -> Markup {
    let catalog = state.catalog();
    let separator = if item.text.is_empty() { "" } else { " · " };
    html! {
        div {
            dt { (item.label) }
            dd {
                @if let Some(style) = item.style { (status_style::icon(style)) }
                (item.text)
                @if let Some(text) = &item.copy { " " (copy_button(catalog, item.label, text)) }
                @if let Some(then) = item.moment {
                    span.muted { (separator) (time_since(catalog, state.tick.get(), then)) }
                    small.muted title=(then.date_and_clock()) { (i18n::recent(then, state.tick.get())) }
                }
            }
        }
    }
}

fn confirmation_form(state: PageState, confirmation: &Confirmation) -> Markup {
    let catalog = state.catalog();
    html! {
        form.buttons #confirmation method="post" action=(state.action_address(confirmation.action)) {
            (hidden_fields(&confirmation.fields))
            @if let Some(TypedConfirmation { label, digits }) = &confirmation.typed {
                label.typed {
                    (label)
                    input #typed type="text" required pattern=(digits) autocomplete="off" spellcheck="false";
                }
            }
            button #confirm type="submit" class=[confirmation.is_destructive.then_some("danger")] { (confirmation.button) }
            @if confirmation.is_destructive {
                (link("cancel", "button", &state.address(""), catalog.text(MessageKey::ActionCancel)))
            }
        }
    }
}

fn dialog_link(state: PageState, action: &DialogLink) -> Markup {
    permitted_link(state, &format!("open-{}", action.query), "button", &action.query, &action.text)
}

//! The side panel: the details of a server, or the confirmation of a command.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use maud::html;

use crate::i18n::{self, MessageKey};
use crate::page::hints::model::DialogLink;
use crate::page::panel::model::{Confirmation, Item, Panel, Section};
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::{copy_button, hidden_fields, link, permitted_link, time_since};

#[component]
pub(crate) fn SidePanel(state: PageState) -> impl IntoView {
    // Rendered again with each update: Leptos keeps the elements and changes only text that differs.
    move || {
        let model = state.model(Part::Panel);
        model.panel.as_ref().map(|panel| panel_view(state, panel))
    }
}

fn panel_view(state: PageState, panel: &Panel) -> impl IntoView + use<> {
    let paragraphs = html! { @for text in &panel.paragraphs { p { (text) } } };
    let sections: Vec<_> =
        panel.sections.iter().map(|section| section_view(state, section)).collect();
    let actions: Vec<_> = panel.actions.iter().map(|action| dialog_link(state, action)).collect();
    let catalog = state.catalog();
    let icon = html! {
        @if let Some(style) = panel.style { (status_style::icon_alone(style, catalog)) }
    };
    let is_read_only = state.is_read_only();
    let confirmation = panel.confirmation.as_ref();
    let form = confirmation.filter(|_| !is_read_only);
    let form = form.map(|confirmation| confirmation_form(state, confirmation));
    // The address of a confirmation may come from an admin.
    let is_question = is_read_only && confirmation.is_some_and(|one| one.is_destructive);
    let read_only = is_question.then(|| catalog.text(MessageKey::HeaderReadOnly));
    view! {
        <aside class="panel" role="dialog" aria-labelledby="panel-title">
            <div class="panel-header">
                <span inner_html=icon.into_string()></span>
                <h2 id="panel-title" tabindex="-1"><bdi>{panel.title.clone()}</bdi></h2>
                {link("close", "button", state.address(""), catalog.text(MessageKey::ActionClose))}
            </div>
            <div inner_html=paragraphs.into_string()></div>
            {sections}
            <p class="error-text">{panel.error.clone()}</p>
            <p class="muted">{read_only}</p>
            {form}
            <div class="buttons">{actions}</div>
        </aside>
    }
}

fn section_view(state: PageState, section: &Section) -> impl IntoView + use<> {
    let items: Vec<_> = section.items.iter().map(|item| item_view(state, item)).collect();
    view! {
        <section>
            <h3>{section.heading}</h3>
            <dl>{items}</dl>
            {section.action.as_ref().map(|action| dialog_link(state, action))}
        </section>
    }
}

fn item_view(state: PageState, item: &Item) -> impl IntoView + use<> {
    let moment = item.moment;
    let separator = if item.text.is_empty() { "" } else { " · " };
    let age = move || {
        moment.map(|then| {
            format!("{separator}{}", time_since(state.catalog(), state.tick.get(), then))
        })
    };
    let date = item.moment.map(|then| view! { <small class="muted">{i18n::date(then)}</small> });
    let value = html! {
        @if let Some(style) = item.style { (status_style::icon(style)) }
        (item.text)
        @if let Some(text) = &item.copy { " " (copy_button(state.catalog(), item.label, text)) }
    };
    view! {
        <div>
            <dt>{item.label}</dt>
            <dd>
                <span inner_html=value.into_string()></span>
                <span class="muted">{age}</span>
                {date}
            </dd>
        </div>
    }
}

fn confirmation_form(state: PageState, confirmation: &Confirmation) -> impl IntoView + use<> {
    let command = confirmation.command.clone();
    let cancel = confirmation.is_destructive.then(|| {
        link("cancel", "button", state.address(""), state.catalog().text(MessageKey::ActionCancel))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        state.pending_command.set(Some(command.clone()));
    };
    view! {
        <form method="post" action=state.action_address(confirmation.action) class="buttons" on:submit=submit>
            {hidden_fields(&confirmation.fields)}
            <button
                type="submit"
                class=confirmation.is_destructive.then_some("danger")
                id="confirm"
            >
                {confirmation.button.clone()}
            </button>
            {cancel}
        </form>
    }
}

fn dialog_link(state: PageState, action: &DialogLink) -> impl IntoView + use<> {
    let id = format!("open-{}", action.query);
    permitted_link(state, id, "button", action.query.clone(), action.text.clone())
}

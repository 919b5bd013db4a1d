//! The summary of the settings, and the form: checked while one types, with a preview of its effects.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;
use maud::{Markup, html};

use crate::i18n::MessageKey;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::settings::draft::{CHECKED, Draft};
use crate::page::settings::model::{Form, FormField, SummaryItem};
use crate::page::state::{PageState, Part};
use crate::page::ui::{hidden_fields, link, permitted_link};
use crate::protocol::Command;

#[component]
pub(crate) fn SettingsSummary(state: PageState) -> impl IntoView {
    let items = move || {
        let model = state.model(Part::Summary);
        html! { @for item in &model.summary { (summary_item(item)) } }.into_string()
    };
    let form = move || {
        let model = state.model(Part::Form);
        let form = model.form.as_ref().filter(|_| !state.is_read_only());
        form.map(|form| settings_form(state, form))
    };
    view! {
        <section class="card summary" aria-label=state.catalog().text(MessageKey::FactsTitle)>
            <div class="summary-row">
                <dl inner_html=items></dl>
                {move || edit_button(state)}
            </div>
            {form}
        </section>
    }
}

fn summary_item(item: &SummaryItem) -> Markup {
    html! {
        div {
            dt { (item.label) }
            dd {
                b { (item.value) }
                @if !item.detail.is_empty() { span.muted { " · " (item.detail) } }
            }
        }
    }
}

/// Opens the form, or closes it.
fn edit_button(state: PageState) -> impl IntoView + use<> {
    let is_open = state.model(Part::Form).form.is_some();
    let query = if is_open { String::new() } else { to_query(Dialog::Settings(None).pairs()) };
    let (class, expanded) = if is_open { ("button pressed", "true") } else { ("button", "false") };
    permitted_link(
        state,
        "configure".to_owned(),
        class,
        query,
        state.catalog().text(MessageKey::ActionEditSettings).to_owned(),
    )
    .attr("aria-expanded", expanded)
}

/// Rendered again with each key: Leptos keeps the fields, so focus and selection stay.
fn settings_form(state: PageState, form: &Form) -> impl IntoView + use<> {
    let catalog = state.catalog();
    let draft = &form.draft;
    let mut hidden = state.model_untracked().toolbar.hidden_params.clone();
    hidden.push(("configure", String::new()));
    hidden.extend(draft.base_field());
    // Which values the preview below is about. Without scripts, saving other values shows their preview first.
    hidden.push(("seen", draft.fingerprint()));
    let fields = form.fields.iter().zip(&draft.typed).enumerate();
    let is_switch = |(_, (field, _)): &(usize, (&FormField, &String))| field.help.is_none();
    let checkboxes: Vec<_> = fields
        .clone()
        .filter(is_switch)
        .map(|(position, (field, typed))| checkbox(state, position, field, !typed.is_empty()))
        .collect();
    let durations: Vec<_> = fields
        .filter(|field| !is_switch(field))
        .map(|(position, (field, typed))| duration_field(state, position, field, typed))
        .collect();
    let settings = form.settings;
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        match settings {
            Some(settings) => state.pending_command.set(Some(Command::Configure(settings))),
            None => state.route.update(|route| route.error = Some("fields".to_owned())),
        }
    };
    view! {
        <form
            class="settings-form"
            method="post"
            action=state.action_address("settings")
            aria-labelledby="configure"
            novalidate
            on:submit=save
        >
            {hidden_fields(&hidden)}
            <div class="fields">
                <div>{checkboxes}</div>
                {durations}
            </div>
            {effects(state, form)}
            <div class="buttons">
                <button type="submit" class="primary" id="save">{catalog.text(MessageKey::ActionSave)}</button>
                <button
                    type="submit"
                    class="unless-hydrated"
                    formmethod="get"
                    formaction=state.address("")
                >
                    {catalog.text(MessageKey::ActionPreview)}
                </button>
                {link("cancel", "button", state.address(""), catalog.text(MessageKey::ActionCancel))}
            </div>
        </form>
    }
}

fn edit_field(state: PageState, position: usize, text: String) {
    state.edit_draft(|draft: &mut Draft| {
        if let Some(typed) = draft.typed.get_mut(position) {
            *typed = text;
        }
    });
}

fn checkbox(
    state: PageState,
    position: usize,
    field: &FormField,
    on: bool,
) -> impl IntoView + use<> {
    let FormField { name, label, .. } = *field;
    let value = |event: &Event| {
        let text = if event_target_checked(event) { CHECKED } else { "" };
        text.to_owned()
    };
    view! {
        <label class="checkbox">
            <input
                type="checkbox"
                id=name
                name=name
                checked=on
                on:input=move |event| edit_field(state, position, value(&event))
            />
            {label}
        </label>
    }
}

fn duration_field(
    state: PageState,
    position: usize,
    field: &FormField,
    typed: &str,
) -> impl IntoView + use<> {
    let FormField { name, label, help, error, warning } = field.clone();
    let invalid = error.is_some().then_some("true");
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                type="text"
                id=name
                name=name
                value=typed.to_owned()
                autocomplete="off"
                aria-describedby=format!("{name}-message {name}-help")
                aria-invalid=invalid
                on:input=move |event| edit_field(state, position, event_target_value(&event))
            />
            <p class="field-message" id=format!("{name}-message")>
                <span class="error-text">{error}</span>
                <span class="warning-text">{warning}</span>
            </p>
            <p class="muted help" id=format!("{name}-help")>{help}</p>
        </div>
    }
}

fn effects(state: PageState, form: &Form) -> impl IntoView + use<> {
    let items = html! { @for line in &form.effects { li { (line) } } };
    let lead = (!form.effects.is_empty()).then(|| state.catalog().text(MessageKey::PreviewTitle));
    view! {
        <div class="effects" data-testid="effects">
            <p>{lead}</p>
            <ul inner_html=items.into_string()></ul>
            <p class="error-text">{form.error.clone()}</p>
        </div>
    }
}

//! The summary of the settings, and the form: checked while one types, with a preview of its effects.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::i18n::MessageKey;
use crate::page::live_html::live_html;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::settings::model::{Form, FormField, SummaryItem};
use crate::page::state::{PageState, Part};
use crate::page::ui::{hidden_fields, link};

#[component]
pub(crate) fn SettingsSummary(state: PageState) -> impl IntoView {
    let html = move || {
        let summary = state.model(Part::Summary);
        let model = state.model(Part::Form);
        let form = model.form.as_ref().filter(|_| !state.is_read_only());
        html! {
            .summary-row {
                // On a narrow screen it is one line that scrolls.
                dl tabindex="0" { @for item in &summary.summary { (summary_item(item)) } }
                (edit_button(state, form.is_some()))
            }
            @if let Some(form) = form { (settings_form(state, form)) }
        }
    };
    let rehearsal = html! { (state.shared().rehearsal) }.into_string();
    view! {
        <section class="card summary" aria-label=state.catalog().text(MessageKey::FactsTitle)>
            {live_html(Box::new(html))}
            // `page.js` writes it while one types.
            <p id="rehearsal" class="muted" aria-live="polite" inner_html=rehearsal></p>
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
fn edit_button(state: PageState, is_open: bool) -> Markup {
    let query = if is_open { String::new() } else { to_query(Dialog::Settings(None).pairs()) };
    let class = if is_open { "button pressed" } else { "button" };
    html! {
        @if !state.is_read_only() {
            a #configure class=(class) href=(state.address(&query)) aria-expanded=(is_open) {
                (state.catalog().text(MessageKey::ActionEditSettings))
            }
        }
    }
}

fn settings_form(state: PageState, form: &Form) -> Markup {
    let catalog = state.catalog();
    let draft = &form.draft;
    let mut hidden = state.model_untracked().toolbar.hidden_params.clone();
    hidden.push(("configure", String::new()));
    hidden.extend(draft.base_field());
    // Which values the preview below is about. Without scripts, saving other values shows their preview first.
    hidden.push(("seen", draft.fingerprint()));
    let is_switch = |(field, _): &(&FormField, &String)| field.is_switch;
    let fields = form.fields.iter().zip(&draft.typed);
    let switches = fields.clone().filter(is_switch);
    let durations = fields.filter(|field| !is_switch(field));
    html! {
        form.settings-form #settings-form method="post" action=(state.action_address("settings")) data-rehearsal=(state.action_address("settings/rehearsal")) aria-labelledby="configure" novalidate {
            (hidden_fields(&hidden))
            .fields {
                div { @for (field, typed) in switches { (checkbox(field, !typed.is_empty())) } }
                @for (field, typed) in durations { (duration_field(field, typed)) }
            }
            @if form.saved_meanwhile { p.warning-text { (catalog.text(MessageKey::SettingsSavedMeanwhile)) } }
            .effects data-testid="effects" {
                @if !form.effects.is_empty() {
                    p { (catalog.text(MessageKey::PreviewTitle)) }
                    ul { @for line in &form.effects { li { (line) } } }
                }
                @if let Some(error) = &form.error { p.error-text { (error) } }
            }
            .buttons {
                // Without scripts nobody knows what was edited.
                button.primary #save type="submit" disabled[cfg!(feature = "hydrate") && !form.is_changed] { (catalog.text(MessageKey::ActionSave)) }
                button.unless-hydrated type="submit" formmethod="get" formaction=(state.address("")) {
                    (catalog.text(MessageKey::ActionPreview))
                }
                (link("cancel", "button", &state.address(""), catalog.text(MessageKey::ActionCancel)))
            }
        }
    }
}

fn checkbox(field: &FormField, on: bool) -> Markup {
    let FormField { name, label, help, .. } = field;
    html! {
        label.checkbox {
            input type="checkbox" id=(name) name=(name) checked[on] aria-describedby={ (name) "-help" };
            (label)
        }
        p.muted.help id={ (name) "-help" } { (help) }
    }
}

fn duration_field(field: &FormField, typed: &str) -> Markup {
    let FormField { name, label, help, error, warning, .. } = field;
    html! {
        .field {
            label for=(name) { (label) }
            input type="text" id=(name) name=(name) value=(typed) autocomplete="off"
                aria-describedby={ (name) "-message " (name) "-help" } aria-invalid=[error.as_ref().map(|_| "true")];
            p.field-message id={ (name) "-message" } {
                @if let Some(error) = error { span.error-text { (error) } }
                @if let Some(warning) = warning { span.warning-text { (warning) } }
            }
            p.muted.help id={ (name) "-help" } { (help) }
        }
    }
}

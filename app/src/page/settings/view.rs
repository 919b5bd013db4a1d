//! The configuration's form, in its strip: checked as typed, its effect said before it is saved.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;

use crate::page::settings::draft::{Draft, TICKED};
use crate::page::settings::model::{Entry, Form};
use crate::page::state::PageState;
use crate::page::ui::{hidden_fields, link};
use crate::protocol::Command;

/// The form as it stands. Drawn anew with each letter: the fields themselves stay.
pub(crate) fn configure(state: PageState, form: &Form) -> impl IntoView + use<> {
    let words = state.words();
    let draft = &form.draft;
    let mut carries = state.toolbar.with_untracked(|tools| tools.hidden_params.clone());
    carries.push(("configure", String::new()));
    carries.extend(draft.base_field());
    // What the effects below were computed from: saving anything else shows them first.
    carries.push(("seen", draft.fingerprint()));
    let fields = form.fields.iter().zip(&draft.typed).enumerate();
    let is_switch = |(_, (entry, _)): &(usize, (&Entry, &String))| entry.help.is_none();
    let ticks: Vec<_> = fields
        .clone()
        .filter(is_switch)
        .map(|(place, (entry, typed))| tick(state, place, entry, !typed.is_empty()))
        .collect();
    let durations: Vec<_> = fields
        .filter(|one| !is_switch(one))
        .map(|(place, (entry, typed))| field(state, place, entry, typed))
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
            class="configure"
            method="post"
            action=state.action("settings")
            aria-labelledby="configure"
            novalidate
            on:submit=save
        >
            {hidden_fields(carries)}
            <div class="fields">
                <div>{ticks}</div>
                {durations}
            </div>
            {effects(state, form)}
            <div class="buttons">
                <button type="submit" class="primary" id="save">{words.label("page.save")}</button>
                <button
                    type="submit"
                    class="script-less"
                    formmethod="get"
                    formaction=state.address("")
                >
                    {words.label("page.show-effect")}
                </button>
                {link("cancel", "button", state.address(""), words.label("page.cancel"))}
            </div>
        </form>
    }
}

/// Puts what was typed into the field at this place of the form.
fn type_in(state: PageState, place: usize, text: String) {
    state.type_in(|draft: &mut Draft| {
        if let Some(typed) = draft.typed.get_mut(place) {
            *typed = text;
        }
    });
}

fn tick(state: PageState, place: usize, entry: &Entry, on: bool) -> impl IntoView + use<> {
    let Entry { name, label, .. } = *entry;
    let ticked = |event: &Event| {
        let text = if event_target_checked(event) { TICKED } else { "" };
        text.to_owned()
    };
    view! {
        <label class="tick">
            <input
                type="checkbox"
                id=name
                name=name
                checked=on
                on:input=move |event| type_in(state, place, ticked(&event))
            />
            {label}
        </label>
    }
}

/// A length of time: label, field, what it means, and beside it what is wrong.
fn field(state: PageState, place: usize, entry: &Entry, typed: &str) -> impl IntoView + use<> {
    let Entry { name, label, help, error, warning } = entry.clone();
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
                aria-describedby=format!("{name}-said {name}-help")
                aria-invalid=invalid
                on:input=move |event| type_in(state, place, event_target_value(&event))
            />
            <p class="said" id=format!("{name}-said")>
                <span class="wrong">{error}</span>
                <span class="unwise">{warning}</span>
            </p>
            <p class="muted help" id=format!("{name}-help")>{help}</p>
        </div>
    }
}

fn effects(state: PageState, form: &Form) -> impl IntoView + use<> {
    let lines: Vec<_> = form.effects.iter().map(|line| view! { <li>{line.clone()}</li> }).collect();
    let lead = (!lines.is_empty()).then(|| state.words().label("configure.lead"));
    view! {
        <div class="effects" data-testid="effects">
            <p>{lead}</p>
            <ul>{lines}</ul>
            <p class="wrong">{form.refused.clone()}</p>
        </div>
    }
}

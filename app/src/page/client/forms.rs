//! Acts on the fields, forms and buttons of the page. It listens on the window, because they come and go.

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, Event};

use crate::cluster::{SETTINGS, ServerName};
use crate::page::client::focus;
use crate::page::client::history::forget_handle;
use crate::page::header::model::Connection;
use crate::page::route::{CommandFailure, CommandSource};
use crate::page::settings::draft::CHECKED;
use crate::page::state::PageState;
use crate::protocol::{Command, CommandError};

pub(super) fn start(state: PageState) {
    forget_handle(window_event_listener(ev::submit, move |event| {
        let Some(form) = target_in("form", &event) else { return };
        if let Some(server) = form.get_attribute("data-reconnect") {
            let server = ServerName::parse(&server).ok();
            let command = server.map(|server| (Command::Reconnect { server }, CommandSource::Hint));
            state.pending_command.set(command);
            event.prevent_default();
            return;
        }
        match form.id().as_str() {
            "confirmation" => send_confirmed(state),
            "settings-form" => send_settings(state),
            // The list follows each key; this form is for browsers without scripts.
            "search-form" => {}
            _ => return,
        }
        event.prevent_default();
    }));
    forget_handle(window_event_listener(ev::input, move |event| {
        let Some(field) = target_in("input", &event) else { return };
        let name = field.id();
        if name == "search" {
            let typed = event_target_value(&event);
            state.route.update(|route| route.list = route.list.searched(typed));
        }
        if let Some(position) = SETTINGS.iter().position(|setting| setting.name == name) {
            edit_setting(state, position, &event);
        }
    }));
    forget_handle(window_event_listener(ev::click, move |event| {
        if let Some(button) = target_in("[data-pause]", &event) {
            // The button of the bar goes with the bar.
            if button.id() == "resume" {
                focus::focus("pause", true);
            }
            let is_paused = state.connection.get_untracked() == Connection::Paused;
            state.connection.set(if is_paused { Connection::Polling } else { Connection::Paused });
        }
    }));
}

fn target_in(selector: &str, event: &Event) -> Option<Element> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok().flatten()
}

fn send_confirmed(state: PageState) {
    let model = state.model_untracked();
    let confirmation = model.panel.as_ref().and_then(|panel| panel.confirmation.as_ref());
    if let Some(confirmation) = confirmation {
        state.pending_command.set(Some((confirmation.command.clone(), CommandSource::Dialog)));
    }
}

fn send_settings(state: PageState) {
    match state.model_untracked().form.as_ref().and_then(|form| form.settings) {
        Some(settings) => {
            let command = (Command::Configure(settings), CommandSource::Dialog);
            state.pending_command.set(Some(command));
        }
        None => state.route.update(|route| {
            route.failure = Some(CommandFailure::of_dialog(CommandError::Fields.as_str()));
        }),
    }
}

/// One of the settings was edited.
fn edit_setting(state: PageState, position: usize, event: &Event) {
    let is_switch = SETTINGS.get(position).is_some_and(|setting| setting.range.is_none());
    let text = match (is_switch, is_switch && event_target_checked(event)) {
        (false, _) => event_target_value(event),
        (true, true) => CHECKED.to_owned(),
        (true, false) => String::new(),
    };
    state.edit_draft(|draft| {
        if let Some(typed) = draft.typed.get_mut(position) {
            *typed = text;
        }
    });
}

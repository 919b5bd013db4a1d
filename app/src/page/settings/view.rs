//! The configuration's form, in its strip: checked as typed, its effect said before it is saved.

use leptos::ev::{Event, SubmitEvent};
use leptos::prelude::*;

use crate::page::hidden_fields::carried;
use crate::page::link::link;
use crate::page::model::{Entry, Form};
use crate::page::settings::draft::Draft;
use crate::page::state::Screen;
use crate::protocol::Command;

/// The form as it stands. Drawn anew with each letter: the fields themselves stay.
pub(crate) fn configure(screen: Screen, form: &Form) -> impl IntoView + use<> {
    let words = screen.words();
    let draft = &form.draft;
    let mut carries = screen.tools.with_untracked(|tools| tools.kept.clone());
    carries.push(("configure", String::new()));
    carries.extend(draft.carried());
    // What the effects below were computed from: saving anything else shows them first.
    carries.push(("seen", draft.shape()));
    let typed = [&draft.stale_timeout, &draft.heartbeat_interval, &draft.web_window];
    let entries = form.entries.iter().zip(typed);
    let entries: Vec<_> = entries.map(|(entry, typed)| field(screen, entry, typed)).collect();
    let settings = form.settings;
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        match settings {
            Some(settings) => screen.wish.set(Some(Command::Configure(settings))),
            None => screen.place.update(|place| place.refused = Some("fields".to_owned())),
        }
    };
    view! {
        <form
            class="configure"
            method="post"
            action=screen.action("settings")
            aria-labelledby="configure"
            novalidate
            on:submit=save
        >
            {carried(carries)}
            <div class="fields">
                <div>
                    {tick(screen, "load_balancing", "fact.load-balancing", draft.load_balancing)}
                    {tick(
                        screen,
                        "automatic_failover",
                        "fact.automatic-failover",
                        draft.automatic_failover,
                    )}
                </div>
                {entries}
            </div>
            {effects(screen, form)}
            <div class="buttons">
                <button type="submit" class="primary" id="save">{words.label("page.save")}</button>
                <button
                    type="submit"
                    class="script-less"
                    formmethod="get"
                    formaction=screen.address("")
                >
                    {words.label("page.show-effect")}
                </button>
                {link("cancel", "button", screen.address(""), words.label("page.cancel"))}
            </div>
        </form>
    }
}

/// Puts what was typed where it belongs.
fn type_in(screen: Screen, name: &str, event: &Event) {
    screen.type_in(|draft: &mut Draft| match name {
        "load_balancing" => draft.load_balancing = event_target_checked(event),
        "automatic_failover" => draft.automatic_failover = event_target_checked(event),
        "heartbeat_interval_s" => draft.heartbeat_interval = event_target_value(event),
        "stale_timeout_s" => draft.stale_timeout = event_target_value(event),
        _ => draft.web_window = event_target_value(event),
    });
}

fn tick(screen: Screen, name: &'static str, key: &'static str, on: bool) -> impl IntoView + use<> {
    view! {
        <label class="tick">
            <input
                type="checkbox"
                id=name
                name=name
                checked=on
                on:input=move |event| type_in(screen, name, &event)
            />
            {screen.words().label(key)}
        </label>
    }
}

/// A length of time: label, field, what it means, and beside it what is wrong.
fn field(screen: Screen, entry: &Entry, typed: &str) -> impl IntoView + use<> {
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
                on:input=move |event| type_in(screen, name, &event)
            />
            <p class="said" id=format!("{name}-said")>
                <span class="wrong">{error}</span>
                <span class="unwise">{warning}</span>
            </p>
            <p class="muted help" id=format!("{name}-help")>{help}</p>
        </div>
    }
}

fn effects(screen: Screen, form: &Form) -> impl IntoView + use<> {
    let lines: Vec<_> = form.effects.iter().map(|line| view! { <li>{line.clone()}</li> }).collect();
    let lead = (!lines.is_empty()).then(|| screen.words().label("configure.lead"));
    view! {
        <div class="effects" data-testid="effects">
            <p>{lead}</p>
            <ul>{lines}</ul>
            <p class="wrong">{form.refused.clone()}</p>
        </div>
    }
}

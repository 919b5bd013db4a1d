//! The side panel: the details of a server, or a question before a command.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::i18n;
use crate::page::hints::model::DialogLink;
use crate::page::panel::model::{Confirmation, Item, Panel, Section};
use crate::page::state::PageState;
use crate::page::status_style;
use crate::page::ui::{hidden_fields, link, permitted_link, time_since};

#[component]
pub(crate) fn SidePanel(state: PageState) -> impl IntoView {
    // Drawn anew with each news: the elements themselves stay, and only words that differ change.
    move || state.panel.with(|panel| panel.as_ref().map(|panel| opened(state, panel)))
}

fn opened(state: PageState, panel: &Panel) -> impl IntoView + use<> {
    let said: Vec<_> =
        panel.paragraphs.iter().map(|text| view! { <p>{text.clone()}</p> }).collect();
    let sections: Vec<_> = panel.sections.iter().map(|section| facts(state, section)).collect();
    let actions: Vec<_> = panel.actions.iter().map(|action| open(state, action)).collect();
    let words = state.words();
    let question = panel.ask.as_ref().map(|ask| question(state, ask));
    view! {
        <aside class="panel" role="dialog" aria-labelledby="panel-title">
            <div class="panel-head">
                {panel.style.map(|style| status_style::icon_alone(style, words))}
                <h2 id="panel-title" tabindex="-1"><bdi>{panel.title.clone()}</bdi></h2>
                {link("close", "button", state.address(""), words.label("page.close"))}
            </div>
            {said}
            {sections}
            <p class="wrong">{panel.refused.clone()}</p>
            {question}
            <div class="buttons">{actions}</div>
        </aside>
    }
}

/// Facts under a heading, and what can be done about it.
fn facts(state: PageState, section: &Section) -> impl IntoView + use<> {
    let items: Vec<_> = section.items.iter().map(|item| fact(state, item)).collect();
    view! {
        <section>
            <h3>{section.heading}</h3>
            <dl>{items}</dl>
            {section.action.as_ref().map(|action| open(state, action))}
        </section>
    }
}

fn fact(state: PageState, item: &Item) -> impl IntoView + use<> {
    let moment = item.moment;
    let between = if item.text.is_empty() { "" } else { " · " };
    let age = move || {
        moment.map(|then| format!("{between}{}", time_since(state.words(), state.tick.get(), then)))
    };
    let at = item.moment.map(|then| view! { <small class="muted">{i18n::date(then)}</small> });
    view! {
        <div>
            <dt>{item.label}</dt>
            <dd>
                {item.style.map(status_style::icon)}
                <span>{item.text.clone()}</span>
                <span class="muted">{age}</span>
                {at}
            </dd>
        </div>
    }
}

/// The form that answers a question.
fn question(state: PageState, ask: &Confirmation) -> impl IntoView + use<> {
    let command = ask.command.clone();
    let cancel = ask
        .grave
        .then(|| link("cancel", "button", state.address(""), state.words().label("page.cancel")));
    let answer = move |event: SubmitEvent| {
        event.prevent_default();
        state.pending_command.set(Some(command.clone()));
    };
    view! {
        <form method="post" action=state.action(ask.action) class="buttons" on:submit=answer>
            {hidden_fields(ask.carries.clone())}
            <button
                type="submit"
                class=ask.grave.then_some("danger")
                id="answer"
                disabled=state.is_read_only()
            >
                {ask.button.clone()}
            </button>
            {cancel}
        </form>
    }
}

fn open(state: PageState, action: &DialogLink) -> impl IntoView + use<> {
    let id = format!("open-{}", action.opens);
    permitted_link(state, id, "button", action.opens.clone(), action.text.clone())
}

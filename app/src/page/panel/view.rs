//! What opens beside the page: all about a server, or a question before something is done.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::i18n;
use crate::page::hidden_fields::carried;
use crate::page::link::link;
use crate::page::model::{Action, Ask, Item, Panel, Section};
use crate::page::permitted_link::opener;
use crate::page::relative_time::ago;
use crate::page::state::Screen;
use crate::page::status_style;

#[component]
pub(crate) fn SidePanel(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    // Drawn anew with each news: the elements themselves stay, and only words that differ change.
    move || screen.panel.with(|panel| panel.as_ref().map(|panel| opened(screen, panel)))
}

fn opened(screen: Screen, panel: &Panel) -> impl IntoView + use<> {
    let said: Vec<_> =
        panel.paragraphs.iter().map(|text| view! { <p>{text.clone()}</p> }).collect();
    let sections: Vec<_> = panel.sections.iter().map(|section| facts(screen, section)).collect();
    let actions: Vec<_> = panel.actions.iter().map(|action| open(screen, action)).collect();
    let words = screen.words();
    let question = panel.ask.as_ref().map(|ask| question(screen, ask));
    view! {
        <aside class="panel" role="dialog" aria-labelledby="panel-title">
            <div class="panel-head">
                {panel.look.map(|look| status_style::icon_alone(look, words))}
                <h2 id="panel-title" tabindex="-1"><bdi>{panel.title.clone()}</bdi></h2>
                {link("close", "button", screen.address(""), words.label("page.close"))}
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
fn facts(screen: Screen, section: &Section) -> impl IntoView + use<> {
    let items: Vec<_> = section.items.iter().map(|item| fact(screen, item)).collect();
    view! {
        <section>
            <h3>{section.heading}</h3>
            <dl>{items}</dl>
            {section.action.as_ref().map(|action| open(screen, action))}
        </section>
    }
}

fn fact(screen: Screen, item: &Item) -> impl IntoView + use<> {
    let moment = item.moment;
    let between = if item.text.is_empty() { "" } else { " · " };
    let age = move || {
        moment.map(|then| format!("{between}{}", ago(screen.words(), screen.tick.get(), then)))
    };
    let at = item.moment.map(|then| view! { <small class="muted">{i18n::date(then)}</small> });
    view! {
        <div>
            <dt>{item.label}</dt>
            <dd>
                {item.look.map(status_style::icon)}
                <span>{item.text.clone()}</span>
                <span class="muted">{age}</span>
                {at}
            </dd>
        </div>
    }
}

/// The form that answers a question.
fn question(screen: Screen, ask: &Ask) -> impl IntoView + use<> {
    let command = ask.command.clone();
    let cancel = ask
        .grave
        .then(|| link("cancel", "button", screen.address(""), screen.words().label("page.cancel")));
    let answer = move |event: SubmitEvent| {
        event.prevent_default();
        screen.wish.set(Some(command.clone()));
    };
    view! {
        <form method="post" action=screen.action(ask.action) class="buttons" on:submit=answer>
            {carried(ask.carries.clone())}
            <button
                type="submit"
                class=ask.grave.then_some("danger")
                id="answer"
                disabled=screen.only_looks()
            >
                {ask.button.clone()}
            </button>
            {cancel}
        </form>
    }
}

fn open(screen: Screen, action: &Action) -> impl IntoView + use<> {
    let id = format!("open-{}", action.opens);
    opener(screen, id, "button", action.opens.clone(), action.text.clone())
}

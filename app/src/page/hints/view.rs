//! Troubleshooting: a card for each hint, the most urgent first.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::i18n::{Catalog, MessageKey};
use crate::page::hints::model::HintCard;
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::{copy_button, permitted_link};

#[component]
pub(crate) fn Troubleshooting(state: PageState) -> impl IntoView {
    let count = move || {
        let hints = &state.model(Part::Hints).hints;
        match hints.iter().map(|card| card.count).sum::<usize>() {
            0 => String::new(),
            count => {
                state.catalog().format(MessageKey::HintsCount, &[("count", Arg::Number(count))])
            }
        }
    };
    let none = move || {
        let none = state.catalog().text(MessageKey::HintsNone);
        let is_empty = state.model(Part::Hints).hints.is_empty();
        is_empty.then(|| view! { <p class="empty-text muted">{none}</p> })
    };
    view! {
        <section class="card hints" id="troubleshooting" aria-labelledby="troubleshooting-head">
            <h2 id="troubleshooting-head" tabindex="-1">
                {state.catalog().text(MessageKey::HintsTitle)}" "<span class="muted">{count}</span>
            </h2>
            <For
                each=move || state.model(Part::Hints).hints.clone()
                key=|card| (card.id, card.severity, card.place)
                children=move |card| view! { <Card state card /> }
            />
            {none}
        </section>
    }
}

/// A card keeps its element while its servers come and go, so what one has opened stays open.
#[component]
fn Card(state: PageState, card: HintCard) -> impl IntoView {
    let key = |card: &HintCard| (card.id, card.severity, card.place);
    let own = key(&card);
    move || {
        let model = state.model(Part::Hints);
        model.hints.iter().find(|card| key(card) == own).map(|card| hint_card(state, card))
    }
}

fn hint_card(state: PageState, hint: &HintCard) -> impl IntoView + use<> {
    let severity = status_style::severity(hint.severity);
    let icon = status_style::icon_alone(severity, state.catalog()).into_string();
    let advice = html! {
        @if !hint.subjects.is_empty() {
            ul.subjects {
                @for subject in &hint.subjects {
                    li id=(subject.anchor) { a href=(subject.address) title=(subject.evidence) { (subject.name) } }
                }
                @if let Some((text, anchor)) = &hint.more { li.muted id=(anchor) { (text) } }
            }
        }
        ol { @for text in &hint.steps { li { (step(text, state.catalog())) } } }
        @if let Some(avoid) = &hint.avoid { p.avoid { (avoid) } }
    };
    let show = hint.show.clone().map(|(text, address)| {
        let id = format!("show-{}", hint.anchor);
        view! { <a id=id href=address>{text}</a> }
    });
    let action = hint.action.clone().map(|action| {
        let id = format!("action-{}", hint.anchor);
        permitted_link(state, id, "", action.query, action.text)
    });
    view! {
        <article id=hint.anchor.clone() data-hint=hint.id data-severity=severity.icon>
            <span class="severity" inner_html=icon></span>
            <details open=!hint.is_folded>
                <summary>
                    <h3>{hint.title.clone()}</h3>
                    <p class="muted">{hint.evidence.clone()}</p>
                </summary>
                <div inner_html=advice.into_string()></div>
                <p class="links">
                    {show}{action}
                    <button type="button" class="if-hydrated" data-copy=format!("#{}", hint.anchor)>
                        {state.catalog().text(MessageKey::ActionCopyLink)}
                    </button>
                </p>
            </details>
        </article>
    }
}

/// What to do; a command at its end can be copied.
fn step(text: &str, catalog: &Catalog) -> Markup {
    let command = text.split_once(": ").filter(|(_, end)| end.starts_with("cluster-overview "));
    html! {
        @if let Some((lead, command)) = command {
            (lead) ": " code { (command) } " " (copy_button(catalog, command, command))
        } @else {
            (text)
        }
    }
}

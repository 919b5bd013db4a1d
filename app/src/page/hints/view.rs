//! Troubleshooting: a card for each hint, the most urgent first.

use leptos::either::Either;
use leptos::prelude::*;
use maud::html;

use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::page::hints::model::{HintCard, HintGroup};
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::permitted_link;

#[component]
pub(crate) fn Troubleshooting(state: PageState) -> impl IntoView {
    let count =
        move || match state.model(Part::Hints).hints.iter().map(|group| group.count).sum::<usize>()
        {
            0 => String::new(),
            count => {
                state.catalog().format(MessageKey::HintsCount, &[("count", Arg::Number(count))])
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
                key=|group| (group.id, group.severity, group.heading.is_some())
                children=move |group| hint_group(state, &group)
            />
            {none}
        </section>
    }
}

/// A group stays open or closed while its hints come and go.
fn hint_group(state: PageState, group: &HintGroup) -> impl IntoView + use<> {
    let (id, urgency) = (group.id, group.severity);
    let severity = status_style::severity(urgency);
    let is_this = move |group: &&HintGroup| group.id == id && group.severity == urgency;
    let current = move || state.model(Part::Hints).hints.iter().find(is_this).cloned();
    let hints = move || {
        let hints = current().map(|group| group.hints).unwrap_or_default();
        hints.iter().map(|hint| hint_card(state, hint, severity)).collect::<Vec<_>>()
    };
    if group.heading.is_none() {
        return Either::Left(hints);
    }
    let heading = move || current().and_then(|group| group.heading);
    let icon = status_style::icon_alone(severity, state.catalog()).into_string();
    Either::Right(view! {
        <details class="group" data-group=id>
            <summary><span inner_html=icon></span><b>{heading}</b></summary>
            {hints}
        </details>
    })
}

/// Rendered again with each update: Leptos keeps the elements and changes only what differs, so what one has opened
/// stays open.
fn hint_card(
    state: PageState,
    hint: &HintCard,
    severity: status_style::StatusStyle,
) -> impl IntoView + use<> {
    let icon = status_style::icon_alone(severity, state.catalog()).into_string();
    let advice = html! {
        ol { @for step in &hint.steps { li { (step) } } }
        @if let Some(avoid) = &hint.avoid { p.avoid { (avoid) } }
    };
    let to_server = hint.server.clone().map(|(name, address)| {
        let id = format!("show-{}", hint.anchor);
        let text =
            state.catalog().format(MessageKey::HintsShowServer, &[("server", Arg::Text(name))]);
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
                <p class="links">{to_server}{action}</p>
            </details>
        </article>
    }
}

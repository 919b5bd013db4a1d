//! Troubleshooting: a card for each hint, the most urgent first.

use leptos::either::Either;
use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::i18n::MessageKey;
use crate::page::hints::model::{HintCard, HintGroup};
use crate::page::state::PageState;
use crate::page::status_style;
use crate::page::ui::permitted_link;

#[component]
pub(crate) fn Troubleshooting(state: PageState) -> impl IntoView {
    let count = move || match state
        .hints
        .with(|groups| groups.iter().map(|group| group.count).sum::<usize>())
    {
        0 => String::new(),
        count => state.catalog().format(MessageKey::HintsCount, &[("count", Arg::Number(count))]),
    };
    let is_empty = move || state.hints.with(Vec::is_empty);
    view! {
        <section class="card hints" id="troubleshooting" aria-labelledby="troubleshooting-head">
            <h2 id="troubleshooting-head" tabindex="-1">
                {state.catalog().text(MessageKey::HintsTitle)}" "<span class="muted">{count}</span>
            </h2>
            <For
                each=move || state.hints.get()
                key=|group| (group.id, group.severity, group.heading.is_some())
                children=move |group| hint_group(state, &group)
            />
            <Show when=is_empty>
                <p class="empty-text muted">{state.catalog().text(MessageKey::HintsNone)}</p>
            </Show>
        </section>
    }
}

/// A group stays open or closed while its hints come and go.
fn hint_group(state: PageState, group: &HintGroup) -> impl IntoView + use<> {
    let (id, urgency) = (group.id, group.severity);
    let severity = status_style::severity(urgency);
    let is_this = move |group: &&HintGroup| group.id == id && group.severity == urgency;
    let current = move || state.hints.with(|groups| groups.iter().find(is_this).cloned());
    let hints = view! {
        <For
            each=move || current().map(|group| group.hints).unwrap_or_default()
            key=Clone::clone
            children=move |hint| hint_card(state, &hint, severity)
        />
    };
    if group.heading.is_none() {
        return Either::Left(hints);
    }
    let heading = move || current().and_then(|group| group.heading);
    Either::Right(view! {
        <details class="group" data-group=id>
            <summary>{status_style::icon_alone(severity, state.catalog())}<b>{heading}</b></summary>
            {hints}
        </details>
    })
}

fn hint_card(
    state: PageState,
    hint: &HintCard,
    severity: status_style::StatusStyle,
) -> impl IntoView + use<> {
    let steps = hint.steps.iter().map(|step| view! { <li>{step.clone()}</li> }).collect::<Vec<_>>();
    let avoid = hint.avoid.clone().map(|avoid| view! { <p class="avoid">{avoid}</p> });
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
            {status_style::icon_alone(severity, state.catalog())}
            <div>
                <h3>{hint.title.clone()}</h3>
                <p class="muted">{hint.evidence.clone()}</p>
                <ol>{steps}</ol>
                {avoid}
                <p class="links">{to_server}{action}</p>
            </div>
        </article>
    }
}

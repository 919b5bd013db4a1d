//! Troubleshooting: evidence, steps, what to avoid, what can be done here; most urgent first.

use leptos::either::Either;
use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::page::model::{Advice, Group};
use crate::page::permitted_link::opener;
use crate::page::state::Screen;
use crate::page::status_style;

#[component]
pub(crate) fn Troubleshooting(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let count = move || match screen
        .groups
        .with(|groups| groups.iter().map(|group| group.count).sum::<usize>())
    {
        0 => String::new(),
        1 => screen.words().label("page.hints.one").to_owned(),
        more => screen.words().say("page.hints", &[("count", Arg::Number(more))]),
    };
    let nothing = move || screen.groups.with(Vec::is_empty);
    view! {
        <section class="card hints" id="troubleshooting" aria-labelledby="troubleshooting-head">
            <h2 id="troubleshooting-head" tabindex="-1">
                {screen.words().label("page.troubleshooting")}" "<span class="muted">{count}</span>
            </h2>
            <For
                each=move || screen.groups.get()
                key=|group| (group.id, group.heading.is_some())
                children=move |group| shown(screen, &group)
            />
            <Show when=nothing>
                <p class="nothing muted">{screen.words().label("page.nothing")}</p>
            </Show>
        </section>
    }
}

/// A group stays as it stands, open or closed, while hints in it come and go.
fn shown(screen: Screen, group: &Group) -> impl IntoView + use<> {
    let severity = status_style::severity(group.severity);
    let id = group.id;
    let now =
        move || screen.groups.with(|groups| groups.iter().find(|group| group.id == id).cloned());
    let hints = view! {
        <For
            each=move || now().map(|group| group.hints).unwrap_or_default()
            key=Clone::clone
            children=move |hint| article(screen, &hint, severity)
        />
    };
    if group.heading.is_none() {
        return Either::Left(hints);
    }
    let heading = move || now().and_then(|group| group.heading);
    Either::Right(view! {
        <details class="group" data-group=id>
            <summary>{status_style::icon_alone(severity, screen.words())}<b>{heading}</b></summary>
            {hints}
        </details>
    })
}

fn article(screen: Screen, hint: &Advice, severity: status_style::Look) -> impl IntoView + use<> {
    let steps = hint.steps.iter().map(|step| view! { <li>{step.clone()}</li> }).collect::<Vec<_>>();
    let avoid = hint.avoid.clone().map(|avoid| view! { <p class="avoid">{avoid}</p> });
    let to_server = hint.server.clone().map(|(name, address)| {
        let id = format!("row-{}", hint.anchor);
        view! { <a id=id href=address>{screen.words().label("page.go-to")}" "<bdi>{name}</bdi></a> }
    });
    let action = hint.action.clone().map(|action| {
        let id = format!("act-{}", hint.anchor);
        opener(screen, id, "", action.opens, action.text)
    });
    view! {
        <article id=hint.anchor.clone() data-hint=hint.id data-severity=severity.shape>
            {status_style::icon_alone(severity, screen.words())}
            <div>
                <h3>{hint.title.clone()}</h3>
                <p class="muted">{hint.evidence.clone()}</p>
                <ol>{steps}</ol>
                {avoid}
                <p class="ways">{to_server}{action}</p>
            </div>
        </article>
    }
}

//! Troubleshooting: evidence, steps, what to avoid; most urgent first.

use leptos::prelude::*;

use super::look;
use super::view::{Advice, Group, Screen};

#[component]
pub(super) fn Troubleshooting(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let count = move || match screen
        .groups
        .with(|groups| groups.iter().map(|group| group.hints.len()).sum::<usize>())
    {
        0 => String::new(),
        1 => "1 hint".to_owned(),
        more => format!("{more} hints"),
    };
    let nothing = move || screen.groups.with(Vec::is_empty);
    view! {
        <section class="card hints" id="troubleshooting" aria-labelledby="troubleshooting-head">
            <h2 id="troubleshooting-head">"Troubleshooting"<span class="muted">{count}</span></h2>
            <For
                each=move || screen.groups.get()
                key=Clone::clone
                children=|group| shown(&group)
            />
            <Show when=nothing>
                <p class="nothing muted">"Nothing to mend."</p>
            </Show>
        </section>
    }
}

fn shown(group: &Group) -> AnyView {
    let severity = look::severity(group.severity);
    let hints: Vec<AnyView> = group.hints.iter().map(|hint| article(hint, severity)).collect();
    match &group.heading {
        None => hints.into_any(),
        Some(heading) => view! {
            <details class="group">
                <summary>{look::icon_alone(severity)}<b>{heading.clone()}</b></summary>
                {hints}
            </details>
        }
        .into_any(),
    }
}

fn article(hint: &Advice, severity: look::Look) -> AnyView {
    let steps = hint.steps.iter().map(|step| view! { <li>{step.clone()}</li> }).collect::<Vec<_>>();
    let avoid = hint.avoid.clone().map(|avoid| view! { <p class="avoid">{avoid}</p> });
    let to_server = hint.server.clone().map(|(name, id)| {
        view! { <p><a href=format!("#{id}")>"Go to "<bdi>{name}</bdi></a></p> }
    });
    view! {
        <article id=hint.anchor.clone() data-hint=hint.id.as_str() data-severity=severity.shape>
            {look::icon_alone(severity)}
            <div>
                <h3>{hint.title.clone()}</h3>
                <p class="muted">{hint.evidence.clone()}</p>
                <ol>{steps}</ol>
                {avoid}
                {to_server}
            </div>
        </article>
    }
    .into_any()
}

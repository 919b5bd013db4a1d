//! Troubleshooting: a card for each hint, the most urgent first.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{ServerName, Timestamp};
use crate::i18n::{self, Catalog, MessageKey};
use crate::page::hints::model::{HintCard, Subject};
use crate::page::live_html::live_html;
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::{copy_button, hidden_fields, permitted_link};

/// A card shows so many servers until it is asked for more.
const MAX_CHIPS: usize = 12;

#[component]
pub(crate) fn Troubleshooting(state: PageState) -> impl IntoView {
    view! {
        <section class="card hints" id="troubleshooting" aria-labelledby="troubleshooting-head">
            {live_html(Box::new(move || hints_html(state, &state.model(Part::Hints).hints)))}
        </section>
    }
}

fn hints_html(state: PageState, hints: &[HintCard]) -> Markup {
    let catalog = state.catalog();
    let now = state.as_of.get_untracked();
    let count: usize = hints.iter().map(|card| card.count).sum();
    html! {
        h2 #troubleshooting-head tabindex="-1" {
            (catalog.text(MessageKey::HintsTitle))
            @if count > 0 {
                " " span.muted { (catalog.format(MessageKey::HintsCount, &[("count", Arg::Number(count))])) }
            }
        }
        @for card in hints { (hint_card(state, card, now)) }
        @if hints.is_empty() { p.empty-text.muted { (catalog.text(MessageKey::HintsNone)) } }
    }
}

/// A card keeps its element while its servers come and go, so what one has opened stays open.
fn hint_card(state: PageState, hint: &HintCard, now: Timestamp) -> Markup {
    let catalog = state.catalog();
    let severity = status_style::severity(hint.severity);
    let key = format!("{}_{}_{}", hint.id, severity.icon, hint.place);
    html! {
        article data-key=(key) id=(hint.anchor) data-hint=(hint.id) data-severity=(severity.icon) {
            span.severity { (status_style::icon_alone(severity, catalog)) }
            details open[!hint.is_folded] data-open=(!hint.is_folded) {
                summary {
                    h3 { (hint.title) }
                    p.muted {
                        @if let Some(as_of) = hint.as_of { (since(catalog, MessageKey::HintsAsOf, as_of, now)) }
                        @if let Some(moment) = hint.since { (since(catalog, MessageKey::HintsSince, moment, now)) }
                        (hint.evidence)
                    }
                }
                @if !hint.subjects.is_empty() {
                    ul.subjects {
                        @for subject in hint.subjects.iter().take(MAX_CHIPS) { (subject_chip(subject)) }
                        @if hint.subjects.len() > MAX_CHIPS {
                            li data-key="more" {
                                details.more {
                                    summary.muted { (more(hint, catalog)) }
                                    ul.subjects {
                                        @for subject in hint.subjects.iter().skip(MAX_CHIPS) { (subject_chip(subject)) }
                                        @if let Some((text, anchor)) = &hint.more { li.muted id=(anchor) { (text) } }
                                    }
                                }
                            }
                        } @else if let Some((text, anchor)) = &hint.more { li.muted id=(anchor) { (text) } }
                    }
                }
                @if let Some(acknowledged) = &hint.acknowledged { p.acknowledged { (acknowledged) } }
                (instructions(&hint.steps, hint.avoid.as_deref(), catalog))
                @if let Some(also) = &hint.also { p.muted { (also) } }
                p.links {
                    @if let Some((text, address)) = &hint.show { a id={"show-" (hint.anchor)} href=(address) { (text) } }
                    @if let Some(action) = &hint.action {
                        (permitted_link(state, &format!("action-{}", hint.anchor), "", &action.query, &action.text))
                    }
                    @if let Some(id) = hint.incident.as_ref().filter(|_| !state.route.get_untracked().is_past()) {
                        a id={"incident-" (hint.anchor)} href=(state.action_address(&format!("incidents/{id}"))) {
                            (catalog.text(if hint.acknowledged.is_none() { MessageKey::HintsAcknowledge } else { MessageKey::HintsWithdraw }))
                        }
                    }
                    button.copy type="button" data-copy-link={"#" (hint.anchor)} {
                        (catalog.text(MessageKey::ActionCopyLink))
                    }
                    button.copy type="button" { (catalog.text(MessageKey::ActionCopyHint)) }
                }
                // A paragraph ends where a form begins.
                @if let Some(server) = &hint.reconnect { (reconnection(state, server)) }
            }
        }
    }
}

/// Since when, in the time of the user; the tip and the copy as Markdown say it in UTC.
fn since(catalog: &Catalog, key: MessageKey, moment: Timestamp, now: Timestamp) -> Markup {
    let say = |moment| catalog.format(key, &[("moment", Arg::Text(moment))]);
    let utc = say(moment.date_and_clock());
    html! { span.since title=(utc) { (say(i18n::recent(moment, now))) } " · " }
}

fn subject_chip(subject: &Subject) -> Markup {
    html! { li id=(subject.anchor) { a href=(subject.address) title=(subject.evidence) { (subject.name) } } }
}

/// How many servers are not among the first chips.
fn more(hint: &HintCard, catalog: &Catalog) -> String {
    catalog.format(
        MessageKey::HintsMore,
        &[("count", Arg::Number(hint.count.saturating_sub(MAX_CHIPS)))],
    )
}

/// Dials the messenger of a server again.
fn reconnection(state: PageState, server: &ServerName) -> Markup {
    html! {
        @if !state.is_read_only() {
            form data-reconnect=(server) method="post" action=(state.action_address("reconnection")) {
                (hidden_fields(&[("server", server.to_string())]))
                button.link type="submit" { (state.catalog().text(MessageKey::ActionReconnect)) }
            }
        }
    }
}

/// What to do, step by step, and what to avoid.
pub(crate) fn instructions(steps: &[String], avoid: Option<&str>, catalog: &Catalog) -> Markup {
    html! {
        ol { @for text in steps { li { (step(text, catalog)) } } }
        @if let Some(avoid) = avoid { p.avoid { (avoid) } }
    }
}

/// A command at its end can be copied.
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

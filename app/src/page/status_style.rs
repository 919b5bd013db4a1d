//! How verdicts look: the only total maps from a verdict to shape, word and colour.

use leptos::prelude::*;

use crate::cluster::KeyVerdict;
use crate::cluster::hints::Severity;
use crate::cluster::{Health, Messenger, MessengerFailure, Pulse, Role, VersionCheck};
use crate::i18n::Words;

/// A verdict on the screen: a shape, a word, a colour. Never a colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusStyle {
    /// The symbol's and the class's name.
    pub(crate) icon: &'static str,
    /// The message key of the word beside the icon, or read aloud in its place.
    key: &'static str,
    /// Whether its text is emphasized.
    pub(crate) loud: bool,
}

const fn style(icon: &'static str, key: &'static str, loud: bool) -> StatusStyle {
    StatusStyle { icon, key, loud }
}

impl StatusStyle {
    /// The word beside the icon, or read aloud in its place.
    pub(crate) fn word(self, words: &Words) -> &'static str {
        words.label(self.key)
    }
}

/// A health.
pub(crate) const fn health(health: Health) -> StatusStyle {
    match health {
        Health::Ok => style("ok", "look.ok", false),
        Health::Unknown => style("unknown", "look.unknown", false),
        Health::Warning => style("warning", "look.warning", true),
        Health::Error => style("error", "look.error", true),
    }
}

/// A pulse; a stale web component is less bad than a stale service.
pub(crate) const fn pulse(pulse: Pulse, role: Role) -> StatusStyle {
    match (pulse, role) {
        (Pulse::Alive, _) => style("ok", "look.alive", false),
        (Pulse::Late, _) => style("warning", "look.late", true),
        (Pulse::Stale, Role::Service) => style("error", "look.stale", true),
        (Pulse::Stale, Role::Web) => style("warning", "look.stale", true),
        (Pulse::Stopped, _) => style("stopped", "look.stopped", false),
        (Pulse::Unknown, _) => style("unknown", "look.unknown", false),
    }
}

/// A version; unless it is in sync the word follows the version itself.
pub(crate) const fn version(check: VersionCheck) -> StatusStyle {
    match check {
        VersionCheck::InSync => style("ok", "look.in-sync", false),
        VersionCheck::Behind => style("warning", "look.behind", true),
        VersionCheck::Ahead => style("warning", "look.ahead", true),
    }
}

/// An encryption key.
pub(crate) const fn key(verdict: KeyVerdict) -> StatusStyle {
    match verdict {
        KeyVerdict::InSync => style("ok", "look.in-sync", false),
        KeyVerdict::Mismatch => style("error", "look.decryption-failure", true),
        KeyVerdict::Missing => style("warning", "look.key-missing", true),
    }
}

/// A machine key.
pub(crate) const fn machine_key(verdict: KeyVerdict) -> StatusStyle {
    match verdict {
        KeyVerdict::InSync => style("ok", "look.machine-key", false),
        KeyVerdict::Mismatch => style("error", "look.machine-key-differs", true),
        KeyVerdict::Missing => style("unknown", "look.machine-key-missing", false),
    }
}

/// A messenger.
pub(crate) fn messenger(messenger: &Messenger) -> StatusStyle {
    match messenger.failure {
        None => style("ok", "look.connected", false),
        Some(MessengerFailure::Connecting) => style("unknown", "look.connecting", false),
        Some(MessengerFailure::Lost) => style("unknown", "look.lost", false),
        Some(
            MessengerFailure::Refused
            | MessengerFailure::TimedOut
            | MessengerFailure::Unreachable
            | MessengerFailure::NotAMessenger
            | MessengerFailure::WrongKey
            | MessengerFailure::Protocol,
        ) => style("warning", "look.cannot-connect", true),
    }
}

/// A hint.
pub(crate) const fn severity(severity: Severity) -> StatusStyle {
    match severity {
        Severity::Error => style("error", "look.error", true),
        Severity::Warning => style("warning", "look.warning", true),
        Severity::Info => style("info", "look.info", false),
    }
}

/// The shapes, drawn once a document. The sign within each is the colour of the surface.
#[cfg(feature = "ssr")]
pub(crate) const SPRITE: &str = r#"<svg width="0" height="0" aria-hidden="true"><symbol id="i-ok" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path class="sign" d="M4.8 8.2 7 10.4l4.3-4.6"/></symbol><symbol id="i-warning" viewBox="0 0 16 16"><path d="M8 1.3 15.4 14.5H.6z"/><path class="sign" d="M8 6v4M8 12v.4"/></symbol><symbol id="i-error" viewBox="0 0 16 16"><path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"/><path class="sign" d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2"/></symbol><symbol id="i-stopped" viewBox="0 0 16 16"><rect x="1" y="1" width="14" height="14" rx="2"/><rect class="hole" x="5" y="5" width="6" height="6"/></symbol><symbol id="i-unknown" viewBox="0 0 16 16"><circle class="ring" cx="8" cy="8" r="6.5"/><path class="mark" d="M6 6.3c.2-2.6 4-2.4 4 0 0 1.6-2 1.6-2 3.3M8 11.6v.4"/></symbol><symbol id="i-info" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path class="sign" d="M8 7.2v4M8 4.6v.4"/></symbol></svg>"#;

/// An icon beside its word: hidden from screen readers.
pub(crate) fn icon(style: StatusStyle) -> impl IntoView + use<> {
    svg(style.icon, None)
}

/// An icon beside a text; it has a label unless the text contains its word.
pub(crate) fn icon_beside(style: StatusStyle, said: &str, words: &Words) -> impl IntoView + use<> {
    let word = style.word(words);
    svg(style.icon, (!said.contains(word)).then_some(word))
}

/// An icon alone, with its word as its label.
pub(crate) fn icon_alone(style: StatusStyle, words: &Words) -> impl IntoView + use<> {
    svg(style.icon, Some(style.word(words)))
}

fn svg(icon: &'static str, label: Option<&'static str>) -> impl IntoView + use<> {
    view! {
        <svg
            class=format!("icon {icon}")
            role=label.map(|_| "img")
            aria-label=label
            aria-hidden=label.is_none().then_some("true")
        >
            <use_ href=format!("#i-{icon}")></use_>
        </svg>
    }
}

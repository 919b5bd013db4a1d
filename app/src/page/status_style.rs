//! The only place where a verdict becomes a shape, a word and a colour. All matches are total.

use maud::{Markup, html};

use crate::cluster::KeyVerdict;
use crate::cluster::Severity;
use crate::cluster::{Health, Messenger, MessengerFailure, Pulse, Role, Stability, VersionCheck};
use crate::i18n::{Catalog, MessageKey};

/// The look of a verdict. It never differs by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusStyle {
    /// The name of the icon and of the CSS class.
    pub(crate) icon: &'static str,
    message: MessageKey,
    pub(crate) emphasized: bool,
}

const fn style(icon: &'static str, message: MessageKey, emphasized: bool) -> StatusStyle {
    StatusStyle { icon, message, emphasized }
}

impl StatusStyle {
    pub(crate) fn label(self, catalog: &Catalog) -> &'static str {
        catalog.text(self.message)
    }
}

pub(crate) const fn health(health: Health) -> StatusStyle {
    match health {
        Health::Ok => style("ok", MessageKey::StatusOk, false),
        Health::Unknown => style("unknown", MessageKey::StatusUnknown, false),
        Health::Warning => style("warning", MessageKey::StatusWarning, true),
        Health::Error => style("error", MessageKey::StatusError, true),
    }
}

/// A stale web component is only a warning: perhaps it got no request.
pub(crate) const fn pulse(pulse: Pulse, role: Role) -> StatusStyle {
    match (pulse, role) {
        (Pulse::Alive, _) => style("ok", MessageKey::StatusAlive, false),
        (Pulse::Late, _) => style("warning", MessageKey::StatusLate, true),
        (Pulse::Stale, Role::Service) => style("error", MessageKey::StatusStale, true),
        (Pulse::Stale, Role::Web) => style("warning", MessageKey::StatusStale, true),
        (Pulse::Stopped, _) => style("stopped", MessageKey::StatusStopped, false),
        (Pulse::Unknown, _) => style("unknown", MessageKey::StatusUnknown, false),
    }
}

/// `None` for a steady component: nothing is shown then.
pub(crate) const fn stability(stability: Stability, health: Health) -> Option<StatusStyle> {
    let icon = match health {
        Health::Error => "error",
        Health::Ok | Health::Unknown | Health::Warning => "warning",
    };
    match stability {
        Stability::Steady => None,
        Stability::Flapping => Some(style("warning", MessageKey::StatusFlapping, true)),
        Stability::Restarting => Some(style(icon, MessageKey::StatusRestarting, true)),
    }
}

pub(crate) const fn version(check: VersionCheck) -> StatusStyle {
    match check {
        VersionCheck::InSync => style("ok", MessageKey::StatusInSync, false),
        VersionCheck::Behind => style("warning", MessageKey::StatusOlder, true),
        VersionCheck::Ahead => style("warning", MessageKey::StatusNewer, true),
    }
}

pub(crate) const fn key(verdict: KeyVerdict) -> StatusStyle {
    match verdict {
        KeyVerdict::InSync => style("ok", MessageKey::StatusInSync, false),
        KeyVerdict::Mismatch => style("error", MessageKey::StatusDecryptionFailure, true),
        KeyVerdict::Missing => style("warning", MessageKey::StatusKeyMissing, true),
    }
}

pub(crate) const fn machine_key(verdict: KeyVerdict) -> StatusStyle {
    match verdict {
        KeyVerdict::InSync => style("ok", MessageKey::StatusMachineKeyInSync, false),
        KeyVerdict::Mismatch => style("error", MessageKey::StatusMachineKeyMismatch, true),
        KeyVerdict::Missing => style("unknown", MessageKey::StatusMachineKeyMissing, false),
    }
}

pub(crate) fn messenger(messenger: &Messenger) -> StatusStyle {
    match messenger.failure {
        None => style("ok", MessageKey::StatusConnected, false),
        Some(MessengerFailure::Connecting) => style("unknown", MessageKey::StatusConnecting, false),
        Some(MessengerFailure::Lost) => style("unknown", MessageKey::StatusDisconnected, false),
        Some(
            MessengerFailure::Refused
            | MessengerFailure::TimedOut
            | MessengerFailure::Unreachable
            | MessengerFailure::NotAMessenger
            | MessengerFailure::WrongKey
            | MessengerFailure::Protocol,
        ) => style("warning", MessageKey::StatusCannotConnect, true),
    }
}

pub(crate) const fn severity(severity: Severity) -> StatusStyle {
    match severity {
        Severity::Error => style("error", MessageKey::StatusError, true),
        Severity::Warning => style("warning", MessageKey::StatusWarning, true),
        Severity::Info => style("info", MessageKey::StatusInfo, false),
    }
}

/// Beside a sentence that heartbeats are rejected.
pub(crate) const REJECTED: StatusStyle = style("warning", MessageKey::StatusWarning, false);

/// The icons, once in each document. `.sign` is drawn in the colour of the surface.
#[cfg(feature = "ssr")]
pub(crate) const SPRITE: &str = r#"<svg width="0" height="0" aria-hidden="true"><symbol id="i-ok" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path class="sign" d="M4.8 8.2 7 10.4l4.3-4.6"/></symbol><symbol id="i-warning" viewBox="0 0 16 16"><path d="M8 1.3 15.4 14.5H.6z"/><path class="sign" d="M8 6v4M8 12v.4"/></symbol><symbol id="i-error" viewBox="0 0 16 16"><path d="M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"/><path class="sign" d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2"/></symbol><symbol id="i-stopped" viewBox="0 0 16 16"><rect x="1" y="1" width="14" height="14" rx="2"/><rect class="hole" x="5" y="5" width="6" height="6"/></symbol><symbol id="i-unknown" viewBox="0 0 16 16"><circle class="ring" cx="8" cy="8" r="6.5"/><path class="mark" d="M6 6.3c.2-2.6 4-2.4 4 0 0 1.6-2 1.6-2 3.3M8 11.6v.4"/></symbol><symbol id="i-info" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7"/><path class="sign" d="M8 7.2v4M8 4.6v.4"/></symbol></svg>"#;

/// An icon beside its word. Screen readers skip it.
pub(crate) fn icon(style: StatusStyle) -> Markup {
    svg(style.icon, None)
}

/// An icon beside a text. It has a label unless the text contains its word.
pub(crate) fn icon_beside(style: StatusStyle, text: &str, catalog: &Catalog) -> Markup {
    let label = style.label(catalog);
    svg(style.icon, (!text.contains(label)).then_some(label))
}

/// An icon without text; its word is its label.
pub(crate) fn icon_alone(style: StatusStyle, catalog: &Catalog) -> Markup {
    svg(style.icon, Some(style.label(catalog)))
}

fn svg(icon: &str, label: Option<&str>) -> Markup {
    let role = label.map(|_| "img");
    let hidden = label.is_none().then_some("true");
    html! {
        svg class={"icon " (icon)} role=[role] aria-label=[label] aria-hidden=[hidden] {
            use href={"#i-" (icon)} {}
        }
    }
}

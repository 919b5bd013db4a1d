//! A channel: whom it tells what, and how.

use app::cluster::{Severity, Span};
use app::i18n::Language;

use super::failure::{Delivered, DeliveryFailure};
use super::fields::Fields;
use super::kinds::Kind;
use super::message::Message;

const MAX_NAME_CHARS: usize = 64;
/// Of `after` and `remind`.
const MAX_WAIT: Span = Span::minutes(30 * 24 * 60);
const DEFAULT_REMINDER: Span = Span::minutes(4 * 60);

/// One table `[[channel]]`. `Debug` shows nothing secret.
#[derive(Clone, Debug)]
pub struct Channel {
    pub name: String,
    /// Incidents that are less severe are not told.
    pub from: Severity,
    /// More than zero: hears only of errors that have been open and unacknowledged for so long.
    pub after: Span,
    /// How often an open, unacknowledged error is told again. Zero: never.
    pub remind: Span,
    pub language: Language,
    kind: Kind,
}

impl Channel {
    pub(super) fn read(mut fields: Fields<'_>) -> (Option<Self>, Vec<(String, String)>) {
        let name = fields.required_text("name", "how the channel is called on the page");
        let name = name.filter(|name| {
            let is_valid = is_name(name);
            if !is_valid {
                let why = format!(
                    "must be 1 to {MAX_NAME_CHARS} letters (a-z), digits, - and _, and begin with a letter or digit"
                );
                fields.problem("name", &why);
            }
            is_valid
        });
        let severities =
            [Severity::Info, Severity::Warning, Severity::Error].map(|one| (one.as_str(), one));
        let languages = Language::ALL.map(|language| (language.as_str(), language));
        let from = fields.word("from", &severities).unwrap_or(Severity::Warning);
        let language = fields.word("lang", &languages).unwrap_or_default();
        let after = fields.span("after", Span::ZERO, MAX_WAIT);
        let remind = fields.span("remind", DEFAULT_REMINDER, MAX_WAIT);
        let word = fields.required_text("kind", &Kind::words());
        let is_known = word.as_deref().is_some_and(Kind::is_known);
        let kind = word.as_deref().and_then(|word| Kind::read(word, &mut fields));
        // Of an unknown kind nobody knows the fields.
        let problems = fields.finish(word.as_deref().filter(|_| is_known));
        let channel = name.zip(kind).filter(|_| problems.is_empty());
        let channel =
            channel.map(|(name, kind)| Self { name, from, after, remind, language, kind });
        (channel, problems)
    }

    /// The word of its kind, such as `webhook`.
    pub fn kind(&self) -> &'static str {
        self.kind.as_str()
    }

    /// Whether each incident must be in a message: see [`Message::split`].
    pub(super) fn needs_each_incident(&self) -> bool {
        self.kind.needs_each_incident()
    }

    /// Sends a message once. It takes at most 15 s, an e-mail or several events at most 60 s. If the future is dropped,
    /// the message may still arrive.
    pub async fn send(&self, message: &Message) -> Result<Delivered, DeliveryFailure> {
        self.kind.send(&self.name, message).await
    }
}

/// Names are part of paths and of log lines.
fn is_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=MAX_NAME_CHARS).contains(&name.len())
        && name.chars().all(is_allowed)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
}

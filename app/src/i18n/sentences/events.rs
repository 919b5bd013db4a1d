//! What happened, in one sentence without its subject.

use crate::cluster::hints::Arg;
use crate::cluster::history::{Event, EventKind, Happening, LongSilence, PulseCause};
use crate::cluster::settings::{SETTINGS, SettingValue};
use crate::cluster::{KeyCheck, KeyKind, Pulse, Span, Stability, Timestamp};
use crate::i18n::{Catalog, MessageKey};

impl Catalog {
    /// One sentence without a full stop. It does not name the component that it is about.
    pub fn event(&self, event: &Event) -> String {
        let text = |text: &str| Arg::Text(text.to_owned());
        match &event.what {
            Happening::Pulse { from, to, why, silence, lasted, blind } => {
                let now = self.text(pulse_message(*to, *why));
                let now =
                    silence.map_or_else(|| now.to_owned(), |silence| self.silent(now, silence));
                self.after(&now, *from, lasted.filter(|_| is_news(*from, *to, *why)), *blind)
            }
            Happening::Stability { from, to } => {
                self.text(stability_message(*from, *to)).to_owned()
            }
            Happening::Start { count, last, ran, stopped_cleanly } => {
                self.start(event.at, *count, *last, *ran, *stopped_cleanly)
            }
            Happening::Version { from, to } => {
                let args = [("from", text(from)), ("to", text(to))];
                self.format(MessageKey::PagesEventVersion, &args)
            }
            Happening::Address { from, to } => {
                let args = [("from", text(from)), ("to", text(to))];
                self.format(MessageKey::PagesEventAddress, &args)
            }
            Happening::Key { kind, from, to } => self.key_change(key_name(*kind), *from, *to),
            Happening::ReferenceKey { kind, from, to } => {
                self.key_change(reference_name(*kind), *from, *to)
            }
            Happening::FirstSeen { version } if version.is_empty() => {
                self.text(MessageKey::PagesEventFirstSeen).to_owned()
            }
            Happening::FirstSeen { version } => {
                self.format(MessageKey::PagesEventFirstSeenVersion, &[("version", text(version))])
            }
            Happening::Removed => self.text(MessageKey::PagesEventRemoved).to_owned(),
            Happening::Returned => self.text(MessageKey::PagesEventReturned).to_owned(),
            Happening::BootReturned { count, address } => {
                let count = usize::try_from(*count).unwrap_or(usize::MAX);
                let args = [("count", Arg::Number(count)), ("address", text(address))];
                self.format(MessageKey::PagesEventBootReturned, &args)
            }
            Happening::Setting { name, from, to } => self.setting_change(name, *from, *to),
            Happening::Blind { lasted } => {
                self.format(MessageKey::PagesEventBlind, &[("lasted", rounded(*lasted))])
            }
            Happening::Clock { by } if *by < Span::ZERO => {
                let by = [("by", rounded(by.times(-1)))];
                self.format(MessageKey::PagesEventClockBack, &by)
            }
            Happening::Clock { by } => {
                self.format(MessageKey::PagesEventClockForward, &[("by", rounded(*by))])
            }
        }
    }

    /// What a kind of events is called in a filter.
    pub fn event_kind(&self, kind: EventKind) -> &'static str {
        self.text(match kind {
            EventKind::Pulse => MessageKey::PagesEventKindPulse,
            EventKind::Stability => MessageKey::PagesEventKindStability,
            EventKind::Start => MessageKey::PagesEventKindStart,
            EventKind::Version => MessageKey::PagesEventKindVersion,
            EventKind::Key => MessageKey::PagesEventKindKey,
            EventKind::Address => MessageKey::PagesEventKindAddress,
            EventKind::FirstSeen => MessageKey::PagesEventKindFirstSeen,
            EventKind::Removed => MessageKey::PagesEventKindRemoved,
            EventKind::Returned => MessageKey::PagesEventKindReturned,
            EventKind::Settings => MessageKey::PagesEventKindSettings,
            EventKind::ReferenceKey => MessageKey::PagesEventKindReferenceKey,
            EventKind::Blind => MessageKey::PagesEventKindBlind,
            EventKind::Clock => MessageKey::PagesEventKindClock,
        })
    }

    /// A new pulse, since when nothing is heard, and the limit of that.
    fn silent(&self, now: &str, silence: LongSilence) -> String {
        let args = [
            ("now", Arg::Text(now.to_owned())),
            ("since", Arg::Moment(silence.since)),
            ("limit", Arg::Text(silence.limit.exact())),
        ];
        self.format(MessageKey::PagesEventSilent, &args)
    }

    /// A new pulse, how long the former one lasted, and how much of that nobody observed.
    fn after(&self, now: &str, from: Pulse, lasted: Option<Span>, blind: Span) -> String {
        let former = match from {
            Pulse::Late => MessageKey::PagesEventWasLate,
            Pulse::Stale => MessageKey::PagesEventWasStale,
            Pulse::Stopped => MessageKey::PagesEventWasStopped,
            Pulse::Alive | Pulse::Unknown => return now.to_owned(),
        };
        let Some(lasted) = lasted else { return now.to_owned() };
        let args = [("now", Arg::Text(now.to_owned())), ("lasted", rounded(lasted))];
        let said = self.format(former, &args);
        if blind == Span::ZERO {
            return said;
        }
        let args = [("before", Arg::Text(said)), ("blind", rounded(blind))];
        self.format(MessageKey::PagesEventPartlyBlind, &args)
    }

    fn start(
        &self,
        at: Timestamp,
        count: u32,
        last: Timestamp,
        ran: Span,
        stopped_cleanly: bool,
    ) -> String {
        let key = match (count, stopped_cleanly) {
            (..=1, true) => MessageKey::PagesEventStartedAfterStop,
            (..=1, false) => MessageKey::PagesEventStarted,
            (_, true) => MessageKey::PagesEventStartsAfterStop,
            (_, false) => MessageKey::PagesEventStarts,
        };
        let same_day = at.rfc3339()[..10] == last.rfc3339()[..10];
        let last = if same_day { Arg::Moment(last) } else { Arg::Date(last) };
        let times = Arg::Number(usize::try_from(count).unwrap_or(usize::MAX));
        self.format(key, &[("times", times), ("last", last), ("ran", rounded(ran))])
    }

    fn key_change(&self, name: MessageKey, from: Option<KeyCheck>, to: Option<KeyCheck>) -> String {
        let (from, to) = (from.map(|key| key.short()), to.map(|key| key.short()));
        let message = match (&from, &to) {
            (None, _) => MessageKey::PagesEventKeyFirst,
            (_, None) => MessageKey::PagesEventKeyNone,
            (Some(_), Some(_)) => MessageKey::PagesEventKeyChanged,
        };
        let digits = |key: Option<String>| Arg::Text(key.unwrap_or_default());
        let name = Arg::Text(self.text(name).to_owned());
        self.format(message, &[("key", name), ("from", digits(from)), ("to", digits(to))])
    }

    fn setting_change(&self, name: &str, from: SettingValue, to: SettingValue) -> String {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let label = setting.map_or(name, |setting| self.setting_label(setting));
        let value = |value| Arg::Text(self.setting_value(value));
        let args =
            [("setting", Arg::Text(label.to_owned())), ("from", value(from)), ("to", value(to))];
        self.format(MessageKey::PagesEventSetting, &args)
    }

    fn setting_value(&self, value: SettingValue) -> String {
        match value {
            SettingValue::Switch(true) => self.text(MessageKey::FactsOn).to_owned(),
            SettingValue::Switch(false) => self.text(MessageKey::FactsOff).to_owned(),
            SettingValue::Seconds(seconds) => Span::seconds(seconds.into()).exact(),
        }
    }
}

const fn rounded(span: Span) -> Arg {
    Arg::Span(span.to_nearest_second())
}

/// Whether the length of the former pulse says something: that a silence was late before it became stale does not.
const fn is_news(from: Pulse, to: Pulse, why: PulseCause) -> bool {
    !matches!((from, to, why), (Pulse::Late, Pulse::Stale, PulseCause::Silence))
}

const fn pulse_message(to: Pulse, why: PulseCause) -> MessageKey {
    match (to, why) {
        (Pulse::Alive, PulseCause::Start) => MessageKey::PagesEventAliveStarted,
        (Pulse::Alive, PulseCause::Settings) => MessageKey::PagesEventAliveSettings,
        (
            Pulse::Alive,
            PulseCause::Heartbeat
            | PulseCause::Silence
            | PulseCause::Goodbye
            | PulseCause::Observed,
        ) => MessageKey::PagesEventAlive,
        (Pulse::Late, PulseCause::Settings) => MessageKey::PagesEventLateSettings,
        (Pulse::Late, PulseCause::Observed) => MessageKey::PagesEventLateObserved,
        (
            Pulse::Late,
            PulseCause::Heartbeat | PulseCause::Silence | PulseCause::Goodbye | PulseCause::Start,
        ) => MessageKey::PagesEventLate,
        (Pulse::Stale, PulseCause::Settings) => MessageKey::PagesEventStaleSettings,
        (Pulse::Stale, PulseCause::Observed) => MessageKey::PagesEventStaleObserved,
        (
            Pulse::Stale,
            PulseCause::Heartbeat | PulseCause::Silence | PulseCause::Goodbye | PulseCause::Start,
        ) => MessageKey::PagesEventStale,
        (Pulse::Stopped, _) => MessageKey::PagesEventStopped,
        (Pulse::Unknown, _) => MessageKey::PagesEventUnknown,
    }
}

const fn stability_message(from: Stability, to: Stability) -> MessageKey {
    match (to, from) {
        (Stability::Flapping, _) => MessageKey::StatusFlapping,
        (Stability::Restarting, _) => MessageKey::StatusRestarting,
        (Stability::Steady, Stability::Restarting) => MessageKey::PagesEventSteadyRestarts,
        (Stability::Steady, Stability::Flapping | Stability::Steady) => {
            MessageKey::PagesEventSteadyHeartbeats
        }
    }
}

const fn key_name(kind: KeyKind) -> MessageKey {
    match kind {
        KeyKind::Encryption => MessageKey::ColumnEncryptionKey,
        KeyKind::Machine => MessageKey::DetailsMachineKey,
    }
}

const fn reference_name(kind: KeyKind) -> MessageKey {
    match kind {
        KeyKind::Encryption => MessageKey::PagesEventReferenceEncryption,
        KeyKind::Machine => MessageKey::PagesEventReferenceMachine,
    }
}

//! What is said about a setting: its name, what it means, and what is wrong with its value.

use crate::cluster::hints::Arg;
use crate::cluster::{Setting, SettingErrorKind, SettingId, Span};
use crate::i18n::{Catalog, MessageKey};

impl Catalog {
    pub fn setting_label(&self, setting: &Setting) -> &'static str {
        self.text(match setting.id {
            SettingId::LoadBalancing => MessageKey::SettingsLoadBalancingLabel,
            SettingId::AutomaticFailover => MessageKey::SettingsAutomaticFailoverLabel,
            SettingId::StaleTimeout => MessageKey::SettingsStaleTimeoutLabel,
            SettingId::HeartbeatInterval => MessageKey::SettingsHeartbeatIntervalLabel,
            SettingId::WebWindow => MessageKey::SettingsWebWindowLabel,
        })
    }

    /// What a setting means, and what it may be.
    pub fn setting_help(&self, setting: &Setting) -> String {
        let key = match setting.id {
            SettingId::LoadBalancing => MessageKey::SettingsLoadBalancingHelp,
            SettingId::AutomaticFailover => MessageKey::SettingsAutomaticFailoverHelp,
            SettingId::StaleTimeout => MessageKey::SettingsStaleTimeoutHelp,
            SettingId::HeartbeatInterval => MessageKey::SettingsHeartbeatIntervalHelp,
            SettingId::WebWindow => MessageKey::SettingsWebWindowHelp,
        };
        let limits = setting
            .range
            .map(|range| [("min", Arg::Span(range.min)), ("max", Arg::Span(range.max))]);
        self.format(key, limits.as_ref().map_or(&[], |limits| &limits[..]))
    }

    /// Why a short value is unwise; `None` where no value is.
    pub fn setting_warning(&self, setting: &Setting) -> Option<&'static str> {
        match setting.id {
            SettingId::LoadBalancing | SettingId::AutomaticFailover | SettingId::WebWindow => None,
            SettingId::StaleTimeout => Some(self.text(MessageKey::SettingsStaleTimeoutUnwise)),
            SettingId::HeartbeatInterval => {
                Some(self.text(MessageKey::SettingsHeartbeatIntervalUnwise))
            }
        }
    }

    /// What is wrong with a value, and what would be right.
    pub fn setting_error(&self, error: SettingErrorKind) -> String {
        // To the second: a span in its two largest units may look like its limit.
        let exact = |span: Span| Arg::Text(span.exact());
        match error {
            SettingErrorKind::NotADuration => {
                self.text(MessageKey::SettingsErrorNotADuration).to_owned()
            }
            SettingErrorKind::OutOfRange { min, max, given } => self.format(
                MessageKey::SettingsErrorOutOfRange,
                &[("min", Arg::Span(min)), ("max", Arg::Span(max)), ("given", exact(given))],
            ),
            SettingErrorKind::TooShort { twice, given } => self.format(
                MessageKey::SettingsErrorTooShort,
                &[("twice", exact(twice)), ("given", exact(given))],
            ),
        }
    }
}

//! The pulse of a component: its silence, its limits, and what they make of it.

use super::component::Component;
use super::component_key::Role;
use super::health::Pulse;
use super::observation::{self, BlindPeriod};
use super::settings::Settings;
use super::time::{Span, Timestamp};

impl Component {
    /// Silence beyond this makes it stale: the setting for its role, but never less than twice the
    /// interval it was last told.
    pub fn stale_limit(&self, settings: &Settings) -> Span {
        let setting = match self.role {
            Role::Web => settings.web_window(),
            Role::Service => settings.stale_timeout(),
        };
        setting.max(self.told_interval.times(2))
    }

    /// Silence beyond this makes a service late: twice the longer of today's interval and the one
    /// it was last told.
    pub fn late_limit(&self, settings: &Settings) -> Span {
        settings.interval().max(self.told_interval).times(2)
    }

    /// Its silence: the time since its last heartbeat, less every blind period.
    pub fn silence(&self, blind_periods: &[BlindPeriod], now: Timestamp) -> Span {
        observation::silence(self.last_heartbeat, now, blind_periods)
    }

    /// Its pulse for an observer that is not blind: the first line of the rule that fits.
    pub fn pulse(
        &self,
        settings: &Settings,
        blind_periods: &[BlindPeriod],
        now: Timestamp,
    ) -> Pulse {
        if self.stopped {
            return Pulse::Stopped;
        }
        if self.silence(blind_periods, now) > self.stale_limit(settings) {
            return Pulse::Stale;
        }
        let limit = self.late_limit(settings);
        if self.role == Role::Service
            && observation::is_late(self.last_heartbeat, now, limit, blind_periods)
        {
            return Pulse::Late;
        }
        Pulse::Alive
    }
}

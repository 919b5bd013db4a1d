//! The pulse of a component: its silence, its limits, and what they make of it.

use super::component::Component;
use super::component_key::Role;
use super::health::Pulse;
use super::interruptions::Interruptions;
use super::observation::{self, BlindPeriod};
use super::settings::Settings;
use super::time::{Span, Timestamp};

/// A web component that has reported within so many intervals gets requests.
pub(super) const BUSY_INTERVALS: i64 = 3;
/// One that has not reported for this long, or for so many intervals if that is longer, gets none.
const UNUSED_AFTER: Span = Span::minutes(2);
const UNUSED_AFTER_INTERVALS: i64 = 20;

/// After which silence a web component seems to get no requests.
pub(super) fn unused_after(settings: &Settings) -> Span {
    UNUSED_AFTER.max(settings.interval().times(UNUSED_AFTER_INTERVALS))
}

/// What a pulse is judged by: a component's last heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastHeartbeat {
    pub(super) role: Role,
    pub(super) at: Timestamp,
    /// The heartbeat interval that the response to it named.
    pub(super) interval: Span,
    /// It said that the process was stopping.
    pub(super) stopped: bool,
}

impl LastHeartbeat {
    /// Silence beyond this makes its component stale: the setting for its role, but never less than twice the interval
    /// that the response to its last heartbeat named.
    pub(super) fn stale_limit(self, settings: &Settings) -> Span {
        let setting = match self.role {
            Role::Web => settings.web_window(),
            Role::Service => settings.stale_timeout(),
        };
        setting.max(self.interval.times(2))
    }

    /// Silence beyond this makes a service late: twice the longer of today's interval and the one that the response
    /// to its last heartbeat named.
    pub(super) fn late_limit(self, settings: &Settings) -> Span {
        settings.interval().max(self.interval).times(2)
    }

    /// The pulse for an observer that is not blind: the first line of the rule that fits.
    pub(super) fn pulse(
        self,
        settings: &Settings,
        blind_periods: &[BlindPeriod],
        now: Timestamp,
    ) -> Pulse {
        if self.stopped {
            return Pulse::Stopped;
        }
        let silence = observation::silence(self.at, now, blind_periods);
        if silence > self.stale_limit(settings) {
            return Pulse::Stale;
        }
        let limit = self.late_limit(settings);
        if self.role == Role::Service && observation::is_late(self.at, now, limit, blind_periods) {
            return Pulse::Late;
        }
        Pulse::Alive
    }
}

impl Component {
    pub(super) fn last(&self) -> LastHeartbeat {
        let Self { role, last_heartbeat, told_interval, stopped, .. } = *self;
        LastHeartbeat { role, at: last_heartbeat, interval: told_interval, stopped }
    }

    /// Silence beyond this makes it stale: see [`Self::pulse`].
    pub fn stale_limit(&self, settings: &Settings) -> Span {
        self.last().stale_limit(settings)
    }

    /// Silence beyond this makes a service late: see [`Self::pulse`].
    pub fn late_limit(&self, settings: &Settings) -> Span {
        self.last().late_limit(settings)
    }

    /// Its silence: the time since its last heartbeat, less every blind period.
    pub fn silence(&self, blind_periods: &[BlindPeriod], now: Timestamp) -> Span {
        observation::silence(self.last_heartbeat, now, blind_periods)
    }

    /// Its pulse for an observer that is not blind.
    pub fn pulse(
        &self,
        settings: &Settings,
        blind_periods: &[BlindPeriod],
        now: Timestamp,
    ) -> Pulse {
        self.last().pulse(settings, blind_periods, now)
    }

    /// Since when it has this pulse, as far as its last starts and gaps tell. `None` while the observer is blind.
    pub fn pulse_since(
        &self,
        pulse: Pulse,
        settings: &Settings,
        blind_periods: &[BlindPeriod],
    ) -> Option<Timestamp> {
        let exceeds = |limit| observation::exceeds_at(self.last_heartbeat, limit, blind_periods);
        Some(match pulse {
            Pulse::Unknown => return None,
            Pulse::Stopped => self.last_heartbeat,
            Pulse::Stale => exceeds(self.stale_limit(settings)),
            Pulse::Late => {
                let limit = self.late_limit(settings);
                observation::late_at(self.last_heartbeat, limit, blind_periods)
            }
            Pulse::Alive => self.alive_since(settings),
        })
    }

    /// The last time its pulse turned alive: when it was first seen, started again after a stop or a silence, or was heard
    /// after a gap.
    fn alive_since(&self, settings: &Settings) -> Timestamp {
        let Interruptions { starts, gaps } = &self.interruptions;
        let limit = match self.role {
            Role::Web => self.stale_limit(settings),
            Role::Service => self.late_limit(settings),
        };
        let start = starts.iter().rfind(|start| start.stopped_cleanly || start.silence > limit);
        let gap = gaps.iter().rfind(|gap| gap.length() > limit);
        let turns = [start.map(|start| start.at), gap.map(|gap| gap.end)];
        turns.into_iter().flatten().fold(self.first_seen, Timestamp::max)
    }
}

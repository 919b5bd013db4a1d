//! Did many services fall silent together, and is anybody else still heard?

use super::rules::RuleContext;
use crate::cluster::component_key::Role;
use crate::cluster::health::{ComponentStatus, Pulse};
use crate::cluster::observation::exceeds_at;
use crate::cluster::order::sorted_indices;
use crate::cluster::time::{Span, Timestamp};

/// More than half of at least two services, which went stale within one interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SimultaneousSilence {
    /// All services that have not stopped.
    pub(super) services: usize,
    pub(super) silent: usize,
    /// When the first of them went stale.
    pub(super) first: Timestamp,
    /// When the last of them did, at the latest.
    last: Timestamp,
    /// The servers that were heard after all of them had fallen silent.
    pub(super) witnesses: usize,
    /// The last heartbeat of the last of them.
    pub(super) last_heartbeat: Timestamp,
}

impl SimultaneousSilence {
    /// Whether this component is one of them.
    pub(super) fn includes(&self, context: RuleContext<'_>, status: &ComponentStatus) -> bool {
        is_silent_service(status) && (self.first..=self.last).contains(&context.stale_since(status))
    }
}

fn is_silent_service(status: &ComponentStatus) -> bool {
    status.component.role == Role::Service
        && status.pulse == Pulse::Stale
        && !status.component.is_observer()
}

impl RuleContext<'_> {
    /// Whether it is a web component that was alive at a past moment, but it is not recorded when it was heard.
    fn is_heard_at_unknown_time(self, status: &ComponentStatus) -> bool {
        let component = &status.component;
        let unrecorded = self.snapshot.unrecorded.as_ref();
        component.role == Role::Web
            && unrecorded.is_some_and(|unrecorded| unrecorded.heard.contains(&component.key()))
    }

    /// When a component's silence became longer than its limit.
    pub(super) fn stale_since(self, status: &ComponentStatus) -> Timestamp {
        self.since_silent(status, status.component.stale_limit(&self.snapshot.settings))
    }

    /// When a component's silence became longer than `limit`.
    pub(super) fn since_silent(self, status: &ComponentStatus, limit: Span) -> Timestamp {
        exceeds_at(status.component.last_heartbeat, limit, &self.snapshot.blind_periods)
    }

    /// More than half of at least two services, if they went stale within one interval.
    pub(super) fn simultaneous_silence(self) -> Option<SimultaneousSilence> {
        let interval = self.snapshot.settings.interval();
        let services = self.overview.compared().filter(|status| {
            status.component.role == Role::Service && status.pulse != Pulse::Stopped
        });
        let services = services.count();
        let stale: Vec<Timestamp> = self
            .overview
            .compared()
            .filter(|status| is_silent_service(status))
            .map(|status| self.stale_since(status))
            .collect();
        let order = sorted_indices(stale.len(), &|a, b| stale[a].cmp(&stale[b]));
        let stale: Vec<Timestamp> = order.into_iter().map(|place| stale[place]).collect();
        // Of the spans of one interval the fullest, and of equals the latest: a window slides over them.
        let (mut end, mut silent, mut first) = (0, 0, None);
        for (start, moment) in stale.iter().enumerate() {
            while stale.get(end).is_some_and(|last| *last - *moment <= interval) {
                end += 1;
            }
            if end - start >= silent {
                (silent, first) = (end - start, Some(*moment));
            }
        }
        let first = first.filter(|_| services >= 2 && silent * 2 > services)?;
        let last = first + interval;
        let (witnesses, last_heartbeat) = (0, first);
        let found =
            SimultaneousSilence { services, silent, first, last, witnesses, last_heartbeat };
        Some(self.with_witnesses(found))
    }

    /// Counts the servers with a heartbeat later than one interval after the last heartbeat of the silent services. They show
    /// that the overview and its database work. The interval is the longest of all components. What the overview reports about
    /// itself proves nothing.
    fn with_witnesses(self, found: SimultaneousSilence) -> SimultaneousSilence {
        let members = self.overview.components().filter(|status| found.includes(self, status));
        let last_heartbeat = members.map(|status| status.component.last_heartbeat).max();
        let last_heartbeat = last_heartbeat.unwrap_or(found.first);
        let longest = self.overview.components().map(|status| status.component.told_interval).max();
        let later = last_heartbeat + longest.unwrap_or_default();
        let heard = |status: &ComponentStatus| {
            !status.component.facts.source.is_own()
                && status.component.last_heartbeat > later
                && !self.is_heard_at_unknown_time(status)
        };
        let witnesses = self.overview.servers.iter();
        let witnesses = witnesses.filter(|server| server.components.iter().any(heard)).count();
        SimultaneousSilence { witnesses, last_heartbeat, ..found }
    }
}

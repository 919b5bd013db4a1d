//! How would other timeouts have judged the silences of the past?

use std::collections::BTreeMap;

use super::cluster_history::{ClusterHistory, place_in_force};
use super::record::PART_OF_WEB_WINDOW;
use super::timeline::{Interval, PastState};
use crate::cluster::health::Pulse;
use crate::cluster::server_name::ServerName;
use crate::cluster::settings::Settings;
use crate::cluster::time::{Span, Timestamp};

/// The two timeouts that can be rehearsed. The heartbeat interval cannot: with another one, agents would have sent other
/// heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    pub stale_timeout_s: u32,
    pub web_window_s: u32,
}

impl From<Settings> for Timeouts {
    fn from(settings: Settings) -> Self {
        let Settings { stale_timeout_s, web_window_s, .. } = settings;
        Self { stale_timeout_s, web_window_s }
    }
}

/// How often each server would have become stale.
pub type StaleCounts = BTreeMap<ServerName, usize>;

impl ClusterHistory {
    /// How often these timeouts would have called servers stale in a span.
    pub fn rehearse(&self, timeouts: Timeouts, span: Interval) -> StaleCounts {
        let Timeouts { stale_timeout_s, web_window_s } = timeouts;
        let with_timeouts = |(at, settings): &(Timestamp, Settings)| {
            (*at, Settings { stale_timeout_s, web_window_s, ..*settings })
        };
        let settings: Vec<_> = self.settings.iter().map(with_timeouts).collect();
        let mut counts = StaleCounts::new();
        for (key, component) in &self.components {
            let segments = self.timeline_under(&settings, key.role, component, span);
            let is_stale = |state| state == PastState::Pulse(Pulse::Stale);
            let began = |at: usize| at.checked_sub(1).and_then(|before| segments.get(before));
            let mut times = 0;
            for (place, segment) in segments.iter().enumerate() {
                // A stale component is still the same after a blind period.
                let before = began(place);
                let before = match before {
                    Some(blind) if blind.state == PastState::Pulse(Pulse::Unknown) => {
                        began(place - 1).or(before)
                    }
                    before => before,
                };
                let goes_on = before.is_some_and(|before| is_stale(before.state));
                times += usize::from(is_stale(segment.state) && !goes_on);
            }
            if times > 0 {
                *counts.entry(key.server.clone()).or_default() += times;
            }
        }
        counts
    }

    /// The shortest web window that can be rehearsed for a span: shorter silences of web components are not recorded.
    pub fn min_web_window(&self, span: Interval) -> Span {
        let first = place_in_force(&self.settings, span.from).unwrap_or_default();
        let in_force = self.settings.iter().skip(first).take_while(|(at, _)| *at < span.until);
        let longest = in_force.map(|(_, settings)| settings.web_window()).max();
        Span(longest.unwrap_or_default().0 / PART_OF_WEB_WINDOW)
    }
}

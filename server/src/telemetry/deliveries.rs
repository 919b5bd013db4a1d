//! Counts messages to channels by what became of them, and shows which channels fail.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use app::cluster::{Snapshot, Span, Timestamp};

use crate::telemetry::cluster::seconds;
use crate::telemetry::exposition::{Kind, Text};

/// Of one channel, since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DeliveryCounts {
    /// Messages that the receiver accepted.
    pub(crate) delivered: u64,
    /// Messages in whose place a later one says it all.
    pub(crate) merged: u64,
    /// Messages that were not accepted within a day.
    pub(crate) given_up: u64,
    /// Tries that the receiver did not accept, however many of them belong to one message.
    pub(crate) failed_tries: u64,
}

/// All messages since the start, except tests.
#[derive(Debug, Default)]
pub(crate) struct DeliveryMetrics {
    channels: Mutex<BTreeMap<String, DeliveryCounts>>,
}

impl DeliveryMetrics {
    pub(crate) fn count(&self, channel: &str, add: impl FnOnce(&mut DeliveryCounts)) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        add(channels.entry(channel.to_owned()).or_default());
    }

    fn of(&self, channel: &str) -> DeliveryCounts {
        let channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        channels.get(channel).copied().unwrap_or_default()
    }

    /// Writes the metrics of these channels at `now`: those of the channel file, so that each is there before its first message.
    pub(crate) fn write(
        &self,
        text: &mut Text,
        channels: &[&str],
        snapshot: &Snapshot,
        now: Timestamp,
    ) {
        text.family(
            "cluster_overview_deliveries_total",
            Kind::Counter,
            "Messages to each channel that ended: delivered, merged into a later one, or given up; without tests.",
        );
        for channel in channels {
            let counts = self.of(channel);
            for (outcome, count) in [
                ("delivered", counts.delivered),
                ("merged", counts.merged),
                ("given_up", counts.given_up),
            ] {
                text.sample(&[("channel", channel), ("outcome", outcome)], count);
            }
        }
        text.family(
            "cluster_overview_delivery_failures_total",
            Kind::Counter,
            "How often a channel did not accept a message, each try counted; without tests.",
        );
        for channel in channels {
            text.sample(&[("channel", channel)], self.of(channel).failed_tries);
        }
        text.family(
            "cluster_overview_channel_failing_seconds",
            Kind::Gauge,
            "Time since a channel began to accept no message; 0 if it accepted the last one; absent while blind.",
        );
        if snapshot.blind_since.is_some() {
            return;
        }
        for channel in channels {
            let failing = snapshot.upkeep.channels.iter().find(|failing| failing.name == *channel);
            let length =
                failing.map_or(Span::ZERO, |failing| (now - failing.since).max(Span::ZERO));
            text.sample(&[("channel", channel)], seconds(length));
        }
    }
}

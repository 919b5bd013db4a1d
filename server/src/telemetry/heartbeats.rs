//! Counts heartbeats: received, applied and rejected.

use crate::telemetry::exposition::{Kind, Text};
use crate::telemetry::primitives::{Counter, Histogram};

/// Bounds for the number of heartbeats in one transaction.
const BATCH_SIZE_BOUNDS: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 4_000.0];

/// Why heartbeats were rejected.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RejectReason {
    /// No valid token.
    Token,
    /// Too large, of another type, not JSON, or with invalid fields.
    Malformed,
    /// Too many requests wait for the writer.
    Busy,
    /// The database cannot be written.
    Blind,
    /// New servers beyond the limit.
    Full,
}

impl RejectReason {
    const ALL: [Self; 5] = [Self::Token, Self::Malformed, Self::Busy, Self::Blind, Self::Full];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Malformed => "malformed",
            Self::Busy => "busy",
            Self::Blind => "blind",
            Self::Full => "full",
        }
    }
}

/// All heartbeats since the start.
#[derive(Debug)]
pub(crate) struct HeartbeatMetrics {
    received: Counter,
    applied: Counter,
    batches: Histogram,
    rejected: [Counter; RejectReason::ALL.len()],
}

impl Default for HeartbeatMetrics {
    fn default() -> Self {
        let batches = Histogram::new(BATCH_SIZE_BOUNDS);
        Self {
            received: Counter::default(),
            applied: Counter::default(),
            batches,
            rejected: Default::default(),
        }
    }
}

impl HeartbeatMetrics {
    /// Counts a batch that was committed, even if its senders no longer wait for the response.
    pub(crate) fn record_batch(&self, received: usize, applied: usize) {
        self.received.add(received);
        self.applied.add(applied);
        self.batches.observe(u32::try_from(received).unwrap_or(u32::MAX).into());
    }

    /// Counts a request whose heartbeats were rejected.
    pub(crate) fn record_rejection(&self, why: RejectReason) {
        self.rejected[why as usize].add(1);
    }

    pub(crate) fn write(&self, text: &mut Text) {
        text.family(
            "cluster_overview_heartbeats_taken_total",
            Kind::Counter,
            "Heartbeats that were made durable, including the overview's own.",
        );
        text.sample(&[], self.received.get());
        text.family(
            "cluster_overview_heartbeats_applied_total",
            Kind::Counter,
            "Heartbeats among them that changed something, so no replays.",
        );
        text.sample(&[], self.applied.get());
        text.family(
            "cluster_overview_heartbeat_refusals_total",
            Kind::Counter,
            "Requests with heartbeats that were rejected: token, malformed, busy, blind or full.",
        );
        for why in RejectReason::ALL {
            text.sample(&[("reason", why.as_str())], self.rejected[why as usize].get());
        }
        text.family(
            "cluster_overview_heartbeat_batch_size",
            Kind::Histogram,
            "Heartbeats that went into one transaction.",
        );
        text.histogram(&[], &self.batches);
    }
}

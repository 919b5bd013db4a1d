//! What the overview counts of itself, and what `/metrics` tells. ARCHITECTURE.md lists every metric.
//!
//! Written by hand: a recorder of the whole process would mix the sites that one process may hold, and
//! gauges kept between scrapes would outlive the components they speak of.

use std::sync::Arc;

use axum::body::Bytes;

use crate::Site;
use crate::store::Receipt;
use crate::telemetry::cluster;
use crate::telemetry::exposition::{Kind, Text};
use crate::telemetry::primitives::{Counter, Histogram};
use crate::watch::Sight;

/// Up to how many heartbeats one transaction took in.
pub(crate) const BATCHES: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 4_000.0];

/// Why heartbeats were refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// No or another token.
    Token,
    /// Too large, of another type, not JSON, or with bad fields.
    Malformed,
    /// Too many wait.
    Busy,
    /// The database does not take them.
    Blind,
    /// Of servers for which there is no room.
    Full,
}

impl Refusal {
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

/// What became of the heartbeats that came.
#[derive(Debug)]
pub(crate) struct Heartbeats {
    taken: Counter,
    applied: Counter,
    batches: Histogram,
    refused: [Counter; Refusal::ALL.len()],
}

impl Default for Heartbeats {
    fn default() -> Self {
        let batches = Histogram::new(BATCHES);
        Self {
            taken: Counter::default(),
            applied: Counter::default(),
            batches,
            refused: Default::default(),
        }
    }
}

impl Heartbeats {
    /// A batch is durable, whether or not those who sent it still wait for the answer.
    pub(crate) fn took(&self, receipts: &[Receipt]) {
        self.taken.add(receipts.len());
        self.applied.add(Receipt::applied(receipts));
        self.batches.observe(u32::try_from(receipts.len()).unwrap_or(u32::MAX).into());
    }

    /// One request's heartbeats were refused.
    pub(crate) fn refuse(&self, why: Refusal) {
        self.refused[why as usize].add(1);
    }
}

impl Site {
    /// All metrics at this moment, in Prometheus' text format: no query. Monitors that ask at once share one text.
    pub(crate) async fn metrics(self: &Arc<Self>) -> Bytes {
        let site = Arc::clone(self);
        self.scrape.run(move || site.text().into()).await
    }

    fn text(&self) -> String {
        let mut text = Text::default();
        let Sight { snapshot, now, .. } = self.watch.sight();
        cluster::tell(&mut text, &snapshot, now);
        self.requests.tell(&mut text);
        self.intake.figures().tell(&mut text);
        text.family(
            "cluster_overview_store_transaction_duration_seconds",
            Kind::Histogram,
            "From the beginning of a change in the database to its commit.",
        );
        text.histogram(&[], self.store.durations());
        text.family(
            "cluster_overview_store_errors_total",
            Kind::Counter,
            "Times the database could not be read or written.",
        );
        text.sample(&[], self.watch.failures());
        text.family(
            "cluster_overview_store_replaced_connections_total",
            Kind::Counter,
            "Database connections that were found inside an earlier transaction, and replaced.",
        );
        text.sample(&[], self.store.replaced_connections());
        text.family(
            "cluster_overview_store_log_bytes",
            Kind::Gauge,
            "Size of SQLite's write-ahead log; 0 with PostgreSQL.",
        );
        text.sample(&[], self.store.log_bytes());
        text.done()
    }
}

impl Heartbeats {
    fn tell(&self, text: &mut Text) {
        text.family(
            "cluster_overview_heartbeats_taken_total",
            Kind::Counter,
            "Heartbeats that were made durable, the overview's own included.",
        );
        text.sample(&[], self.taken.get());
        text.family(
            "cluster_overview_heartbeats_applied_total",
            Kind::Counter,
            "Heartbeats among the taken ones that changed something: no replays.",
        );
        text.sample(&[], self.applied.get());
        text.family(
            "cluster_overview_heartbeat_refusals_total",
            Kind::Counter,
            "Requests with heartbeats that were refused: token, malformed, busy, blind or full.",
        );
        for why in Refusal::ALL {
            text.sample(&[("reason", why.as_str())], self.refused[why as usize].get());
        }
        text.family(
            "cluster_overview_heartbeat_batch_size",
            Kind::Histogram,
            "Heartbeats that went into one transaction.",
        );
        text.histogram(&[], &self.batches);
    }
}

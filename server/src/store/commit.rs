//! What does a transaction return: for the live picture, and to its caller?

use std::sync::Arc;

use app::cluster::{
    BlindPeriod, Component, ComponentKey, HeartbeatUpdate, Incident, ReferenceKeys,
    RejectedHeartbeat, Settings, Snapshot, Span, Timestamp,
};

use crate::auth::cache::{AuthCache, AuthCacheChanges};
use crate::store::CommitId;

/// What a transaction changed.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What others had changed before it; must be applied first.
    pub earlier: Option<Box<Commit>>,
    pub id: CommitId,
    /// Other commits between the last one that was read and this one, as far as the database remembers them.
    pub skipped: Vec<CommitId>,
    /// When it was written, or read.
    pub at: Timestamp,
    /// When a fact last changed.
    pub changed_at: Timestamp,
    /// Components of which more than the last heartbeat changed.
    pub components: Vec<Arc<Component>>,
    /// Components of which only the last heartbeat changed.
    pub heartbeats: Vec<HeartbeatUpdate>,
    pub removed: Vec<ComponentKey>,
    /// The reference keys, if they changed.
    pub references: Option<ReferenceKeys>,
    /// The settings, if they changed.
    pub settings: Option<Settings>,
    /// All blind periods, if they changed.
    pub blind_periods: Option<Vec<BlindPeriod>>,
    /// All rejected heartbeats and failing probes, if they changed.
    pub rejected: Option<Vec<RejectedHeartbeat>>,
    /// Incidents that changed.
    pub incidents: Vec<Arc<Incident>>,
    /// Replaces everything that was read before: all times moved, or the database was restored or replaced.
    pub snapshot: Option<Box<Snapshot>>,
    /// Accounts, sessions and tokens, if they changed. Not part of the picture.
    pub auth_cache: Option<AuthChanges>,
}

/// What a commit changed about accounts, sessions and tokens.
#[derive(Clone, Debug)]
pub enum AuthChanges {
    /// Replaces everything that was read before.
    Whole(Box<AuthCache>),
    Changes(AuthCacheChanges),
}

impl Commit {
    /// Whether it changes nothing for readers. `earlier` does not count.
    pub fn is_empty(&self) -> bool {
        self.heartbeats.is_empty() && self.has_only_times()
    }

    /// Whether a fact changed that verdicts follow from.
    pub(crate) fn changes_facts(&self) -> bool {
        !self.heartbeats.is_empty() || !self.has_only_times_and_incidents()
    }

    /// Whether others are notified at once: more than heartbeat times changed.
    pub(crate) fn is_urgent(&self) -> bool {
        !self.has_only_times() || self.auth_cache.is_some()
    }

    /// Whether only heartbeat times changed.
    fn has_only_times(&self) -> bool {
        self.incidents.is_empty() && self.has_only_times_and_incidents()
    }

    fn has_only_times_and_incidents(&self) -> bool {
        self.components.is_empty()
            && self.removed.is_empty()
            && self.references.is_none()
            && self.settings.is_none()
            && self.blind_periods.is_none()
            && self.rejected.is_none()
            && self.snapshot.is_none()
    }
}

/// The result of one heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whether it changed something.
    pub applied: bool,
    /// When the latest heartbeat was received: this one, or the one that it did not replace.
    pub received_at: Timestamp,
}

impl Receipt {
    pub fn applied(receipts: &[Self]) -> usize {
        receipts.iter().filter(|receipt| receipt.applied).count()
    }
}

/// The result of a batch of heartbeats.
#[derive(Debug)]
pub struct ReceiveOutcome {
    /// One for each heartbeat, in order.
    pub receipts: Vec<Receipt>,
    /// When the batch was written.
    pub at: Timestamp,
    /// The configured heartbeat interval.
    pub interval: Span,
    pub commit: Commit,
}

/// Everything in the database, as of one commit.
#[derive(Clone, Debug)]
pub struct LoadedState {
    pub snapshot: Snapshot,
    pub auth_cache: AuthCache,
    pub commit: CommitId,
}

//! What a transaction changed, for whoever keeps the picture, and what is told to whoever asked for it.

use std::sync::Arc;

use app::cluster::{
    BlindPeriod, Component, ComponentKey, HeartbeatUpdate, ReferenceKeys, Settings, Snapshot, Span,
    Timestamp,
};

use crate::auth::cache::{AuthCache, AuthCacheChanges};
use crate::store::CommitId;

/// What a transaction changed.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What others had changed before it; to be taken in first.
    pub earlier: Option<Box<Commit>>,
    /// This commit.
    pub id: CommitId,
    /// Commits of others before it, as far as the database remembers them.
    pub skipped: Vec<CommitId>,
    /// When it was made, or seen.
    pub at: Timestamp,
    /// When a fact was last changed.
    pub changed_at: Timestamp,
    /// Components of which more than the time changed.
    pub components: Vec<Arc<Component>>,
    /// Components that merely beat again.
    pub heartbeats: Vec<HeartbeatUpdate>,
    /// Components that were removed.
    pub removed: Vec<ComponentKey>,
    /// The reference keys, if they changed.
    pub references: Option<ReferenceKeys>,
    /// The settings, if they changed.
    pub settings: Option<Settings>,
    /// All blind periods, if they changed.
    pub blind_periods: Option<Vec<BlindPeriod>>,
    /// Everything, where nothing known so far can be built upon: the clock jumped, or the database is
    /// another.
    pub snapshot: Option<Box<Snapshot>>,
    /// Who may ask for what, if that changed: no reader of the picture hears of it.
    pub auth_cache: Option<AuthChanges>,
}

/// What a commit changed about who may ask for what.
#[derive(Clone, Debug)]
pub enum AuthChanges {
    /// Everything, where nothing known so far can be built upon.
    Whole(Box<AuthCache>),
    /// What is not as it was.
    Changes(AuthCacheChanges),
}

impl Commit {
    /// Whether a reader has anything to take in, beside what others changed before.
    pub fn is_empty(&self) -> bool {
        self.heartbeats.is_empty() && self.has_only_times()
    }

    /// Whether somebody wants to hear of it at once: more than a time changed.
    pub(crate) fn is_urgent(&self) -> bool {
        !self.has_only_times() || self.auth_cache.is_some()
    }

    /// Whether no reader has more than times to take in.
    fn has_only_times(&self) -> bool {
        self.components.is_empty()
            && self.removed.is_empty()
            && self.references.is_none()
            && self.settings.is_none()
            && self.blind_periods.is_none()
            && self.snapshot.is_none()
    }
}

/// What became of one heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// It changed something.
    pub applied: bool,
    /// When the heartbeat that counts came: this one, or the one it did not replace.
    pub received_at: Timestamp,
}

impl Receipt {
    /// How many heartbeats changed something.
    pub fn applied(receipts: &[Self]) -> usize {
        receipts.iter().filter(|receipt| receipt.applied).count()
    }
}

/// A batch of heartbeats after its commit.
#[derive(Debug)]
pub struct ReceiveOutcome {
    /// One for each heartbeat, in order.
    pub receipts: Vec<Receipt>,
    /// The moment of the batch.
    pub at: Timestamp,
    /// The interval in force.
    pub interval: Span,
    /// What changed.
    pub commit: Commit,
}

/// Everything there is, as it stands at one commit.
#[derive(Clone, Debug)]
pub struct LoadedState {
    /// The facts.
    pub snapshot: Snapshot,
    /// Who may ask for what.
    pub auth_cache: AuthCache,
    /// The commit.
    pub commit: CommitId,
}

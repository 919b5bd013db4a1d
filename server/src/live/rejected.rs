//! Rejected heartbeats and failing probes, which are kept in memory only.

use std::net::IpAddr;

use app::cluster::{ComponentKey, RejectionReason, ServerName};

use crate::live::LiveState;

impl LiveState {
    /// Notes that a heartbeat in this server's name was rejected, or not sent. In memory only: an unauthenticated
    /// request must not cause a write.
    pub(crate) fn note_rejected(
        &self,
        server: &ServerName,
        why: RejectionReason,
        from: Option<IpAddr>,
    ) {
        self.write(|picture| {
            let now = self.current_time(picture);
            if picture.snapshot.refuse(server, why, from.map(Into::into), now) {
                picture.note_rejected_changed();
            }
        });
    }

    /// Forgets all rejected heartbeats and failing probes.
    pub(crate) fn forget_rejected(&self) {
        self.write(|picture| {
            if !picture.snapshot.rejected.is_empty() {
                let now = self.current_time(picture);
                picture.snapshot.rejected.clear();
                picture.snapshot.changed_at = picture.snapshot.changed_at.max(now);
                picture.note_rejected_changed();
            }
        });
    }

    /// Notes that the probe of this component succeeds again.
    pub(crate) fn note_probe_answered(&self, key: &ComponentKey) {
        self.write(|picture| {
            let now = self.current_time(picture);
            if picture.snapshot.answered(key, now) {
                picture.note_rejected_changed();
            }
        });
    }
}

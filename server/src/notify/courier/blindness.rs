//! That the overview is blind is told from memory: the database, which knows what to tell, cannot be read.

use std::time::Duration;

use app::cluster::{Severity, Span, Timestamp};

use super::{Courier, Records};
use crate::live::LiveView;
use crate::notify::composer::Composed;
use crate::notify::retries;

/// An overview that was blind for less is not told while it lasts.
const TOLD_AFTER: Span = Span::seconds(60);
/// How often the message is tried.
const MAX_TRIES: u32 = 5;

impl Courier {
    /// Tells from memory, once each time, that the overview cannot use its database.
    pub(super) async fn tell_blindness(&self) {
        let mut changes = self.live.subscribe();
        loop {
            while !self.live.is_blind() {
                changes.mark_unchanged();
                if !self.live.is_blind() && changes.changed().await.is_err() {
                    return;
                }
            }
            let LiveView { snapshot, now, .. } = self.live.view();
            let since = snapshot.blind_since.unwrap_or(now);
            let due = since + self.channel.after.max(TOLD_AFTER);
            let wait = u64::try_from((due - now).0).unwrap_or_default();
            tokio::select! {
                () = self.live.wait_until_readable() => continue,
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            }
            let is_paused = self.live.is_channel_paused(&self.channel.name);
            if self.channel.from >= Severity::Error && !is_paused {
                self.send_from_memory(since).await;
            }
            self.live.wait_until_readable().await;
        }
    }

    /// The same message from each web server: a receiver knows it by its id.
    async fn send_from_memory(&self, since: Timestamp) {
        for tries in 1..=MAX_TRIES {
            let LiveView { snapshot, now, .. } = self.live.view();
            if snapshot.blind_since.is_none() {
                return;
            }
            let incident = snapshot.blindness(since);
            let id = format!("msg_{}_{}", incident.id, incident.turns);
            let composed = self.compose(id, Records::BlindSince(since), None).await;
            let Some(Composed { messages, .. }) = composed else { return };
            let Err(failure) = self.send(&messages).await else { return };
            let channel = &self.channel.name;
            tracing::warn!(%failure, channel, tries, "the message that the overview is blind was not accepted");
            let Some(next) = retries::next_try(now, tries, failure.next_try, now) else { return };
            let wait = u64::try_from((next - now).0).unwrap_or_default();
            tokio::select! {
                () = self.live.wait_until_readable() => return,
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            }
        }
    }
}

//! When tokens were last used: collected in memory, and written to the database once a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::cluster::{Span, Timestamp};

use crate::auth::AuthService;
use crate::auth::model::Token;

const WRITE_INTERVAL: Duration = Duration::from_mins(1);
/// How exact a token's last use is.
const RESOLUTION: Span = Span::minutes(10);
/// How far back the uses that other web servers wrote are read: more than [`WRITE_INTERVAL`] and the time of a write.
const READ_BACK: Span = Span::minutes(3);

/// The uses that are not written yet, by the token's ID.
#[derive(Debug, Default)]
pub(super) struct TokenUses(Mutex<HashMap<String, Timestamp>>);

impl TokenUses {
    fn take(&self) -> Vec<(String, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }
}

impl AuthService {
    pub(super) fn note_use(&self, token: &Token, now: Timestamp) {
        if token.last_used_at.is_none_or(|last_used_at| now - last_used_at >= RESOLUTION) {
            let mut uses = self.token_uses.0.lock().unwrap_or_else(PoisonError::into_inner);
            uses.entry(token.id.clone()).or_insert(now);
        }
    }

    /// Writes the uses, until it is dropped.
    pub(crate) async fn run_use_recorder(self: Arc<Self>) {
        let mut interval = tokio::time::interval(WRITE_INTERVAL);
        loop {
            interval.tick().await;
            let uses = self.token_uses.take();
            // Uses that cannot be written now are dropped: nobody misses a few.
            if self.live.is_blind() || (uses.is_empty() && !self.store.is_shared()) {
                continue;
            }
            if let Err(error) =
                self.live.record_token_uses(uses, self.store.now() - READ_BACK).await
            {
                tracing::warn!(%error, "cannot write when tokens were last used; the next attempt is in a minute");
            }
        }
    }
}

//! When does what the overview itself needs run out or fail: its certificate, its disk, the tokens in use, its channels?

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use app::cluster::upkeep::{TOKEN_IN_USE, TOKEN_WARNING};
use app::cluster::{
    Certificate, DiskSpace, ExpiringToken, FailingChannel, Span, Timestamp, Upkeep,
};

use crate::auth::cache::AuthCache;
use crate::live::LiveState;
use crate::store::ChannelCondition;

/// As often as the files of the certificate are read.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Free space is rounded down to this many bytes, so that it changes seldom for readers.
const DISK_STEP: u64 = 10_000_000;
/// Of more tokens, those that expire first are shown.
const MAX_TOKENS: usize = 100;
/// Readers get a token a little before its hint is due, so that the hint appears on time.
const AHEAD: Span = Span::minutes(5);

impl LiveState {
    /// Checks again and again until the process ends. `certificate` reads which one the listener presents; `channels`: the names
    /// of those in use.
    pub(crate) async fn run_upkeep_checks(
        self: &Arc<Self>,
        certificate: impl Fn() -> Option<Certificate>,
        channels: Vec<String>,
    ) {
        loop {
            let store = Arc::clone(&self.store);
            // A network disk that does not answer must not stop the runtime.
            let disk = tokio::task::spawn_blocking(move || store.disk_space()).await;
            let disk = disk.ok().flatten().filter(DiskSpace::is_low);
            let disk =
                disk.map(|disk| DiskSpace { free: disk.free / DISK_STEP * DISK_STEP, ..disk });
            let tokens = expiring_tokens(&self.auth_cache(), self.now());
            let certificate = certificate();
            let conditions = self.channel_conditions(&channels).await;
            let is_complete = conditions.is_some();
            self.update_upkeep(|known| Upkeep {
                certificate,
                disk,
                tokens,
                channels: conditions.map_or(known.channels, failing_channels),
            });
            if is_complete {
                self.upkeep_known.send_replace(true);
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
        }
    }

    /// Waits until it is known what the overview needs. Before that, what is missing in the picture need not be well.
    pub(super) async fn wait_for_upkeep(&self) {
        // This is the sender, so the channel is never closed.
        let _ = self.upkeep_known.subscribe().wait_for(|known| *known).await;
    }

    /// Whether somebody paused this channel, as far as the last check knows: also while the database cannot be read.
    pub(crate) fn is_channel_paused(&self, name: &str) -> bool {
        let now = self.now();
        let paused = self.paused_channels.read().unwrap_or_else(PoisonError::into_inner);
        paused.iter().any(|(paused, until)| paused == name && *until > now)
    }

    /// Whether a channel other than this one fails, as far as the last check knows.
    pub(crate) fn is_another_channel_failing(&self, name: &str) -> bool {
        self.read(|picture| {
            picture.snapshot.upkeep.channels.iter().any(|channel| channel.name != name)
        })
    }

    /// This channel has just accepted a message.
    pub(crate) fn note_channel_works(&self, name: &str) {
        self.update_upkeep(|mut known| {
            known.channels.retain(|channel| channel.name != name);
            known
        });
    }

    /// How these channels are; `None` while the database cannot be read.
    async fn channel_conditions(
        self: &Arc<Self>,
        channels: &[String],
    ) -> Option<Vec<ChannelCondition>> {
        if self.is_blind() {
            return None;
        }
        if channels.is_empty() {
            return Some(Vec::new());
        }
        // A failure is noticed by `run_database_checks`, which says so.
        let mut conditions = self.store.channel_conditions().await.ok()?;
        conditions.retain(|channel| channels.contains(&channel.name));
        let pause = |one: &ChannelCondition| Some((one.name.clone(), one.pause.as_ref()?.until));
        let mut known = self.paused_channels.write().unwrap_or_else(PoisonError::into_inner);
        *known = conditions.iter().filter_map(pause).collect();
        Some(conditions)
    }

    /// Sets it without a check.
    pub(crate) fn change_upkeep(&self, change: impl FnOnce(Upkeep) -> Upkeep) {
        self.update_upkeep(change);
        self.upkeep_known.send_replace(true);
    }

    fn update_upkeep(&self, change: impl FnOnce(Upkeep) -> Upkeep) {
        let changed = self.write(|picture| {
            let now = self.current_time(picture);
            let upkeep = change(picture.snapshot.upkeep.clone());
            picture.set_upkeep(upkeep, now)
        });
        if changed {
            self.changed.send_replace(());
        }
    }
}

/// Those that fail, the one that fails for longest first.
fn failing_channels(conditions: Vec<ChannelCondition>) -> Vec<FailingChannel> {
    let failing = |one: ChannelCondition| {
        let (since, error) = one.failing?;
        Some(FailingChannel { name: one.name, since, error })
    };
    let mut failing: Vec<FailingChannel> = conditions.into_iter().filter_map(failing).collect();
    failing.sort_by(|one, other| (one.since, &one.name).cmp(&(other.since, &other.name)));
    failing
}

/// The tokens that are used and expire soon, the first to expire first.
fn expiring_tokens(auth_cache: &AuthCache, now: Timestamp) -> Vec<ExpiringToken> {
    let in_use = auth_cache.tokens.values().filter_map(|token| {
        let (expires_at, used_at) = (token.expires_at?, token.last_used_at?);
        let is_soon = expires_at - now < TOKEN_WARNING + AHEAD && now - used_at <= TOKEN_IN_USE;
        (is_soon && token.is_valid(now)).then(|| ExpiringToken {
            name: token.name.clone(),
            role: token.role.as_str().to_owned(),
            expires_at,
            used_at,
        })
    });
    let mut tokens: Vec<ExpiringToken> = in_use.collect();
    tokens.sort_by(|one, other| (one.expires_at, &one.name).cmp(&(other.expires_at, &other.name)));
    tokens.truncate(MAX_TOKENS);
    tokens
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use app::protocol::UserRole;

    use super::*;
    use crate::auth::model::{Token, TokenRole};
    use crate::auth::secret::SecretHash;

    fn token(name: &str, expires_at: Timestamp, used_at: Option<Timestamp>) -> Arc<Token> {
        Arc::new(Token {
            id: name.to_owned(),
            role: TokenRole::User(UserRole::Viewer),
            name: name.to_owned(),
            server: None,
            created_at: Timestamp(0),
            created_by: "a test".to_owned(),
            owner: None,
            address: None,
            expires_at: Some(expires_at),
            last_used_at: used_at,
            revoked_at: None,
        })
    }

    #[test]
    fn tokens_in_use_that_expire_soon_are_found_and_no_others() {
        let now = Timestamp(0) + TOKEN_WARNING;
        let day = TOKEN_IN_USE;
        let mut cache = AuthCache::default();
        let tokens = [
            token("second", now + day, Some(now)),
            token("first", now + Span::TICK, Some(now - day)),
            token("later", now + TOKEN_WARNING + AHEAD, Some(now)),
            token("unused", now + day, None),
            token("no longer used", now + day, Some(now - day - Span::TICK)),
            token("expired", now, Some(now)),
            Arc::new(Token {
                revoked_at: Some(now),
                ..(*token("revoked", now + day, Some(now))).clone()
            }),
        ];
        for token in tokens {
            cache.tokens.insert(SecretHash::new(&token.name), token);
        }
        let found = expiring_tokens(&cache, now);
        let names: Vec<&str> = found.iter().map(|token| &*token.name).collect();
        assert_eq!(names, ["first", "second"]);
        assert_eq!(found[0].role, "viewer");
    }
}

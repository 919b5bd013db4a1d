//! Every change: written in one transaction, and given out as a commit.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::receive::{self, Stored};
use app::cluster::{
    ComponentKey, Heartbeat, HeartbeatUpdate, KeyCheck, KeyKind, ServerName, Settings, Span,
    Timestamp,
};

use crate::auth::audit::{AuditEntry, AuditQuery, AuditRecord};
use crate::auth::secret::SecretHash;
use crate::store::access::AccessChange;
use crate::store::commit::{Commit, Receipt, ReceiveOutcome};
use crate::store::component_row::Upsert;
use crate::store::error::StoreError;
use crate::store::messenger_status::MessengerReport;
use crate::store::sqlite::SqliteStore;
use crate::store::task::run_to_end;
use crate::store::write_tx::WriteTx;
use crate::store::{Backend, Store};
use crate::store::{access, access_rows, audit, component_row, rows};

/// How many rows of a kind one transaction of the housekeeping deletes.
const MAX_FORGOTTEN_AT_ONCE: u32 = 1_000;
/// How many uses of tokens one transaction writes down.
const MAX_USES_AT_ONCE: usize = 1_000;
/// How long a tombstone tells a late heartbeat from a new one.
const KEEP_TOMBSTONES: Span = Span::minutes(31 * 24 * 60);

/// What runs inside a transaction.
pub(super) type Within<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

impl Store {
    /// Takes a batch of heartbeats in, in order, whole or not at all.
    pub async fn receive(
        self: &Arc<Self>,
        batch: impl Into<Arc<[Heartbeat]>>,
    ) -> Result<ReceiveOutcome, StoreError> {
        let batch: Arc<[Heartbeat]> = batch.into();
        let received = self.write(move |change| {
            Box::pin(async move {
                let receipts = take_in(change, &batch).await?;
                Ok((receipts, change.at, change.head.settings.interval()))
            })
        });
        let ((receipts, at, interval), news) = received.await?;
        Ok(ReceiveOutcome { receipts, at, interval, news })
    }

    /// Puts new settings in force.
    pub async fn set_settings(
        self: &Arc<Self>,
        settings: Settings,
        entry: &AuditEntry,
    ) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written = self.write(move |change| {
            Box::pin(async move {
                rows::set_settings(&mut change.tx, &settings).await?;
                change.news.settings = Some(settings);
                change.record(&entry).await
            })
        });
        written.await.map(|((), news)| news)
    }

    /// Removes these components; each leaves a tombstone. Servers that go as a whole take their credentials
    /// with them.
    pub async fn remove(
        self: &Arc<Self>,
        keys: &[ComponentKey],
        whole: &[ServerName],
        entry: Option<&AuditEntry>,
    ) -> Result<Commit, StoreError> {
        let (keys, whole, entry) = (keys.to_vec(), whole.to_vec(), entry.cloned());
        let written = self.write(move |change| {
            Box::pin(async move {
                let (at, commit) = (change.at, change.commit_no());
                component_row::remove(&mut change.tx, &keys, at, commit).await?;
                change.news.removed = keys;
                change.regrant |=
                    access::revoke_credentials(&mut change.tx, &whole, at, commit).await?;
                match &entry {
                    Some(entry) => change.record(entry).await,
                    None => Ok(()),
                }
            })
        });
        written.await.map(|((), news)| news)
    }

    /// Changes who may ask for what, all of it or nothing, and writes down who did it. `None` if one
    /// of the changes found nothing to change.
    pub async fn change_access(
        self: &Arc<Self>,
        grants: &[AccessChange],
        entry: Option<&AuditEntry>,
    ) -> Result<Option<Commit>, StoreError> {
        let (store, grants, entry) = (Arc::clone(self), grants.to_vec(), entry.cloned());
        run_to_end(async move {
            let mut change = store.change().await?;
            for grant in &grants {
                let commit = change.commit_no();
                if !access::change_access(&mut change.tx, grant, change.at, commit).await? {
                    return change.tx.rollback().await.map(|()| None);
                }
            }
            change.regrant = true;
            if let Some(entry) = &entry {
                change.record(entry).await?;
            }
            store.commit(change).await.map(Some)
        })
        .await
    }

    /// Writes a line of the audit that tells of something refused.
    pub async fn record(self: &Arc<Self>, entry: &AuditEntry) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written =
            self.write(move |change| Box::pin(async move { change.record(&entry).await }));
        written.await.map(|((), news)| news)
    }

    /// Lines of the audit, newest first.
    pub async fn audit(
        self: &Arc<Self>,
        wanted: &AuditQuery,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let wanted = wanted.clone();
        self.read(move |tx| Box::pin(async move { audit::audit(tx, &wanted).await })).await
    }

    /// Notes how the web server `seen_by` finds the messengers of services. Nothing changes where it
    /// found them so before, or where the component is not there or announces no messenger.
    pub async fn note_messengers(
        self: &Arc<Self>,
        sightings: &[MessengerReport],
        seen_by: &str,
    ) -> Result<Commit, StoreError> {
        let (sightings, seen_by) = (sightings.to_vec(), seen_by.to_owned());
        let written = self.write(move |change| {
            Box::pin(async move { note_sightings(change, &sightings, &seen_by).await })
        });
        written.await.map(|((), news)| news)
    }

    /// Makes this check the one all others are held against.
    pub async fn accept_key(
        self: &Arc<Self>,
        kind: KeyKind,
        check: KeyCheck,
        entry: &AuditEntry,
    ) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written = self.write(move |change| {
            Box::pin(async move {
                let mut references = rows::references(&mut change.tx).await?;
                references.accept(kind, check);
                rows::set_references(&mut change.tx, &references).await?;
                change.news.references = Some(references);
                change.record(&entry).await
            })
        });
        written.await.map(|((), news)| news)
    }

    /// Renews the observer's mark, so that no period is seen where somebody watches, and lets an own
    /// clock follow the wall clock when it must.
    pub async fn renew_mark(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move { store.mark().await }).await
    }

    /// Renews the mark after the database could not be read or written, once there is room for what is
    /// to come. A server whose disk is full still takes what fits into the gaps of its files, as a mark
    /// does: whoever took that for sight would call those silent whose heartbeats do not fit.
    pub async fn regain_sight(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            if let Backend::Server(shared) = &store.home {
                shared.find_room().await?;
            }
            store.mark().await
        })
        .await
    }

    pub(super) async fn mark(&self) -> Result<Commit, StoreError> {
        if let Backend::File(owned) = &self.home
            && let Some(jump) = owned.clock.jump_due()
        {
            return self.jump(owned, jump).await;
        }
        let change = self.change().await?;
        self.commit(change).await
    }

    /// Forgets what is past its time, unless another web server is at it: in small transactions, which
    /// heartbeats need not wait for. What is over proves nothing any more, so nobody needs to hear of it.
    pub async fn run_housekeeping(self: &Arc<Self>) -> Result<(), StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            while store.forget_some().await? {}
            Ok(())
        })
        .await
    }

    /// Forgets a few rows of each kind; whether there may be more.
    async fn forget_some(&self) -> Result<bool, StoreError> {
        let tx = match &self.home {
            Backend::File(owned) => Some(owned.begin().await?),
            Backend::Server(shared) => shared.run_housekeeping().await?,
        };
        let Some(mut tx) = tx else { return Ok(false) };
        let at = self.now();
        let tombstones = at - KEEP_TOMBSTONES;
        let more_facts =
            rows::forget(&mut tx, tombstones, at - BLIND_PERIOD_RETENTION, MAX_FORGOTTEN_AT_ONCE)
                .await?;
        let more_proofs = audit::forget(&mut tx, at, MAX_FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        Ok(more_facts || more_proofs)
    }

    /// Writes down when tokens were last used, and reads which ones were used since a moment, at any web
    /// server. No change waits for it.
    pub async fn note_uses(
        self: &Arc<Self>,
        uses: Vec<(String, Timestamp)>,
        since: Timestamp,
    ) -> Result<Vec<(SecretHash, Timestamp)>, StoreError> {
        let store = Arc::clone(self);
        let written = run_to_end(async move {
            for some in uses.chunks(MAX_USES_AT_ONCE) {
                let mut tx = match &store.home {
                    Backend::File(owned) => owned.begin().await?,
                    Backend::Server(shared) => shared.begin().await?,
                };
                access_rows::note_uses(&mut tx, some).await?;
                tx.commit().await?;
            }
            Ok::<_, StoreError>(())
        });
        written.await?;
        self.read(move |tx| Box::pin(async move { access_rows::uses_since(tx, since).await })).await
    }

    /// A file's clock jumps, and no verdict with it: forward the jump is a period of its length,
    /// backward every stamp goes back with it. Nobody may judge the old picture by the new clock:
    /// between the two the moment is the last sight's.
    async fn jump(&self, owned: &SqliteStore, by: Span) -> Result<Commit, StoreError> {
        let mut change = self.change().await?;
        let from = change.at;
        change.clock_was_set(by, from).await?;
        change.at = from + by;
        change.see_whole().await?;
        let news = self.commit(change).await?;
        owned.clock.jump(by);
        tracing::warn!(by_ms = by.0, "the clock was set; verdicts do not move with it");
        Ok(news)
    }

    /// Makes one change, to its end.
    async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut WriteTx) -> Within<'_, T> + Send + 'static,
    ) -> Result<(T, Commit), StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let mut change = store.change().await?;
            let done = work(&mut change).await?;
            Ok((done, store.commit(change).await?))
        })
        .await
    }

    /// Begins a change: what others wrote is read, the mark is renewed, and a gap before it is written
    /// down as a period.
    pub(super) async fn change(&self) -> Result<WriteTx, StoreError> {
        let changing = match &self.home {
            Backend::File(owned) => Box::pin(WriteTx::of_file(owned, self)).await,
            Backend::Server(shared) => Box::pin(WriteTx::of_server(shared, self)).await,
        };
        self.noted(changing).await
    }

    /// Ends a change: its news are numbered if anybody wants to hear of them.
    pub(super) async fn commit(&self, change: WriteTx) -> Result<Commit, StoreError> {
        let stopwatch = change.stopwatch;
        let (head, news) = Box::pin(change.commit(self.is_shared())).await?;
        self.durations.observe(stopwatch.elapsed().as_secs_f64());
        self.knows_all_of(&head, news.commit);
        self.was_blind.store(false, Ordering::Relaxed);
        Ok(news)
    }

    /// Notes what an error says about the database, and passes it on.
    pub(super) async fn noted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let (Err(error), Backend::Server(shared)) = (&done, &self.home) {
            shared.suspect(error).await;
        }
        done
    }
}

/// Folds a batch into what is stored.
pub(super) async fn take_in(
    change: &mut WriteTx,
    batch: &[Heartbeat],
) -> Result<Vec<Receipt>, StoreError> {
    let interval = change.head.settings.interval();
    let keys: Vec<ComponentKey> = batch.iter().map(Heartbeat::key).collect();
    let mut stored = component_row::stored(&mut change.tx, &keys).await?;
    let before = stored.clone();
    let receipts = batch
        .iter()
        .map(|heartbeat| {
            let known = stored.get(&heartbeat.key());
            match receive::receive(known, heartbeat, change.at, interval) {
                Some(next) => {
                    stored.insert(next.key(), Stored::Present(Arc::new(next)));
                    Receipt { applied: true, received_at: change.at }
                }
                None => Receipt {
                    applied: false,
                    received_at: known.map_or(change.at, Stored::last_heartbeat),
                },
            }
        })
        .collect();
    change.write(differences(&before, &stored)).await?;
    Ok(receipts)
}

async fn note_sightings(
    change: &mut WriteTx,
    sightings: &[MessengerReport],
    seen_by: &str,
) -> Result<(), StoreError> {
    let keys: Vec<ComponentKey> = sightings.iter().map(|seen| seen.key.clone()).collect();
    let stored = component_row::stored(&mut change.tx, &keys).await?;
    let mut next: BTreeMap<&ComponentKey, Upsert> = BTreeMap::new();
    for sighting in sightings {
        if let Some(Stored::Present(component)) = stored.get(&sighting.key)
            && let Some(component) = sighting.by(seen_by, component, change.at)
        {
            let component = Arc::new(component);
            next.insert(&sighting.key, Upsert { component, facts: true });
        }
    }
    change.write(next.into_values().collect()).await
}

/// The components that are not as they were, by key.
fn differences(
    before: &HashMap<ComponentKey, Stored>,
    after: &HashMap<ComponentKey, Stored>,
) -> Vec<Upsert> {
    let mut changed: Vec<Upsert> = after
        .iter()
        .filter_map(|(key, stored)| {
            let known = before.get(key);
            let Stored::Present(component) = stored else { return None };
            let facts = match known {
                _ if known == Some(stored) => return None,
                Some(Stored::Present(old)) => !HeartbeatUpdate::is_only_difference(old, component),
                Some(Stored::Removed(_)) | None => true,
            };
            Some(Upsert { component: Arc::clone(component), facts })
        })
        .collect();
    changed.sort_by_key(|write| write.component.key());
    changed
}

//! A change under way: from the look at what others wrote to the commit.

use std::collections::BTreeSet;

use app::cluster::receive::Stored;
use app::cluster::{BlindPeriod, Component, HeartbeatUpdate, KeyCheck, KeyKind, Span, Timestamp};

use crate::auth::audit::AuditEntry;
use crate::clock::Stopwatch;
use crate::store::component_row::Upsert;
use crate::store::postgres::PostgresStore;
use crate::store::rows::{self, ClusterRow, Section};
use crate::store::sqlite::SqliteStore;
use crate::store::tx::Tx;
use crate::store::{AuthChanges, Commit, CommitId, Store, StoreError};
use crate::store::{access_rows, audit, component_row};

/// A transaction that changes something.
pub(super) struct WriteTx {
    pub(super) tx: Tx,
    pub(super) head: ClusterRow,
    /// The moment of the change.
    pub(super) at: Timestamp,
    pub(super) news: Commit,
    pub(super) stopwatch: Stopwatch,
    /// It changes who may ask for what.
    pub(super) regrant: bool,
    /// A reader can see it, though its own news are empty.
    pub(super) visible: bool,
    /// Every stamp moves.
    whole: bool,
}

impl WriteTx {
    /// Begins one on a file, by its owner's clock.
    pub(super) async fn of_file(owned: &SqliteStore, store: &Store) -> Result<Self, StoreError> {
        let stopwatch = Stopwatch::start();
        let mut tx = owned.begin().await?;
        let head = rows::head(&mut tx, store.known_number()).await?;
        let at = owned.clock.now();
        let mut change = Self::begun(tx, head, at, stopwatch, store).await?;
        // What another process wrote to the file counts as written now, when it is noticed.
        change.visible |= change.news.earlier.as_ref().is_some_and(|news| !news.is_empty());
        change.note_gap().await?;
        Ok(change)
    }

    /// Begins one on a server, by its clock. A jump of that clock moves no verdict: forward it is a
    /// period, backward every stamp goes back with it. Whoever notices it first writes it down, and
    /// the others see that by its sum.
    pub(super) async fn of_server(
        shared: &PostgresStore,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let stopwatch = Stopwatch::start();
        let mut tx = shared.begin().await?;
        let head = rows::head_for_update(&mut tx, store.known_number()).await?;
        let clock = head.clock.ok_or(StoreError::Unreadable("clock"))?;
        let behind = clock - head.mark_at;
        // What another history says of the clock has nothing to do with what was read of it before.
        let jumped =
            shared.clock.jumped(clock, head.jumps).filter(|_| !store.is_of_another_history(&head));
        // A process that has just begun knows a clock that was set back only by the last mark.
        let jumped = jumped.or_else(|| (behind < Span(-1_000)).then_some(behind));
        let jumps = head.jumps + jumped.unwrap_or(Span::ZERO);
        let at = clock.max(head.mark_at);
        let mut change = Self::begun(tx, head, at, stopwatch, store).await?;
        if let Some(by) = jumped {
            change.clock_was_set(by, clock - by).await?;
            change.at = if by < Span::ZERO { clock } else { at };
            change.see_whole().await?;
            rows::note_jumps(&mut change.tx, jumps).await?;
            tracing::warn!(
                by_ms = by.0,
                "the database's clock was set; verdicts do not move with it"
            );
        }
        if jumped.is_none_or(|by| by < Span::ZERO) {
            change.note_gap().await?;
        }
        shared.clock.read(clock, jumps);
        Ok(change)
    }

    async fn begun(
        mut tx: Tx,
        head: ClusterRow,
        at: Timestamp,
        stopwatch: Stopwatch,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let known = store.known_of(&head);
        let earlier = since(&mut tx, &head, known, at).await?.map(Box::new);
        let news = Commit { earlier, at, ..Commit::default() };
        let is_of_another_history = store.is_of_another_history(&head);
        if is_of_another_history {
            tracing::warn!(
                "the database is not the one that was known: it was restored from a backup, or a standby without the last changes took over; everything was read anew"
            );
        }
        // Whatever a reader has seen before, the picture has moved since.
        let visible = is_of_another_history || store.was_blind();
        Ok(Self { tx, head, at, news, stopwatch, regrant: false, visible, whole: false })
    }

    /// The number this change has if anybody wants to hear of it.
    pub(super) fn commit_no(&self) -> i64 {
        self.head.commit.number + 1
    }

    /// Writes down that nobody watched, if nobody wrote for so long.
    async fn note_gap(&mut self) -> Result<(), StoreError> {
        if self.is_gap(self.at) {
            self.add_spell(BlindPeriod { start: self.head.mark_at, end: self.at }).await?;
        }
        Ok(())
    }

    /// Whether so much time lies between the last mark and a moment that nobody watched.
    fn is_gap(&self, until: Timestamp) -> bool {
        let ClusterRow { mark_at, settings, .. } = self.head;
        until - mark_at > settings.mark_period().times(2)
    }

    /// The clock was set at the moment `from`: forward that is a period of its length, backward every
    /// stamp goes back with it.
    pub(super) async fn clock_was_set(
        &mut self,
        by: Span,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        if by > Span::ZERO {
            let start =
                if self.is_gap(from) { self.head.mark_at } else { from.max(self.head.mark_at) };
            return self.add_spell(BlindPeriod { start, end: from + by }).await;
        }
        self.whole = true;
        self.head.mark_at = self.head.mark_at + by;
        rows::shift_all(&mut self.tx, by).await
    }

    async fn add_spell(&mut self, period: BlindPeriod) -> Result<(), StoreError> {
        rows::add_spell(&mut self.tx, period).await?;
        self.news.blind_periods = Some(rows::blind_periods(&mut self.tx).await?);
        Ok(())
    }

    /// Lets the news be everything there is, as it stands in this transaction.
    pub(super) async fn see_whole(&mut self) -> Result<(), StoreError> {
        let snapshot = rows::snapshot(&mut self.tx, &self.head).await?;
        self.news.whole = Some(Box::new(snapshot));
        self.regrant = true;
        Ok(())
    }

    /// Writes components, and lets the reference keys learn from them.
    pub(super) async fn write(&mut self, batch: Vec<Upsert>) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let commit = self.commit_no();
        component_row::upsert(&mut self.tx, &batch, commit).await?;
        self.learn_references(&batch).await?;
        for Upsert { component, facts } in batch {
            if facts {
                self.news.components.push(component);
            } else {
                self.news.heartbeats.push(HeartbeatUpdate::from_component(&component));
            }
        }
        Ok(())
    }

    /// Writes a line of the audit.
    pub(super) async fn record(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let commit = self.commit_no();
        self.regrant |= audit::record(&mut self.tx, entry, self.at, commit).await?;
        Ok(())
    }

    /// Lets the references learn from what was just reported, while they are not yet agreed on. A component that
    /// reports the check it reported before teaches nothing new.
    async fn learn_references(&mut self, changed: &[Upsert]) -> Result<(), StoreError> {
        let changed: Vec<&Component> =
            changed.iter().filter(|write| write.facts).map(|write| &*write.component).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let known = rows::references(&mut self.tx).await?;
        let open =
            KeyKind::ALL.into_iter().filter(|kind| !known.get(*kind).is_some_and(|k| k.agreed));
        let checks: BTreeSet<KeyCheck> =
            open.flat_map(|kind| changed.iter().filter_map(move |one| one.check(kind))).collect();
        if checks.is_empty() {
            return Ok(());
        }
        let others = component_row::reporting(&mut self.tx, &checks).await?;
        let mut learned = known;
        for component in changed {
            learned.learn(component, others.iter());
        }
        if learned != known {
            rows::set_references(&mut self.tx, &learned).await?;
            self.news.references = Some(learned);
        }
        Ok(())
    }

    /// Ends it: its news are numbered if anybody wants to hear of them, and other web servers told of
    /// what cannot wait.
    pub(super) async fn commit(self, tell: bool) -> Result<(ClusterRow, Commit), StoreError> {
        let visible = self.visible || !self.news.is_empty();
        let before = self.head.commit;
        let commit = if visible || self.regrant { before.next() } else { before };
        let Self { mut tx, head, at, mut news, regrant, whole, .. } = self;
        if regrant {
            news.auth_cache = Some(if news.whole.is_some() {
                AuthChanges::Whole(Box::new(access_rows::auth_cache(&mut tx).await?))
            } else {
                AuthChanges::Changes(access_rows::changes_since(&mut tx, before.number).await?)
            });
        }
        news.commit = commit;
        news.at = at;
        news.changed_at = if visible { at } else { head.changed_at };
        if let Some(snapshot) = &mut news.whole {
            snapshot.changed_at = at;
        }
        let parts = [
            (Section::Settings, news.settings.is_some()),
            (Section::ReferenceKeys, news.references.is_some()),
            (Section::Spells, news.blind_periods.is_some()),
            (Section::AuthCache, regrant),
            (Section::Whole, whole),
        ];
        let touched: Vec<Section> =
            parts.into_iter().filter(|(_, touched)| *touched).map(|(part, _)| part).collect();
        rows::close(&mut tx, at, news.changed_at, commit, &touched).await?;
        if tell && news.is_urgent() {
            PostgresStore::notify(&mut tx).await?;
        }
        tx.commit().await?;
        Ok((head, news))
    }
}

/// What was written after a commit, `None` if nothing was; all of it, if that commit is none of this
/// database or everything moved since.
pub(super) async fn since(
    tx: &mut Tx,
    head: &ClusterRow,
    known: Option<CommitId>,
    at: Timestamp,
) -> Result<Option<Commit>, StoreError> {
    if known == Some(head.commit) {
        return Ok(None);
    }
    let mut news =
        Commit { commit: head.commit, at, changed_at: head.changed_at, ..Commit::default() };
    let numbers = head.numbers;
    let known = known.map(|known| known.number).filter(|known| numbers.whole <= *known);
    let Some(known) = known else {
        news.whole = Some(Box::new(rows::snapshot(tx, head).await?));
        news.auth_cache = Some(AuthChanges::Whole(Box::new(access_rows::auth_cache(tx).await?)));
        return Ok(Some(news));
    };
    if head.commit.number > known + 1 {
        news.passed = rows::commits_since(tx, known).await?;
    }
    for seen in component_row::changed_since(tx, known).await? {
        match seen.stored {
            Stored::Removed(tombstone) => news.removed.push(tombstone.key),
            Stored::Present(component) if seen.facts => news.components.push(component),
            Stored::Present(component) => {
                news.heartbeats.push(HeartbeatUpdate::from_component(&component));
            }
        }
    }
    if numbers.settings > known {
        news.settings = Some(head.settings);
    }
    if numbers.references > known {
        news.references = Some(rows::references(tx).await?);
    }
    if numbers.blind_periods > known {
        news.blind_periods = Some(rows::blind_periods(tx).await?);
    }
    if numbers.auth_cache > known {
        news.auth_cache = Some(AuthChanges::Changes(access_rows::changes_since(tx, known).await?));
    }
    Ok(Some(news))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use app::cluster::{ComponentFacts, Heartbeat, MessengerFailure, Os, Role, ServerName, Source};

    use super::*;
    use crate::store::MessengerReport;

    fn heartbeat(boot: char, sequence: i64) -> Heartbeat {
        Heartbeat {
            server: ServerName::parse("web-1").unwrap(),
            role: Role::Service,
            boot_id: format!("{boot}b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11"),
            sequence,
            sent_at: None,
            leaving: false,
            facts: ComponentFacts {
                product: None,
                version: "1.0".to_owned(),
                os: Os { name: "Debian".to_owned(), version: "12".to_owned() },
                ip: IpAddr::from([10, 0, 0, 1]).into(),
                key_check: None,
                machine_key_check: None,
                messenger_port: Some(33_237),
                source: Source::Node,
            },
        }
    }

    async fn component(store: &Arc<Store>) -> Component {
        let snapshot = store.load().await.unwrap().snapshot;
        Component::clone(snapshot.components.values().next().unwrap())
    }

    /// When a component was first seen and last heard, when it returned, and since when its messenger fails.
    fn times(component: &Component) -> [Timestamp; 4] {
        let Component { first_seen, last_heartbeat, boots, messengers, .. } = component;
        [*first_seen, *last_heartbeat, boots.returns[0], messengers[0].since]
    }

    #[tokio::test]
    async fn every_time_moves_with_a_clock_that_is_set_back() {
        let folder = testkit::folder();
        let file = format!("sqlite:{}", folder.join("overview.db").display());
        for address in [file, testkit::postgres().create_database().await] {
            let store = Store::open(&address).await.unwrap();
            for heartbeat in [heartbeat('a', 1), heartbeat('b', 1), heartbeat('a', 2)] {
                store.receive([heartbeat]).await.unwrap();
            }
            let key = component(&store).await.key();
            let outcome = Some(Err(MessengerFailure::Refused));
            store.note_messengers(&[MessengerReport { key, outcome }], "web-2").await.unwrap();
            let before = component(&store).await;
            let mut change = store.change().await.unwrap();
            let at = change.at;
            change.clock_was_set(Span(-3_600_000), at).await.unwrap();
            store.commit(change).await.unwrap();
            let after = component(&store).await;
            assert_eq!(times(&after), times(&before).map(|time| time + Span(-3_600_000)));
            assert_eq!((after.facts, after.boots.current), (before.facts, before.boots.current));
        }
    }
}

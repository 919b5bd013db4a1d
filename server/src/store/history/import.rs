//! How is a past written that this database did not record itself?

use std::sync::Arc;

use app::cluster::history::ClusterHistory;
use app::cluster::{Component, ReferenceKeys, Settings, Timestamp};

use crate::auth::audit::AuditEntry;
use crate::store::component_row::Upsert;
use crate::store::history::write::{ClusterChange, MAX_ROWS_PER_STATEMENT, write_all};
use crate::store::statement::sql;
use crate::store::tx::Tx;
use crate::store::write_tx::WriteTx;
use crate::store::{Commit, Store, StoreError, audit, component_row, rows};

/// The past of a cluster: what was recorded, and what is there at its end.
#[derive(Clone, Debug, Default)]
pub struct ImportedPast {
    pub history: ClusterHistory,
    /// The components that are there at its end.
    pub present: Vec<Arc<Component>>,
    /// The components that were removed and did not come back, as they were, and when.
    pub removed: Vec<(Arc<Component>, Timestamp)>,
    /// In order.
    pub audit: Vec<(Timestamp, AuditEntry)>,
}

impl Store {
    /// Writes a past to a new database. It must end before now.
    ///
    /// # Errors
    /// Also if the database has, or had, components.
    pub async fn import_past(self: &Arc<Self>, past: ImportedPast) -> Result<Commit, StoreError> {
        let written =
            self.write(move |change| Box::pin(async move { import(change, &past).await }));
        written.await.map(|((), commit)| commit)
    }
}

async fn import(change: &mut WriteTx, past: &ImportedPast) -> Result<(), StoreError> {
    let history = &past.history;
    check_new(&mut change.tx).await?;
    begin_at(&mut change.tx, history.begins).await?;
    for (at, settings) in &history.settings {
        write_settings(change, settings, *at).await?;
    }
    for (at, references) in &history.references {
        write_references(change, *references, *at).await?;
    }
    for period in &history.blind_periods {
        change.add_blind_period(*period).await?;
    }
    write_components(change, past).await?;
    write_all(&mut change.tx, &history.components).await?;
    let commit = change.commit_no();
    for (at, entry) in &past.audit {
        change.changes_access |= audit::record(&mut change.tx, entry, *at, commit).await?;
    }
    Ok(())
}

async fn check_new(tx: &mut Tx) -> Result<(), StoreError> {
    let used = sql("select exists (select 1 from components)
             or exists (select 1 from recorded_components)");
    if used.row(tx).await?.get::<bool>(0)? { Err(StoreError::NotNew) } else { Ok(()) }
}

/// Replaces the beginning of the history, which was written when the database was created.
async fn begin_at(tx: &mut Tx, begins: Timestamp) -> Result<(), StoreError> {
    sql("delete from cluster_history").execute(tx).await?;
    let begin = sql("update cluster set history_begins_at = $1");
    begin.bind(begins.0).execute(tx).await.map(drop)
}

async fn write_settings(
    change: &mut WriteTx,
    settings: &Settings,
    at: Timestamp,
) -> Result<(), StoreError> {
    rows::set_settings(&mut change.tx, settings, at).await?;
    let recorded = ClusterChange { settings: Some(settings), ..ClusterChange::default() };
    recorded.write(&mut change.tx, at, change.cluster.commit.number).await?;
    change.pending.settings = Some(*settings);
    Ok(())
}

async fn write_references(
    change: &mut WriteTx,
    references: ReferenceKeys,
    at: Timestamp,
) -> Result<(), StoreError> {
    let commit = change.cluster.commit.number;
    rows::set_references(&mut change.tx, &references, at, commit).await?;
    change.pending.references = Some(references);
    Ok(())
}

async fn write_components(change: &mut WriteTx, past: &ImportedPast) -> Result<(), StoreError> {
    let upsert = |component: &Arc<Component>| Upsert { component: component.clone(), facts: true };
    let commit = change.commit_no();
    for (component, at) in &past.removed {
        component_row::upsert(&mut change.tx, &[upsert(component)], commit).await?;
        component_row::remove(&mut change.tx, &[component.key()], *at, commit).await?;
    }
    for some in past.present.chunks(MAX_ROWS_PER_STATEMENT) {
        change.write(some.iter().map(upsert).collect()).await?;
    }
    Ok(())
}

//! How are the tables read and written, except for components and access? Statements that differ between the
//! databases are in `sqlite/rows.rs` and `postgres/rows.rs`.

use std::sync::Arc;

use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::{
    BlindPeriod, KeyCheck, KeyKind, ReferenceKey, ReferenceKeys, Settings, Snapshot, Span,
    Timestamp, Upkeep,
};
use serde_json::json;

use crate::store::component_row::all_components;
use crate::store::history::{self, ClusterChange};
use crate::store::statement::{Row, sql};
use crate::store::tx::{Connection, Tx};
use crate::store::{CommitId, StoreError, incidents, postgres, rejections, sqlite};

/// The one row about the cluster itself.
#[derive(Clone, Debug)]
pub(super) struct ClusterRow {
    pub(super) database_id: String,
    pub(super) commit: CommitId,
    /// The commit with the requested number, if the database remembers it.
    requested: Option<CommitId>,
    pub(super) changed_at: Timestamp,
    pub(super) mark_at: Timestamp,
    pub(super) settings: Settings,
    pub(super) revisions: Revisions,
    /// The time of PostgreSQL's clock; `None` on SQLite.
    pub(super) clock: Option<Timestamp>,
    /// The sum of all steps by which that clock was set.
    pub(super) jumps: Span,
    /// No probe's failure is known after this time.
    pub(super) probes_fail_until: Timestamp,
    /// When the settings last changed.
    pub(super) settings_changed_at: Timestamp,
    /// Before this time there is no history.
    pub(super) history_begins_at: Timestamp,
}

/// The number of the commit that last changed each part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revisions {
    pub(super) settings: i64,
    pub(super) references: i64,
    pub(super) blind_periods: i64,
    pub(super) rejections: i64,
    pub(super) incidents: i64,
    pub(super) auth_cache: i64,
    pub(super) everything: i64,
}

/// The columns of the cluster's row, the token of the commit with number `$1`, and the two columns of the clock.
macro_rules! select_cluster {
    ($before:literal, $slots:literal, $clock:literal, $from:literal) => {
        concat!(
            $before,
            "select database_id, commit_no, changed_at, mark_at, settings, settings_no,
                 reference_keys_no, blind_periods_no, access_no, everything_no, commit_token,
                 (select token from commits where slot = $1 % ",
            $slots,
            " and commit_no = $1), ",
            $clock,
            ", rejections_no, probes_fail_until, settings_changed_at, history_begins_at,
                 incidents_no from ",
            $from
        )
    };
}
pub(super) use select_cluster;

impl ClusterRow {
    fn parse(row: &Row, requested: Option<i64>) -> Result<Self, StoreError> {
        Ok(Self {
            database_id: row.get(0)?,
            commit: CommitId { number: row.get(1)?, token: row.get(10)? },
            requested: requested
                .zip(row.get(11)?)
                .map(|(number, token)| CommitId { number, token }),
            changed_at: Timestamp(row.get(2)?),
            mark_at: Timestamp(row.get(3)?),
            settings: row.json(4)?,
            revisions: Revisions {
                settings: row.get(5)?,
                references: row.get(6)?,
                blind_periods: row.get(7)?,
                rejections: row.get(14)?,
                incidents: row.get(18)?,
                auth_cache: row.get(8)?,
                everything: row.get(9)?,
            },
            clock: row.get::<Option<i64>>(12)?.map(Timestamp),
            jumps: Span(row.get(13)?),
            probes_fail_until: Timestamp(row.get(15)?),
            settings_changed_at: Timestamp(row.get(16)?),
            history_begins_at: Timestamp(row.get(17)?),
        })
    }

    /// Whether the database has this commit. Its number must be the requested one.
    pub(super) fn has(&self, commit: CommitId) -> bool {
        self.commit == commit || self.requested == Some(commit)
    }
}

/// Inserts the cluster's row, and the beginning of its history, unless it exists. `id` identifies the database in cursors.
pub(super) async fn insert_cluster_row(
    tx: &mut Tx,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => {
            "insert into cluster (id, database_id, commit_no, changed_at, mark_at, history_begins_at, settings)
             values (1, $1, 0, $2, $2, $2, $3)
             on conflict do nothing"
        }
        Connection::Postgres(_) => postgres::rows::INSERT_CLUSTER,
    };
    let (settings, references) = (Settings::default(), ReferenceKeys::default());
    let insert = sql(text).bind(id).bind(now.0).bind(json!(settings).to_string());
    if insert.execute(tx).await? == 0 {
        return Ok(());
    }
    let beginning =
        ClusterChange { settings: Some(&settings), references: Some(&references), clock_set: None };
    beginning.write(tx, now, 0).await
}

/// Selects the cluster's row, and the commit with the number `requested`.
pub(super) async fn cluster_row(
    tx: &mut Tx,
    requested: Option<i64>,
) -> Result<ClusterRow, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::SELECT_CLUSTER,
        Connection::Postgres(_) => postgres::rows::SELECT_CLUSTER,
    };
    ClusterRow::parse(&sql(text).bind(requested).row(tx).await?, requested)
}

/// The same with a row lock on PostgreSQL: nobody else writes until this transaction ends.
pub(super) async fn lock_cluster_row(
    tx: &mut Tx,
    requested: Option<i64>,
) -> Result<ClusterRow, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::SELECT_CLUSTER,
        Connection::Postgres(_) => postgres::rows::SELECT_CLUSTER_FOR_UPDATE,
    };
    ClusterRow::parse(&sql(text).bind(requested).row(tx).await?, requested)
}

pub(super) async fn snapshot(tx: &mut Tx, cluster: &ClusterRow) -> Result<Snapshot, StoreError> {
    let components = all_components(tx).await?;
    Ok(Snapshot {
        settings: cluster.settings,
        references: references(tx).await?,
        blind_periods: blind_periods(tx, cluster.mark_at - BLIND_PERIOD_RETENTION).await?,
        rejected: rejections::all(tx).await?,
        incidents: incidents::live(tx, cluster.mark_at).await?,
        // The next four are known in memory only.
        upkeep: Upkeep::default(),
        max_servers: None,
        blind_since: None,
        outage: None,
        changed_at: cluster.changed_at,
        components: components.into_iter().map(|c| (c.key(), Arc::new(c))).collect(),
        unrecorded: None,
    })
}

/// The parts besides components that have a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Settings,
    ReferenceKeys,
    BlindPeriods,
    Rejections,
    Incidents,
    AuthCache,
    Everything,
}

/// Updates the cluster's row before the commit: the mark, the commit, and the revisions of the changed parts.
pub(super) async fn update_cluster_row(
    tx: &mut Tx,
    mark: Timestamp,
    changed_at: Timestamp,
    commit: CommitId,
    touched: &[Section],
) -> Result<(), StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::UPDATE_CLUSTER,
        Connection::Postgres(_) => postgres::rows::UPDATE_CLUSTER,
    };
    let update = sql(text)
        .bind(mark.0)
        .bind(changed_at.0)
        .bind(commit.number)
        .bind(touched.contains(&Section::Settings))
        .bind(touched.contains(&Section::ReferenceKeys))
        .bind(touched.contains(&Section::BlindPeriods))
        .bind(touched.contains(&Section::AuthCache))
        .bind(touched.contains(&Section::Everything))
        .bind(commit.token)
        .bind(touched.contains(&Section::Rejections))
        .bind(touched.contains(&Section::Incidents));
    update.execute(tx).await.map(drop)
}

/// The statement of [`update_cluster_row`].
macro_rules! update_cluster {
    ($before:literal) => {
        concat!(
            $before,
            "update cluster set mark_at = $1, changed_at = $2, commit_no = $3, commit_token = $9,
                 settings_no = case when $4 then $3 else settings_no end,
                 reference_keys_no = case when $5 then $3 else reference_keys_no end,
                 blind_periods_no = case when $6 then $3 else blind_periods_no end,
                 access_no = case when $7 then $3 else access_no end,
                 everything_no = case when $8 then $3 else everything_no end,
                 rejections_no = case when $10 then $3 else rejections_no end,
                 incidents_no = case when $11 then $3 else incidents_no end"
        )
    };
}
pub(super) use update_cluster;

/// The commits after this one that the database remembers, in order.
pub(super) async fn commits_since(tx: &mut Tx, commit: i64) -> Result<Vec<CommitId>, StoreError> {
    let since = sql("select commit_no, token from commits where commit_no > $1 order by commit_no");
    let rows = since.bind(commit).rows(tx).await?;
    rows.iter().map(|row| Ok(CommitId { number: row.get(0)?, token: row.get(1)? })).collect()
}

/// Sets the sum of all steps by which PostgreSQL's clock was set.
pub(super) async fn set_clock_jumps(tx: &mut Tx, jumps: Span) -> Result<(), StoreError> {
    sql("update cluster set clock_jumps = $1").bind(jumps.0).execute(tx).await.map(drop)
}

pub(super) async fn set_settings(
    tx: &mut Tx,
    settings: &Settings,
    at: Timestamp,
) -> Result<(), StoreError> {
    let set = sql("update cluster set settings = $1, settings_changed_at = $2");
    set.bind(json!(settings).to_string()).bind(at.0).execute(tx).await.map(drop)
}

pub(super) async fn references(tx: &mut Tx) -> Result<ReferenceKeys, StoreError> {
    let mut references = ReferenceKeys::default();
    for row in sql("select kind, key_check, agreed from reference_keys").rows(tx).await? {
        let (kind, digits): (&str, &str) = (row.get(0)?, row.get(1)?);
        let check = KeyCheck::parse(digits).ok_or(StoreError::UnreadableValue("reference key"))?;
        let reference = Some(ReferenceKey { check, agreed: row.get(2)? });
        if kind == KeyKind::Encryption.as_str() {
            references.encryption = reference;
        } else {
            references.machine = reference;
        }
    }
    Ok(references)
}

/// Writes the reference keys, which have changed, and adds them to the history.
pub(super) async fn set_references(
    tx: &mut Tx,
    references: &ReferenceKeys,
    at: Timestamp,
    commit: i64,
) -> Result<(), StoreError> {
    for kind in KeyKind::ALL {
        let Some(reference) = references.get(kind) else { continue };
        let set = sql("insert into reference_keys (kind, key_check, agreed) values ($1, $2, $3)
             on conflict (kind) do update
                 set key_check = excluded.key_check, agreed = excluded.agreed");
        let set = set.bind(kind.as_str()).bind(reference.check.digits()).bind(reference.agreed);
        set.execute(tx).await?;
    }
    let change = ClusterChange { references: Some(references), ..ClusterChange::default() };
    change.write(tx, at, commit).await
}

/// The blind periods that end after `since`, in order.
pub(super) async fn blind_periods(
    tx: &mut Tx,
    since: Timestamp,
) -> Result<Vec<BlindPeriod>, StoreError> {
    let select = sql("select start_at, end_at, clock_set from blind_periods
         where end_at > $1 order by start_at");
    let period = |row: &Row| {
        let (start, end) = (Timestamp(row.get(0)?), Timestamp(row.get(1)?));
        Ok(BlindPeriod { start, end, clock_set: row.get(2)? })
    };
    select.bind(since.0).rows(tx).await?.iter().map(period).collect()
}

pub(super) async fn add_blind_period(tx: &mut Tx, period: BlindPeriod) -> Result<(), StoreError> {
    let add = sql(
        "insert into blind_periods (start_at, end_at, clock_set) values ($1, $2, $3)
         on conflict (start_at) do update set end_at =
             case when blind_periods.end_at < excluded.end_at then excluded.end_at else blind_periods.end_at end",
    );
    let BlindPeriod { start, end, clock_set } = period;
    add.bind(start.0).bind(end.0).bind(clock_set).execute(tx).await.map(drop)
}

/// Deletes the blind periods that end after `since`.
pub(super) async fn delete_blind_periods(tx: &mut Tx, since: Timestamp) -> Result<(), StoreError> {
    sql("delete from blind_periods where end_at > $1").bind(since.0).execute(tx).await.map(drop)
}

/// Deletes tombstones that are older than this, at most `max`. Returns whether there may be more.
pub(super) async fn delete_tombstones(
    tx: &mut Tx,
    until: Timestamp,
    max: u32,
) -> Result<bool, StoreError> {
    let delete = sql("delete from components where (server_key, role) in
         (select server_key, role from components where removed_at < $1 limit $2)");
    Ok(delete.bind(until.0).bind(max).execute(tx).await? >= u64::from(max))
}

/// Moves all stored times by `by` after the clock was set back, so that no silence becomes longer or shorter.
pub(super) async fn shift_all(tx: &mut Tx, by: Span) -> Result<(), StoreError> {
    let within_json = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::SHIFT_JSON,
        Connection::Postgres(_) => postgres::rows::SHIFT_JSON,
    };
    for shift in [
        "update components set first_seen = first_seen + $1, came_back_at = came_back_at + $1,
             removed_at = removed_at + $1",
        "update last_heartbeats set received_at = received_at + $1",
        within_json,
        "update rejections set since_at = since_at + $1, until_at = until_at + $1",
        "update incidents set began_at = began_at + $1, advised_at = advised_at + $1,
             turned_at = turned_at + $1,
             ended_at = ended_at + $1, acknowledged_at = acknowledged_at + $1",
        "update channels set created_at = created_at + $1, last_message_at = last_message_at + $1,
             paused_until = paused_until + $1, failing_since = failing_since + $1",
        "update told set told_at = told_at + $1",
        "update deliveries set begun_at = begun_at + $1, next_try_at = next_try_at + $1,
             ended_at = ended_at + $1",
        "update cluster set probes_fail_until = probes_fail_until + $1,
             settings_changed_at = settings_changed_at + $1, history_begins_at = history_begins_at + $1",
        // Sessions keep their length. Tokens, which expire on a given day, are not moved.
        "update sessions set begun_at = begun_at + $1, acted_at = acted_at + $1",
        "update guests set made_at = made_at + $1, begun_at = begun_at + $1, acted_at = acted_at + $1",
        // Negated until all are moved, because a new `start_at` could equal the old one of another row.
        "update blind_periods set start_at = -(start_at + $1), end_at = end_at + $1",
    ] {
        sql(shift).bind(by.0).execute(tx).await?;
    }
    sql("update blind_periods set start_at = -start_at").execute(tx).await?;
    history::shift(tx, by).await
}

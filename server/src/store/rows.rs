//! How facts lie in the tables: what both databases understand. Batches are in `sqlite/rows.rs` and
//! `postgres/rows.rs`.

use std::sync::Arc;

use app::cluster::{
    BlindPeriod, KeyCheck, KeyKind, ReferenceKey, ReferenceKeys, Settings, Snapshot, Span,
    Timestamp,
};

use crate::store::component_row::all_components;
use crate::store::sql::{Row, sql};
use crate::store::tx::{Connection, Tx};
use crate::store::{CommitId, StoreError, postgres, sqlite};

/// The one row about the cluster itself.
#[derive(Clone, Debug)]
pub(super) struct ClusterRow {
    pub(super) database_id: String,
    /// The last commit.
    pub(super) commit: CommitId,
    /// The commit with the number that was asked for, if the database remembers it.
    asked: Option<CommitId>,
    pub(super) changed_at: Timestamp,
    pub(super) mark_at: Timestamp,
    pub(super) settings: Settings,
    /// Which commit last changed what.
    pub(super) revisions: Revisions,
    /// The database's own clock, if it has one.
    pub(super) clock: Option<Timestamp>,
    /// By how much that clock was set, all in all.
    pub(super) jumps: Span,
}

/// Which commit last changed what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revisions {
    pub(super) settings: i64,
    pub(super) references: i64,
    pub(super) blind_periods: i64,
    pub(super) auth_cache: i64,
    pub(super) everything: i64,
}

/// The columns of the cluster's row, the token of the commit `$1`, and what the database says of its clock.
macro_rules! select_cluster {
    ($before:literal, $slots:literal, $clock:literal, $from:literal) => {
        concat!(
            $before,
            "select database_id, commit_no, changed_at, mark_at, load_balancing,
                 automatic_failover, heartbeat_interval_s, stale_timeout_s, web_window_s,
                 settings_no, reference_keys_no, blind_periods_no, access_no, everything_no, commit_token,
                 (select token from commits where slot = $1 % ",
            $slots,
            " and commit_no = $1), ",
            $clock,
            " from ",
            $from
        )
    };
}
pub(super) use select_cluster;

impl ClusterRow {
    fn of(row: &Row, asked: Option<i64>) -> Result<Self, StoreError> {
        let seconds = |place: usize| -> Result<u32, StoreError> {
            u32::try_from(row.get::<i64>(place)?)
                .map_err(|_| StoreError::UnreadableValue("setting"))
        };
        Ok(Self {
            database_id: row.get(0)?,
            commit: CommitId { number: row.get(1)?, token: row.get(14)? },
            asked: asked.zip(row.get(15)?).map(|(number, token)| CommitId { number, token }),
            changed_at: Timestamp(row.get(2)?),
            mark_at: Timestamp(row.get(3)?),
            settings: Settings {
                load_balancing: row.get(4)?,
                automatic_failover: row.get(5)?,
                heartbeat_interval_s: seconds(6)?,
                stale_timeout_s: seconds(7)?,
                web_window_s: seconds(8)?,
            },
            revisions: Revisions {
                settings: row.get(9)?,
                references: row.get(10)?,
                blind_periods: row.get(11)?,
                auth_cache: row.get(12)?,
                everything: row.get(13)?,
            },
            clock: row.get::<Option<i64>>(16)?.map(Timestamp),
            jumps: Span(row.get(17)?),
        })
    }

    /// Whether this commit, whose number was asked for, is one of this database's history.
    pub(super) fn has(&self, commit: CommitId) -> bool {
        self.commit == commit || self.asked == Some(commit)
    }
}

/// Writes the cluster's row unless there is one. `id` names the database.
pub(super) async fn insert_cluster_row(
    tx: &mut Tx,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let defaults = Settings::default();
    let text = match tx.connection() {
        Connection::Sqlite(_) => {
            "insert into cluster (id, database_id, commit_no, changed_at, mark_at, load_balancing,
                 automatic_failover, heartbeat_interval_s, stale_timeout_s, web_window_s)
             values (1, $1, 0, $2, $2, $3, $4, $5, $6, $7)
             on conflict do nothing"
        }
        Connection::Postgres(_) => postgres::rows::INSERT_CLUSTER,
    };
    let insert = sql(text)
        .bind(id)
        .bind(now.0)
        .bind(defaults.load_balancing)
        .bind(defaults.automatic_failover)
        .bind(defaults.heartbeat_interval_s)
        .bind(defaults.stale_timeout_s)
        .bind(defaults.web_window_s);
    insert.execute(tx).await.map(drop)
}

/// The cluster's row, to be read; whether it has the commit of the number `asked` can be seen then.
pub(super) async fn cluster_row(tx: &mut Tx, asked: Option<i64>) -> Result<ClusterRow, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::SELECT_CLUSTER,
        Connection::Postgres(_) => postgres::rows::SELECT_CLUSTER,
    };
    ClusterRow::of(&sql(text).bind(asked).row(tx).await?, asked)
}

/// The same, to be written: nobody else writes until this transaction ends.
pub(super) async fn lock_cluster_row(
    tx: &mut Tx,
    asked: Option<i64>,
) -> Result<ClusterRow, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::SELECT_CLUSTER,
        Connection::Postgres(_) => postgres::rows::SELECT_CLUSTER_FOR_UPDATE,
    };
    ClusterRow::of(&sql(text).bind(asked).row(tx).await?, asked)
}

/// All facts.
pub(super) async fn snapshot(tx: &mut Tx, cluster: &ClusterRow) -> Result<Snapshot, StoreError> {
    let components = all_components(tx).await?;
    Ok(Snapshot {
        settings: cluster.settings,
        references: references(tx).await?,
        blind_periods: blind_periods(tx).await?,
        // What follows is known in memory alone.
        rejected: Vec::new(),
        max_servers: None,
        blind_since: None,
        outage: None,
        changed_at: cluster.changed_at,
        components: components.into_iter().map(|c| (c.key(), Arc::new(c))).collect(),
    })
}

/// What a change may change beside components, for those who read by revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Settings,
    ReferenceKeys,
    BlindPeriods,
    AuthCache,
    Everything,
}

/// Ends a change: the mark is now, and the revisions tell what it changed.
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
    let close = sql(text)
        .bind(mark.0)
        .bind(changed_at.0)
        .bind(commit.number)
        .bind(touched.contains(&Section::Settings))
        .bind(touched.contains(&Section::ReferenceKeys))
        .bind(touched.contains(&Section::BlindPeriods))
        .bind(touched.contains(&Section::AuthCache))
        .bind(touched.contains(&Section::Everything))
        .bind(commit.token);
    close.execute(tx).await.map(drop)
}

/// What ends a change.
macro_rules! update_cluster {
    ($before:literal) => {
        concat!(
            $before,
            "update cluster set mark_at = $1, changed_at = $2, commit_no = $3, commit_token = $9,
                 settings_no = case when $4 then $3 else settings_no end,
                 reference_keys_no = case when $5 then $3 else reference_keys_no end,
                 blind_periods_no = case when $6 then $3 else blind_periods_no end,
                 access_no = case when $7 then $3 else access_no end,
                 everything_no = case when $8 then $3 else everything_no end"
        )
    };
}
pub(super) use update_cluster;

/// The commits that the database remembers after this one, in order.
pub(super) async fn commits_since(tx: &mut Tx, commit: i64) -> Result<Vec<CommitId>, StoreError> {
    let since = sql("select commit_no, token from commits where commit_no > $1 order by commit_no");
    let rows = since.bind(commit).rows(tx).await?;
    rows.iter().map(|row| Ok(CommitId { number: row.get(0)?, token: row.get(1)? })).collect()
}

/// Writes down by how much the database's clock has been set, all in all.
pub(super) async fn set_clock_jumps(tx: &mut Tx, jumps: Span) -> Result<(), StoreError> {
    sql("update cluster set clock_jumps = $1").bind(jumps.0).execute(tx).await.map(drop)
}

pub(super) async fn set_settings(tx: &mut Tx, settings: &Settings) -> Result<(), StoreError> {
    let set = sql("update cluster set load_balancing = $1, automatic_failover = $2,
             heartbeat_interval_s = $3, stale_timeout_s = $4, web_window_s = $5");
    let set = set
        .bind(settings.load_balancing)
        .bind(settings.automatic_failover)
        .bind(settings.heartbeat_interval_s)
        .bind(settings.stale_timeout_s)
        .bind(settings.web_window_s);
    set.execute(tx).await.map(drop)
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

pub(super) async fn set_references(
    tx: &mut Tx,
    references: &ReferenceKeys,
) -> Result<(), StoreError> {
    for kind in KeyKind::ALL {
        let Some(reference) = references.get(kind) else { continue };
        let set = sql("insert into reference_keys (kind, key_check, agreed) values ($1, $2, $3)
             on conflict (kind) do update
                 set key_check = excluded.key_check, agreed = excluded.agreed");
        let set = set.bind(kind.as_str()).bind(reference.check.digits()).bind(reference.agreed);
        set.execute(tx).await?;
    }
    Ok(())
}

pub(super) async fn blind_periods(tx: &mut Tx) -> Result<Vec<BlindPeriod>, StoreError> {
    let rows = sql("select start_at, end_at from blind_periods order by start_at").rows(tx).await?;
    rows.iter()
        .map(|row| Ok(BlindPeriod { start: Timestamp(row.get(0)?), end: Timestamp(row.get(1)?) }))
        .collect()
}

pub(super) async fn add_blind_period(tx: &mut Tx, period: BlindPeriod) -> Result<(), StoreError> {
    let add = sql(
        "insert into blind_periods (start_at, end_at) values ($1, $2)
         on conflict (start_at) do update set end_at =
             case when blind_periods.end_at < excluded.end_at then excluded.end_at else blind_periods.end_at end",
    );
    add.bind(period.start.0).bind(period.end.0).execute(tx).await.map(drop)
}

/// Forgets tombstones and blind periods that ended before these moments, at most so many of each; whether there may
/// be more.
pub(super) async fn delete_expired(
    tx: &mut Tx,
    tombstones: Timestamp,
    blind_periods: Timestamp,
    most: u32,
) -> Result<bool, StoreError> {
    let over = [
        (
            "delete from components where (server_key, role) in
                 (select server_key, role from components where removed_at < $1 limit $2)",
            tombstones,
        ),
        (
            "delete from blind_periods where start_at in
                 (select start_at from blind_periods where end_at < $1 limit $2)",
            blind_periods,
        ),
    ];
    let mut more = false;
    for (statement, until) in over {
        more |= sql(statement).bind(until.0).bind(most).execute(tx).await? >= u64::from(most);
    }
    Ok(more)
}

/// Moves every stamp by `by`: the clock was set back, and every silence stays as long as it was.
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
        // What ends so long after it began ends as long after; what ends on a given day ends that day.
        "update sessions set begun_at = begun_at + $1, acted_at = acted_at + $1",
        "update guests set made_at = made_at + $1, begun_at = begun_at + $1, acted_at = acted_at + $1",
        // In two steps: while they move, a start could meet another's old place.
        "update blind_periods set start_at = -(start_at + $1), end_at = end_at + $1",
    ] {
        sql(shift).bind(by.0).execute(tx).await?;
    }
    sql("update blind_periods set start_at = -start_at").execute(tx).await?;
    Ok(())
}

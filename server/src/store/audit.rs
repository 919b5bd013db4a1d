//! How is the audit log written, read, and cut to its retention? Entries are written in the transaction that they
//! record, and never changed.

use crate::auth::audit::{AuditEntry, AuditQuery, AuditRecord};
use crate::auth::model::{EMBED_CODE_LIFETIME, SESSION_LIFETIME};
use crate::auth::secret::SecretHash;
use crate::store::StoreError;
use crate::store::access::{TOKEN_RETENTION, UNUSED_CREDENTIAL_RETENTION};
use crate::store::statement::sql;
use crate::store::tx::Tx;
use crate::telemetry::outside_text::{list_line, one_line};
use app::cluster::{Span, Timestamp};

/// Longer than the 400 days within which a trigger rejects the deletion of entries.
const AUDIT_RETENTION: Span = Span::minutes(401 * 24 * 60);
/// Equal entries within this time share a row.
const AUDIT_REPEAT_WINDOW: Span = Span::minutes(60);
/// In one answer.
const MAX_AUDIT_ENTRIES: u32 = 1_000;

/// Writes an entry in the transaction that it records. If it repeats an entry of the last hour, that one is counted up.
/// Also sets the time of the session's last change; returns whether that changed.
pub(super) async fn record(
    tx: &mut Tx,
    entry: &AuditEntry,
    at: Timestamp,
    commit: i64,
) -> Result<bool, StoreError> {
    let actor = &entry.actor;
    let address = actor.address.map(|address| address.to_string());
    let (who, proof, action) =
        (one_line(&actor.name), actor.auth_method.as_str(), entry.action.as_str());
    let (target, outcome) = (list_line(&entry.target), one_line(&entry.outcome));
    let parts = [&who, proof, address.as_deref().unwrap_or_default(), action, &target, &outcome];
    // No part contains a line break, so different entries cannot result in the same text.
    let digest = SecretHash::new(&parts.join("\n")).to_hex();
    let repeat = sql("update audit set repeated = repeated + 1, last_at = $2
         where id = (select max(id) from audit where digest = $1 and at > $3)");
    let repeat = repeat.bind(&digest).bind(at.0).bind((at - AUDIT_REPEAT_WINDOW).0);
    if repeat.execute(tx).await? == 0 {
        sql("insert into audit (at, who, proof, address, action, target, outcome, digest, request_id)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(at.0)
        .bind(&who)
        .bind(proof)
        .bind(address)
        .bind(action)
        .bind(&target)
        .bind(&outcome)
        .bind(&digest)
        .bind(actor.request_id.map(|id| id.to_string()))
        .execute(tx)
        .await?;
    }
    let Some(session) = actor.session else { return Ok(false) };
    // At most once a minute, which is enough for a limit of half an hour.
    for statement in [
        "update sessions set acted_at = $2, changed_no = $4 where hash = $1 and acted_at < $3",
        "update guests set acted_at = $2, changed_no = $4 where hash = $1 and acted_at < $3",
    ] {
        let acted = sql(statement).bind(session.to_hex()).bind(at.0);
        let acted = acted.bind((at - Span::minutes(1)).0).bind(commit);
        if acted.execute(tx).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Entries, newest first.
pub(super) async fn audit(tx: &mut Tx, query: &AuditQuery) -> Result<Vec<AuditRecord>, StoreError> {
    let rows =
        sql("select id, at, who, proof, address, action, target, outcome, repeated, last_at,
             request_id
         from audit
         where id < $1 and (cast($2 as text) is null or action = $2)
             and (cast($3 as text) is null
                 or lower(who || ' ' || target || ' ' || coalesce(address, '')) like $3 escape '\\')
             and coalesce(last_at, at) >= $5 and at < $6
         order by id desc limit $4")
        .bind(query.before.unwrap_or(i64::MAX))
        .bind(query.action.as_deref())
        .bind(query.text.as_deref().map(like_pattern))
        .bind(query.limit.min(MAX_AUDIT_ENTRIES))
        .bind(query.from.map_or(i64::MIN, |from| from.0))
        .bind(query.until.map_or(i64::MAX, |until| until.0))
        .rows(tx)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(AuditRecord {
                id: row.get(0)?,
                at: Timestamp(row.get(1)?),
                who: row.get(2)?,
                auth_method: row.get(3)?,
                address: row.get(4)?,
                action: row.get(5)?,
                target: row.get(6)?,
                outcome: row.get(7)?,
                count: 1 + usize::try_from(row.get::<i64>(8)?).unwrap_or_default(),
                last_at: Timestamp(row.get::<Option<i64>>(9)?.unwrap_or(row.get(1)?)),
                request_id: row.get(10)?,
            })
        })
        .collect()
}

/// A pattern for `like` that matches lower-case texts which contain this one.
pub(super) fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

/// Deletes expired rows, at most `max` of each kind. Returns whether there may be more.
pub(super) async fn delete_expired(
    tx: &mut Tx,
    at: Timestamp,
    max: u32,
) -> Result<bool, StoreError> {
    let expired = [
        (
            "delete from sessions where hash in
                 (select hash from sessions where begun_at <= $1 limit $2)",
            at - SESSION_LIFETIME,
        ),
        (
            "delete from guests where id in (select id from guests where begun_at <= $1 limit $2)",
            at - SESSION_LIFETIME,
        ),
        (
            "delete from guests where id in (select id from guests
                 where begun_at is null and made_at <= $1 limit $2)",
            at - EMBED_CODE_LIFETIME,
        ),
        (
            "delete from tokens where id in (select id from tokens
                 where role = 'node' and coalesce(used_at, made_at) <= $1 limit $2)",
            at - UNUSED_CREDENTIAL_RETENTION,
        ),
        (
            "delete from tokens where id in
                 (select id from tokens where revoked_at <= $1 or expires_at <= $1 limit $2)",
            at - TOKEN_RETENTION,
        ),
        (
            "delete from people where name_key in
                 (select name_key from people where removed_at <= $1 limit $2)",
            at - SESSION_LIFETIME,
        ),
        (
            "delete from sent_forms where nonce in
                 (select nonce from sent_forms where sent_at <= $1 limit $2)",
            at - TOKEN_RETENTION,
        ),
        (
            "delete from audit where id in (select id from audit where at < $1 limit $2)",
            at - AUDIT_RETENTION,
        ),
    ];
    let mut more = false;
    for (statement, until) in expired {
        let deleted = sql(statement).bind(until.0).bind(max).execute(tx).await?;
        more |= deleted >= u64::from(max);
    }
    sql("delete from setup_code where expires_at <= $1").bind(at.0).execute(tx).await?;
    Ok(more)
}

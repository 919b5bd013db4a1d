//! How are accounts, sessions and tokens read from the tables?

use std::net::IpAddr;

use crate::auth::cache::{AuthCache, AuthCacheChanges};
use crate::auth::model::{
    Account, EmbedSession, Invitation, Session, SetupCode, Token, TokenOwner, TokenRole,
};
use crate::auth::secret::SecretHash;
use crate::store::StoreError;
use crate::store::statement::{Row, sql, with_timeout};
use crate::store::tx::{Connection, Tx};
use app::cluster::{ServerName, Timestamp};
use app::protocol::UserRole;

/// Writes when tokens were last used, in one statement.
pub(super) async fn record_token_uses(
    tx: &mut Tx,
    uses: &[(String, Timestamp)],
) -> Result<(), StoreError> {
    let ids: Vec<&str> = uses.iter().map(|(id, _)| id.as_str()).collect();
    let moments: Vec<i64> = uses.iter().map(|(_, used)| used.0).collect();
    match tx.connection() {
        Connection::Sqlite(_) => {
            let pairs: Vec<_> = ids.iter().zip(&moments).collect();
            let note =
                sql("update tokens set used_at = uses.value ->> 1 from json_each($1) as uses
                 where tokens.id = uses.value ->> 0
                     and coalesce(tokens.used_at, 0) < uses.value ->> 1");
            note.bind(serde_json::to_string(&pairs)?).execute(tx).await?;
        }
        Connection::Postgres(postgres) => {
            let note = sqlx::query(
                "update tokens set used_at = uses.used_at
                 from unnest($1::text[], $2::bigint[]) as uses (id, used_at)
                 where tokens.id = uses.id and coalesce(tokens.used_at, 0) < uses.used_at",
            );
            with_timeout(note.bind(ids).bind(moments).execute(&mut **postgres)).await?;
        }
    }
    Ok(())
}

/// The tokens that were used since then, and when.
pub(super) async fn token_uses_since(
    tx: &mut Tx,
    since: Timestamp,
) -> Result<Vec<(SecretHash, Timestamp)>, StoreError> {
    let rows = sql("select hash, used_at from tokens where used_at >= $1").bind(since.0);
    let rows = rows.rows(tx).await?;
    rows.iter().map(|row| Ok((hash(row, 0)?, Timestamp(row.get(1)?)))).collect()
}

pub(super) async fn auth_cache(tx: &mut Tx) -> Result<AuthCache, StoreError> {
    let mut auth_cache = AuthCache::default();
    auth_cache.apply(changes_since(tx, -1).await?);
    Ok(auth_cache)
}

/// The rows that changed after a commit.
pub(super) async fn changes_since(
    tx: &mut Tx,
    commit: i64,
) -> Result<AuthCacheChanges, StoreError> {
    let mut changes = AuthCacheChanges::default();
    let people = sql(
        "select name_key, name, rank, password, removed_at, invitation, invited_until from people
         where changed_no > $1",
    );
    for row in people.bind(commit).rows(tx).await? {
        let role = UserRole::parse(row.get(2)?).ok_or_else(|| unreadable("rank"))?;
        let account = Account {
            name: row.get(1)?,
            role,
            password: row.get(3)?,
            invitation: invitation(&row)?,
        };
        let removed: Option<i64> = row.get(4)?;
        changes.accounts.push((row.get(0)?, removed.is_none().then_some(account)));
    }
    let sessions = sql("select hash, name_key, begun_at, acted_at, address, ended_at from sessions
         where changed_no > $1");
    for row in sessions.bind(commit).rows(tx).await? {
        let session = Session {
            name_key: row.get(1)?,
            signed_in_at: Timestamp(row.get(2)?),
            last_change_at: Timestamp(row.get(3)?),
            address: address(&row, 4)?,
        };
        let ended: Option<i64> = row.get(5)?;
        changes.sessions.push((hash(&row, 0)?, ended.is_none().then_some(session)));
    }
    let guests = sql(
        "select hash, id, name, rank, token_hash, made_at, begun_at, acted_at, ended_at from guests
         where changed_no > $1",
    );
    for row in guests.bind(commit).rows(tx).await? {
        let begun: Option<i64> = row.get(6)?;
        let guest = EmbedSession {
            id: row.get(1)?,
            name: row.get(2)?,
            role: UserRole::parse(row.get(3)?).ok_or_else(|| unreadable("rank"))?,
            token: hash(&row, 4)?,
            created_at: Timestamp(row.get(5)?),
            redeemed_at: begun.map(Timestamp),
            last_change_at: Timestamp(row.get(7)?),
        };
        let ended: Option<i64> = row.get(8)?;
        changes.embed_sessions.push((hash(&row, 0)?, guest, ended.is_some()));
    }
    let tokens = sql(
        "select hash, id, role, name, made_at, made_by, maker, address, expires_at, used_at, revoked_at
         from tokens where changed_no > $1",
    );
    for row in tokens.bind(commit).rows(tx).await? {
        changes.tokens.push((hash(&row, 0)?, token(&row)?));
    }
    let code = sql("select hash, expires_at from setup_code where changed_no > $1");
    if let Some(row) = code.bind(commit).rows(tx).await?.first() {
        let expires_at = Timestamp(row.get(1)?);
        changes.setup_code = Some(SetupCode { hash: hash(row, 0)?, expires_at });
    }
    Ok(changes)
}

fn invitation(row: &Row) -> Result<Option<Invitation>, StoreError> {
    let (code, until): (Option<&str>, Option<i64>) = (row.get(5)?, row.get(6)?);
    let (Some(code), Some(until)) = (code, until) else { return Ok(None) };
    let hash = SecretHash::from_hex(code).ok_or_else(|| unreadable("invitation"))?;
    Ok(Some(Invitation { hash, expires_at: Timestamp(until) }))
}

pub(super) fn token(row: &Row) -> Result<Token, StoreError> {
    let role = TokenRole::parse(row.get(2)?).ok_or_else(|| unreadable("token role"))?;
    let name: String = row.get(3)?;
    let server = match role {
        TokenRole::Server => {
            Some(ServerName::parse(&name).map_err(|_| unreadable("credential's server"))?)
        }
        TokenRole::Join | TokenRole::User(_) => None,
    };
    let moment = |place: usize| row.get::<Option<i64>>(place).map(|at| at.map(Timestamp));
    Ok(Token {
        id: row.get(1)?,
        role,
        name,
        server,
        created_at: Timestamp(row.get(4)?),
        created_by: row.get(5)?,
        owner: row.get::<Option<&str>>(6)?.and_then(TokenOwner::parse),
        address: address(row, 7)?,
        expires_at: moment(8)?,
        last_used_at: moment(9)?,
        revoked_at: moment(10)?,
    })
}

pub(super) fn hash(row: &Row, place: usize) -> Result<SecretHash, StoreError> {
    SecretHash::from_hex(row.get(place)?).ok_or_else(|| unreadable("hash"))
}

pub(super) fn address(row: &Row, place: usize) -> Result<Option<IpAddr>, StoreError> {
    let text: Option<&str> = row.get(place)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

pub(super) fn unreadable(what: &'static str) -> StoreError {
    StoreError::UnreadableValue(what)
}

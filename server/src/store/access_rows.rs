//! Reads people, sessions, guests and tokens.

use std::net::IpAddr;

use crate::auth::cache::{AuthCache, AuthCacheChanges};
use crate::auth::model::{Account, Guest, Maker, Session, SetupCode, Token, TokenRole};
use crate::auth::secret::Hash;
use crate::store::StoreError;
use crate::store::sql::{Row, in_time, sql};
use crate::store::tx::{Connection, Tx};
use app::cluster::{ServerName, Timestamp};
use app::protocol::UserRole;

/// Writes down when tokens were last used: one statement, in a transaction that keeps nobody waiting.
pub(super) async fn note_uses(tx: &mut Tx, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
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
            in_time(note.bind(ids).bind(moments).execute(&mut **postgres)).await?;
        }
    }
    Ok(())
}

/// The tokens used since a moment, and when.
pub(super) async fn uses_since(
    tx: &mut Tx,
    since: Timestamp,
) -> Result<Vec<(Hash, Timestamp)>, StoreError> {
    let rows = sql("select hash, used_at from tokens where used_at >= $1").bind(since.0);
    let rows = rows.rows(tx).await?;
    rows.iter().map(|row| Ok((hash(row, 0)?, Timestamp(row.get(1)?)))).collect()
}

/// Everything that proves somebody.
pub(super) async fn keyring(tx: &mut Tx) -> Result<AuthCache, StoreError> {
    let mut keyring = AuthCache::default();
    keyring.apply(changes_since(tx, -1).await?);
    Ok(keyring)
}

/// What changed about it after a commit.
pub(super) async fn changes_since(
    tx: &mut Tx,
    commit: i64,
) -> Result<AuthCacheChanges, StoreError> {
    let mut changes = AuthCacheChanges::default();
    let people = sql("select name_key, name, rank, password, removed_at from people
         where changed_no > $1");
    for row in people.bind(commit).rows(tx).await? {
        let rank = UserRole::parse(row.get(2)?).ok_or_else(|| unreadable("rank"))?;
        let account = Account { name: row.get(1)?, rank, password: row.get(3)? };
        let removed: Option<i64> = row.get(4)?;
        changes.people.push((row.get(0)?, removed.is_none().then_some(account)));
    }
    let sessions = sql("select hash, name_key, begun_at, acted_at, address, ended_at from sessions
         where changed_no > $1");
    for row in sessions.bind(commit).rows(tx).await? {
        let session = Session {
            name_key: row.get(1)?,
            begun: Timestamp(row.get(2)?),
            acted: Timestamp(row.get(3)?),
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
        let guest = Guest {
            id: row.get(1)?,
            name: row.get(2)?,
            rank: UserRole::parse(row.get(3)?).ok_or_else(|| unreadable("rank"))?,
            token: hash(&row, 4)?,
            made: Timestamp(row.get(5)?),
            begun: begun.map(Timestamp),
            acted: Timestamp(row.get(7)?),
        };
        let ended: Option<i64> = row.get(8)?;
        changes.guests.push((hash(&row, 0)?, guest, ended.is_some()));
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
        let expires = Timestamp(row.get(1)?);
        changes.setup_code = Some(SetupCode { hash: hash(row, 0)?, expires });
    }
    Ok(changes)
}

pub(super) fn token(row: &Row) -> Result<Token, StoreError> {
    let role = TokenRole::parse(row.get(2)?).ok_or_else(|| unreadable("token role"))?;
    let name: String = row.get(3)?;
    let server = match role {
        TokenRole::Node => {
            Some(ServerName::parse(&name).map_err(|_| unreadable("credential's server"))?)
        }
        TokenRole::Join | TokenRole::Person(_) => None,
    };
    let moment = |place: usize| row.get::<Option<i64>>(place).map(|at| at.map(Timestamp));
    Ok(Token {
        id: row.get(1)?,
        role,
        name,
        server,
        made: Timestamp(row.get(4)?),
        made_by: row.get(5)?,
        maker: row.get::<Option<&str>>(6)?.and_then(Maker::parse),
        address: address(row, 7)?,
        expires: moment(8)?,
        used: moment(9)?,
        revoked: moment(10)?,
    })
}

pub(super) fn hash(row: &Row, place: usize) -> Result<Hash, StoreError> {
    Hash::from_hex(row.get(place)?).ok_or_else(|| unreadable("hash"))
}

pub(super) fn address(row: &Row, place: usize) -> Result<Option<IpAddr>, StoreError> {
    let text: Option<&str> = row.get(place)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

pub(super) fn unreadable(what: &'static str) -> StoreError {
    StoreError::Unreadable(what)
}

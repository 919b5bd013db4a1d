//! Who may ask for what, and what was done: how it lies in the tables.

use std::net::IpAddr;

use app::api::Rank;
use app::cluster::{ServerName, Span, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{StoreError, Tx};
use crate::access::audit::{Entry, Wanted, Written, one_line};
use crate::access::keyring::{
    Account, Keyring, SESSION, Session, SetupCode, Token, TokenRole, name_key,
};
use crate::access::secret::Hash;

/// How long the audit is kept; its trigger refuses to forget anything younger.
const KEEP_AUDIT: Span = Span::minutes(401 * 24 * 60);
/// How long a server's credential is good that nobody uses: its server has another, or is gone.
const KEEP_CREDENTIALS: Span = Span::minutes(90 * 24 * 60);
/// How long a token that is over is still shown.
const KEEP_TOKENS: Span = Span::minutes(31 * 24 * 60);
/// The most lines one answer carries.
const MOST_LINES: u32 = 1_000;

/// What changes about who may ask for what.
#[derive(Clone, Debug)]
pub enum Grant {
    /// A person may sign in with this password; their sessions end.
    Person(Account),
    /// The same, if there is no admin yet and this code is good: it is used up.
    FirstPerson(Account, Hash),
    /// A person may no longer sign in; their sessions end.
    Dismiss(String),
    /// A session begins.
    Begin(Hash, Session),
    /// A session ends.
    End(Hash),
    /// All sessions of a person end.
    EndAll(String),
    /// A token or a credential is good from now on.
    Token(Hash, Token),
    /// It is not any more.
    Revoke(String),
    /// The code that makes the first admin.
    SetupCode(SetupCode),
    /// Tokens were used at these moments.
    Used(Vec<(String, Timestamp)>),
}

/// Writes a change down; false where there was nothing to change.
pub(super) async fn grant(tx: &mut Tx, grant: &Grant, at: Timestamp) -> Result<bool, StoreError> {
    match grant {
        Grant::Person(account) => set_person(tx, account, at).await,
        Grant::FirstPerson(account, code) => {
            let used = sqlx::query(
                "delete from setup_code where hash = $1 and expires_at > $2
                     and not exists (select 1 from people where rank = 'admin')",
            )
            .bind(code.to_hex())
            .bind(at.0);
            if used.execute(&mut **tx).await?.rows_affected() == 0 {
                return Ok(false);
            }
            set_person(tx, account, at).await
        }
        Grant::Dismiss(name) => {
            end_all(tx, &name_key(name)).await?;
            let dismissed = sqlx::query("delete from people where name_key = $1");
            Ok(dismissed.bind(name_key(name)).execute(&mut **tx).await?.rows_affected() > 0)
        }
        Grant::Begin(hash, session) => begin(tx, *hash, session).await,
        Grant::End(hash) => {
            let ended = sqlx::query("delete from sessions where hash = $1").bind(hash.to_hex());
            Ok(ended.execute(&mut **tx).await?.rows_affected() > 0)
        }
        Grant::EndAll(name) => end_all(tx, &name_key(name)).await,
        Grant::Token(hash, token) => add_token(tx, *hash, token).await,
        Grant::Revoke(id) => {
            let revoked = sqlx::query(
                "update tokens set revoked_at = $2 where id = $1 and revoked_at is null",
            );
            Ok(revoked.bind(id).bind(at.0).execute(&mut **tx).await?.rows_affected() > 0)
        }
        Grant::SetupCode(code) => {
            sqlx::query(
                "insert or replace into setup_code (id, hash, expires_at) values (1, $1, $2)",
            )
            .bind(code.hash.to_hex())
            .bind(code.expires.0)
            .execute(&mut **tx)
            .await?;
            Ok(true)
        }
        Grant::Used(uses) => {
            for (id, used) in uses {
                let note = sqlx::query("update tokens set used_at = $2 where id = $1");
                note.bind(id).bind(used.0).execute(&mut **tx).await?;
            }
            Ok(!uses.is_empty())
        }
    }
}

async fn set_person(tx: &mut Tx, account: &Account, at: Timestamp) -> Result<bool, StoreError> {
    let key = name_key(&account.name);
    end_all(tx, &key).await?;
    sqlx::query(
        "insert or replace into people (name_key, name, rank, password, changed_at)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(key)
    .bind(&account.name)
    .bind(account.rank.as_str())
    .bind(&account.password)
    .bind(at.0)
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

async fn begin(tx: &mut Tx, hash: Hash, session: &Session) -> Result<bool, StoreError> {
    sqlx::query(
        "insert into sessions (hash, name_key, begun_at, acted_at, address)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(hash.to_hex())
    .bind(&session.name_key)
    .bind(session.begun.0)
    .bind(session.acted.0)
    .bind(session.address.map(|address| address.to_string()))
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

async fn end_all(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    let ended = sqlx::query("delete from sessions where name_key = $1").bind(key);
    Ok(ended.execute(&mut **tx).await?.rows_affected() > 0)
}

async fn add_token(tx: &mut Tx, hash: Hash, token: &Token) -> Result<bool, StoreError> {
    sqlx::query(
        "insert into tokens (id, hash, role, name, server_key, made_at, made_by, address, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&token.id)
    .bind(hash.to_hex())
    .bind(token.role.as_str())
    .bind(&token.name)
    .bind(token.server.as_ref().map(ServerName::folded))
    .bind(token.made.0)
    .bind(&token.made_by)
    .bind(token.address.map(|address| address.to_string()))
    .bind(token.expires.map(|expires| expires.0))
    .execute(&mut **tx)
    .await?;
    Ok(true)
}

/// A whole server was removed: nobody may beat under its name with a former credential.
pub(super) async fn revoke_credentials(
    tx: &mut Tx,
    server: &ServerName,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let revoked = sqlx::query(
        "update tokens set revoked_at = $2 where server_key = $1 and revoked_at is null",
    );
    let revoked = revoked.bind(server.folded()).bind(at.0).execute(&mut **tx).await?;
    Ok(revoked.rows_affected() > 0)
}

/// Writes a line down, in the transaction of what it tells of; what is done in a session keeps the
/// session acting. True if the session's last action was moved.
pub(super) async fn record(tx: &mut Tx, entry: &Entry, at: Timestamp) -> Result<bool, StoreError> {
    let actor = &entry.actor;
    sqlx::query(
        "insert into audit (at, who, proof, address, action, target, outcome)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(at.0)
    .bind(one_line(&actor.name))
    .bind(actor.proof.as_str())
    .bind(actor.address.map(|address| address.to_string()))
    .bind(entry.action.as_str())
    .bind(one_line(&entry.target))
    .bind(one_line(&entry.outcome))
    .execute(&mut **tx)
    .await?;
    let Some(session) = actor.session else { return Ok(false) };
    // At most once a minute: the limit it is held against is half an hour.
    let acted = sqlx::query("update sessions set acted_at = $2 where hash = $1 and acted_at < $3")
        .bind(session.to_hex())
        .bind(at.0)
        .bind((at - Span::minutes(1)).0);
    Ok(acted.execute(&mut **tx).await?.rows_affected() > 0)
}

/// Everything that proves somebody.
pub(super) async fn keyring(tx: &mut Tx) -> Result<Keyring, StoreError> {
    let mut keyring = Keyring::default();
    let people = sqlx::query("select name_key, name, rank, password from people");
    for row in people.fetch_all(&mut **tx).await? {
        let rank = Rank::parse(row.try_get(2)?).ok_or_else(|| unreadable("rank"))?;
        let account = Account { name: row.try_get(1)?, rank, password: row.try_get(3)? };
        keyring.people.insert(row.try_get(0)?, account);
    }
    let sessions = sqlx::query("select hash, name_key, begun_at, acted_at, address from sessions");
    for row in sessions.fetch_all(&mut **tx).await? {
        let session = Session {
            name_key: row.try_get(1)?,
            begun: Timestamp(row.try_get(2)?),
            acted: Timestamp(row.try_get(3)?),
            address: address(&row, 4)?,
        };
        keyring.sessions.insert(hash(&row, 0)?, session);
    }
    let tokens = sqlx::query(
        "select hash, id, role, name, made_at, made_by, address, expires_at, used_at, revoked_at
         from tokens",
    );
    for row in tokens.fetch_all(&mut **tx).await? {
        keyring.tokens.insert(hash(&row, 0)?, token(&row)?);
    }
    let code = sqlx::query("select hash, expires_at from setup_code");
    if let Some(row) = code.fetch_optional(&mut **tx).await? {
        let expires = Timestamp(row.try_get(1)?);
        keyring.setup_code = Some(SetupCode { hash: hash(&row, 0)?, expires });
    }
    Ok(keyring)
}

fn token(row: &SqliteRow) -> Result<Token, StoreError> {
    let role = TokenRole::parse(row.try_get(2)?).ok_or_else(|| unreadable("token role"))?;
    let name: String = row.try_get(3)?;
    let server = match role {
        TokenRole::Node => {
            Some(ServerName::parse(&name).map_err(|_| unreadable("credential's server"))?)
        }
        TokenRole::Join | TokenRole::Person(_) => None,
    };
    let moment = |place: usize| row.try_get::<Option<i64>, _>(place).map(|at| at.map(Timestamp));
    Ok(Token {
        id: row.try_get(1)?,
        role,
        name,
        server,
        made: Timestamp(row.try_get(4)?),
        made_by: row.try_get(5)?,
        address: address(row, 6)?,
        expires: moment(7)?,
        used: moment(8)?,
        revoked: moment(9)?,
    })
}

fn hash(row: &SqliteRow, place: usize) -> Result<Hash, StoreError> {
    Hash::from_hex(row.try_get(place)?).ok_or_else(|| unreadable("hash"))
}

fn address(row: &SqliteRow, place: usize) -> Result<Option<IpAddr>, StoreError> {
    let text: Option<&str> = row.try_get(place)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn unreadable(what: &'static str) -> StoreError {
    StoreError::Access(what)
}

/// Lines of the audit, newest first.
pub(super) async fn audit(tx: &mut Tx, wanted: &Wanted) -> Result<Vec<Written>, StoreError> {
    let rows = sqlx::query(
        "select id, at, who, proof, address, action, target, outcome from audit
         where ($1 is null or id < $1) and ($2 is null or action = $2)
             and ($3 is null or instr(lower(who || ' ' || target || ' ' || coalesce(address, '')), $3))
         order by id desc limit $4",
    )
    .bind(wanted.before)
    .bind(wanted.action.as_deref())
    .bind(wanted.text.as_deref().map(str::to_lowercase))
    .bind(wanted.limit.min(MOST_LINES))
    .fetch_all(&mut **tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Written {
                id: row.try_get(0)?,
                at: Timestamp(row.try_get(1)?),
                who: row.try_get(2)?,
                proof: row.try_get(3)?,
                address: row.try_get(4)?,
                action: row.try_get(5)?,
                target: row.try_get(6)?,
                outcome: row.try_get(7)?,
            })
        })
        .collect()
}

/// Forgets what is past its time; true if that changed who may ask for what.
pub(super) async fn forget(tx: &mut Tx, at: Timestamp) -> Result<bool, StoreError> {
    let over = [
        ("delete from sessions where begun_at <= $1", at - SESSION),
        (
            "delete from tokens where role = 'node' and coalesce(used_at, made_at) <= $1",
            at - KEEP_CREDENTIALS,
        ),
        ("delete from setup_code where expires_at <= $1", at),
        (
            "delete from tokens where min(coalesce(revoked_at, $1 + 1), coalesce(expires_at, $1 + 1)) <= $1",
            at - KEEP_TOKENS,
        ),
    ];
    let mut changed = false;
    for (statement, until) in over {
        let gone = sqlx::query(statement).bind(until.0).execute(&mut **tx).await?;
        changed |= gone.rows_affected() > 0;
    }
    sqlx::query("delete from audit where at < $1")
        .bind((at - KEEP_AUDIT).0)
        .execute(&mut **tx)
        .await?;
    Ok(changed)
}

//! Who may ask for what, and what was done: how it lies in the tables.

use std::net::IpAddr;

use super::StoreError;
use super::sql::{Row, sql};
use super::tx::Tx;
use crate::access::audit::{Entry, Wanted, Written, one_line};
use crate::access::keyring::{
    Account, CODE, Guest, Keyring, SESSION, Session, SetupCode, Token, TokenRole, name_key,
};
use crate::access::secret::Hash;
use app::api::Rank;
use app::cluster::{ServerName, Span, Timestamp};

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
    /// A product lets somebody in by this code.
    Invite(Hash, Guest),
    /// The code is used, and a session begins.
    Enter {
        /// The code.
        code: Hash,
        /// The session.
        session: Hash,
    },
    /// What a product let in by this number is out again.
    PartWith(String),
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
            let used = sql("delete from setup_code where hash = $1 and expires_at > $2
                     and not exists (select 1 from people where rank = 'admin')")
            .bind(code.to_hex())
            .bind(at.0);
            if used.execute(tx).await? == 0 {
                return Ok(false);
            }
            set_person(tx, account, at).await
        }
        Grant::Dismiss(name) => {
            end_all(tx, &name_key(name)).await?;
            let dismissed = sql("delete from people where name_key = $1");
            Ok(dismissed.bind(name_key(name)).execute(tx).await? > 0)
        }
        Grant::Begin(hash, session) => begin(tx, *hash, session).await,
        Grant::End(hash) => {
            let ended = sql("delete from sessions where hash = $1").bind(hash.to_hex());
            Ok(ended.execute(tx).await? > 0)
        }
        Grant::EndAll(name) => end_all(tx, &name_key(name)).await,
        Grant::Invite(hash, guest) => invite(tx, *hash, guest).await,
        Grant::Enter { code, session } => {
            let entered = sql("update guests set hash = $2, begun_at = $3, acted_at = $3
                 where hash = $1 and begun_at is null and made_at > $4");
            let entered = entered.bind(code.to_hex()).bind(session.to_hex());
            Ok(entered.bind(at.0).bind((at - CODE).0).execute(tx).await? > 0)
        }
        Grant::PartWith(id) => {
            let gone = sql("delete from guests where id = $1").bind(id);
            Ok(gone.execute(tx).await? > 0)
        }
        Grant::Token(hash, token) => add_token(tx, *hash, token).await,
        Grant::Revoke(id) => {
            let revoked =
                sql("update tokens set revoked_at = $2 where id = $1 and revoked_at is null");
            Ok(revoked.bind(id).bind(at.0).execute(tx).await? > 0)
        }
        Grant::SetupCode(code) => {
            sql("insert into setup_code (id, hash, expires_at) values (1, $1, $2)
                 on conflict (id) do update
                     set hash = excluded.hash, expires_at = excluded.expires_at")
            .bind(code.hash.to_hex())
            .bind(code.expires.0)
            .execute(tx)
            .await?;
            Ok(true)
        }
        Grant::Used(uses) => {
            for (id, used) in uses {
                let note = sql("update tokens set used_at = $2 where id = $1");
                note.bind(id).bind(used.0).execute(tx).await?;
            }
            Ok(!uses.is_empty())
        }
    }
}

async fn set_person(tx: &mut Tx, account: &Account, at: Timestamp) -> Result<bool, StoreError> {
    let key = name_key(&account.name);
    end_all(tx, &key).await?;
    sql("insert into people (name_key, name, rank, password, changed_at)
         values ($1, $2, $3, $4, $5)
         on conflict (name_key) do update set name = excluded.name, rank = excluded.rank,
             password = excluded.password, changed_at = excluded.changed_at")
    .bind(key)
    .bind(&account.name)
    .bind(account.rank.as_str())
    .bind(&account.password)
    .bind(at.0)
    .execute(tx)
    .await?;
    Ok(true)
}

async fn begin(tx: &mut Tx, hash: Hash, session: &Session) -> Result<bool, StoreError> {
    sql("insert into sessions (hash, name_key, begun_at, acted_at, address)
         values ($1, $2, $3, $4, $5)")
    .bind(hash.to_hex())
    .bind(&session.name_key)
    .bind(session.begun.0)
    .bind(session.acted.0)
    .bind(session.address.map(|address| address.to_string()))
    .execute(tx)
    .await?;
    Ok(true)
}

async fn invite(tx: &mut Tx, hash: Hash, guest: &Guest) -> Result<bool, StoreError> {
    sql("insert into guests (id, hash, name, rank, token_hash, made_at, acted_at)
         values ($1, $2, $3, $4, $5, $6, $7)")
    .bind(&guest.id)
    .bind(hash.to_hex())
    .bind(&guest.name)
    .bind(guest.rank.as_str())
    .bind(guest.token.to_hex())
    .bind(guest.made.0)
    .bind(guest.acted.0)
    .execute(tx)
    .await?;
    Ok(true)
}

async fn end_all(tx: &mut Tx, key: &str) -> Result<bool, StoreError> {
    let ended = sql("delete from sessions where name_key = $1").bind(key);
    Ok(ended.execute(tx).await? > 0)
}

async fn add_token(tx: &mut Tx, hash: Hash, token: &Token) -> Result<bool, StoreError> {
    sql(
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
    .execute(tx)
    .await?;
    Ok(true)
}

/// A whole server was removed: nobody may beat under its name with a former credential.
pub(super) async fn revoke_credentials(
    tx: &mut Tx,
    server: &ServerName,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let revoked =
        sql("update tokens set revoked_at = $2 where server_key = $1 and revoked_at is null");
    let revoked = revoked.bind(server.folded()).bind(at.0).execute(tx).await?;
    Ok(revoked > 0)
}

/// Writes a line down, in the transaction of what it tells of; what is done in a session keeps the
/// session acting. True if the session's last action was moved.
pub(super) async fn record(tx: &mut Tx, entry: &Entry, at: Timestamp) -> Result<bool, StoreError> {
    let actor = &entry.actor;
    sql("insert into audit (at, who, proof, address, action, target, outcome)
         values ($1, $2, $3, $4, $5, $6, $7)")
    .bind(at.0)
    .bind(one_line(&actor.name))
    .bind(actor.proof.as_str())
    .bind(actor.address.map(|address| address.to_string()))
    .bind(entry.action.as_str())
    .bind(one_line(&entry.target))
    .bind(one_line(&entry.outcome))
    .execute(tx)
    .await?;
    let Some(session) = actor.session else { return Ok(false) };
    // At most once a minute: the limit it is held against is half an hour.
    for statement in [
        "update sessions set acted_at = $2 where hash = $1 and acted_at < $3",
        "update guests set acted_at = $2 where hash = $1 and acted_at < $3",
    ] {
        let acted = sql(statement).bind(session.to_hex()).bind(at.0);
        if acted.bind((at - Span::minutes(1)).0).execute(tx).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Everything that proves somebody.
pub(super) async fn keyring(tx: &mut Tx) -> Result<Keyring, StoreError> {
    let mut keyring = Keyring::default();
    let people = sql("select name_key, name, rank, password from people");
    for row in people.rows(tx).await? {
        let rank = Rank::parse(row.get(2)?).ok_or_else(|| unreadable("rank"))?;
        let account = Account { name: row.get(1)?, rank, password: row.get(3)? };
        keyring.people.insert(row.get(0)?, account);
    }
    let sessions = sql("select hash, name_key, begun_at, acted_at, address from sessions");
    for row in sessions.rows(tx).await? {
        let session = Session {
            name_key: row.get(1)?,
            begun: Timestamp(row.get(2)?),
            acted: Timestamp(row.get(3)?),
            address: address(&row, 4)?,
        };
        keyring.sessions.insert(hash(&row, 0)?, session);
    }
    let guests =
        sql("select hash, id, name, rank, token_hash, made_at, begun_at, acted_at from guests");
    for row in guests.rows(tx).await? {
        let begun: Option<i64> = row.get(6)?;
        let guest = Guest {
            id: row.get(1)?,
            name: row.get(2)?,
            rank: Rank::parse(row.get(3)?).ok_or_else(|| unreadable("rank"))?,
            token: hash(&row, 4)?,
            made: Timestamp(row.get(5)?),
            begun: begun.map(Timestamp),
            acted: Timestamp(row.get(7)?),
        };
        keyring.guests.insert(hash(&row, 0)?, guest);
    }
    let tokens = sql(
        "select hash, id, role, name, made_at, made_by, address, expires_at, used_at, revoked_at
         from tokens",
    );
    for row in tokens.rows(tx).await? {
        keyring.tokens.insert(hash(&row, 0)?, token(&row)?);
    }
    let code = sql("select hash, expires_at from setup_code");
    if let Some(row) = code.rows(tx).await?.first() {
        let expires = Timestamp(row.get(1)?);
        keyring.setup_code = Some(SetupCode { hash: hash(row, 0)?, expires });
    }
    Ok(keyring)
}

fn token(row: &Row) -> Result<Token, StoreError> {
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
        address: address(row, 6)?,
        expires: moment(7)?,
        used: moment(8)?,
        revoked: moment(9)?,
    })
}

fn hash(row: &Row, place: usize) -> Result<Hash, StoreError> {
    Hash::from_hex(row.get(place)?).ok_or_else(|| unreadable("hash"))
}

fn address(row: &Row, place: usize) -> Result<Option<IpAddr>, StoreError> {
    let text: Option<&str> = row.get(place)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

fn unreadable(what: &'static str) -> StoreError {
    StoreError::Unreadable(what)
}

/// Lines of the audit, newest first.
pub(super) async fn audit(tx: &mut Tx, wanted: &Wanted) -> Result<Vec<Written>, StoreError> {
    let rows = sql("select id, at, who, proof, address, action, target, outcome from audit
         where id < $1 and (cast($2 as text) is null or action = $2)
             and (cast($3 as text) is null
                 or lower(who || ' ' || target || ' ' || coalesce(address, '')) like $3 escape '\\')
         order by id desc limit $4")
    .bind(wanted.before.unwrap_or(i64::MAX))
    .bind(wanted.action.as_deref())
    .bind(wanted.text.as_deref().map(holding))
    .bind(wanted.limit.min(MOST_LINES))
    .rows(tx)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Written {
                id: row.get(0)?,
                at: Timestamp(row.get(1)?),
                who: row.get(2)?,
                proof: row.get(3)?,
                address: row.get(4)?,
                action: row.get(5)?,
                target: row.get(6)?,
                outcome: row.get(7)?,
            })
        })
        .collect()
}

/// The pattern of what holds a text, in either case.
fn holding(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

/// Forgets what is past its time; true if that changed who may ask for what.
pub(super) async fn forget(tx: &mut Tx, at: Timestamp) -> Result<bool, StoreError> {
    let over = [
        ("delete from sessions where begun_at <= $1", at - SESSION),
        ("delete from guests where begun_at <= $1", at - SESSION),
        ("delete from guests where begun_at is null and made_at <= $1", at - CODE),
        (
            "delete from tokens where role = 'node' and coalesce(used_at, made_at) <= $1",
            at - KEEP_CREDENTIALS,
        ),
        ("delete from setup_code where expires_at <= $1", at),
        ("delete from tokens where revoked_at <= $1 or expires_at <= $1", at - KEEP_TOKENS),
    ];
    let mut changed = false;
    for (statement, until) in over {
        let gone = sql(statement).bind(until.0).execute(tx).await?;
        changed |= gone > 0;
    }
    sql("delete from audit where at < $1").bind((at - KEEP_AUDIT).0).execute(tx).await?;
    Ok(changed)
}

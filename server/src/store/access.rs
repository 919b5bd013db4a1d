//! Who may ask for what, and what was done: how it lies in the tables.

use std::net::IpAddr;

use crate::auth::audit::{Entry, Wanted, Written, one_line};
use crate::auth::cache::{
    Account, AuthCache, AuthCacheChanges, CODE, Guest, Maker, SESSION, Session, SetupCode, Token,
    TokenRole, name_key,
};
use crate::auth::secret::Hash;
use crate::store::StoreError;
use crate::store::sql::{Row, Statement, in_time, sql};
use crate::store::tx::{Connection, Tx};
use crate::telemetry::outside_text::list_line;
use app::cluster::{ServerName, Span, Timestamp};
use app::protocol::UserRole;

/// How long the audit is kept; its trigger refuses to forget anything younger.
const KEEP_AUDIT: Span = Span::minutes(401 * 24 * 60);
/// How long a server's credential is good that nobody uses: its server has another, or is gone.
const KEEP_CREDENTIALS: Span = Span::minutes(90 * 24 * 60);
/// Within which time equal entries of the audit share a row.
const AUDIT_REPEATS_WITHIN: Span = Span::minutes(60);
/// How many sessions a person has at once; the oldest ends where there would be more.
const MAX_SESSIONS_PER_PERSON: u32 = 100;
/// How many credentials of a server are good at once; the oldest ends where there would be more.
const MAX_CREDENTIALS_PER_SERVER: u32 = 10;
/// How long a token that is over is still shown.
pub(crate) const KEEP_TOKENS: Span = Span::minutes(31 * 24 * 60);
/// The most lines one answer carries.
const MOST_LINES: u32 = 1_000;

/// What changes about who may ask for what.
#[derive(Clone, Debug)]
pub enum AccessChange {
    /// A person may sign in with this password; their sessions end. Tokens they made end too where the person
    /// may no longer make them.
    Person(Account),
    /// The same, if there is no admin yet and this code is good: it is used up.
    FirstPerson(Account, Hash),
    /// A person may no longer sign in; their sessions end, and the tokens they made.
    Dismiss(String),
    /// A session begins, if the person's password is still the one that was checked.
    Begin {
        /// What the cookie carries.
        hash: Hash,
        /// The session.
        session: Session,
        /// The hash of the password that was checked.
        password: String,
    },
    /// A person's password, which stays the same, is hashed anew, unless it was changed meanwhile.
    Rehash {
        /// Whose.
        name_key: String,
        /// The hash so far.
        from: String,
        /// The new one.
        to: String,
    },
    /// A session ends.
    End(Hash),
    /// All sessions of a person end.
    EndAll(String),
    /// A product lets somebody in by this code, if its token is still good.
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
    /// A token or a credential is good from now on, if its maker still may create it. Of a server's credentials
    /// the oldest ends where there are too many.
    Token(Hash, Token),
    /// It is not any more, nor are the tokens made with it.
    Revoke(String),
    /// The code that makes the first admin.
    SetupCode(SetupCode),
}

/// Writes a change down, as part of this commit; false where there was nothing to change.
pub(super) async fn grant(
    tx: &mut Tx,
    grant: &AccessChange,
    at: Timestamp,
    commit: i64,
) -> Result<bool, StoreError> {
    let mut table = Table { tx, at, commit };
    match grant {
        AccessChange::Person(account) => table.set_person(account).await,
        AccessChange::FirstPerson(account, code) => table.set_first_person(account, *code).await,
        AccessChange::Dismiss(name) => table.dismiss(&name_key(name)).await,
        AccessChange::Begin { hash, session, password } => {
            table.begin(*hash, session, password).await
        }
        AccessChange::Rehash { name_key, from, to } => table.rehash(name_key, from, to).await,
        AccessChange::End(hash) => {
            let end = sql("update sessions set ended_at = $2, changed_no = $3
                 where hash = $1 and ended_at is null");
            table.ends(end, hash.to_hex()).await
        }
        AccessChange::EndAll(name) => table.end_all(&name_key(name)).await,
        AccessChange::Invite(hash, guest) => table.invite(*hash, guest).await,
        AccessChange::Enter { code, session } => table.enter(*code, *session).await,
        AccessChange::PartWith(id) => {
            let end = sql("update guests set ended_at = $2, changed_no = $3
                 where id = $1 and ended_at is null");
            table.ends(end, id.clone()).await
        }
        AccessChange::Token(hash, token) => table.add_token(*hash, token).await,
        AccessChange::Revoke(id) => table.revoke(id).await,
        AccessChange::SetupCode(code) => table.set_setup_code(code).await,
    }
}

/// The tables of who may ask for what, within one change.
struct Table<'t> {
    tx: &'t mut Tx,
    at: Timestamp,
    commit: i64,
}

impl Table<'_> {
    /// Ends the row that `end` finds by `$1`: `$2` is when, `$3` the commit.
    async fn ends(&mut self, end: Statement, key: String) -> Result<bool, StoreError> {
        let end = end.bind(key).bind(self.at.0).bind(self.commit);
        Ok(end.execute(self.tx).await? > 0)
    }

    async fn set_person(&mut self, account: &Account) -> Result<bool, StoreError> {
        let key = name_key(&account.name);
        self.end_all(&key).await?;
        if account.rank == UserRole::Viewer {
            self.revoke_made_by(&maker_of_person(&key)).await?;
        }
        sql("insert into people (name_key, name, rank, password, changed_at, changed_no)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (name_key) do update set name = excluded.name, rank = excluded.rank,
                 password = excluded.password, changed_at = excluded.changed_at,
                 changed_no = excluded.changed_no, removed_at = null")
        .bind(key)
        .bind(&account.name)
        .bind(account.rank.as_str())
        .bind(&account.password)
        .bind(self.at.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        Ok(true)
    }

    async fn set_first_person(
        &mut self,
        account: &Account,
        code: Hash,
    ) -> Result<bool, StoreError> {
        let used = sql(
            "update setup_code set expires_at = 0, changed_no = $3
             where hash = $1 and expires_at > $2
                 and not exists (select 1 from people where rank = 'admin' and removed_at is null)",
        );
        let used = used.bind(code.to_hex()).bind(self.at.0).bind(self.commit);
        if used.execute(self.tx).await? == 0 {
            return Ok(false);
        }
        self.set_person(account).await
    }

    async fn dismiss(&mut self, key: &str) -> Result<bool, StoreError> {
        self.end_all(key).await?;
        self.revoke_made_by(&maker_of_person(key)).await?;
        let dismiss = sql("update people set removed_at = $2, changed_no = $3, password = ''
             where name_key = $1 and removed_at is null");
        self.ends(dismiss, key.to_owned()).await
    }

    async fn begin(
        &mut self,
        hash: Hash,
        session: &Session,
        password: &str,
    ) -> Result<bool, StoreError> {
        // What was checked a moment ago may have been changed since.
        let insert =
            sql("insert into sessions (hash, name_key, begun_at, acted_at, address, changed_no)
             select $1, $2, $3, $4, $5, $6 from people
             where name_key = $2 and password = $7 and removed_at is null");
        let begun = insert
            .bind(hash.to_hex())
            .bind(&session.name_key)
            .bind(session.begun.0)
            .bind(session.acted.0)
            .bind(session.address.map(|address| address.to_string()))
            .bind(self.commit)
            .bind(password)
            .execute(self.tx)
            .await?;
        if begun == 0 {
            return Ok(false);
        }
        let end_oldest = sql("update sessions set ended_at = $2, changed_no = $3
             where name_key = $1 and ended_at is null and hash not in
                 (select hash from sessions where name_key = $1 and ended_at is null
                  order by begun_at desc, hash limit $4)");
        let end_oldest = end_oldest.bind(&session.name_key).bind(self.at.0).bind(self.commit);
        end_oldest.bind(MAX_SESSIONS_PER_PERSON).execute(self.tx).await?;
        Ok(true)
    }

    async fn rehash(&mut self, key: &str, from: &str, to: &str) -> Result<bool, StoreError> {
        let rehash = sql("update people set password = $3, changed_no = $4
             where name_key = $1 and password = $2");
        rehash.bind(key).bind(from).bind(to).bind(self.commit).execute(self.tx).await?;
        Ok(true)
    }

    async fn end_all(&mut self, key: &str) -> Result<bool, StoreError> {
        let end = sql("update sessions set ended_at = $2, changed_no = $3
             where name_key = $1 and ended_at is null");
        self.ends(end, key.to_owned()).await
    }

    async fn invite(&mut self, hash: Hash, guest: &Guest) -> Result<bool, StoreError> {
        let invite = sql(
            "insert into guests (id, hash, name, rank, token_hash, made_at, acted_at, changed_no)
             select $1, $2, $3, $4, $5, $6, $7, $8 from tokens
             where hash = $5 and revoked_at is null and (expires_at is null or expires_at > $6)",
        );
        let invited = invite
            .bind(&guest.id)
            .bind(hash.to_hex())
            .bind(&guest.name)
            .bind(guest.rank.as_str())
            .bind(guest.token.to_hex())
            .bind(guest.made.0)
            .bind(guest.acted.0)
            .bind(self.commit)
            .execute(self.tx)
            .await?;
        Ok(invited > 0)
    }

    async fn enter(&mut self, code: Hash, session: Hash) -> Result<bool, StoreError> {
        let enter =
            sql("update guests set hash = $2, begun_at = $3, acted_at = $3, changed_no = $5
             where hash = $1 and begun_at is null and ended_at is null and made_at > $4
                 and exists (select 1 from tokens where tokens.hash = guests.token_hash
                     and revoked_at is null and (expires_at is null or expires_at > $3))");
        let enter = enter.bind(code.to_hex()).bind(session.to_hex()).bind(self.at.0);
        let entered = enter.bind((self.at - CODE).0).bind(self.commit).execute(self.tx).await?;
        Ok(entered > 0)
    }

    async fn add_token(&mut self, hash: Hash, token: &Token) -> Result<bool, StoreError> {
        // The maker was allowed to a moment ago, and may have been removed or revoked since.
        let add = sql(
            "insert into tokens (id, hash, role, name, server_key, made_at, made_by, maker, address,
                 expires_at, changed_no)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from cluster
             where cast($8 as text) is null
                 or exists (select 1 from people
                     where 'person ' || name_key = $8 and removed_at is null)
                 or exists (select 1 from tokens where 'token ' || id = $8 and revoked_at is null)",
        );
        let server = token.server.as_ref().map(ServerName::folded);
        let added = add
            .bind(&token.id)
            .bind(hash.to_hex())
            .bind(token.role.as_str())
            .bind(&token.name)
            .bind(server.clone())
            .bind(token.made.0)
            .bind(&token.made_by)
            .bind(token.maker.as_ref().map(Maker::to_text))
            .bind(token.address.map(|address| address.to_string()))
            .bind(token.expires.map(|expires| expires.0))
            .bind(self.commit)
            .execute(self.tx)
            .await?;
        if let Some(server) = server {
            let end_oldest = sql("update tokens set revoked_at = $2, changed_no = $3
                 where server_key = $1 and revoked_at is null and id not in
                     (select id from tokens where server_key = $1 and revoked_at is null
                      order by made_at desc, id limit $4)");
            let end_oldest = end_oldest.bind(server).bind(self.at.0).bind(self.commit);
            end_oldest.bind(MAX_CREDENTIALS_PER_SERVER).execute(self.tx).await?;
        }
        Ok(added > 0)
    }

    async fn revoke(&mut self, id: &str) -> Result<bool, StoreError> {
        let revoke = sql("update tokens set revoked_at = $2, changed_no = $3
             where id = $1 and revoked_at is null");
        let revoked = self.ends(revoke, id.to_owned()).await?;
        self.revoke_made_by(&Maker::Token(id.to_owned()).to_text()).await?;
        Ok(revoked)
    }

    /// Revokes what somebody made, and what was made with that. A server's credential stays: its server
    /// proved itself when it enrolled, and goes on.
    async fn revoke_made_by(&mut self, maker: &str) -> Result<(), StoreError> {
        let revoke = sql("with recursive made (id) as (
                 select id from tokens where maker = $1 and role <> 'node'
                 union
                 select tokens.id from tokens join made on tokens.maker = 'token ' || made.id
                 where tokens.role <> 'node')
             update tokens set revoked_at = $2, changed_no = $3
             where revoked_at is null and id in (select id from made)");
        self.ends(revoke, maker.to_owned()).await.map(drop)
    }

    async fn set_setup_code(&mut self, code: &SetupCode) -> Result<bool, StoreError> {
        sql("insert into setup_code (id, hash, expires_at, changed_no) values (1, $1, $2, $3)
             on conflict (id) do update set hash = excluded.hash,
                 expires_at = excluded.expires_at, changed_no = excluded.changed_no")
        .bind(code.hash.to_hex())
        .bind(code.expires.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        Ok(true)
    }
}

fn maker_of_person(key: &str) -> String {
    Maker::Person(key.to_owned()).to_text()
}

/// Whole servers were removed: nobody may send heartbeats under their names with a former credential.
pub(super) async fn revoke_credentials(
    tx: &mut Tx,
    servers: &[ServerName],
    at: Timestamp,
    commit: i64,
) -> Result<bool, StoreError> {
    let servers: Vec<String> = servers.iter().map(ServerName::folded).collect();
    let revoked = match tx.connection() {
        Connection::Sqlite(_) => {
            let revoke = sql("update tokens set revoked_at = $2, changed_no = $3
                 where revoked_at is null and server_key in (select value from json_each($1))");
            let revoke = revoke.bind(serde_json::to_string(&servers)?).bind(at.0).bind(commit);
            revoke.execute(tx).await?
        }
        Connection::Postgres(postgres) => {
            let revoke = sqlx::query(
                "update tokens set revoked_at = $2, changed_no = $3
                 where revoked_at is null and server_key = any($1)",
            );
            let revoke = revoke.bind(servers).bind(at.0).bind(commit);
            in_time(revoke.execute(&mut **postgres)).await?.rows_affected()
        }
    };
    Ok(revoked > 0)
}

/// Writes an entry down, in the transaction of what it is about; what is done in a session keeps the
/// session acting. An entry that repeats one of the last hour is counted there. True if the session's last
/// action was moved.
pub(super) async fn record(
    tx: &mut Tx,
    entry: &Entry,
    at: Timestamp,
    commit: i64,
) -> Result<bool, StoreError> {
    let actor = &entry.actor;
    let address = actor.address.map(|address| address.to_string());
    let (who, proof, action) = (one_line(&actor.name), actor.proof.as_str(), entry.action.as_str());
    let (target, outcome) = (list_line(&entry.target), one_line(&entry.outcome));
    let parts = [&who, proof, address.as_deref().unwrap_or_default(), action, &target, &outcome];
    // No part holds a line break: parts that run into one another cannot look like others.
    let digest = Hash::of(&parts.join("\n")).to_hex();
    let repeat = sql("update audit set repeated = repeated + 1, last_at = $2
         where id = (select max(id) from audit where digest = $1 and at > $3)");
    let repeat = repeat.bind(&digest).bind(at.0).bind((at - AUDIT_REPEATS_WITHIN).0);
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
    // At most once a minute: the limit it is compared with is half an hour.
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

/// Gives people of former versions the key by which their name is looked up today: it was not composed then. Of
/// two whose names have become equal the second keeps its former key.
pub(super) async fn compose_name_keys(tx: &mut Tx) -> Result<(), StoreError> {
    let mut keys: Vec<String> = Vec::new();
    for row in sql("select name_key from people order by name_key").rows(tx).await? {
        keys.push(row.get(0)?);
    }
    for former in &keys {
        let key = name_key(former);
        if key == *former || keys.contains(&key) {
            continue;
        }
        for (text, of) in [
            ("update people set name_key = $2 where name_key = $1", None),
            ("update sessions set name_key = $2 where name_key = $1", None),
            ("update tokens set maker = $2 where maker = $1", Some(maker_of_person)),
        ] {
            let named = |key: &str| of.map_or_else(|| key.to_owned(), |maker| maker(key));
            sql(text).bind(named(former)).bind(named(&key)).execute(tx).await?;
        }
    }
    Ok(())
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
        maker: row.get::<Option<&str>>(6)?.and_then(Maker::parse),
        address: address(row, 7)?,
        expires: moment(8)?,
        used: moment(9)?,
        revoked: moment(10)?,
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
    let rows =
        sql("select id, at, who, proof, address, action, target, outcome, repeated, last_at,
             request_id
         from audit
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
                count: 1 + usize::try_from(row.get::<i64>(8)?).unwrap_or_default(),
                last_at: Timestamp(row.get::<Option<i64>>(9)?.unwrap_or(row.get(1)?)),
                request_id: row.get(10)?,
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

/// Forgets what is past its time, at most so many rows of a kind; whether there may be more. What is over
/// proves nothing any more, so nobody needs to hear of it.
pub(super) async fn forget(tx: &mut Tx, at: Timestamp, most: u32) -> Result<bool, StoreError> {
    let over = [
        (
            "delete from sessions where hash in
                 (select hash from sessions where begun_at <= $1 limit $2)",
            at - SESSION,
        ),
        (
            "delete from guests where id in (select id from guests where begun_at <= $1 limit $2)",
            at - SESSION,
        ),
        (
            "delete from guests where id in (select id from guests
                 where begun_at is null and made_at <= $1 limit $2)",
            at - CODE,
        ),
        (
            "delete from tokens where id in (select id from tokens
                 where role = 'node' and coalesce(used_at, made_at) <= $1 limit $2)",
            at - KEEP_CREDENTIALS,
        ),
        (
            "delete from tokens where id in
                 (select id from tokens where revoked_at <= $1 or expires_at <= $1 limit $2)",
            at - KEEP_TOKENS,
        ),
        (
            "delete from people where name_key in
                 (select name_key from people where removed_at <= $1 limit $2)",
            at - SESSION,
        ),
        (
            "delete from audit where id in (select id from audit where at < $1 limit $2)",
            at - KEEP_AUDIT,
        ),
    ];
    let mut more = false;
    for (statement, until) in over {
        let gone = sql(statement).bind(until.0).bind(most).execute(tx).await?;
        more |= gone >= u64::from(most);
    }
    sql("delete from setup_code where expires_at <= $1").bind(at.0).execute(tx).await?;
    Ok(more)
}

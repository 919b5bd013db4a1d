//! How are accounts, sessions and tokens changed in the tables?

use crate::auth::model::{
    Account, EMBED_CODE_LIFETIME, EmbedSession, Session, SetupCode, Token, TokenOwner, name_key,
};
use crate::auth::secret::SecretHash;
use crate::store::StoreError;
use crate::store::access_change::AccessChange;
use crate::store::statement::{Statement, sql, with_timeout};
use crate::store::tx::{Connection, Tx};
use app::cluster::{ServerName, Span, Timestamp};
use app::protocol::UserRole;

/// A server's credential that was not used for this long is deleted: its server has another one or no longer exists.
pub(super) const UNUSED_CREDENTIAL_RETENTION: Span = Span::minutes(90 * 24 * 60);
/// If there would be more, the oldest one ends.
const MAX_SESSIONS_PER_PERSON: u32 = 100;
/// If there would be more, the oldest one is revoked.
const MAX_CREDENTIALS_PER_SERVER: u32 = 10;
/// How long a revoked or expired token is still shown.
pub(crate) const TOKEN_RETENTION: Span = Span::minutes(31 * 24 * 60);

/// Writes a change as part of the commit with this number. False if there was nothing to change.
pub(super) async fn change_access(
    tx: &mut Tx,
    change: &AccessChange,
    at: Timestamp,
    commit: i64,
) -> Result<bool, StoreError> {
    let mut table = AccessTables { tx, at, commit };
    match change {
        AccessChange::SetAccount(account) => table.set_account(account).await,
        AccessChange::CreateFirstAdmin(account, code) => {
            table.create_first_admin(account, *code).await
        }
        AccessChange::RemoveAccount(name) => table.remove_account(&name_key(name)).await,
        AccessChange::InvitePerson(account) => table.invite_person(account).await,
        AccessChange::SetInvitation { name_key, invitation } => {
            table.set_invitation(name_key, *invitation).await
        }
        AccessChange::AcceptInvitation { name_key, code, password } => {
            table.accept_invitation(name_key, *code, password).await
        }
        AccessChange::SetRole { name_key, role } => table.set_role(name_key, *role).await,
        AccessChange::ChangePassword { name_key, from, to, session } => {
            table.change_password(name_key, (from, to), *session).await
        }
        AccessChange::RequireOtherAdmin(name_key) => table.has_other_admin(name_key).await,
        AccessChange::RequireAdmin(owner) => table.is_admin(owner).await,
        AccessChange::UseForm(nonce) => table.use_form(*nonce).await,
        AccessChange::StartSession { hash, session, password } => {
            table.start_session(*hash, session, password).await
        }
        AccessChange::RehashPassword { name_key, from, to } => {
            table.rehash_password(name_key, from, to).await
        }
        AccessChange::EndSession(hash) => {
            let end = sql("update sessions set ended_at = $2, changed_no = $3
                 where hash = $1 and ended_at is null");
            table.end_row(end, hash.to_hex()).await
        }
        AccessChange::EndAllSessions(name) => table.end_all_sessions(&name_key(name)).await,
        AccessChange::CreateEmbedSession(hash, session) => {
            table.create_embed_session(*hash, session).await
        }
        AccessChange::RedeemEmbedCode { code, session } => {
            table.redeem_embed_code(*code, *session).await
        }
        AccessChange::RevokeEmbedSession(id) => {
            let end = sql("update guests set ended_at = $2, changed_no = $3
                 where id = $1 and ended_at is null");
            table.end_row(end, id.clone()).await
        }
        AccessChange::AddToken(hash, token) => table.add_token(*hash, token).await,
        AccessChange::RevokeToken(id) => table.revoke_token(id).await,
        AccessChange::SetSetupCode(code) => table.set_setup_code(code).await,
    }
}

/// The tables of accounts, sessions and tokens, within one transaction.
pub(super) struct AccessTables<'t> {
    pub(super) tx: &'t mut Tx,
    pub(super) at: Timestamp,
    pub(super) commit: i64,
}

impl AccessTables<'_> {
    /// Executes `end`, which marks the row with the key `$1` as ended at `$2` by the commit `$3`.
    async fn end_row(&mut self, end: Statement, key: String) -> Result<bool, StoreError> {
        let end = end.bind(key).bind(self.at.0).bind(self.commit);
        Ok(end.execute(self.tx).await? > 0)
    }

    async fn set_account(&mut self, account: &Account) -> Result<bool, StoreError> {
        let key = name_key(&account.name);
        self.end_all_sessions(&key).await?;
        if account.role == UserRole::Viewer {
            self.revoke_tokens_made_by(&owner_text(&key)).await?;
        }
        sql("insert into people (name_key, name, rank, password, changed_at, changed_no)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (name_key) do update set name = excluded.name, rank = excluded.rank,
                 password = excluded.password, changed_at = excluded.changed_at,
                 invitation = null, invited_until = null, changed_no = excluded.changed_no,
                 removed_at = null")
        .bind(key)
        .bind(&account.name)
        .bind(account.role.as_str())
        .bind(&account.password)
        .bind(self.at.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        Ok(true)
    }

    async fn create_first_admin(
        &mut self,
        account: &Account,
        code: SecretHash,
    ) -> Result<bool, StoreError> {
        let used = sql("update setup_code set expires_at = 0, changed_no = $3
             where hash = $1 and expires_at > $2
                 and not exists (select 1 from people
                     where rank = 'admin' and password <> '' and removed_at is null)");
        let used = used.bind(code.to_hex()).bind(self.at.0).bind(self.commit);
        if used.execute(self.tx).await? == 0 {
            return Ok(false);
        }
        self.set_account(account).await
    }

    async fn remove_account(&mut self, key: &str) -> Result<bool, StoreError> {
        self.end_all_sessions(key).await?;
        self.revoke_tokens_made_by(&owner_text(key)).await?;
        let dismiss = sql("update people set removed_at = $2, changed_no = $3, password = '',
                 invitation = null, invited_until = null
             where name_key = $1 and removed_at is null");
        self.end_row(dismiss, key.to_owned()).await
    }

    async fn start_session(
        &mut self,
        hash: SecretHash,
        session: &Session,
        password: &str,
    ) -> Result<bool, StoreError> {
        // The password may have been changed since it was checked.
        let insert =
            sql("insert into sessions (hash, name_key, begun_at, acted_at, address, changed_no)
             select $1, $2, $3, $4, $5, $6 from people
             where name_key = $2 and password = $7 and removed_at is null");
        let begun = insert
            .bind(hash.to_hex())
            .bind(&session.name_key)
            .bind(session.signed_in_at.0)
            .bind(session.last_change_at.0)
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

    async fn rehash_password(
        &mut self,
        key: &str,
        from: &str,
        to: &str,
    ) -> Result<bool, StoreError> {
        let rehash = sql("update people set password = $3, changed_no = $4
             where name_key = $1 and password = $2");
        rehash.bind(key).bind(from).bind(to).bind(self.commit).execute(self.tx).await?;
        Ok(true)
    }

    pub(super) async fn end_all_sessions(&mut self, key: &str) -> Result<bool, StoreError> {
        let end = sql("update sessions set ended_at = $2, changed_no = $3
             where name_key = $1 and ended_at is null");
        self.end_row(end, key.to_owned()).await
    }

    async fn create_embed_session(
        &mut self,
        hash: SecretHash,
        session: &EmbedSession,
    ) -> Result<bool, StoreError> {
        let invite = sql(
            "insert into guests (id, hash, name, rank, token_hash, made_at, acted_at, changed_no)
             select $1, $2, $3, $4, $5, $6, $7, $8 from tokens
             where hash = $5 and revoked_at is null and (expires_at is null or expires_at > $6)",
        );
        let invited = invite
            .bind(&session.id)
            .bind(hash.to_hex())
            .bind(&session.name)
            .bind(session.role.as_str())
            .bind(session.token.to_hex())
            .bind(session.created_at.0)
            .bind(session.last_change_at.0)
            .bind(self.commit)
            .execute(self.tx)
            .await?;
        Ok(invited > 0)
    }

    async fn redeem_embed_code(
        &mut self,
        code: SecretHash,
        session: SecretHash,
    ) -> Result<bool, StoreError> {
        let enter =
            sql("update guests set hash = $2, begun_at = $3, acted_at = $3, changed_no = $5
             where hash = $1 and begun_at is null and ended_at is null and made_at > $4
                 and exists (select 1 from tokens where tokens.hash = guests.token_hash
                     and revoked_at is null and (expires_at is null or expires_at > $3))");
        let enter = enter.bind(code.to_hex()).bind(session.to_hex()).bind(self.at.0);
        let entered = enter
            .bind((self.at - EMBED_CODE_LIFETIME).0)
            .bind(self.commit)
            .execute(self.tx)
            .await?;
        Ok(entered > 0)
    }

    async fn add_token(&mut self, hash: SecretHash, token: &Token) -> Result<bool, StoreError> {
        // The owner may have been removed or revoked since it was checked.
        let add = sql(
            "insert into tokens (id, hash, role, name, server_key, made_at, made_by, maker, address,
                 expires_at, changed_no)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 from cluster
             where cast($8 as text) is null
                 or exists (select 1 from people
                     where 'person ' || name_key = $8 and rank = 'admin' and removed_at is null)
                 or exists (select 1 from tokens where 'token ' || id = $8 and revoked_at is null)",
        );
        let server = token.server.as_ref().map(ServerName::folded);
        let added = add
            .bind(&token.id)
            .bind(hash.to_hex())
            .bind(token.role.as_str())
            .bind(&token.name)
            .bind(server.clone())
            .bind(token.created_at.0)
            .bind(&token.created_by)
            .bind(token.owner.as_ref().map(TokenOwner::to_text))
            .bind(token.address.map(|address| address.to_string()))
            .bind(token.expires_at.map(|expires| expires.0))
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

    async fn revoke_token(&mut self, id: &str) -> Result<bool, StoreError> {
        let revoke = sql("update tokens set revoked_at = $2, changed_no = $3
             where id = $1 and revoked_at is null");
        let revoked = self.end_row(revoke, id.to_owned()).await?;
        self.revoke_tokens_made_by(&TokenOwner::Token(id.to_owned()).to_text()).await?;
        Ok(revoked)
    }

    /// Revokes the tokens of an owner, and those that were created with them. Credentials of servers stay valid: the
    /// server had a valid token when it enrolled.
    pub(super) async fn revoke_tokens_made_by(&mut self, maker: &str) -> Result<(), StoreError> {
        let revoke = sql("with recursive made (id) as (
                 select id from tokens where maker = $1 and role <> 'node'
                 union
                 select tokens.id from tokens join made on tokens.maker = 'token ' || made.id
                 where tokens.role <> 'node')
             update tokens set revoked_at = $2, changed_no = $3
             where revoked_at is null and id in (select id from made)");
        self.end_row(revoke, maker.to_owned()).await.map(drop)
    }

    async fn set_setup_code(&mut self, code: &SetupCode) -> Result<bool, StoreError> {
        sql("insert into setup_code (id, hash, expires_at, changed_no) values (1, $1, $2, $3)
             on conflict (id) do update set hash = excluded.hash,
                 expires_at = excluded.expires_at, changed_no = excluded.changed_no")
        .bind(code.hash.to_hex())
        .bind(code.expires_at.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        Ok(true)
    }
}

pub(super) fn owner_text(key: &str) -> String {
    TokenOwner::User(key.to_owned()).to_text()
}

/// Revokes the credentials of removed servers, so that nobody can send heartbeats in their names with them.
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
            with_timeout(revoke.execute(&mut **postgres)).await?.rows_affected()
        }
    };
    Ok(revoked > 0)
}

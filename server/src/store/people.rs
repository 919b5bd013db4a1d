//! How are people invited, given roles and passwords? The accounts and their invitations, within one transaction.

use crate::auth::model::{Account, Invitation, TokenOwner, name_key};
use crate::auth::secret::SecretHash;
use crate::store::StoreError;
use crate::store::access::{AccessTables, owner_text};
use crate::store::statement::sql;
use app::protocol::UserRole;

impl AccessTables<'_> {
    /// Creates an account, unless somebody has its name.
    pub(super) async fn invite_person(&mut self, account: &Account) -> Result<bool, StoreError> {
        let invited =
            sql("insert into people (name_key, name, rank, password, changed_at, invitation,
                 invited_until, changed_no)
             values ($1, $2, $3, '', $4, $5, $6, $7)
             on conflict (name_key) do update set name = excluded.name, rank = excluded.rank,
                 password = '', changed_at = excluded.changed_at,
                 invitation = excluded.invitation, invited_until = excluded.invited_until,
                 changed_no = excluded.changed_no, removed_at = null
             where people.removed_at is not null")
            .bind(name_key(&account.name))
            .bind(&account.name)
            .bind(account.role.as_str())
            .bind(self.at.0)
            .bind(account.invitation.map(|invitation| invitation.hash.to_hex()))
            .bind(account.invitation.map(|invitation| invitation.expires_at.0))
            .bind(self.commit)
            .execute(self.tx)
            .await?;
        Ok(invited > 0)
    }

    pub(super) async fn set_invitation(
        &mut self,
        key: &str,
        invitation: Invitation,
    ) -> Result<bool, StoreError> {
        let invited = sql("update people set invitation = $2, invited_until = $3, changed_no = $4
             where name_key = $1 and removed_at is null")
        .bind(key)
        .bind(invitation.hash.to_hex())
        .bind(invitation.expires_at.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        Ok(invited > 0)
    }

    pub(super) async fn accept_invitation(
        &mut self,
        key: &str,
        code: SecretHash,
        password: &str,
    ) -> Result<bool, StoreError> {
        let accepted = sql(
            "update people set password = $3, changed_at = $4, invitation = null,
                 invited_until = null, changed_no = $5
             where name_key = $1 and invitation = $2 and invited_until > $4 and removed_at is null",
        )
        .bind(key)
        .bind(code.to_hex())
        .bind(password)
        .bind(self.at.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        self.end_all_sessions(key).await?;
        Ok(accepted > 0)
    }

    pub(super) async fn set_role(&mut self, key: &str, role: UserRole) -> Result<bool, StoreError> {
        if role == UserRole::Viewer {
            self.revoke_tokens_made_by(&owner_text(key)).await?;
        }
        let set = sql("update people set rank = $2, changed_no = $3
             where name_key = $1 and rank <> $2 and removed_at is null");
        let set = set.bind(key).bind(role.as_str()).bind(self.commit);
        Ok(set.execute(self.tx).await? > 0)
    }

    /// `from` and `to`: the hashes of the old and the new password.
    pub(super) async fn change_password(
        &mut self,
        key: &str,
        (from, to): (&str, &str),
        session: SecretHash,
    ) -> Result<bool, StoreError> {
        let end = sql("update sessions set ended_at = $2, changed_no = $3
             where name_key = $1 and hash <> $4 and ended_at is null");
        let end = end.bind(key).bind(self.at.0).bind(self.commit).bind(session.to_hex());
        end.execute(self.tx).await?;
        let changed = sql("update people set password = $3, changed_at = $4, invitation = null,
                 invited_until = null, changed_no = $5
             where name_key = $1 and password = $2 and removed_at is null")
        .bind(key)
        .bind(from)
        .bind(to)
        .bind(self.at.0)
        .bind(self.commit)
        .execute(self.tx)
        .await?;
        Ok(changed > 0)
    }

    /// Whether an admin can sign in if this account cannot.
    pub(super) async fn has_other_admin(&mut self, key: &str) -> Result<bool, StoreError> {
        let rows = sql("select 1 from cluster
             where exists (select 1 from people where name_key <> $1 and rank = 'admin'
                     and password <> '' and removed_at is null)
                 or not exists (select 1 from people where name_key = $1 and rank = 'admin'
                     and password <> '' and removed_at is null)");
        Ok(!rows.bind(key).rows(self.tx).await?.is_empty())
    }

    pub(super) async fn is_admin(&mut self, owner: &TokenOwner) -> Result<bool, StoreError> {
        let rows = sql("select 1 from cluster
             where exists (select 1 from people
                     where 'person ' || name_key = $1 and rank = 'admin' and removed_at is null)
                 or exists (select 1 from tokens where 'token ' || id = $1 and role = 'admin'
                     and revoked_at is null and (expires_at is null or expires_at > $2))");
        Ok(!rows.bind(owner.to_text()).bind(self.at.0).rows(self.tx).await?.is_empty())
    }

    pub(super) async fn use_form(&mut self, nonce: SecretHash) -> Result<bool, StoreError> {
        let note = sql("insert into sent_forms (nonce, sent_at) values ($1, $2)
             on conflict (nonce) do nothing");
        let noted = note.bind(nonce.to_hex()).bind(self.at.0).execute(self.tx).await?;
        Ok(noted > 0)
    }
}

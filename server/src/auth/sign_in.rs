//! Signs users in and out: by a password, or by the set-up code for the first admin.

use app::cluster::{Span, Timestamp};
use app::protocol::UserRole;

use crate::auth::AuthService;
use crate::auth::audit::{Action, Actor, AuditEntry, AuthMethod};
use crate::auth::cache::AuthCache;
use crate::auth::model::{
    Account, MAX_NAME_CHARS, NameError, Session, SetupCode, name_key, parse_name,
};
use crate::auth::origin::RequestOrigin;
use crate::auth::password::{
    MAX_PASSWORD_BYTES, PasswordError, PasswordManager, PasswordMatch, PasswordPolicyError,
};
use crate::auth::rate_limit::AttemptOrigin;
use crate::auth::secret::{Secret, SecretError, SecretHash};
use crate::auth::setup_code::typed_code_hash;
use crate::store::{AccessChange, StoreError};
use crate::telemetry::log_limit::LogLimit;

/// The longest name that is looked up: a character has up to four bytes.
const MAX_TYPED_NAME_BYTES: usize = 4 * MAX_NAME_CHARS;
/// The longest password that is compared: decomposed letters have up to three times as many bytes.
const MAX_TYPED_PASSWORD_BYTES: usize = 3 * MAX_PASSWORD_BYTES;

/// A password that somebody chose or entered. One that is too long for any becomes another that is rejected as too long,
/// without the work of normalizing it.
pub(super) fn limited(password: String) -> String {
    let is_short = password.len() <= MAX_TYPED_PASSWORD_BYTES;
    if is_short { password } else { "x".repeat(MAX_TYPED_PASSWORD_BYTES) }
}

/// What somebody enters to sign in.
pub struct SignInRequest {
    pub name: String,
    /// The password, or the first admin's new one.
    pub password: String,
    /// The set-up code.
    pub code: Option<String>,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Also for an unknown name: nobody learns which names exist.
    #[error("the name or the password is not correct")]
    WrongPassword,
    #[error("the set-up code is not correct, or has expired; restart `serve` to get a new one")]
    WrongSetupCode,
    #[error(
        "this link is not valid: it was used or replaced, or it has expired; ask an admin for a new one"
    )]
    BadInvitation,
    #[error(transparent)]
    Password(#[from] PasswordPolicyError),
    #[error("the name {0}")]
    InvalidName(#[from] NameError),
    /// With the time until the next attempt.
    #[error("too many attempts to sign in; try again in {0}")]
    TooManyAttempts(Span),
    #[error(transparent)]
    Busy(#[from] PasswordError),
    #[error("the overview cannot write to its database at present, so nobody can sign in: {0}")]
    Blind(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] SecretError),
}

/// A sign-in whose password or code was correct.
struct Verified {
    actor: Actor,
    action: Action,
    /// The hash that the password matched. If the account has another one by now, no session begins.
    password_hash: String,
    first_admin: Option<AccessChange>,
    rehash: Option<AccessChange>,
}

impl AuthService {
    /// Signs somebody in and returns the secret of a new session. A session that the browser had before ends.
    /// `product`: the name of the product around the overview, which no password may be made of.
    pub async fn sign_in(
        &self,
        request: SignInRequest,
        origin: &RequestOrigin,
        former: Option<SecretHash>,
        product: Option<&str>,
    ) -> Result<Secret, SignInError> {
        self.live.refresh().await;
        let auth_cache = self.live.auth_cache();
        let now = self.live.now();
        // All names that are too long count as one unknown name: the same work, and nothing of them is kept.
        let is_short = request.name.len() <= MAX_TYPED_NAME_BYTES;
        let key = if is_short { name_key(&request.name) } else { String::new() };
        let attempt = AttemptOrigin::new(origin, has_session_from(&auth_cache, &key, origin));
        self.rate_limiter.check(&key, attempt, now).map_err(SignInError::TooManyAttempts)?;
        let has_code = request.code.as_deref().is_some_and(|code| !code.trim().is_empty());
        let is_set_up = !auth_cache.has_admin() && (has_code || auth_cache.accounts.is_empty());
        let account = auth_cache.accounts.get(&key);
        let verified = if is_set_up {
            self.verify_setup_code(request, account, auth_cache.setup_code, now, origin, product)
                .await?
        } else {
            self.verify_password(request.password, &key, account, origin).await?
        };
        let secret = Secret::generate()?;
        let begun_at = self.store.now();
        let session = Session {
            name_key: key.clone(),
            signed_in_at: begun_at,
            last_change_at: begun_at,
            address: origin.client,
        };
        let former = former.filter(|former| auth_cache.sessions.contains_key(former));
        let start = AccessChange::StartSession {
            hash: secret.hash(),
            session,
            password: verified.password_hash,
        };
        let mut changes: Vec<AccessChange> = verified.first_admin.into_iter().collect();
        changes.extend(former.map(AccessChange::EndSession));
        changes.push(start);
        changes.extend(verified.rehash);
        let entry = AuditEntry::done(&verified.actor, verified.action, "");
        if !self.change_access(&changes, Some(&entry)).await? {
            return Err(if is_set_up {
                SignInError::WrongSetupCode
            } else {
                SignInError::WrongPassword
            });
        }
        self.rate_limiter.reset(&key, attempt);
        Ok(secret)
    }

    async fn verify_setup_code(
        &self,
        request: SignInRequest,
        account: Option<&Account>,
        expected: Option<SetupCode>,
        now: Timestamp,
        origin: &RequestOrigin,
        product: Option<&str>,
    ) -> Result<Verified, SignInError> {
        let typed = typed_code_hash(request.code.unwrap_or_default().trim());
        let is_valid = |code: &SetupCode| Some(code.hash) == typed && now < code.expires_at;
        let Some(code) = expected.filter(is_valid) else {
            self.record_refusal(account, Action::SignIn, origin, "wrong set-up code").await;
            return Err(SignInError::WrongSetupCode);
        };
        let SignInRequest { name, password, .. } = request;
        let account =
            new_account(&self.passwords, &name, UserRole::Admin, password, product).await?;
        Ok(Verified {
            actor: Actor::new(account.name.clone(), AuthMethod::SetupCode, origin),
            action: Action::FirstAdmin,
            password_hash: account.password.clone(),
            first_admin: Some(AccessChange::CreateFirstAdmin(account, code.hash)),
            rehash: None,
        })
    }

    async fn verify_password(
        &self,
        password: String,
        name_key: &str,
        account: Option<&Account>,
        origin: &RequestOrigin,
    ) -> Result<Verified, SignInError> {
        let is_short = password.len() <= MAX_TYPED_PASSWORD_BYTES;
        let password = if is_short { password } else { String::new() };
        // An account without a password takes the same time as an unknown name.
        let hash = account.filter(|account| account.has_password());
        let hash = hash.map(|account| account.password.clone());
        let matches = self.passwords.verify(password.clone(), hash.clone()).await?;
        let (Some(account), PasswordMatch::Yes | PasswordMatch::LegacyForm) = (account, matches)
        else {
            self.record_refusal(account, Action::SignIn, origin, "wrong password").await;
            return Err(SignInError::WrongPassword);
        };
        let rehash = if matches == PasswordMatch::LegacyForm {
            Some(AccessChange::RehashPassword {
                name_key: name_key.to_owned(),
                from: account.password.clone(),
                to: self.passwords.hash(password).await?,
            })
        } else {
            None
        };
        Ok(Verified {
            actor: Actor::new(account.name.clone(), AuthMethod::Password, origin),
            action: Action::SignIn,
            password_hash: account.password.clone(),
            first_admin: None,
            rehash,
        })
    }

    /// Records a sign-in, or another use of a password or code, that failed. It stays refused if it cannot be recorded.
    pub(super) async fn record_refusal(
        &self,
        account: Option<&Account>,
        action: Action,
        origin: &RequestOrigin,
        why: &'static str,
    ) {
        static NOT_RECORDED: LogLimit = LogLimit::new();
        // An unknown name is not recorded: somebody may have typed the password there.
        let name = account.map_or("unknown name", |account| account.name.as_str());
        let actor = Actor::new(name.to_owned(), AuthMethod::Nothing, origin);
        let entry = AuditEntry::refused(&actor, action, "", why);
        if let Err(error) = self.live.record(entry).await
            && let Some(left_out) = NOT_RECORDED.check()
        {
            tracing::warn!(%error, left_out, "cannot write a refused sign-in to the audit log");
        }
    }

    /// Ends a session, or all sessions of its account.
    pub async fn sign_out(
        &self,
        session: SecretHash,
        everywhere: bool,
        origin: &RequestOrigin,
    ) -> Result<(), StoreError> {
        let auth_cache = self.live.auth_cache();
        let Some(Session { name_key, .. }) = auth_cache.sessions.get(&session) else {
            return Ok(());
        };
        let name = auth_cache.accounts.get(name_key).map_or(name_key, |account| &account.name);
        let (change, target) = if everywhere {
            (AccessChange::EndAllSessions(name_key.clone()), "everywhere")
        } else {
            (AccessChange::EndSession(session), "here")
        };
        let actor = Actor::new(name.clone(), AuthMethod::Session, origin);
        let entry = AuditEntry::done(&actor, Action::SignOut, target);
        self.change_access(&[change], Some(&entry)).await.map(drop)
    }
}

/// Whether the account is signed in from the same address already.
fn has_session_from(auth_cache: &AuthCache, name_key: &str, origin: &RequestOrigin) -> bool {
    origin.client.is_some()
        && auth_cache
            .sessions
            .values()
            .any(|session| session.name_key == name_key && session.address == origin.client)
}

/// An account with a new password. `product`: the name of the product around the overview.
///
/// # Errors
/// The name is invalid, the password policy rejects the password, or it cannot be hashed now.
pub async fn new_account(
    passwords: &PasswordManager,
    name: &str,
    role: UserRole,
    password: String,
    product: Option<&str>,
) -> Result<Account, SignInError> {
    let name = parse_name(name)?;
    let password = passwords.accept(password, &name, product).await??;
    Ok(Account { name, role, password: passwords.hash(password).await?, invitation: None })
}

//! Signing in and out: a new session for whoever knows a name's password.

use app::cluster::Span;
use app::protocol::UserRole;

use crate::auth::Access;
use crate::auth::audit::{Action, Actor, Entry, Proof, is_name};
use crate::auth::model::{Account, Session, SetupCode, name_key};
use crate::auth::normalization::composed;
use crate::auth::origin::Origin;
use crate::auth::password::{self, Fit, LONGEST, PasswordError, PasswordPolicyError};
use crate::auth::rate_limit::TrialOrigin;
use crate::auth::secret::{Hash, Secret, SecretError};
use crate::store::{AccessChange, StoreError};
use crate::telemetry::log_limit::LogLimit;

/// How long the code that makes the first admin is good.
const SETUP: Span = Span::minutes(60);
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// The longest name that is looked up, in bytes: so long as the longest name may be.
const MAX_NAME_BYTES: usize = 4 * LONGEST_NAME;
/// The longest set-up code that is looked at, in bytes: with blanks or whatever else was typed between its groups.
const MAX_CODE_BYTES: usize = 100;
/// The longest password that is compared, in bytes, as it is typed: the longest one may have three times as many
/// where its letters are not composed.
const MAX_TYPED_PASSWORD_BYTES: usize = 3 * LONGEST;
/// What the code is made of: nothing that is read for something else.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What somebody gives to sign in.
pub struct SignIn {
    /// Their name.
    pub name: String,
    /// Their password, or the first admin's new one.
    pub password: String,
    /// The code that makes the first admin.
    pub code: Option<String>,
}

/// Signed in.
#[derive(Debug)]
pub struct Signed {
    /// What the cookie carries.
    pub secret: Secret,
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Name and password do not belong together, or there is no such name: the same words for both.
    #[error("this name and password do not belong together")]
    Wrong,
    /// The set-up code is not, or no longer, good.
    #[error(
        "this is not the set-up code, or its hour is over; `serve` prints a new one when it is started again"
    )]
    WrongCode,
    /// The first admin's password is not fit.
    #[error(transparent)]
    Password(#[from] PasswordPolicyError),
    /// The first admin's name is not fit.
    #[error("a name has 1 to {LONGEST_NAME} characters and is one line")]
    UnfitName,
    /// Too many trials.
    #[error("too many trials; try again in {0}")]
    TooMany(Span),
    /// Too much to do.
    #[error(transparent)]
    Busy(#[from] PasswordError),
    /// The database does not take it.
    #[error("the overview cannot write to its database at present, so nobody can sign in")]
    Blind(#[from] StoreError),
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] SecretError),
}

/// The code that makes the first admin, as it is printed.
pub struct SetupCodeText(String);

impl std::fmt::Debug for SetupCodeText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SetupCodeText(…)")
    }
}

impl SetupCodeText {
    fn new() -> Result<Self, SecretError> {
        // Five bits a letter: 150 in all.
        let mut random = [0; 30];
        getrandom::fill(&mut random)?;
        let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
        Ok(Self(groups.join("-")))
    }

    /// The code itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// However it was typed; `None` if it is longer than any code.
    fn hash(text: &str) -> Option<Hash> {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        let is_short = text.len() <= MAX_CODE_BYTES;
        is_short.then(|| Hash::of(&letters.collect::<String>().to_ascii_lowercase()))
    }
}

impl Access {
    /// A new code that makes the first admin, if there is none yet.
    pub async fn offer_setup(&self) -> Result<Option<SetupCodeText>, SignInError> {
        let keyring = self.live.keyring();
        if keyring.has_admin() {
            return Ok(None);
        }
        // One a cluster: another web server printed it, and somebody may have read it there.
        let good = |code: &SetupCode| self.store.now() < code.expires;
        if self.store.is_shared() && keyring.setup_code.as_ref().is_some_and(good) {
            return Ok(None);
        }
        let text = SetupCodeText::new()?;
        let Some(hash) = SetupCodeText::hash(text.reveal()) else { return Ok(None) };
        let code = SetupCode { hash, expires: self.store.now() + SETUP };
        self.grant(&[AccessChange::SetupCode(code)], None).await?;
        Ok(Some(text))
    }

    /// Signs somebody in: a new session, also for who has one already. `product` is the name of the product around the
    /// overview, which is no password.
    pub async fn sign_in(
        &self,
        given: SignIn,
        origin: &Origin,
        former: Option<Hash>,
        product: Option<&str>,
    ) -> Result<Signed, SignInError> {
        self.live.refresh().await;
        let keyring = self.live.keyring();
        // Names that are too long are all one unknown name: the same work, and nothing of them is kept.
        let is_short = given.name.len() <= MAX_NAME_BYTES;
        let key = if is_short { name_key(&given.name) } else { String::new() };
        let known = keyring.sessions.values().any(|session| {
            session.name_key == key && session.address == origin.client && origin.client.is_some()
        });
        let now = self.live.now();
        let limits = &self.limits;
        let unnamed_proxy = origin.unbelieved.is_some();
        let trial = TrialOrigin { address: origin.client, unnamed_proxy, known };
        limits.take(&key, trial, now).map_err(SignInError::TooMany)?;
        let account = keyring.people.get(&key);
        let code = given.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        let first = !keyring.has_admin() && (code.is_some() || keyring.people.is_empty());
        let mut actor = Actor {
            // What was typed where a name belongs may be a password.
            name: account.map_or("unknown name", |account| account.name.as_str()).to_owned(),
            proof: if first { Proof::SetupCode } else { Proof::Password },
            address: origin.client,
            request_id: origin.request_id,
            session: None,
            maker: None,
        };
        let mut grants = Vec::new();
        let mut action = Action::SignIn;
        let mut renewed = None;
        let checked = if first {
            let code = SetupCodeText::hash(code.unwrap_or_default());
            let good = |known: &SetupCode| Some(known.hash) == code && now < known.expires;
            let Some(SetupCode { hash: code, .. }) = keyring.setup_code.filter(good) else {
                actor.proof = Proof::Nothing;
                self.write_down(Entry::refused(&actor, action, "", "wrong set-up code")).await;
                return Err(SignInError::WrongCode);
            };
            let (name, password) = (given.name, given.password);
            let account =
                new_account(&self.passwords, &name, UserRole::Admin, password, product).await?;
            actor.name.clone_from(&account.name);
            action = Action::FirstAdmin;
            let password = account.password.clone();
            grants.push(AccessChange::FirstPerson(account, code));
            password
        } else {
            let hash = account.map(|account| account.password.clone());
            let is_short = given.password.len() <= MAX_TYPED_PASSWORD_BYTES;
            let password = if is_short { given.password } else { String::new() };
            match self.passwords.is(password.clone(), hash.clone()).await? {
                Fit::No => {
                    actor.proof = Proof::Nothing;
                    self.write_down(Entry::refused(&actor, action, "", "wrong password")).await;
                    return Err(SignInError::Wrong);
                }
                Fit::Yes => {}
                Fit::InFormerForm => renewed = Some(self.passwords.hash(password).await?),
            }
            hash.unwrap_or_default()
        };
        if let Some(former) = former.filter(|former| keyring.sessions.contains_key(former)) {
            grants.push(AccessChange::End(former));
        }
        let secret = Secret::new()?;
        let at = self.store.now();
        let session =
            Session { name_key: key.clone(), begun: at, acted: at, address: origin.client };
        grants.push(AccessChange::Begin {
            hash: secret.hash(),
            session,
            password: checked.clone(),
        });
        grants.extend(renewed.map(|to| AccessChange::Rehash {
            name_key: key.clone(),
            from: checked,
            to,
        }));
        if !self.grant(&grants, Some(&Entry::done(&actor, action, ""))).await? {
            return Err(if first { SignInError::WrongCode } else { SignInError::Wrong });
        }
        limits.forgive(&key, trial);
        Ok(Signed { secret })
    }

    /// Ends a session, or all of its person's.
    pub async fn sign_out(
        &self,
        session: Hash,
        everywhere: bool,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let keyring = self.live.keyring();
        let Some(known) = keyring.sessions.get(&session) else { return Ok(()) };
        let name =
            keyring.people.get(&known.name_key).map_or(&known.name_key, |person| &person.name);
        let actor = Actor {
            name: name.clone(),
            proof: Proof::Session,
            address: origin.client,
            request_id: origin.request_id,
            session: None,
            maker: None,
        };
        let (grant, target) = if everywhere {
            (AccessChange::EndAll(known.name_key.clone()), "everywhere")
        } else {
            (AccessChange::End(session), "here")
        };
        self.grant(&[grant], Some(&Entry::done(&actor, Action::SignOut, target))).await.map(drop)
    }

    /// Changes who may ask for what, in its turn; false if there was nothing to change.
    pub(crate) async fn grant(
        &self,
        grants: &[AccessChange],
        entry: Option<&Entry>,
    ) -> Result<bool, StoreError> {
        let (grants, entry, place) = (grants.to_vec(), entry.cloned(), self.live.place()?);
        let change = self.live.change(|store| async move {
            let _place = place;
            let news = store.grant(&grants, entry.as_ref()).await?;
            Ok((news.is_some(), news))
        });
        change.await
    }

    /// Writes down what was refused. If that fails, the refusal stands all the same.
    async fn write_down(&self, entry: Entry) {
        static NOT_RECORDED: LogLimit = LogLimit::new();
        if let Err(error) = self.live.record(entry).await
            && let Some(left_out) = NOT_RECORDED.check()
        {
            tracing::warn!(%error, left_out, "cannot write a refused sign-in to the audit log");
        }
    }
}

/// A person with a password, both fit to be that. `product`: the name of the product around the overview.
pub async fn new_account(
    passwords: &password::Passwords,
    name: &str,
    rank: UserRole,
    password: String,
    product: Option<&str>,
) -> Result<Account, SignInError> {
    let name = composed(name.trim());
    if !is_name(&name, LONGEST_NAME) {
        return Err(SignInError::UnfitName);
    }
    let password = passwords.check(password, &name, product).await??;
    Ok(Account { name: name.into_owned(), rank, password: passwords.hash(password).await? })
}

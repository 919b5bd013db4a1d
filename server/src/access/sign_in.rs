//! Signing in and out: a new session for whoever knows a name's password.

use app::api::Rank;
use app::cluster::Span;

use super::audit::{Action, Actor, Entry, Proof, is_name};
use super::keyring::{Account, Session, SetupCode, name_key};
use super::origin::Origin;
use super::password::{self, LONGEST, PasswordError, Unfit};
use super::secret::{Hash, Secret, SecretError};
use crate::Site;
use crate::store::{Grant, StoreError};

/// How long the code that makes the first admin is good.
const SETUP: Span = Span::minutes(60);
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
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
    Unfit(#[from] Unfit),
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
        let mut random = [0; 25];
        getrandom::fill(&mut random)?;
        let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let groups: Vec<String> = letters.chunks(5).map(|group| group.iter().collect()).collect();
        Ok(Self(groups.join("-")))
    }

    /// The code itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// However it was typed.
    fn hash(text: &str) -> Hash {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        Hash::of(&letters.collect::<String>().to_ascii_lowercase())
    }
}

impl Site {
    /// A new code that makes the first admin, if there is none yet.
    pub async fn offer_setup(&self) -> Result<Option<SetupCodeText>, SignInError> {
        let keyring = self.watch.keyring();
        if keyring.has_admin() {
            return Ok(None);
        }
        // One a cluster: another web server printed it, and somebody may have read it there.
        let good = |code: &SetupCode| self.store.now() < code.expires;
        if self.store.is_shared() && keyring.setup_code.as_ref().is_some_and(good) {
            return Ok(None);
        }
        let text = SetupCodeText::new()?;
        let hash = SetupCodeText::hash(text.reveal());
        let code = SetupCode { hash, expires: self.store.now() + SETUP };
        self.grant(&[Grant::SetupCode(code)], None).await?;
        Ok(Some(text))
    }

    /// Signs somebody in: a new session, also for who has one already.
    pub async fn sign_in(
        &self,
        given: SignIn,
        origin: &Origin,
        former: Option<Hash>,
    ) -> Result<Signed, SignInError> {
        self.watch.refresh().await;
        let keyring = self.watch.keyring();
        let key = name_key(&given.name);
        let known = keyring.sessions.values().any(|session| {
            session.name_key == key && session.address == origin.client && origin.client.is_some()
        });
        let now = self.watch.now();
        let limits = &self.access.limits;
        limits.take(&key, origin.client, known, now).map_err(SignInError::TooMany)?;
        let account = keyring.people.get(&key);
        let code = given.code.as_deref().map(str::trim).filter(|code| !code.is_empty());
        let first = !keyring.has_admin() && (code.is_some() || keyring.people.is_empty());
        let mut actor = Actor {
            // What was typed where a name belongs may be a password.
            name: account.map_or("unknown name", |account| account.name.as_str()).to_owned(),
            proof: if first { Proof::SetupCode } else { Proof::Password },
            address: origin.client,
            session: None,
            maker: None,
        };
        let mut grants = Vec::new();
        let mut action = Action::SignIn;
        let checked = if first {
            let code = SetupCodeText::hash(code.unwrap_or_default());
            if !keyring.setup_code.is_some_and(|known| known.hash == code && now < known.expires) {
                actor.proof = Proof::Nothing;
                self.write_down(Entry::refused(&actor, action, "", "wrong set-up code")).await;
                return Err(SignInError::WrongCode);
            }
            let account = self.account(&given.name, Rank::Admin, given.password).await?;
            actor.name.clone_from(&account.name);
            action = Action::FirstAdmin;
            let password = account.password.clone();
            grants.push(Grant::FirstPerson(account, code));
            password
        } else {
            let hash = account.map(|account| account.password.clone());
            let fits = given.password.len() <= LONGEST;
            let password = if fits { given.password } else { String::new() };
            if !self.access.passwords.is(password, hash.clone()).await? {
                actor.proof = Proof::Nothing;
                self.write_down(Entry::refused(&actor, action, "", "wrong password")).await;
                return Err(SignInError::Wrong);
            }
            hash.unwrap_or_default()
        };
        if let Some(former) = former.filter(|former| keyring.sessions.contains_key(former)) {
            grants.push(Grant::End(former));
        }
        let secret = Secret::new()?;
        let at = self.store.now();
        let session =
            Session { name_key: key.clone(), begun: at, acted: at, address: origin.client };
        grants.push(Grant::Begin { hash: secret.hash(), session, password: checked });
        if !self.grant(&grants, Some(&Entry::done(&actor, action, ""))).await? {
            return Err(if first { SignInError::WrongCode } else { SignInError::Wrong });
        }
        limits.forgive(&key, origin.client, known);
        Ok(Signed { secret })
    }

    /// Ends a session, or all of its person's.
    pub async fn sign_out(
        &self,
        session: Hash,
        everywhere: bool,
        origin: &Origin,
    ) -> Result<(), StoreError> {
        let keyring = self.watch.keyring();
        let Some(known) = keyring.sessions.get(&session) else { return Ok(()) };
        let name =
            keyring.people.get(&known.name_key).map_or(&known.name_key, |person| &person.name);
        let actor = Actor {
            name: name.clone(),
            proof: Proof::Session,
            address: origin.client,
            session: None,
            maker: None,
        };
        let (grant, target) = if everywhere {
            (Grant::EndAll(known.name_key.clone()), "everywhere")
        } else {
            (Grant::End(session), "here")
        };
        self.grant(&[grant], Some(&Entry::done(&actor, Action::SignOut, target))).await.map(drop)
    }

    /// A person with a password, both fit to be that.
    pub(crate) async fn account(
        &self,
        name: &str,
        rank: Rank,
        password: String,
    ) -> Result<Account, SignInError> {
        account(&self.access.passwords, name, rank, password).await
    }

    /// Changes who may ask for what, in its turn; false if there was nothing to change.
    pub(crate) async fn grant(
        &self,
        grants: &[Grant],
        entry: Option<&Entry>,
    ) -> Result<bool, StoreError> {
        let (grants, entry) = (grants.to_vec(), entry.cloned());
        let change = self.watch.change(|store| async move {
            let news = store.grant(&grants, entry.as_ref()).await?;
            Ok((news.is_some(), news))
        });
        change.await
    }

    /// Writes down what was refused. If that fails, the refusal stands all the same.
    async fn write_down(&self, entry: Entry) {
        if let Err(error) = self.watch.record(entry).await {
            tracing::warn!(%error, "a refused sign-in could not be written down");
        }
    }
}

/// A person with a password, both fit to be that.
pub async fn account(
    passwords: &password::Passwords,
    name: &str,
    rank: Rank,
    password: String,
) -> Result<Account, SignInError> {
    let name = name.trim();
    if !is_name(name, LONGEST_NAME) {
        return Err(SignInError::UnfitName);
    }
    password::check(&password)?;
    Ok(Account { name: name.to_owned(), rank, password: passwords.hash(password).await? })
}

//! Guests: people whom a product lets in, into a frame within its own pages.
//!
//! The product's back end fetches a code with its token; the person's browser trades the code for a session,
//! once, within a minute.

use app::cluster::FieldError;
use app::protocol::UserRole;

use crate::auth::Access;
use crate::auth::audit::{Action, Actor, Entry, Proof, is_name};
use crate::auth::model::Guest;
use crate::auth::origin::Origin;
use crate::auth::secret::{Hash, Secret, SecretError};
use crate::auth::tokens::new_id;
use crate::store::{AccessChange, StoreError};

/// The longest name of a guest, in characters.
const LONGEST_NAME: usize = 100;
/// How many guests and codes there may be at once: all of them are kept in memory.
const MOST_GUESTS: usize = 10_000;
/// How many guests one product's token lets in at once: no product takes all the places.
const MAX_GUESTS_PER_TOKEN: usize = 2_000;

/// Whom a product lets in.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The person's name, as the product has it.
    pub name: String,
    /// What they may.
    pub rank: UserRole,
}

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbedRefusal {
    /// There are too many guests already.
    #[error("there are too many guests already, or too many came at once; come back in a minute")]
    TooMany,
    /// The product's token was revoked meanwhile.
    #[error("the product's token was revoked a moment ago")]
    TokenEnded,
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] SecretError),
}

impl Invitation {
    /// An invitation of somebody with this name.
    ///
    /// # Errors
    /// A name that is none.
    pub fn of(name: &str, rank: UserRole) -> Result<Self, FieldError> {
        let why = "must have 1 to 100 characters, on one line";
        if is_name(name, LONGEST_NAME) {
            Ok(Self { name: name.to_owned(), rank })
        } else {
            Err(FieldError::new("name", why))
        }
    }
}

impl Access {
    /// A code that lets somebody in for a minute, and the number by which the product can end their visit.
    /// The product is known by its token.
    pub(crate) async fn invite(
        &self,
        Invitation { name, rank }: Invitation,
        token: Hash,
    ) -> Result<(String, Secret), EmbedRefusal> {
        let keyring = self.live.keyring();
        let by_this_product = keyring.guests.values().filter(|guest| guest.token == token).count();
        if keyring.guests.len() >= MOST_GUESTS
            || by_this_product >= MAX_GUESTS_PER_TOKEN
            || self.limits.take_invitation(token, self.live.now()).is_err()
        {
            return Err(EmbedRefusal::TooMany);
        }
        let (id, code, at) = (new_id()?, Secret::new()?, self.store.now());
        let guest = Guest { id: id.clone(), name, rank, token, made: at, begun: None, acted: at };
        if self.grant(&[AccessChange::Invite(code.hash(), guest)], None).await? {
            Ok((id, code))
        } else {
            Err(EmbedRefusal::TokenEnded)
        }
    }

    /// Lets in whoever brings a code that is good: what their cookie is to carry. `None` if the code is
    /// used, too old, or never was.
    pub(crate) async fn enter(
        &self,
        code: &str,
        origin: &Origin,
    ) -> Result<Option<Secret>, EmbedRefusal> {
        let Some(code) = Hash::of_made_secret(code) else { return Ok(None) };
        self.live.refresh().await;
        let now = self.live.now();
        let keyring = self.live.keyring();
        let good =
            |guest: &&Guest| guest.may_enter(now) && keyring.token(guest.token, now).is_some();
        let Some(guest) = keyring.guests.get(&code).filter(good) else { return Ok(None) };
        let session = Secret::new()?;
        let actor = Actor {
            name: guest.name.clone(),
            proof: Proof::Host,
            address: origin.client,
            request_id: origin.request_id,
            session: None,
            maker: None,
        };
        let grant = AccessChange::Enter { code, session: session.hash() };
        let entry = Entry::done(&actor, Action::SignIn, "within a product's page");
        // Of two that bring the same code at once, one comes first.
        Ok(self.grant(&[grant], Some(&entry)).await?.then_some(session))
    }

    /// Ends the visit of a guest whom the product with this token let in; false if there is none.
    pub(crate) async fn part_with(&self, id: &str, token: Hash) -> Result<bool, StoreError> {
        self.live.refresh().await;
        let keyring = self.live.keyring();
        let own = |guest: &Guest| guest.id == id && guest.token == token;
        if !keyring.guests.values().any(own) {
            return Ok(false);
        }
        self.grant(&[AccessChange::PartWith(id.to_owned())], None).await
    }
}

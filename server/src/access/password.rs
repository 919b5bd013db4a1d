//! Passwords: argon2id, off the threads that answer, and never more at once than memory bears.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

/// How many passwords are hashed at once: each takes 19 MiB and one core for some tens of milliseconds.
const AT_ONCE: usize = 2;
/// How many may wait for that.
const WAITING: usize = 64;
/// The shortest password, in characters.
pub const SHORTEST: usize = 12;
/// The longest, in bytes: hashing more would be work for whoever asks.
pub const LONGEST: usize = 1_024;

/// What is verified for a name that nobody has: the same work as for one that somebody has.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y2x1c3Rlci1vdmVydmlldw$\
                       mW8bq0SPZ0gkLXQz7Wn4uVJm1v4bT3bQv7m0Q3lJ0aY";

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too short.
    #[error("a password has at least {SHORTEST} characters; a sentence is easy to keep in mind")]
    Short,
    /// Too long.
    #[error("a password has at most {LONGEST} bytes")]
    Long,
}

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many people are signing in.
    #[error("too many people are signing in at this moment; try again in a few seconds")]
    Busy,
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// The one place where passwords are worked on.
#[derive(Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    queue: Semaphore,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)), queue: Semaphore::new(WAITING) }
    }
}

/// Whether a new password is fit to be one.
pub fn check(password: &str) -> Result<(), Unfit> {
    if password.chars().count() < SHORTEST {
        return Err(Unfit::Short);
    }
    if password.len() > LONGEST { Err(Unfit::Long) } else { Ok(()) }
}

impl Passwords {
    /// Whether this is the password behind `hash`. For nobody's hash the same work is done.
    pub async fn is(&self, password: String, hash: Option<String>) -> Result<bool, PasswordError> {
        self.work(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
            let parsed = PasswordHash::new(&hash).ok();
            let fits = parsed.is_some_and(|parsed| {
                Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
            });
            Ok(fits && known)
        })
        .await
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.work(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(PasswordError::Hash)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _queued = self.queue.try_acquire().map_err(|_| PasswordError::Busy)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| PasswordError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held while the work lasts, even if whoever asked has gone.
            let _place = place;
            work()
        });
        done.await.unwrap_or(Err(PasswordError::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_alone() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let is = |word: &str, hash: Option<String>| passwords.is(word.to_owned(), hash);
        assert!(is("correct horse battery", Some(hash.clone())).await.unwrap());
        assert!(!is("correct horse batterY", Some(hash)).await.unwrap());
        assert!(!is("correct horse battery", None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let parsed = PasswordHash::new(NOBODYS).unwrap();
        let real = Argon2::default().hash_password(b"correct horse battery").unwrap();
        assert_eq!((parsed.algorithm, parsed.version), (real.algorithm, real.version));
        assert_eq!(parsed.params, real.params);
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), real.hash.unwrap().as_bytes().len());
    }

    #[test]
    fn a_password_has_a_least_and_a_greatest_length() {
        assert_eq!(check("elevenchars"), Err(Unfit::Short));
        assert_eq!(check("twelve chars"), Ok(()));
        assert_eq!(check(&"x".repeat(1_025)), Err(Unfit::Long));
    }
}

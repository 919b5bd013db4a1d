//! Passwords: argon2id, off the threads that answer, and never more at once than memory bears.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::auth::normalization::{composed, forms};

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

/// Whether a password is the one that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// It is, and was hashed before passwords were composed: it should be hashed anew.
    InFormerForm,
}

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordPolicyError {
    /// Too short.
    #[error("a password has at least {SHORTEST} characters; a sentence is easy to keep in mind")]
    Short,
    /// Too long.
    #[error("a password has at most {LONGEST} bytes")]
    Long,
    /// Hardly more than the person's name, the product's or the overview's.
    #[error(
        "this password is little more than a name of yours, of the product or of Cluster Overview; choose other words"
    )]
    OwnWords,
    /// The same word or letters again and again.
    #[error("this password repeats the same letters; choose different words")]
    Repeated,
    /// Among the first that somebody would guess.
    #[error(
        "this password is a common one or easy to guess; several words that do not belong together are better"
    )]
    Common,
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

/// Words that everybody knows of the overview.
const WELL_KNOWN_WORDS: [&str; 3] = ["clusteroverview", "cluster", "overview"];
/// The shortest name that is looked for in a password, in characters: shorter ones are in many words.
const MIN_NAME_CHARS: usize = 3;
/// How many characters a password must have besides names, or that are not repeated.
const MIN_OWN_CHARS: usize = 8;
/// What `zxcvbn` calls safely unguessable: more than 10^8 guesses.
const MIN_SCORE: zxcvbn::Score = zxcvbn::Score::Three;

/// Whether a new password of this person is fit to be one. `product`: the name of the product around the
/// overview.
pub fn check(password: &str, name: &str, product: Option<&str>) -> Result<(), PasswordPolicyError> {
    if password.len() > LONGEST {
        return Err(PasswordPolicyError::Long);
    }
    if password.chars().count() < SHORTEST {
        return Err(PasswordPolicyError::Short);
    }
    let names: Vec<String> = [name, product.unwrap_or_default()].map(folded).into();
    let parts = name.split(|c: char| !c.is_alphanumeric()).map(folded);
    let mut words: Vec<String> = names.into_iter().chain(parts).collect();
    words.extend(WELL_KNOWN_WORDS.map(str::to_owned));
    words.retain(|word| word.chars().count() >= MIN_NAME_CHARS);
    // Longer words first: they contain the shorter ones.
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let letters = folded(password);
    let others = words.iter().fold(letters.clone(), |left, word| left.replace(word.as_str(), " "));
    let is_own = others.len() < letters.len();
    if is_own && others.chars().filter(|c| *c != ' ').count() < MIN_OWN_CHARS {
        return Err(PasswordPolicyError::OwnWords);
    }
    if is_repeated(&password.to_lowercase()) || is_repeated(&letters) {
        return Err(PasswordPolicyError::Repeated);
    }
    let known: Vec<&str> = words.iter().map(String::as_str).collect();
    if zxcvbn::zxcvbn(password, &known).score() < MIN_SCORE {
        return Err(PasswordPolicyError::Common);
    }
    Ok(())
}

/// Letters and digits alone, in lower case.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether it is one short part, twice or more often.
fn is_repeated(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let repeats = |part: usize| letters.iter().zip(letters.iter().skip(part)).all(|(a, b)| a == b);
    // A part as long as a password may be is one, said twice.
    (1..letters.len().min(SHORTEST)).any(|part| part * 2 <= letters.len() && repeats(part))
}

impl Passwords {
    /// Whether this is the password behind `hash`, in any form that its letters may have. For nobody's hash the
    /// same work is done.
    pub async fn is(&self, password: String, hash: Option<String>) -> Result<Fit, PasswordError> {
        self.work(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
            let parsed = PasswordHash::new(&hash).ok();
            let fits = |form: &String| {
                parsed.as_ref().is_some_and(|parsed| {
                    Argon2::default().verify_password(form.as_bytes(), parsed).is_ok()
                })
            };
            Ok(match forms(&password).iter().position(fits).filter(|_| known) {
                None => Fit::No,
                Some(0) => Fit::Yes,
                Some(_) => Fit::InFormerForm,
            })
        })
        .await
    }

    /// The password in its composed form, if it is fit to be one.
    pub async fn check(
        &self,
        password: String,
        name: &str,
        product: Option<&str>,
    ) -> Result<Result<String, PasswordPolicyError>, PasswordError> {
        let password = composed(&password).into_owned();
        let (name, product) = (name.to_owned(), product.map(str::to_owned));
        self.work(move || Ok(check(&password, &name, product.as_deref()).map(|()| password))).await
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.work(move || {
            let hash = Argon2::default().hash_password(composed(&password).as_bytes());
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
        assert_eq!(is("correct horse battery", Some(hash.clone())).await.unwrap(), Fit::Yes);
        assert_eq!(is("correct horse batterY", Some(hash)).await.unwrap(), Fit::No);
        assert_eq!(is("correct horse battery", None).await.unwrap(), Fit::No);
    }

    #[tokio::test]
    async fn a_password_fits_in_every_form_of_its_letters_and_so_do_hashes_of_former_versions() {
        let passwords = Passwords::default();
        let (one, two) = ("K\u{fc}hlschrank im Moor", "Ku\u{308}hlschrank im Moor");
        // As former versions hashed it: as it was typed.
        let former = Argon2::default().hash_password(two.as_bytes()).unwrap().to_string();
        let is = |word: &str, hash: &str| passwords.is(word.to_owned(), Some(hash.to_owned()));
        for typed in [one, two] {
            let hash = passwords.hash(typed.to_owned()).await.unwrap();
            assert_eq!(is(one, &hash).await.unwrap(), Fit::Yes);
            assert_eq!(is(two, &hash).await.unwrap(), Fit::Yes);
            assert_eq!(is("Kuhlschrank im Moor", &hash).await.unwrap(), Fit::No);
            assert_eq!(is(typed, &former).await.unwrap(), Fit::InFormerForm);
        }
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
        assert_eq!(check("elevenchars", "ann", None), Err(PasswordPolicyError::Short));
        assert_eq!(check("twelve chars", "ann", None), Ok(()));
        assert_eq!(check(&"x".repeat(1_025), "ann", None), Err(PasswordPolicyError::Long));
    }

    #[test]
    fn a_password_that_anybody_would_try_first_is_refused_and_told_why() {
        for (password, why) in [
            ("passwordpassword", PasswordPolicyError::Repeated),
            ("Password-Password", PasswordPolicyError::Repeated),
            ("aaaaaaaaaaaaaaaa", PasswordPolicyError::Repeated),
            ("abcabcabcabcabc", PasswordPolicyError::Repeated),
            ("clusteroverview", PasswordPolicyError::OwnWords),
            ("Cluster Overview 1", PasswordPolicyError::OwnWords),
            ("cluster-overview-2026", PasswordPolicyError::OwnWords),
            ("annabel.miller", PasswordPolicyError::OwnWords),
            ("AnnabelMiller1!", PasswordPolicyError::OwnWords),
            ("millermiller42", PasswordPolicyError::OwnWords),
            ("ProGet-proget-1", PasswordPolicyError::OwnWords),
            ("password1234", PasswordPolicyError::Common),
            ("qwertyuiop123", PasswordPolicyError::Common),
            ("123456789012", PasswordPolicyError::Common),
            ("administrator", PasswordPolicyError::Common),
        ] {
            assert_eq!(check(password, "Annabel Miller", Some("ProGet")), Err(why), "{password}");
        }
        for password in
            ["correct horse battery", "my cluster keeps green hats", "Kühlschrank im Moor"]
        {
            assert_eq!(check(password, "Annabel Miller", Some("ProGet")), Ok(()), "{password}");
        }
    }
}

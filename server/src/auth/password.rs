//! Passwords: the rules for new ones, and argon2id hashing on threads of its own, as often at once as memory allows.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use tokio::sync::Semaphore;

use crate::auth::normalization::{composed, forms};

/// Each hash takes 19 MiB and one core for some tens of milliseconds.
const MAX_CONCURRENT_HASHES: usize = 2;
const MAX_QUEUED_HASHES: usize = 64;
const MIN_PASSWORD_CHARS: usize = 12;
/// A longer one would be hashing work that anybody could ask for.
pub const MAX_PASSWORD_BYTES: usize = 1_024;

/// Verified for names without an account, so that they take the same time as others.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y2x1c3Rlci1vdmVydmlldw$\
                       mW8bq0SPZ0gkLXQz7Wn4uVJm1v4bT3bQv7m0Q3lJ0aY";

/// Whether a password matches a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    No,
    Yes,
    /// It matches a hash of a former version, in another Unicode form: it should be hashed again.
    LegacyForm,
}

/// Why a new password is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordPolicyError {
    #[error(
        "a password has at least {MIN_PASSWORD_CHARS} characters; a sentence is easy to keep in mind"
    )]
    Short,
    #[error("a password has at most {MAX_PASSWORD_BYTES} bytes")]
    Long,
    /// Little more than the user's name, the product's or the overview's.
    #[error(
        "this password is little more than a name of yours, of the product or of Cluster Overview; choose other words"
    )]
    OwnWords,
    #[error("this password repeats the same letters; choose different words")]
    Repeated,
    #[error(
        "this password is a common one or easy to guess; several words that do not belong together are better"
    )]
    Common,
}

/// Why a password was neither hashed nor verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("too many people are signing in at this moment; try again in a few seconds")]
    Busy,
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// Hashes and verifies passwords, at most [`MAX_CONCURRENT_HASHES`] at once.
#[derive(Debug)]
pub struct PasswordManager {
    permits: Arc<Semaphore>,
    queue: Semaphore,
}

impl Default for PasswordManager {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT_HASHES)),
            queue: Semaphore::new(MAX_QUEUED_HASHES),
        }
    }
}

/// Words that anybody would try first.
const WELL_KNOWN_WORDS: [&str; 3] = ["clusteroverview", "cluster", "overview"];
/// Shorter names are part of many words, so they are not looked for in a password.
const MIN_NAME_CHARS: usize = 3;
/// How many characters a password must have besides names.
const MIN_OWN_CHARS: usize = 8;
/// `zxcvbn` calls it safely unguessable: more than 10^8 guesses.
const MIN_SCORE: zxcvbn::Score = zxcvbn::Score::Three;

/// Checks a new password. `product`: the name of the product around the overview.
pub fn check_policy(
    password: &str,
    name: &str,
    product: Option<&str>,
) -> Result<(), PasswordPolicyError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordPolicyError::Long);
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
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

/// Only the letters and digits, in lower case.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether the text repeats one part that is shorter than a password may be.
fn is_repeated(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let repeats = |part: usize| letters.iter().zip(letters.iter().skip(part)).all(|(a, b)| a == b);
    (1..letters.len().min(MIN_PASSWORD_CHARS))
        .any(|part| part * 2 <= letters.len() && repeats(part))
}

impl PasswordManager {
    /// Whether this password matches the hash, in any Unicode form of its letters. Without a hash it takes the same
    /// time.
    pub async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<PasswordMatch, PasswordError> {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| DUMMY_HASH.to_owned());
            let parsed = PasswordHash::new(&hash).ok();
            let fits = |form: &String| {
                parsed.as_ref().is_some_and(|parsed| {
                    Argon2::default().verify_password(form.as_bytes(), parsed).is_ok()
                })
            };
            Ok(match forms(&password).iter().position(fits).filter(|_| known) {
                None => PasswordMatch::No,
                Some(0) => PasswordMatch::Yes,
                Some(_) => PasswordMatch::LegacyForm,
            })
        })
        .await
    }

    /// A new password in the form in which it is hashed, if the policy accepts it.
    pub async fn accept(
        &self,
        password: String,
        name: &str,
        product: Option<&str>,
    ) -> Result<Result<String, PasswordPolicyError>, PasswordError> {
        let password = composed(&password).into_owned();
        let (name, product) = (name.to_owned(), product.map(str::to_owned));
        self.run(move || Ok(check_policy(&password, &name, product.as_deref()).map(|()| password)))
            .await
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        self.run(move || {
            let hash = Argon2::default().hash_password(composed(&password).as_bytes());
            hash.map(|hash| hash.to_string()).map_err(PasswordError::Hash)
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _queued = self.queue.try_acquire().map_err(|_| PasswordError::Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|_| PasswordError::Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even if the request has gone.
            let _permit = permit;
            work()
        });
        done.await.unwrap_or(Err(PasswordError::Busy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_hash_and_no_other_does() {
        let passwords = PasswordManager::default();
        let hash = passwords.hash("correct horse battery".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let is = |word: &str, hash: Option<String>| passwords.verify(word.to_owned(), hash);
        assert_eq!(
            is("correct horse battery", Some(hash.clone())).await.unwrap(),
            PasswordMatch::Yes
        );
        assert_eq!(is("correct horse batterY", Some(hash)).await.unwrap(), PasswordMatch::No);
        assert_eq!(is("correct horse battery", None).await.unwrap(), PasswordMatch::No);
    }

    #[tokio::test]
    async fn a_password_matches_in_every_unicode_form_and_so_do_hashes_of_former_versions() {
        let passwords = PasswordManager::default();
        let (one, two) = ("K\u{fc}hlschrank im Moor", "Ku\u{308}hlschrank im Moor");
        // As former versions hashed it: as it was typed.
        let former = Argon2::default().hash_password(two.as_bytes()).unwrap().to_string();
        let is = |word: &str, hash: &str| passwords.verify(word.to_owned(), Some(hash.to_owned()));
        for typed in [one, two] {
            let hash = passwords.hash(typed.to_owned()).await.unwrap();
            assert_eq!(is(one, &hash).await.unwrap(), PasswordMatch::Yes);
            assert_eq!(is(two, &hash).await.unwrap(), PasswordMatch::Yes);
            assert_eq!(is("Kuhlschrank im Moor", &hash).await.unwrap(), PasswordMatch::No);
            assert_eq!(is(typed, &former).await.unwrap(), PasswordMatch::LegacyForm);
        }
    }

    #[test]
    fn the_dummy_hash_costs_what_a_real_one_costs() {
        let parsed = PasswordHash::new(DUMMY_HASH).unwrap();
        let real = Argon2::default().hash_password(b"correct horse battery").unwrap();
        assert_eq!((parsed.algorithm, parsed.version), (real.algorithm, real.version));
        assert_eq!(parsed.params, real.params);
        assert_eq!(parsed.hash.unwrap().as_bytes().len(), real.hash.unwrap().as_bytes().len());
    }

    #[test]
    fn a_password_has_a_minimum_and_a_maximum_length() {
        assert_eq!(check_policy("elevenchars", "ann", None), Err(PasswordPolicyError::Short));
        assert_eq!(check_policy("twelve chars", "ann", None), Ok(()));
        assert_eq!(check_policy(&"x".repeat(1_025), "ann", None), Err(PasswordPolicyError::Long));
    }

    #[test]
    fn a_password_that_is_easy_to_guess_is_refused_with_the_reason() {
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
            assert_eq!(
                check_policy(password, "Annabel Miller", Some("ProGet")),
                Err(why),
                "{password}"
            );
        }
        for password in
            ["correct horse battery", "my cluster keeps green hats", "Kühlschrank im Moor"]
        {
            assert_eq!(
                check_policy(password, "Annabel Miller", Some("ProGet")),
                Ok(()),
                "{password}"
            );
        }
    }
}

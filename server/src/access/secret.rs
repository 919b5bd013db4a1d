//! What a secret is here: 256 random bits, kept only as a hash, compared in constant time.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::files;

/// The longest token that is read, in bytes: a join token may be the administrator's own choice.
pub const MAX_TOKEN_BYTES: usize = 1_024;
/// The length of a secret made here, in bytes.
pub const SECRET_BYTES: usize = 64;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or written.
    #[error("cannot use the token file {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds nothing.
    #[error("the token file {} is empty; put a long random secret into it", .0.display())]
    Empty(PathBuf),
    /// The file holds more than a token may have.
    #[error("the token in {} is longer than {MAX_TOKEN_BYTES} bytes; use a shorter one", .0.display())]
    TooLong(PathBuf),
    /// The system gives no randomness.
    #[error("the system gave no random numbers for a secret: {0}")]
    Random(#[from] getrandom::Error),
}

/// A new secret, which is shown or sent once and never kept.
#[derive(Clone)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// 256 random bits as 64 hex digits.
    pub fn new() -> Result<Self, SecretError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        Ok(Self(hex(&random)))
    }

    /// The secret itself, for whom it is made.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> Hash {
        Hash::of(&self.0)
    }
}

/// The SHA-256 of a secret. Equality takes the same time whatever differs.
#[derive(Clone, Copy, Eq, Hash)]
#[allow(clippy::derived_hash_with_manual_eq, reason = "equal in constant time is still equal")]
pub struct Hash([u8; 32]);

impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

impl Hash {
    /// Of a secret as it was given, without the white space around it.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.trim()).into())
    }

    /// Of a token from outside; `None` if it is longer than any token.
    pub fn of_token(given: &str) -> Option<Self> {
        (given.len() <= MAX_TOKEN_BYTES).then(|| Self::of(given))
    }

    /// Of a session's or a code's secret from outside; `None` if no secret made here has its length.
    pub fn of_made_secret(given: &str) -> Option<Self> {
        (given.len() == SECRET_BYTES).then(|| Self::of(given))
    }

    /// Its bytes, for a key that is made of it.
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As 64 hex digits, for the database.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }

    /// From 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The secret in a file, without the white space around it.
pub fn read_secret(path: &Path) -> Result<String, SecretError> {
    let text = files::read_text(path)
        .map_err(|source| SecretError::File { path: path.to_owned(), source })?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(SecretError::Empty(path.to_owned()));
    }
    if secret.len() > MAX_TOKEN_BYTES {
        return Err(SecretError::TooLong(path.to_owned()));
    }
    Ok(secret.to_owned())
}

/// The hash of the secret in this file, which is written with a new one if there is none; true if so.
pub fn in_file_or_new(path: &Path) -> Result<(Hash, bool), SecretError> {
    if path.exists() {
        return Ok((Hash::of(&read_secret(path)?), false));
    }
    let secret = Secret::new()?;
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    let mut file =
        fs::File::options().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{}", secret.reveal()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok((secret.hash(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_to_nobody_who_prints_it() {
        let secret = Secret::new().unwrap();
        let printed = format!("{secret:?} {:?}", secret.hash());
        assert_eq!(printed, "Secret(…) Hash(…)");
        assert_eq!(secret.reveal().len(), 64);
    }

    #[test]
    fn a_hash_survives_its_way_through_the_database() {
        let hash = Hash::of(" a secret\n");
        assert_eq!(hash, Hash::of("a secret"));
        assert_eq!(Hash::from_hex(&hash.to_hex()), Some(hash));
        assert_ne!(hash, Hash::of("another secret"));
        assert_eq!(Hash::of_token("a secret"), Some(hash));
        assert_eq!(Hash::of_token(&"a".repeat(MAX_TOKEN_BYTES + 1)), None);
        assert_eq!(Hash::of_made_secret("a secret"), None);
        for wrong in ["", "zz", &"z".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert_eq!(Hash::from_hex(wrong), None, "{wrong:?}");
        }
    }
}

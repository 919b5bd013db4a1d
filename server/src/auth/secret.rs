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
    /// The file holds something that no header can carry.
    #[error("the token in {} holds {what} at line {line}, column {column}; a token is one line of printable ASCII characters: copy it again, or use another", .path.display())]
    Character {
        /// The file.
        path: PathBuf,
        /// What no token may hold.
        what: String,
        /// Where.
        line: usize,
        /// Where in it, in characters.
        column: usize,
    },
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
        Ok(Self(hex::encode(random)))
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
        hex::encode(self.0)
    }

    /// From 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
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
    let before = text.len() - text.trim_start().len();
    match secret.char_indices().find(|(_, c)| !matches!(c, ' '..='~')) {
        Some((place, character)) => {
            let (line, column) = position(&text[..before + place]);
            let what = describe_token(character);
            Err(SecretError::Character { path: path.to_owned(), what, line, column })
        }
        None => Ok(secret.to_owned()),
    }
}

/// The line and the column of what follows this text, counted from 1.
fn position(before: &str) -> (usize, usize) {
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// What no token may hold, in words: most of them cannot be seen.
fn describe_token(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    match character {
        '\n' | '\r' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        _ if character.is_control() => format!("the control character {code}"),
        _ => format!("the character {code}"),
    }
}

/// The hash of the join token in a file.
pub fn join_token_in_file(path: &Path) -> Result<Hash, SecretError> {
    read_secret(path).map(|secret| Hash::of(&secret))
}

/// Writes a new secret into this file if there is none; true if so.
pub fn make_if_absent(path: &Path) -> Result<bool, SecretError> {
    if path.exists() {
        return Ok(false);
    }
    let secret = Secret::new()?;
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    let mut file =
        fs::File::options().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    writeln!(file, "{}", secret.reveal()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(true)
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
    fn a_token_that_no_header_can_carry_is_refused_by_file_place_and_reason() {
        let path = std::env::temp_dir().join(format!("token-{}", std::process::id()));
        for (bytes, read) in [
            (&b"\xef\xbb\xbfa token~\r\n"[..], Ok("a token~")),
            (b"\xff\xfet\0o\0k\0\r\0\n\0", Ok("tok")),
            (b"\xfe\xff\0t\0o\0k\0\r\0\n", Ok("tok")),
            (b"tok\r\nen\r\n", Err("a line break at line 1, column 4")),
            (b" \ntok\ten", Err("a tab at line 2, column 4")),
            ("tök".as_bytes(), Err("the character U+00F6 at line 1, column 2")),
            ("tok\u{feff}en".as_bytes(), Err("the character U+FEFF at line 1, column 4")),
            (b"tok\x07", Err("the control character U+0007 at line 1, column 4")),
            (b"\xef\xbb\xbf\r\n", Err("is empty")),
            (b"\xff\xfe", Err("is empty")),
            (b"t\0o\0k\0", Err("contains zero bytes")),
            (b"t\xf6k", Err("not UTF-8: byte 0xf6 at position 2")),
        ] {
            fs::write(&path, bytes).unwrap();
            let found = read_secret(&path).map_err(|error| error.to_string());
            match (found, read) {
                (Ok(found), Ok(read)) => assert_eq!(found, read),
                (Err(error), Err(why)) => {
                    let file = path.to_str().unwrap();
                    assert!(error.contains(why) && error.contains(file), "{error}");
                }
                (found, read) => panic!("{bytes:?}: {found:?}, not {read:?}"),
            }
        }
        fs::remove_file(path).unwrap();
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

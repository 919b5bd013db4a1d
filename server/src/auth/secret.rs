//! Secrets of tokens, sessions and codes: 256 random bits, kept only as a hash, compared in constant time.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::files;

/// The longest token that is accepted: an administrator may choose a join token.
pub const MAX_TOKEN_BYTES: usize = 1_024;
/// The length of a generated secret.
pub const SECRET_BYTES: usize = 64;

/// Why a secret was neither read nor generated.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error("cannot use the token file {}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the token file {} is empty; put a long random secret into it", .0.display())]
    Empty(PathBuf),
    #[error("the token in {} is longer than {MAX_TOKEN_BYTES} bytes; use a shorter one", .0.display())]
    TooLong(PathBuf),
    /// A header cannot carry this character.
    #[error("the token in {} holds {what} at line {line}, column {column}; a token is one line of printable ASCII characters: copy it again, or use another one", .path.display())]
    Character {
        path: PathBuf,
        what: String,
        line: usize,
        /// In characters.
        column: usize,
    },
    #[error("the system gave no random numbers for a secret: {0}")]
    Random(#[from] getrandom::Error),
}

/// A new secret. It is shown or sent once and never kept.
#[derive(Clone)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// 256 random bits as 64 hex digits.
    pub fn generate() -> Result<Self, SecretError> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        Ok(Self(hex::encode(random)))
    }

    /// The text of the secret, to show or send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash::new(&self.0)
    }
}

/// The SHA-256 of a secret. A comparison takes the same time whatever differs.
#[derive(Clone, Copy, Eq, Hash)]
#[allow(clippy::derived_hash_with_manual_eq, reason = "equal in constant time is still equal")]
pub struct SecretHash([u8; 32]);

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl SecretHash {
    /// White space around the secret is ignored.
    pub fn new(secret: &str) -> Self {
        Self(Sha256::digest(secret.trim()).into())
    }

    /// The hash of a token from a request; `None` if it is longer than any token.
    pub fn from_token(token: &str) -> Option<Self> {
        (token.len() <= MAX_TOKEN_BYTES).then(|| Self::new(token))
    }

    /// The hash of a generated secret from a request; `None` if it does not have the length of one.
    pub fn from_generated(secret: &str) -> Option<Self> {
        (secret.len() == SECRET_BYTES).then(|| Self::new(secret))
    }

    /// For keys that are derived from it.
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 hex digits, for the database.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads 64 hex digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// Reads the secret in a file, without the white space around it.
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
            let what = describe_character(character);
            Err(SecretError::Character { path: path.to_owned(), what, line, column })
        }
        None => Ok(secret.to_owned()),
    }
}

/// Line and column of what follows this text, counted from 1.
fn position(before: &str) -> (usize, usize) {
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The character in words, because most of them cannot be seen.
fn describe_character(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    match character {
        '\n' | '\r' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        _ if character.is_control() => format!("the control character {code}"),
        _ => format!("the character {code}"),
    }
}

pub fn read_join_token(path: &Path) -> Result<SecretHash, SecretError> {
    read_secret(path).map(|secret| SecretHash::new(&secret))
}

/// Writes a new secret into the file if there is no such file; true if it did.
pub fn create_if_missing(path: &Path) -> Result<bool, SecretError> {
    if path.exists() {
        return Ok(false);
    }
    let secret = Secret::generate()?;
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
    fn debug_output_shows_no_secret() {
        let secret = Secret::generate().unwrap();
        let printed = format!("{secret:?} {:?}", secret.hash());
        assert_eq!(printed, "Secret(…) SecretHash(…)");
        assert_eq!(secret.reveal().len(), 64);
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_rejected_with_file_position_and_reason() {
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
    fn a_hash_is_the_same_after_the_database() {
        let hash = SecretHash::new(" a secret\n");
        assert_eq!(hash, SecretHash::new("a secret"));
        assert_eq!(SecretHash::from_hex(&hash.to_hex()), Some(hash));
        assert_ne!(hash, SecretHash::new("another secret"));
        assert_eq!(SecretHash::from_token("a secret"), Some(hash));
        assert_eq!(SecretHash::from_token(&"a".repeat(MAX_TOKEN_BYTES + 1)), None);
        assert_eq!(SecretHash::from_generated("a secret"), None);
        for wrong in ["", "zz", &"z".repeat(64), &"a".repeat(63), &"é".repeat(32)] {
            assert_eq!(SecretHash::from_hex(wrong), None, "{wrong:?}");
        }
    }
}

//! The join token: a secret that is kept only as its hash and compared in constant time.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Why there is no join token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
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
    /// The system gives no randomness.
    #[error("the system gave no random numbers for a token: {0}")]
    Random(#[from] getrandom::Error),
}

/// What nodes prove themselves with at first contact.
#[derive(Clone)]
pub struct JoinToken([u8; 32]);

impl std::fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinToken(…)")
    }
}

impl JoinToken {
    /// The token of this secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.trim()).into())
    }

    /// Whether `secret` is this token, found out in constant time.
    pub fn is(&self, secret: &str) -> bool {
        let given: [u8; 32] = Sha256::digest(secret).into();
        self.0.ct_eq(&given).into()
    }

    /// The token in this file.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        Ok(Self::of(&read_secret(path)?))
    }

    /// The token in this file, which is written with a new secret if there is none; true if so.
    pub fn from_file_or_new(path: &Path) -> Result<(Self, bool), TokenError> {
        if path.exists() {
            return Ok((Self::from_file(path)?, false));
        }
        let mut random = [[0; 16]; 2];
        getrandom::fill(random.as_flattened_mut())?;
        let [one, two] = random.map(u128::from_be_bytes);
        let secret = format!("{one:032x}{two:032x}");
        let failed = |source| TokenError::File { path: path.to_owned(), source };
        let mut file = fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(failed)?;
        Ok((Self::of(&secret), true))
    }
}

/// The secret in a file, without the white space around it.
pub fn read_secret(path: &Path) -> Result<String, TokenError> {
    let text = fs::read_to_string(path)
        .map_err(|source| TokenError::File { path: path.to_owned(), source })?;
    let secret = text.trim();
    if secret.is_empty() {
        return Err(TokenError::Empty(path.to_owned()));
    }
    Ok(secret.to_owned())
}

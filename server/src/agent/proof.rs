//! What an agent authenticates itself with: its own credential, or the join token.

use std::path::{Path, PathBuf};

use crate::agent::credential_file::{Credential, CredentialError};
use crate::auth::secret::{SecretError, read_secret};
use crate::clock;
use crate::files::kept::Kept;

/// What a node proves itself with: the join token at first contact, its own credential from then on.
#[derive(Debug)]
pub struct Proof {
    /// The join token, if there is one.
    token: Kept<String, SecretError>,
    path: PathBuf,
    /// The server that it proves.
    server: String,
    credential: Option<Credential>,
    /// For which other server the credential in the file is: this one was renamed, or is a copy of that one.
    pub(super) foreign: Option<String>,
    /// Where a credential cannot be kept, the join token goes on proving the node.
    pub(super) keeps: bool,
}

impl Proof {
    /// The credential of `server` in the file at `path`, or else the join token, which must be there then.
    pub fn of(token_file: &Path, path: PathBuf, server: &str) -> Result<Self, ProofError> {
        let found = Credential::read(&path)?;
        let foreign = found.as_ref().and_then(|found| found.foreign_to(server)).map(str::to_owned);
        let credential = found.filter(|_| foreign.is_none());
        let token = Kept::new(token_file, read_secret);
        if credential.is_none() && foreign.is_none() {
            token.get()?;
        }
        Ok(Self { token, path, server: server.to_owned(), credential, foreign, keeps: true })
    }

    /// The secret that every request bears.
    pub(super) fn secret(&self) -> Result<String, ProofError> {
        if let Some(credential) = &self.credential {
            return Ok(credential.reveal().to_owned());
        }
        let token = self.token.get();
        match &self.foreign {
            Some(other) => token.map_err(|source| self.no_token(other.clone(), source)),
            None => Ok(token?),
        }
    }

    pub(super) fn no_token(&self, other: String, source: SecretError) -> ProofError {
        let (path, server) = (self.path.clone(), self.server.clone());
        ProofError::Foreign { path, other, server, source: Box::new(source) }
    }

    /// Whether a credential should be asked for now.
    pub(super) fn wants_credential(&self) -> bool {
        self.keeps && self.credential.as_ref().is_none_or(|known| known.is_old(clock::wall()))
    }

    /// The credential is not accepted, any more or for this server: the next trial enrols again, if there is a join
    /// token.
    pub(super) fn doubt(&mut self) {
        if self.token.get().is_ok() {
            self.credential = None;
        }
    }

    /// Keeps what an enrolment gave.
    pub(super) fn keep(&mut self, given: Credential) {
        match given.write(&self.path) {
            Ok(()) => {
                self.credential = Some(given);
                self.foreign = None;
            }
            Err(error) => {
                self.keeps = false;
                tracing::warn!(%error, "this server's credential cannot be kept, so the join token goes on proving it");
            }
        }
    }
}

/// Why a node has nothing to prove itself with.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// No join token.
    #[error(transparent)]
    Token(#[from] SecretError),
    /// No credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A credential of another server, and no join token.
    #[error(
        "the credential file {} is for the server {other}, and this agent reports as {server}: give it a join token so that it can enrol ({source}), or start it with --name {other} if it was not renamed",
        .path.display()
    )]
    Foreign {
        /// The credential file.
        path: PathBuf,
        /// The server that the credential is for.
        other: String,
        /// The server that the agent reports.
        server: String,
        /// Why there is no join token.
        source: Box<SecretError>,
    },
}

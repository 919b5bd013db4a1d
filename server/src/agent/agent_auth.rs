//! What an agent authenticates itself with: its own credential, or the join token.

use std::path::{Path, PathBuf};

use crate::agent::credential_file::{Credential, CredentialError};
use crate::auth::secret::{SecretError, read_secret};
use crate::clock;
use crate::files::reloaded::ReloadedFile;

/// The join token, which authenticates the first contact, and the credential, which is used from then on.
#[derive(Debug)]
pub struct AgentAuth {
    token: ReloadedFile<String, SecretError>,
    credential_path: PathBuf,
    server: String,
    credential: Option<Credential>,
    /// The server to which the credential in the file belongs, if that is another one: this server was renamed, or is a copy
    /// of that one.
    other_server: Option<String>,
    /// False where the overview gives no credentials, or where none can be saved: then the join token is used.
    can_enrol: bool,
}

impl AgentAuth {
    /// Reads the credential of `server` in the file at `credential_path`. Without one there must be a join token.
    pub fn read(
        token_file: &Path,
        credential_path: PathBuf,
        server: &str,
    ) -> Result<Self, AgentAuthError> {
        let found = Credential::read(&credential_path)?;
        let other_server = found.as_ref().and_then(|found| found.other_server(server));
        let other_server = other_server.map(str::to_owned);
        let credential = found.filter(|_| other_server.is_none());
        let token = ReloadedFile::new(token_file, read_secret);
        if credential.is_none() && other_server.is_none() {
            token.get()?;
        }
        let server = server.to_owned();
        Ok(Self { token, credential_path, server, credential, other_server, can_enrol: true })
    }

    /// The secret that every request sends.
    pub(super) fn secret(&self) -> Result<String, AgentAuthError> {
        if let Some(credential) = &self.credential {
            return Ok(credential.reveal().to_owned());
        }
        let token = self.token.get();
        match &self.other_server {
            None => Ok(token?),
            Some(other) => token.map_err(|source| AgentAuthError::OtherServer {
                path: self.credential_path.clone(),
                other: other.clone(),
                server: self.server.clone(),
                source: Box::new(source),
            }),
        }
    }

    pub(super) fn other_server(&self) -> Option<&str> {
        self.other_server.as_deref()
    }

    /// Whether the agent should enrol now.
    pub(super) fn needs_credential(&self) -> bool {
        let is_due = |known: &Credential| known.is_due_for_renewal(clock::wall());
        self.can_enrol && self.credential.as_ref().is_none_or(is_due)
    }

    pub(super) fn disable_enrolment(&mut self) {
        self.can_enrol = false;
    }

    /// Stops using a credential that the overview has rejected, if there is a join token: the next attempt enrols again.
    pub(super) fn discard_credential(&mut self) {
        if self.token.get().is_ok() {
            self.credential = None;
        }
    }

    /// Saves a new credential, and uses it.
    pub(super) fn save(&mut self, credential: Credential) {
        match credential.write(&self.credential_path) {
            Ok(()) => {
                self.credential = Some(credential);
                self.other_server = None;
            }
            Err(error) => {
                self.disable_enrolment();
                tracing::warn!(%error, "cannot save this server's credential; the agent uses the join token instead");
            }
        }
    }
}

/// Why an agent cannot authenticate itself.
#[derive(Debug, thiserror::Error)]
pub enum AgentAuthError {
    #[error(transparent)]
    Token(#[from] SecretError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The credential belongs to another server, and there is no join token.
    #[error(
        "the credential file {} belongs to the server {other}, but this agent runs for {server}: give it a join token, so that it can enrol ({source}), or start it with --name {other} if the server was not renamed",
        .path.display()
    )]
    OtherServer { path: PathBuf, other: String, server: String, source: Box<SecretError> },
}

//! The file with a server's credential, which only its owner can read.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use app::cluster::{Role, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::auth::secret::SecretHash;
use crate::files;

/// 30 days.
const RENEW_AFTER: Span = Span::minutes(30 * 24 * 60);

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("cannot read or write the credential file {}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the credential file {} contains no credential: {source}; delete it to enrol again", .path.display())]
    Malformed { path: PathBuf, source: serde_json::Error },
    #[error("other accounts can read the credential file {} (mode {mode:o}): delete it to enrol again, or set its mode to 600 if you know that nobody has read it", .path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
}

/// What an enrolment gives.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// An admin needs it to revoke the credential.
    pub id: String,
    #[serde(rename = "credential")]
    secret: String,
    /// Files of older versions do not have it.
    #[serde(default)]
    server: Option<String>,
    /// By this machine's clock, in milliseconds since 1970.
    enrolled_at: i64,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Credential {
    /// A credential that the overview has just given to this server.
    pub fn new(id: String, secret: String, server: &str, now: Timestamp) -> Self {
        Self { id, secret, server: Some(server.to_owned()), enrolled_at: now.0 }
    }

    /// The server to which it belongs, if that is not this one.
    pub fn other_server(&self, server: &str) -> Option<&str> {
        self.server.as_deref().filter(|named| !named.eq_ignore_ascii_case(server))
    }

    /// The secret. Only the overview may get it.
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// Whether the agent should enrol again. A date in the future was written while this machine's clock was wrong, so the age
    /// is not known.
    pub fn is_due_for_renewal(&self, now: Timestamp) -> bool {
        let age = now - Timestamp(self.enrolled_at);
        age > RENEW_AFTER || age < Span::ZERO
    }

    /// The path if no option sets one: next to the token file, with the server and the component in its name.
    pub fn default_path(token_file: &Path, server: &str, role: Role) -> PathBuf {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        // A server's name may have characters that a file name cannot have, or be too long for one.
        let name = if server.len() <= 64 && server.chars().all(is_plain) {
            server.to_ascii_lowercase()
        } else {
            SecretHash::new(server).to_hex()
        };
        let mut path = token_file.as_os_str().to_owned();
        path.push(format!(".{name}.{}.credential", role.as_str()));
        PathBuf::from(path)
    }

    /// `None` if there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, CredentialError> {
        let failed = |source| CredentialError::Io { path: path.to_owned(), source };
        let text = match files::read_text(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(failed)?,
        };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CredentialError::ReadableByOthers { path: path.to_owned(), mode });
        }
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|source| CredentialError::Malformed { path: path.to_owned(), source })
    }

    /// Writes the file atomically. No other account can read it at any moment.
    pub fn write(&self, path: &Path) -> Result<(), CredentialError> {
        let failed = |source| CredentialError::Io { path: path.to_owned(), source };
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.new", std::process::id()));
        let temporary = PathBuf::from(temporary);
        // A process that was killed may have left one.
        let _ = fs::remove_file(&temporary);
        let written = fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| {
                let text = serde_json::to_string(self).map_err(io::Error::other)?;
                writeln!(file, "{text}")?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("credential-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn only_its_owner_can_read_a_credential_file() {
        let folder = folder("owner");
        let path = Credential::default_path(&folder.join("join"), "Web-1", Role::Service);
        assert!(path.ends_with("join.web-1.service.credential"), "{}", path.display());
        assert!(Credential::read(&path).unwrap().is_none());
        let credential = Credential::new("1".into(), "secret".into(), "web-1", Timestamp(0));
        credential.write(&path).unwrap();
        credential.write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
        let read = Credential::read(&path).unwrap().unwrap();
        assert_eq!((read.id.as_str(), read.reveal()), ("1", "secret"));
        assert!(!format!("{read:?}").contains("secret"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Credential::read(&path).unwrap_err().to_string().contains("mode 644"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_server_name_that_cannot_be_a_file_name_has_a_credential_file_too() {
        let path = Credential::default_path(Path::new("/etc/join"), &"é".repeat(200), Role::Web);
        assert!(path.file_name().unwrap().len() < 100, "{}", path.display());
    }

    #[test]
    fn a_credential_is_renewed_after_thirty_days_and_when_its_date_is_in_the_future() {
        let credential = Credential::new("1".into(), "secret".into(), "web-1", Timestamp(0));
        let day = |days: i64| Timestamp(0) + Span::minutes(days * 24 * 60);
        assert!(!credential.is_due_for_renewal(day(30)));
        assert!(credential.is_due_for_renewal(day(31)));
        assert!(credential.is_due_for_renewal(day(-1)));
    }

    #[test]
    fn a_credential_names_its_server_and_one_of_an_older_version_does_not() {
        let credential = Credential::new("1".into(), "secret".into(), "web-1", Timestamp(0));
        assert_eq!(credential.other_server("WEB-1"), None);
        assert_eq!(credential.other_server("web-2"), Some("web-1"));
        let former = r#"{"id": "1", "credential": "secret", "enrolled_at": 0}"#;
        let former: Credential = serde_json::from_str(former).unwrap();
        assert_eq!(former.other_server("web-2"), None);
    }
}

//! A server's own credential, kept in a file that nobody else can read.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use app::cluster::{Role, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::auth::secret::Hash;
use crate::files;

/// How old a credential gets before a new one is asked for: 30 days.
const RENEW_AFTER: Span = Span::minutes(30 * 24 * 60);

/// Why a credential cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file cannot be read or written.
    #[error("cannot use the credential file {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not one of ours.
    #[error("the credential file {} holds no credential: {source}; remove it to enrol again", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Somebody else could have read it.
    #[error("the credential file {} can be read by others (mode {mode:o}); remove it to enrol again, or set its mode to 600 if you know that nobody has", .path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
}

/// What an enrolment gave.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credential {
    /// Its number: what an admin revokes it by.
    pub id: String,
    #[serde(rename = "credential")]
    secret: String,
    /// The server it is for. Files of former versions do not say it.
    #[serde(default)]
    server: Option<String>,
    /// When it was given, by this machine's clock.
    enrolled_at: i64,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Credential {
    /// One that was given to this server at this moment.
    pub fn given(id: String, secret: String, server: &str, now: Timestamp) -> Self {
        Self { id, secret, server: Some(server.to_owned()), enrolled_at: now.0 }
    }

    /// The server it is for, if that is not the one of this name.
    pub fn foreign_to(&self, server: &str) -> Option<&str> {
        self.server.as_deref().filter(|named| !named.eq_ignore_ascii_case(server))
    }

    /// The secret, for the overview alone.
    pub fn reveal(&self) -> &str {
        &self.secret
    }

    /// Whether a new one is due. One from the future was given while this machine's clock was wrong, so nobody knows
    /// how old it is.
    pub fn is_old(&self, now: Timestamp) -> bool {
        let age = now - Timestamp(self.enrolled_at);
        age > RENEW_AFTER || age < Span::ZERO
    }

    /// Where it is kept if nobody says: beside the token, named after whose it is.
    pub fn path_beside(token_file: &Path, server: &str, role: Role) -> PathBuf {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        // A name may hold what a file's name may not, or be too long for one.
        let name = if server.len() <= 64 && server.chars().all(plain) {
            server.to_ascii_lowercase()
        } else {
            Hash::of(server).to_hex()
        };
        let mut path = token_file.as_os_str().to_owned();
        path.push(format!(".{name}.{}.credential", role.as_str()));
        PathBuf::from(path)
    }

    /// The one in this file, if there is such a file.
    pub fn read(path: &Path) -> Result<Option<Self>, CredentialError> {
        let failed = |source| CredentialError::File { path: path.to_owned(), source };
        let text = match files::read_text(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(failed)?,
        };
        let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CredentialError::Readable { path: path.to_owned(), mode });
        }
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|source| CredentialError::Content { path: path.to_owned(), source })
    }

    /// Writes it there: whole or not at all, and for nobody else's eyes at any moment.
    pub fn write(&self, path: &Path) -> Result<(), CredentialError> {
        let failed = |source| CredentialError::File { path: path.to_owned(), source };
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}.new", std::process::id()));
        let beside = PathBuf::from(beside);
        // What a killed process left of an attempt.
        let _ = fs::remove_file(&beside);
        let written = fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| {
                let text = serde_json::to_string(self).map_err(io::Error::other)?;
                writeln!(file, "{text}")?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(story: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("credential-{story}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_credential_is_kept_for_nobody_elses_eyes() {
        let folder = folder("kept");
        let path = Credential::path_beside(&folder.join("join"), "Web-1", Role::Service);
        assert!(path.ends_with("join.web-1.service.credential"), "{}", path.display());
        assert!(Credential::read(&path).unwrap().is_none());
        let credential = Credential::given("1".into(), "secret".into(), "web-1", Timestamp(0));
        credential.write(&path).unwrap();
        credential.write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        let read = Credential::read(&path).unwrap().unwrap();
        assert_eq!((read.id.as_str(), read.reveal()), ("1", "secret"));
        assert!(!format!("{read:?}").contains("secret"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Credential::read(&path).unwrap_err().to_string().contains("mode 644"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_name_that_no_file_could_bear_has_a_file_all_the_same() {
        let path = Credential::path_beside(Path::new("/etc/join"), &"é".repeat(200), Role::Web);
        assert!(path.file_name().unwrap().len() < 100, "{}", path.display());
    }

    #[test]
    fn a_credential_is_renewed_after_thirty_days_and_when_it_is_from_the_future() {
        let credential = Credential::given("1".into(), "secret".into(), "web-1", Timestamp(0));
        let day = |days: i64| Timestamp(0) + Span::minutes(days * 24 * 60);
        assert!(!credential.is_old(day(30)));
        assert!(credential.is_old(day(31)));
        assert!(credential.is_old(day(-1)));
    }

    #[test]
    fn a_credential_says_for_which_server_it_is_and_one_of_a_former_version_does_not() {
        let credential = Credential::given("1".into(), "secret".into(), "web-1", Timestamp(0));
        assert_eq!(credential.foreign_to("WEB-1"), None);
        assert_eq!(credential.foreign_to("web-2"), Some("web-1"));
        let former = r#"{"id": "1", "credential": "secret", "enrolled_at": 0}"#;
        let former: Credential = serde_json::from_str(former).unwrap();
        assert_eq!(former.foreign_to("web-2"), None);
    }
}

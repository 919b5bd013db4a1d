//! TLS of our own: a certificate and its key from two files, read again when they change.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::files;

/// How soon a certificate that was renewed is used.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not PEM, or holds something else.
    #[error("{} holds no {wanted} in PEM: {source}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// Why it does not.
        source: pem::Error,
    },
    /// Anybody on this machine can read the key.
    #[error("the key {} can be read by everybody (mode {mode:o}): set its mode to 600, or to 640 with a group of its own", .path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Each is good, but not for the other, or for this program.
    #[error("the certificate {} and the key {} cannot be used together: {source}", .certificate.display(), .key.display())]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// What connections are encrypted with. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    pair: Arc<Pair>,
    config: Arc<ServerConfig>,
}

/// A certificate with those that vouch for it, and its key.
#[derive(Debug)]
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Tls {
    /// With what these two files hold, now and whenever they change.
    pub fn of(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(certificate, key)?));
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let pair = Arc::new(Pair { certificate, key, current });
        let unusable = |source| TlsError::Pair {
            certificate: pair.certificate.clone(),
            key: pair.key.clone(),
            source,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&pair) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), pair })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// Uses what the files hold as soon as it changes; what cannot be used is said once, and the former goes
/// on. Never ends.
pub(super) async fn renewed(tls: Option<&Tls>) {
    let Some(Tls { pair, .. }) = tls else { return std::future::pending().await };
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut said = None;
    loop {
        looks.tick().await;
        let reading = Arc::clone(pair);
        let looked = tokio::task::spawn_blocking(move || reading.look()).await;
        let wrong = match looked {
            Ok(Ok(true)) => {
                tracing::info!(file = %pair.certificate.display(), "using the new certificate");
                None
            }
            Ok(Ok(false)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if wrong != said {
            if let Some(error) = &wrong {
                tracing::warn!(%error, "keeping the former certificate");
            }
            said = wrong;
        }
    }
}

impl Pair {
    /// Takes what the files hold, if it is another certificate; true if so.
    fn look(&self) -> Result<bool, TlsError> {
        let chain = read_chain(&self.certificate)?;
        if self.current.read().unwrap_or_else(PoisonError::into_inner).cert == chain {
            return Ok(false);
        }
        let next = Arc::new(read(&self.certificate, &self.key)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(certificate)?;
    let secret = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|source| {
        TlsError::Content { path: key.to_owned(), wanted: "private key", source }
    })?;
    let readable = fs::metadata(key).map(|file| file.permissions().mode() & 0o777);
    if let Ok(mode) = readable
        && mode & 0o004 != 0
    {
        return Err(TlsError::Readable { path: key.to_owned(), mode });
    }
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|source| {
        TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), source }
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content =
        |source| TlsError::Content { path: path.to_owned(), wanted: "certificate", source };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&bytes(path)?).collect::<Result<_, _>>().map_err(content)?;
    if chain.is_empty() { Err(content(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    files::read_pem(path).map_err(|source| TlsError::File { path: path.to_owned(), source })
}

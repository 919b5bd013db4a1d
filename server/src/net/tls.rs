//! TLS for the listener: a certificate and its key from two files, which are read again when they change.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::{Certificate, Span, Timestamp};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::files;

/// The name of HTTP/2 in the handshake.
pub(super) const HTTP_2: &[u8] = b"h2";
/// How often the files are read again.
const RELOAD_PERIOD: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} has no {wanted} in PEM format: {source}", .path.display())]
    Malformed { path: PathBuf, wanted: &'static str, source: pem::Error },
    #[error("every account of this machine can read the key {} (mode {mode:o}): set its mode to 600, or to 640 with a group of its own", .path.display())]
    WorldReadable { path: PathBuf, mode: u32 },
    #[error("the certificate {} and the key {} cannot be used together: {source}", .certificate.display(), .key.display())]
    Mismatch { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

/// The TLS configuration of a listener. Clones share it.
#[derive(Clone, Debug)]
pub struct Tls {
    files: Arc<CertificateFiles>,
    config: Arc<ServerConfig>,
}

/// The files of a certificate chain and its key, and what they held when they were last usable.
#[derive(Debug)]
struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Tls {
    /// Reads the two files, now and whenever they change.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let current = RwLock::new(Arc::new(read(certificate, key)?));
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let files = Arc::new(CertificateFiles { certificate, key, current });
        let unusable = |source| TlsError::Mismatch {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            source,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&files) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), files })
    }

    /// The certificate that new connections get. It ends when the first of its chain does. `None` if none of them can
    /// be read.
    pub(crate) fn certificate(&self) -> Option<Certificate> {
        let current =
            Arc::clone(&self.files.current.read().unwrap_or_else(PoisonError::into_inner));
        let ends = current.cert.iter().filter_map(|der| {
            let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
            Some(Timestamp(0) + Span::seconds(certificate.validity().not_after.timestamp()))
        });
        let file = self.files.certificate.display().to_string();
        ends.min().map(|expires_at| Certificate { file, expires_at })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

/// Reads the files again and again, and uses a new certificate as soon as they hold one. An error is logged once; the last
/// usable certificate stays in use. Never ends.
pub(super) async fn reload_certificates(tls: Option<&Tls>) {
    let Some(Tls { files, .. }) = tls else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(RELOAD_PERIOD);
    let mut logged = None;
    loop {
        ticks.tick().await;
        let reloaded = Arc::clone(files);
        let reload = tokio::task::spawn_blocking(move || reloaded.reload_if_changed()).await;
        let error = match reload {
            Ok(Ok(true)) => {
                let file = files.certificate.display();
                tracing::info!("the certificate in {file} has changed; new connections use it");
                None
            }
            Ok(Ok(false)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if error != logged {
            if let Some(error) = &error {
                tracing::warn!(
                    %error,
                    "cannot use the new certificate or its key; the last usable certificate stays in use"
                );
            }
            logged = error;
        }
    }
}

impl CertificateFiles {
    /// Uses the certificate in the files if it is another one. Returns whether it is.
    fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let chain = read_chain(&self.certificate)?;
        if self.current.read().unwrap_or_else(PoisonError::into_inner).cert == chain {
            return Ok(false);
        }
        let next = Arc::new(read(&self.certificate, &self.key)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(true)
    }
}

impl ResolvesServerCert for CertificateFiles {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = read_chain(certificate)?;
    let secret = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|source| {
        TlsError::Malformed { path: key.to_owned(), wanted: "private key", source }
    })?;
    let readable = fs::metadata(key).map(|file| file.permissions().mode() & 0o777);
    if let Ok(mode) = readable
        && mode & 0o004 != 0
    {
        return Err(TlsError::WorldReadable { path: key.to_owned(), mode });
    }
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|source| {
        TlsError::Mismatch { certificate: certificate.to_owned(), key: key.to_owned(), source }
    })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let content =
        |source| TlsError::Malformed { path: path.to_owned(), wanted: "certificate", source };
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&bytes(path)?).collect::<Result<_, _>>().map_err(content)?;
    if chain.is_empty() { Err(content(pem::Error::NoItemsFound)) } else { Ok(chain) }
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    files::read_pem(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

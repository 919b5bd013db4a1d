//! The CA certificates in a file: whom a client of TLS trusts in place of the public CAs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::files;

#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot use the CA certificates in {}: {why}", .path.display())]
pub struct CaFileError {
    path: PathBuf,
    why: String,
}

/// CA certificates, in DER.
#[derive(Clone, PartialEq)]
pub(crate) struct CaCertificates(Vec<Vec<u8>>);

impl CaCertificates {
    pub(crate) fn read(path: &Path) -> Result<Self, CaFileError> {
        let unusable = |why: String| CaFileError { path: path.to_owned(), why };
        let pem = files::read_pem(path).map_err(|error| unusable(error.to_string()))?;
        let mut found = Vec::new();
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) =
                item.map_err(|error| unusable(error.to_string()))?
            {
                found.push(certificate.der().to_vec());
            }
        }
        if found.is_empty() {
            return Err(unusable("it contains no certificate in PEM format".to_owned()));
        }
        Ok(Self(found))
    }

    pub(crate) fn ders(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }
}

/// How a client of HTTP checks certificates. `None`: by the public CAs.
pub(crate) fn tls_config(ca_certificates: Option<&CaCertificates>) -> TlsConfig {
    let tls = TlsConfig::builder();
    match ca_certificates {
        Some(certificates) => {
            let certificates: Vec<_> =
                certificates.ders().map(|der| Certificate::from_der(der).to_owned()).collect();
            tls.root_certs(RootCerts::Specific(Arc::new(certificates))).build()
        }
        None => tls.build(),
    }
}

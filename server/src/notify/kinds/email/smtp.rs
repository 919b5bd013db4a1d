//! Hands one e-mail over to an SMTP server, and says at which step that failed.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::extension::Extension;
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use super::bounded_stream::BoundedStream;
use crate::agent::host;
use crate::net::ca_certificates::CaCertificates;
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::http_client::{CaFile, ca_file, describe_io, describe_tls, permitted};
use crate::notify::secret_file::SecretFile;

/// For connecting, and for each answer of the server.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);
/// From resolving the name to the last answer.
const TOTAL_TIMEOUT: Duration = Duration::from_mins(1);
/// An e-mail that was accepted has arrived, whatever the server answers to QUIT.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    /// From the first byte.
    Tls,
    /// After the command STARTTLS, which the server must offer.
    StartTls,
    None,
}

impl Encryption {
    const fn default_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct SmtpServer {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<Login>,
    allow_private: bool,
    ca_file: Option<CaFile>,
}

#[derive(Clone, Debug)]
struct Login {
    username: String,
    password: SecretFile,
}

impl SmtpServer {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let host = fields.required_text("smtp_host", "the name of the SMTP server");
        let host = host.filter(|host| {
            let is_valid = ServerName::try_from(host.as_str()).is_ok();
            if !is_valid {
                fields.problem("smtp_host", "must be a host name or an IP address, without a port");
            }
            is_valid
        });
        let words = [
            ("tls", Encryption::Tls),
            ("starttls", Encryption::StartTls),
            ("none", Encryption::None),
        ];
        let encryption = fields.word("smtp_tls", &words).unwrap_or(Encryption::StartTls);
        if encryption == Encryption::None && !fields.allow_private {
            let why = "= \"none\" lets anybody on the way read the messages; use \"starttls\" or \"tls\", \
                       or set allow_private = true for a server in a private network";
            fields.problem("smtp_tls", why);
        }
        let port = fields.port("smtp_port").unwrap_or(encryption.default_port());
        let login = login(fields);
        if encryption == Encryption::None && login.is_some() {
            let why =
                "cannot be used with smtp_tls = \"none\", which would send the password readable";
            fields.problem("username", why);
        }
        let (allow_private, ca_file) = (fields.allow_private, ca_file(fields));
        Some(Self { host: host?, port, encryption, login, allow_private, ca_file })
    }

    /// Sends an e-mail to all recipients that the server accepts.
    pub(super) async fn send(
        &self,
        from: &Address,
        to: &[Mailbox],
        email: &[u8],
    ) -> Result<Delivered, DeliveryFailure> {
        let sent = tokio::time::timeout(TOTAL_TIMEOUT, self.send_steps(from, to, email)).await;
        sent.unwrap_or_else(|_| {
            let seconds = TOTAL_TIMEOUT.as_secs();
            Err(self.failure("the e-mail", format!("it took longer than {seconds} s")))
        })
    }

    async fn send_steps(
        &self,
        from: &Address,
        to: &[Mailbox],
        email: &[u8],
    ) -> Result<Delivered, DeliveryFailure> {
        // Both read files, which may be on a slow disk.
        let server = self.clone();
        let read = tokio::task::spawn_blocking(move || server.read_files()).await;
        let (credentials, ca_certificates) =
            read.map_err(|error| DeliveryFailure::new(format!("internal error: {error}")))??;
        let mut connection = self.connect(ca_certificates.as_ref()).await?;
        if let Some(credentials) = credentials {
            let login = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            self.step("AUTH", login).await?;
        }
        let mail = connection.command(Mail::new(Some(from.clone()), Vec::new()));
        self.step("MAIL FROM", mail).await?;
        let (mut accepted, mut refused) = (0, Vec::new());
        for recipient in to {
            let address = recipient.email.clone();
            let rcpt = connection.command(Rcpt::new(address, Vec::new()));
            match self.step("RCPT TO", rcpt).await {
                Ok(_) => accepted += 1,
                // A server that is gone answers nothing for the others either.
                Err(failure) if connection.has_broken() => return Err(failure),
                Err(failure) => refused.push((&recipient.email, failure)),
            }
        }
        if accepted == 0 {
            let failure = refused.into_iter().next().map(|(_, failure)| failure);
            let none = || self.failure("RCPT TO", "there is no recipient");
            return Err(failure.unwrap_or_else(none));
        }
        self.step("DATA", connection.command(Data)).await?;
        let answer = self.step("the e-mail", connection.message(email)).await?;
        let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(self.delivered(&answer, &refused))
    }

    fn delivered(&self, answer: &Response, refused: &[(&Address, DeliveryFailure)]) -> Delivered {
        let said: Vec<&str> = answer.message().collect();
        let mut text = format!("{self} answered {} {}", answer.code(), said.join(" "));
        for (address, failure) in refused {
            text = format!("not delivered to {address} ({failure}); {text}");
        }
        Delivered::new(&text)
    }

    fn read_files(&self) -> Result<(Option<Credentials>, Option<CaCertificates>), DeliveryFailure> {
        let unusable = |error: &dyn std::fmt::Display| DeliveryFailure::new(error.to_string());
        let credentials = self.login.as_ref().map(|login| {
            let password = login.password.reveal().map_err(|error| unusable(&error))?;
            Ok(Credentials::new(login.username.clone(), password))
        });
        let ca_certificates = self.ca_file.as_ref().map(|file| file.get()).transpose();
        Ok((credentials.transpose()?, ca_certificates.map_err(|error| unusable(&error))?))
    }

    /// Connects, encrypts the connection, and greets the server.
    async fn connect(
        &self,
        ca_certificates: Option<&CaCertificates>,
    ) -> Result<AsyncSmtpConnection, DeliveryFailure> {
        let (stream, peer) = self.open().await?;
        let stream: Box<dyn AsyncTokioStream> = if self.encryption == Encryption::Tls {
            let config =
                client_config(ca_certificates).map_err(|error| self.tls_failure(&error))?;
            let name = ServerName::try_from(self.host.clone())
                .map_err(|error| self.failure("TLS", error.to_string()))?;
            let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
            let stream = tokio::time::timeout(STEP_TIMEOUT, handshake).await;
            let stream = stream
                .map_err(|_| self.silence("TLS"))?
                .map_err(|error| self.failure("TLS", describe_io(&error)))?;
            Box::new(BoundedStream::new(stream, peer, false))
        } else {
            let by_byte = self.encryption == Encryption::StartTls;
            Box::new(BoundedStream::new(stream, peer, by_byte))
        };
        let hello = hello();
        let greeting = AsyncSmtpConnection::connect_with_transport(stream, &hello);
        let mut connection = self.step("the greeting and EHLO", greeting).await?;
        if self.encryption == Encryption::StartTls {
            let parameters = self.tls_parameters(ca_certificates);
            let parameters = parameters.map_err(|error| self.failure("TLS", describe(&error)))?;
            if !connection.server_info().supports_feature(Extension::StartTls) {
                let why = "the server does not offer it on this port; use smtp_tls = \"tls\" and the port for that, usually 465";
                return Err(self.failure("STARTTLS", why));
            }
            self.step("STARTTLS", connection.starttls(parameters, &hello)).await?;
        }
        Ok(connection)
    }

    /// A connection to the first address that answers, of those that are permitted.
    async fn open(&self) -> Result<(TcpStream, SocketAddr), DeliveryFailure> {
        let resolve = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found = tokio::time::timeout(STEP_TIMEOUT, resolve).await;
        let found = found
            .map_err(|_| self.silence("resolving its name"))?
            .map_err(|error| self.failure("resolving its name", describe_io(&error)))?;
        let addresses = permitted(found, self.allow_private).map_err(|refused| {
            let why = refused.map_or_else(|| "it has no address".to_owned(), |one| one.to_string());
            self.failure("resolving its name", why)
        })?;
        let mut failure = self.silence("connecting");
        for address in addresses {
            match tokio::time::timeout(STEP_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok((stream, address)),
                Ok(Err(error)) => failure = self.failure("connecting", describe_io(&error)),
                Err(_) => failure = self.silence("connecting"),
            }
        }
        Err(failure)
    }

    fn tls_parameters(
        &self,
        ca_certificates: Option<&CaCertificates>,
    ) -> Result<TlsParameters, lettre::transport::smtp::Error> {
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(certificates) = ca_certificates {
            builder = builder.certificate_store(CertificateStore::None);
            for der in certificates.ders() {
                builder = builder.add_root_certificate(Certificate::from_der(der.to_vec())?);
            }
        }
        builder.build_rustls()
    }

    /// Waits for one answer. `what`: which.
    async fn step<T>(
        &self,
        what: &str,
        answer: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
    ) -> Result<T, DeliveryFailure> {
        match tokio::time::timeout(STEP_TIMEOUT, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failure(what, describe(&error))),
            Err(_) => Err(self.silence(what)),
        }
    }

    fn failure(&self, step: &str, why: impl AsRef<str>) -> DeliveryFailure {
        DeliveryFailure::new(format!("{self}, {step}: {}", why.as_ref()))
    }

    fn silence(&self, step: &str) -> DeliveryFailure {
        self.failure(step, format!("no answer within {} s", STEP_TIMEOUT.as_secs()))
    }

    fn tls_failure(&self, error: &rustls::Error) -> DeliveryFailure {
        self.failure("TLS", describe_tls(error))
    }
}

impl std::fmt::Display for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn login(fields: &mut Fields<'_>) -> Option<Login> {
    let username = fields.text("username");
    let has_password = fields.has("password_file");
    let password = fields.secret_file("password_file");
    match (username, password) {
        (Some(username), Some(password)) => Some(Login { username, password }),
        (Some(_), None) if !has_password => {
            fields.problem("password_file", "is missing: the path of a file with the password");
            None
        }
        (None, Some(_)) if !fields.has("username") => {
            fields.problem("username", "is missing: the name that belongs to the password");
            None
        }
        _ => None,
    }
}

/// The name with which this machine greets a server: its host name, if that is one of the DNS.
fn hello() -> ClientId {
    let is_plain =
        |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    host::host_name().filter(is_plain).map_or_else(ClientId::default, ClientId::Domain)
}

fn client_config(ca_certificates: Option<&CaCertificates>) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    match ca_certificates {
        Some(certificates) => {
            for der in certificates.ders() {
                roots.add(CertificateDer::from(der.to_vec()))?;
            }
        }
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// What went wrong, from the first cause that says it plainly.
fn describe(error: &lettre::transport::smtp::Error) -> String {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(error) = next.downcast_ref::<io::Error>() {
            return describe_io(error);
        }
        if let Some(error) = next.downcast_ref::<rustls::Error>() {
            return describe_tls(error);
        }
        cause = next.source();
    }
    error.to_string()
}

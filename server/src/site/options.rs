//! The options with which a site is opened.

use std::fmt;

use app::cluster::{Role, Span};
use app::i18n::Language;

use super::branding::Branding;
use super::frame_ancestors::Ancestor;
use crate::auth::AuthPolicy;
use crate::auth::secret::SecretHash;
use crate::messenger::DialLoopback;
use crate::net::tls::Tls;
use crate::notify::{Channels, MonitorUrl, PublicUrl};
use crate::self_report::SelfReport;
use crate::store::{KEEP_HISTORY, without_password};

/// The default limit of servers.
pub const MAX_SERVERS: usize = 20_000;

#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, or `postgres://USER@HOST/DATABASE`.
    pub database: String,
    /// A join token, besides those in the database.
    pub join_token: Option<SecretHash>,
    pub auth: AuthPolicy,
    /// The base path, as [`super::base_path::parse`] returns it.
    pub base: String,
    /// The target of "Admin" at the top of the page.
    pub admin_url: Option<String>,
    /// The language of the page; else what the browser prefers.
    pub language: Option<Language>,
    /// The `max-age` of HSTS, if it serves TLS itself. Browsers then refuse plain HTTP on every port of its host.
    pub hsts: Option<Span>,
    /// The TLS of its listener, if it has one: the page shows when that certificate expires.
    pub tls: Option<Tls>,
    /// The origins whose pages may frame the page.
    pub frame_ancestors: Vec<Ancestor>,
    pub branding: Branding,
    /// Heartbeats of more servers are rejected.
    pub max_servers: usize,
    /// How long the history is kept.
    pub keep_history: Span,
    /// Through which people are told about problems.
    pub channels: Channels,
    /// Asked every minute while this web server works.
    pub ping_url: Option<MonitorUrl>,
    /// The URL of the page for people, which messages link to. `None`: `http://`, this host's name, and the base path.
    pub public_url: Option<PublicUrl>,
    /// The components of this process that it reports, and their facts.
    pub own: Option<(SelfReport, Vec<Role>)>,
    /// The name of this web server to the services that it dials. `None`: it dials none.
    pub dials_as: Option<String>,
    pub dial_loopback: DialLoopback,
}

impl Options {
    /// The defaults: at the root of its host, in each browser's language, without components of its own, and dialling no
    /// services.
    pub fn new(database: impl Into<String>, auth: AuthPolicy) -> Self {
        Self {
            database: database.into(),
            join_token: None,
            auth,
            base: String::new(),
            admin_url: None,
            language: None,
            hsts: None,
            tls: None,
            frame_ancestors: Vec::new(),
            branding: Branding::default(),
            max_servers: MAX_SERVERS,
            keep_history: KEEP_HISTORY,
            channels: Channels::default(),
            ping_url: None,
            public_url: None,
            own: None,
            dials_as: None,
            dial_loopback: DialLoopback::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("database", &without_password(&self.database))
            .field("auth", &self.auth)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

//! What a site is opened with.

use std::fmt;

use app::cluster::{Role, Span};
use app::i18n::Language;

use super::branding::Branding;
use super::frame_ancestors::Ancestor;
use crate::auth::Policy;
use crate::auth::secret::Hash;
use crate::messenger::DialLoopback;
use crate::self_report::Identity;
use crate::store::without_password;

/// How many servers an overview takes in, unless it is told otherwise.
pub const MAX_SERVERS: usize = 20_000;
/// What a site is told at its start.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, or `postgres://USER@HOST/DATABASE`.
    pub database: String,
    /// What nodes prove themselves with, beside the join tokens in the database.
    pub join_token: Option<Hash>,
    /// Who may ask for what.
    pub access: Policy,
    /// Where it lives below its host, as [`super::base_path::parse`] has it.
    pub base: String,
    /// The target of the breadcrumb.
    pub admin_url: Option<String>,
    /// The language it speaks, where not each browser's.
    pub language: Option<Language>,
    /// For how long browsers are asked to come over TLS only, where it speaks TLS itself: they then refuse plain
    /// HTTP on every port of its host.
    pub hsts: Option<Span>,
    /// Whose pages may frame it: nobody's, unless they are named.
    pub frame_ancestors: Vec<Ancestor>,
    /// What it borrows from the product it lives in.
    pub branding: Branding,
    /// How many servers it takes in.
    pub max_servers: usize,
    /// What it reports of itself, and which components.
    pub own: Option<(Identity, Vec<Role>)>,
    /// The web server's name, where it is to dial the services' messengers.
    pub dials_as: Option<String>,
    /// Which services it dials on its own machine.
    pub dial_loopback: DialLoopback,
}

impl Options {
    /// An overview of this database for whom this policy lets in, and nothing else: it lives at the root of
    /// its host, speaks each browser's language, reports nothing of itself and dials no services.
    pub fn of(database: impl Into<String>, access: Policy) -> Self {
        Self {
            database: database.into(),
            join_token: None,
            access,
            base: String::new(),
            admin_url: None,
            language: None,
            hsts: None,
            frame_ancestors: Vec::new(),
            branding: Branding::default(),
            max_servers: MAX_SERVERS,
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
            .field("access", &self.access)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

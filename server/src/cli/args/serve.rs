//! The options of `serve` and `demo`.

use std::path::PathBuf;

use app::cluster::{Role, Span};
use app::i18n::Language;
use axum::http::HeaderName;
use clap::{Args, ValueEnum};

use super::channel::Notifications;
use super::shared::{ConfigFile, Database, Listen, Node};
use crate::messenger::DialLoopback;
use crate::site::frame_ancestors::Ancestor;

#[derive(Args, Debug)]
pub struct Serve {
    #[command(flatten)]
    pub file: ConfigFile,
    #[command(flatten, next_help_heading = "Network")]
    pub listen: Listen,
    #[command(flatten)]
    pub database: Database,
    /// Maximum number of servers; heartbeats of more are rejected.
    #[arg(long, env = "CLUSTER_OVERVIEW_MAX_SERVERS", value_parser = max_servers, default_value_t = crate::site::MAX_SERVERS)]
    pub max_servers: usize,
    /// How long the history is kept: from 1d to 10y.
    #[arg(long, env = "CLUSTER_OVERVIEW_KEEP_HISTORY", value_parser = keep_history, default_value = "400d")]
    pub keep_history: Span,
    /// URL path prefix, as the browser sees it.
    #[arg(long, env = "CLUSTER_OVERVIEW_BASE_PATH", default_value = "/")]
    pub base_path: String,
    /// Origins whose pages can embed the page, such as `https://product.example` (default: none).
    #[arg(long, env = "CLUSTER_OVERVIEW_FRAME_ANCESTORS", value_delimiter = ',', value_parser = Ancestor::parse)]
    pub frame_ancestors: Vec<Ancestor>,
    /// Language of the page, en or de (default: what the browser prefers). The query parameter `lang` overrides it.
    #[arg(long, env = "CLUSTER_OVERVIEW_LANGUAGE", value_parser = language)]
    pub language: Option<Language>,
    #[command(flatten, next_help_heading = "Page")]
    pub branding: BrandingFile,
    /// Target of "Admin" at the top of the page.
    #[arg(long, env = "CLUSTER_OVERVIEW_ADMIN_URL")]
    pub admin_url: Option<String>,
    #[command(flatten, next_help_heading = "Notifications")]
    pub notifications: Notifications,
    #[command(flatten, next_help_heading = "Sign-in")]
    pub access: Access,
    /// File with the join token (default: written next to the SQLite database; with PostgreSQL use
    /// `token create --role join`).
    #[arg(long, env = "CLUSTER_OVERVIEW_JOIN_TOKEN_FILE")]
    pub join_token_file: Option<PathBuf>,
    /// TLS certificate chain, a PEM file; read again when it changes.
    #[arg(long, env = "CLUSTER_OVERVIEW_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// TLS private key, a PEM file that only its owner can read; read again when it changes.
    #[arg(long, env = "CLUSTER_OVERVIEW_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Ask browsers to use only TLS with this host for this time (HSTS), such as 365d. They then refuse plain HTTP on every
    /// port of this host. 0s takes it back.
    #[arg(long, env = "CLUSTER_OVERVIEW_HSTS", requires = "tls_cert", value_parser = hsts)]
    pub hsts: Option<Span>,
    #[command(flatten, next_help_heading = "This server")]
    pub node: Node,
    #[command(flatten, next_help_heading = "This server")]
    pub dialling: Dialling,
    /// Components to report for this server.
    #[arg(
        long,
        env = "CLUSTER_OVERVIEW_REPORT_SELF",
        value_enum,
        value_delimiter = ',',
        default_value = "web,service"
    )]
    pub report_self: Vec<Report>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Name and password.
    Password,
    /// Headers that a trusted proxy sets.
    Proxy,
    /// No sign-in: everyone who reaches the address can make changes. Loopback only.
    None,
}

#[derive(Args, Debug)]
pub struct Access {
    /// Sign-in method.
    #[arg(long, env = "CLUSTER_OVERVIEW_AUTH", value_enum, default_value = "password")]
    pub auth: Auth,
    /// With --auth proxy: header with the name of the user.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROXY_USER_HEADER", default_value = "x-forwarded-user")]
    pub proxy_user_header: HeaderName,
    /// With --auth proxy: header with the role of the user, viewer or admin (default: viewer).
    #[arg(long, env = "CLUSTER_OVERVIEW_PROXY_ROLE_HEADER", default_value = "x-forwarded-role")]
    pub proxy_role_header: HeaderName,
    /// Trusted proxies: addresses and networks such as 10.0.0.0/8.
    #[arg(long, env = "CLUSTER_OVERVIEW_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// Accept heartbeats only with a server's own credential; the join token then only registers servers.
    #[arg(long, env = "CLUSTER_OVERVIEW_REQUIRE_ENROLMENT")]
    pub require_enrolment: bool,
    /// Serve /metrics without a token.
    #[arg(long, env = "CLUSTER_OVERVIEW_METRICS_PUBLIC")]
    pub metrics_public: bool,
}

#[derive(Args, Clone, Copy, Debug)]
pub struct Dialling {
    /// Which services are dialled on this machine: own (heartbeats came directly from it), all, or none.
    #[arg(
        id = "dial-loopback",
        long,
        env = "CLUSTER_OVERVIEW_DIAL_LOOPBACK",
        value_parser = dial_loopback,
        default_value = "own"
    )]
    pub loopback: DialLoopback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// A web component: sends a heartbeat when it serves a request.
    Web,
    /// A service: sends a heartbeat every interval.
    Service,
    /// Nothing.
    None,
}

impl Report {
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Web => Some(Role::Web),
            Self::Service => Some(Role::Service),
            Self::None => None,
        }
    }
}

#[derive(Args, Debug)]
pub struct BrandingFile {
    /// Branding file: name, logo, menu, colours and fonts of the product.
    #[arg(id = "branding", long, env = "CLUSTER_OVERVIEW_BRANDING")]
    pub path: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Demo {
    #[command(flatten, next_help_heading = "Network")]
    pub listen: Listen,
    #[command(flatten, next_help_heading = "Page")]
    pub branding: BrandingFile,
}

fn language(tag: &str) -> Result<Language, String> {
    let exact = Language::ALL.into_iter().find(|known| known.as_str() == tag);
    exact.ok_or_else(|| "must be en or de".to_owned())
}

fn hsts(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "must be a length of time such as 365d".to_owned())
}

fn keep_history(text: &str) -> Result<Span, String> {
    let range = Span::minutes(24 * 60)..=Span::minutes(3_650 * 24 * 60);
    let span = Span::parse(text).filter(|span| range.contains(span));
    span.ok_or_else(|| "must be a length of time from 1d to 10y, such as 400d".to_owned())
}

fn dial_loopback(word: &str) -> Result<DialLoopback, String> {
    DialLoopback::parse(word).ok_or_else(|| "must be own, all or none".to_owned())
}

fn max_servers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "must be a whole number from 1 to 1000000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_kept_for_one_day_to_ten_years() {
        let days = |text| keep_history(text).map(|span| span.0 / 86_400_000);
        for (text, kept) in [("1d", 1), ("400d", 400), ("24 h", 1), ("2y", 730), ("10y", 3_650)] {
            assert_eq!(days(text), Ok(kept), "{text}");
        }
        for text in ["", "0", "23h", "3651d", "11y", "10y 1s", "forever"] {
            let error = keep_history(text).unwrap_err();
            assert_eq!(error, "must be a length of time from 1d to 10y, such as 400d", "{text}");
        }
    }
}

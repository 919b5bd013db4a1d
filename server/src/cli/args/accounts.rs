//! The options of `token`, `admin` and `key`.

use app::cluster::keys::check_digits;
use app::cluster::{KeyKind, Span};
use app::protocol::UserRole;
use clap::{Args, Subcommand};

use super::shared::Database;
use crate::auth::model::TokenRole;

#[derive(Debug, Subcommand)]
pub enum Token {
    /// Create a token. It is shown only once.
    Create(CreateToken),
    /// List tokens and server credentials.
    List(Database),
    /// Revoke a token or a credential; a running `serve` obeys within two seconds.
    Revoke(RevokeToken),
}

#[derive(Args, Debug)]
pub struct CreateToken {
    /// Permissions: join, viewer or admin.
    #[arg(long, env = "CLUSTER_OVERVIEW_ROLE", value_parser = token_role)]
    pub role: TokenRole,
    /// Name, to recognize it by.
    #[arg(long, env = "CLUSTER_OVERVIEW_NAME")]
    pub name: String,
    /// Expires after this time, such as 90d (default: never).
    #[arg(long, env = "CLUSTER_OVERVIEW_EXPIRES", value_parser = life)]
    pub expires: Option<Span>,
    #[command(flatten)]
    pub database: Database,
}

fn token_role(word: &str) -> Result<TokenRole, String> {
    TokenRole::parse(word)
        .filter(|role| *role != TokenRole::Server)
        .ok_or_else(|| "must be join, viewer or admin".to_owned())
}

fn life(text: &str) -> Result<Span, String> {
    Span::parse(text)
        .filter(|span| *span > Span::ZERO)
        .ok_or_else(|| "must be a length of time such as 90d or 12 h".to_owned())
}

#[derive(Args, Debug)]
pub struct RevokeToken {
    /// ID, as `token list` shows it.
    pub id: String,
    #[command(flatten)]
    pub database: Database,
}

#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Set a person's password, read from standard input; creates the person if necessary.
    SetPassword(SetPassword),
    /// List the people who can sign in.
    List(Database),
    /// Delete a person and end their sessions.
    Remove(RemovePerson),
}

#[derive(Args, Debug)]
pub struct SetPassword {
    /// Name of the person.
    pub name: String,
    /// Role: viewer or admin.
    #[arg(long, env = "CLUSTER_OVERVIEW_RANK", value_parser = rank, default_value = "admin")]
    pub rank: UserRole,
    #[command(flatten)]
    pub database: Database,
}

fn rank(word: &str) -> Result<UserRole, String> {
    UserRole::parse(word).ok_or_else(|| "must be viewer or admin".to_owned())
}

#[derive(Args, Debug)]
pub struct RemovePerson {
    /// Name of the person.
    pub name: String,
    #[command(flatten)]
    pub database: Database,
}

#[derive(Debug, Subcommand)]
pub enum Key {
    /// Accept a key that a server reports as the key of the cluster.
    Accept(AcceptKey),
}

#[derive(Args, Debug)]
pub struct AcceptKey {
    /// First digits of the key check, as the page shows them: 8 to 64.
    #[arg(value_parser = digits)]
    pub digits: String,
    #[command(flatten)]
    pub database: Database,
    /// Kind of key: encryption or machine.
    #[arg(long, env = "CLUSTER_OVERVIEW_KIND", value_parser = key_kind, default_value = "encryption")]
    pub kind: KeyKind,
}

fn digits(text: &str) -> Result<String, String> {
    check_digits(text).map(|()| text.to_owned())
}

fn key_kind(word: &str) -> Result<KeyKind, String> {
    KeyKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| "must be encryption or machine".to_owned())
}

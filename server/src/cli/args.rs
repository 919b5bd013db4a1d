//! What the command line and the environment say: the only reader of either.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use app::cluster::keys::check_digits;
use app::cluster::{KeyKind, Role, Span};
use app::i18n::Language;
use app::protocol::UserRole;
use axum::http::HeaderName;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use super::config_file;
use crate::auth::cache::TokenRole;
use crate::messenger::DialLoopback;
use crate::site::frame_ancestors::Ancestor;
use crate::store::without_password;

use super::config_file::FileError;

/// Shows whether a cluster is whole, says in plain words why not, and what to do about it.
#[derive(Debug, Parser)]
#[command(name = "cluster-overview", version)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The web server: page and API.
    Serve(Box<Serve>),
    /// Beats for the components of the product on this server.
    Agent(Box<Agent>),
    /// The overview for a terminal; exit code 0 ok, 1 warning, 2 error, 3 unknown or unreachable.
    Status(Status),
    /// `serve` on a throw-away database, with a simulated cluster that goes through every pulse and
    /// every hint in two minutes, again and again.
    Demo(Demo),
    /// The keys that all servers are held against.
    #[command(subcommand)]
    Key(Key),
    /// Tokens for servers and for programs. Works on the database, also while `serve` runs.
    #[command(subcommand)]
    Token(Token),
    /// Who can sign in. Works on the database, also while `serve` runs.
    #[command(subcommand)]
    Admin(Admin),
}

/// What can be done about tokens.
#[derive(Debug, Subcommand)]
pub enum Token {
    /// Makes a token and prints it, once.
    Create(CreateToken),
    /// Lists tokens and servers' credentials.
    List(Database),
    /// Revokes a token or a credential; a running `serve` hears of it within two seconds.
    Revoke(RevokeToken),
}

/// Options of `token create`.
#[derive(Args, Debug)]
pub struct CreateToken {
    /// What its bearer may: join, viewer or admin.
    #[arg(long, env = "CLUSTER_OVERVIEW_ROLE", value_parser = token_role)]
    pub role: TokenRole,
    /// What it is for.
    #[arg(long, env = "CLUSTER_OVERVIEW_NAME")]
    pub name: String,
    /// After how long it ends by itself, such as 90d; never if not given.
    #[arg(long, env = "CLUSTER_OVERVIEW_EXPIRES", value_parser = life)]
    pub expires: Option<Span>,
    /// Where the facts are kept.
    #[command(flatten)]
    pub database: Database,
}

fn token_role(word: &str) -> Result<TokenRole, String> {
    TokenRole::parse(word)
        .filter(|role| *role != TokenRole::Node)
        .ok_or_else(|| "must be join, viewer or admin".to_owned())
}

fn life(text: &str) -> Result<Span, String> {
    Span::parse(text)
        .filter(|span| *span > Span::ZERO)
        .ok_or_else(|| "must be a length of time such as 90d or 12 h".to_owned())
}

fn hsts(text: &str) -> Result<Span, String> {
    Span::parse(text).ok_or_else(|| "must be a length of time such as 365d".to_owned())
}

/// Options of `token revoke`.
#[derive(Args, Debug)]
pub struct RevokeToken {
    /// Its number, as `token list` shows it.
    pub id: String,
    /// Where the facts are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What can be done about people.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Sets a person's password, read from standard input, and makes the person if there is none.
    SetPassword(SetPassword),
    /// Lists who can sign in.
    List(Database),
    /// Lets a person sign in no more, and ends their sessions.
    Remove(RemovePerson),
}

/// Options of `admin set-password`.
#[derive(Args, Debug)]
pub struct SetPassword {
    /// The person's name.
    pub name: String,
    /// What they may: viewer or admin.
    #[arg(long, env = "CLUSTER_OVERVIEW_RANK", value_parser = rank, default_value = "admin")]
    pub rank: UserRole,
    /// Where the facts are kept.
    #[command(flatten)]
    pub database: Database,
}

fn language(tag: &str) -> Result<Language, String> {
    let exact = Language::ALL.into_iter().find(|known| known.as_str() == tag);
    exact.ok_or_else(|| "must be en or de".to_owned())
}

fn rank(word: &str) -> Result<UserRole, String> {
    UserRole::parse(word).ok_or_else(|| "must be viewer or admin".to_owned())
}

/// Options of `admin remove`.
#[derive(Args, Debug)]
pub struct RemovePerson {
    /// The person's name.
    pub name: String,
    /// Where the facts are kept.
    #[command(flatten)]
    pub database: Database,
}

/// What can be done about the keys.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Accepts a key that a server reports: all others are held against it from now on. Works on the
    /// database, also while `serve` runs.
    Accept(AcceptKey),
}

/// How people prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// By name and password.
    Password,
    /// The product's proxy says who it is, in headers.
    Proxy,
    /// Not at all: whoever reaches the listener may look and change. Loopback only.
    None,
}

/// Who may ask for what.
#[derive(Args, Debug)]
pub struct Access {
    /// How people prove who they are.
    #[arg(long, env = "CLUSTER_OVERVIEW_AUTH", value_enum, default_value = "password")]
    pub auth: Auth,
    /// With --auth proxy: the header with the person's name.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROXY_USER_HEADER", default_value = "x-forwarded-user")]
    pub proxy_user_header: HeaderName,
    /// With --auth proxy: the header with what they may, viewer or admin; without it they are viewers.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROXY_ROLE_HEADER", default_value = "x-forwarded-role")]
    pub proxy_role_header: HeaderName,
    /// The proxies whose headers are believed: addresses and networks such as 10.0.0.0/8.
    #[arg(long, env = "CLUSTER_OVERVIEW_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
    /// Take heartbeats only with a server's own credential; the join token then only enrols.
    #[arg(long, env = "CLUSTER_OVERVIEW_REQUIRE_ENROLMENT")]
    pub require_enrolment: bool,
    /// Let anybody read the metrics.
    #[arg(long, env = "CLUSTER_OVERVIEW_METRICS_PUBLIC")]
    pub metrics_public: bool,
}

/// Which services may be dialled on the overview's own machine.
#[derive(Args, Clone, Copy, Debug)]
pub struct Dialling {
    /// Which services the overview dials on its own machine: own, those whose heartbeats come directly from this
    /// machine; all, whatever names one of its addresses; or none.
    #[arg(
        id = "dial-loopback",
        long,
        env = "CLUSTER_OVERVIEW_DIAL_LOOPBACK",
        value_parser = dial_loopback,
        default_value = "own"
    )]
    pub loopback: DialLoopback,
}

fn dial_loopback(word: &str) -> Result<DialLoopback, String> {
    DialLoopback::parse(word).ok_or_else(|| "must be own, all or none".to_owned())
}

/// What the overview reports of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// A web component that beats on requests.
    Web,
    /// A service that beats every interval.
    Service,
    /// Nothing.
    None,
}

impl Report {
    /// The component, if it is one.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Web => Some(Role::Web),
            Self::Service => Some(Role::Service),
            Self::None => None,
        }
    }
}

/// Where to listen.
#[derive(Args, Debug)]
pub struct Listen {
    /// Where to listen; without sign-in only a loopback address is taken.
    #[arg(id = "listen", long, env = "CLUSTER_OVERVIEW_LISTEN", default_value = "127.0.0.1:3000")]
    pub address: SocketAddr,
}

/// Where the facts are kept.
#[derive(Args)]
pub struct Database {
    /// Where the facts are kept: `sqlite:PATH`, or `postgres://USER@HOST/DATABASE` for several web servers,
    /// with the password in a file that PGPASSFILE names.
    #[arg(
        id = "database",
        long,
        env = "CLUSTER_OVERVIEW_DATABASE",
        default_value = "sqlite:cluster-overview.db"
    )]
    pub address: String,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&without_password(&self.address)).finish()
    }
}

/// What a server says of itself, whether it serves the overview or beats for a product.
#[derive(Args, Debug)]
pub struct Node {
    /// This server's name; default: the host name.
    #[arg(long, env = "CLUSTER_OVERVIEW_NAME")]
    pub name: Option<String>,
    /// This server's address; default: the one it reaches the overview, or any other network, from.
    #[arg(long, env = "CLUSTER_OVERVIEW_IP")]
    pub ip: Option<IpAddr>,
    /// The product this server runs.
    #[arg(long, env = "CLUSTER_OVERVIEW_PRODUCT")]
    pub product: Option<String>,
    /// The product's version. Without it the overview's own rows are shown but not compared.
    #[arg(long, env = "CLUSTER_OVERVIEW_PRODUCT_VERSION")]
    pub product_version: Option<String>,
    /// The file with the encryption key; only a check of it is ever sent or stored.
    #[arg(long, env = "CLUSTER_OVERVIEW_ENCRYPTION_KEY_FILE")]
    pub encryption_key_file: Option<PathBuf>,
    /// Where the service listens for the web servers that dial it. The service within `serve` does so where
    /// several web servers share a database, and --listen is no loopback address.
    #[arg(long, env = "CLUSTER_OVERVIEW_MESSENGER_PORT", default_value_t = 33_237, value_parser = clap::value_parser!(u16).range(1..))]
    pub messenger_port: u16,
}

/// Options of `serve`.
#[derive(Args, Debug)]
pub struct Serve {
    /// The file that says what the command line does not.
    #[command(flatten)]
    pub file: ConfigFile,
    /// Where to listen.
    #[command(flatten)]
    pub listen: Listen,
    /// Where the facts are kept.
    #[command(flatten)]
    pub database: Database,
    /// How many servers it takes in; heartbeats of more are refused.
    #[arg(long, env = "CLUSTER_OVERVIEW_MAX_SERVERS", value_parser = max_servers, default_value_t = crate::site::MAX_SERVERS)]
    pub max_servers: usize,
    /// The path it lives below, as the browser sees it.
    #[arg(long, env = "CLUSTER_OVERVIEW_BASE_PATH", default_value = "/")]
    pub base_path: String,
    /// Whose pages may frame it, by origin, such as `https://product.example`; nobody's unless named.
    #[arg(long, env = "CLUSTER_OVERVIEW_FRAME_ANCESTORS", value_delimiter = ',', value_parser = Ancestor::parse)]
    pub frame_ancestors: Vec<Ancestor>,
    /// The language the page speaks, en or de; else what each browser prefers. An address that names one
    /// (?lang=de) has its way.
    #[arg(long, env = "CLUSTER_OVERVIEW_LANGUAGE", value_parser = language)]
    pub language: Option<Language>,
    /// What it borrows from the product it lives in.
    #[command(flatten)]
    pub branding: BrandingFile,
    /// Where "Admin" at the top of the page leads.
    #[arg(long, env = "CLUSTER_OVERVIEW_ADMIN_URL")]
    pub admin_url: Option<String>,
    /// Who may ask for what.
    #[command(flatten)]
    pub access: Access,
    /// The file with the join token; without it one is written beside the file of an SQLite database, and
    /// with PostgreSQL `token create --role join` makes one.
    #[arg(long, env = "CLUSTER_OVERVIEW_JOIN_TOKEN_FILE")]
    pub join_token_file: Option<PathBuf>,
    /// The certificate to serve over TLS with, and those that vouch for it: a PEM file.
    #[arg(long, env = "CLUSTER_OVERVIEW_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key: a PEM file that not everybody can read. Both files are read again when they change.
    #[arg(long, env = "CLUSTER_OVERVIEW_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// With a certificate here: for how long browsers are asked to reach this host over TLS only (HSTS), such as
    /// 365d. They then refuse plain HTTP on every port of this host. 0s takes it back.
    #[arg(long, env = "CLUSTER_OVERVIEW_HSTS", requires = "tls_cert", value_parser = hsts)]
    pub hsts: Option<Span>,
    /// What it says of itself.
    #[command(flatten)]
    pub node: Node,
    /// Whom it dials.
    #[command(flatten)]
    pub dialling: Dialling,
    /// Which components it reports of itself.
    #[arg(
        long,
        env = "CLUSTER_OVERVIEW_REPORT_SELF",
        value_enum,
        value_delimiter = ',',
        default_value = "web,service"
    )]
    pub report_self: Vec<Report>,
}

/// What the page borrows from the product it lives in.
#[derive(Args, Debug)]
pub struct BrandingFile {
    /// The file with what the page borrows from the product it lives in: name, logo, menu, colours, letters.
    #[arg(id = "branding", long, env = "CLUSTER_OVERVIEW_BRANDING")]
    pub path: Option<PathBuf>,
}

/// Options of `demo`.
#[derive(Args, Debug)]
pub struct Demo {
    /// Where to listen.
    #[command(flatten)]
    pub listen: Listen,
    /// What it borrows from a product.
    #[command(flatten)]
    pub branding: BrandingFile,
}

/// Where files go that nobody wants to keep: `TMPDIR`, or the system's own folder for them.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The file that says what the command line does not.
#[derive(Args, Debug)]
pub struct ConfigFile {
    /// A TOML file with options, such as `listen = "127.0.0.1:3000"`. What the command line or the environment
    /// says has its way.
    #[arg(id = "config-file", long, env = CONFIG_FILE)]
    pub path: Option<PathBuf>,
}

/// The environment's name for the configuration file.
const CONFIG_FILE: &str = "CLUSTER_OVERVIEW_CONFIG_FILE";

impl CommandLine {
    /// What this process was told: by its command line, else by the environment, else by the configuration
    /// file that either of them names. Ends the process with a message if that cannot be understood.
    pub fn read() -> Result<Self, FileError> {
        let mut arguments: Vec<OsString> = std::env::args_os().collect();
        let commands = without_values(Self::command());
        for option in passwords_in(&arguments) {
            tracing::warn!(
                "a password stands in the argument {option}: every account of this machine can read the arguments of a process. {}",
                INSTEAD_OF_ARGUMENTS
            );
        }
        show_help_if_asked(&commands, &arguments);
        if let Some(path) = named_file(&arguments) {
            let command = arguments.get(1).and_then(|name| commands.find_subcommand(name));
            // Others may be called where the environment names a file for `serve`.
            let command = command.filter(|command| config_file::is_read_by(command));
            if let Some(command) = command {
                let said = |name: &str| variable(name).is_some();
                let added = config_file::options(&path, command, &arguments, said)?;
                arguments.splice(2..2, added);
            }
        }
        let matches = commands.get_matches_from(arguments);
        // What clap has taken fits: the fields and the options are of one derivation.
        Ok(Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
    }
}

/// Shows help or the version and ends the process, if the arguments ask for that: it does not depend on a
/// configuration file.
fn show_help_if_asked(commands: &clap::Command, arguments: &[OsString]) {
    let Err(shown) = commands.clone().try_get_matches_from(arguments) else { return };
    if matches!(shown.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        shown.exit();
    }
}

/// What to do with a password instead of writing it into an argument.
const INSTEAD_OF_ARGUMENTS: &str = "Put it into a file that PGPASSFILE names, into the option's environment variable, or into a configuration file of mode 600";

/// Help shows which variable an option is read from, and never what is in it: it may be a secret.
fn without_values(command: clap::Command) -> clap::Command {
    command.mut_args(|arg| arg.hide_env_values(true)).mut_subcommands(without_values)
}

/// Whether a password stands in an address.
pub(super) fn holds_password(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once("://") else { return false };
    if scheme.starts_with("postgres") {
        // Such a password may hold what ends the host of other addresses.
        return without_password(address) != address;
    }
    let host = rest.split(['/', '?', '#', ' ', '"', '\'']).next().unwrap_or_default();
    host.rsplit_once('@').is_some_and(|(person, _)| person.contains(':'))
}

/// The options, or the places on the command line, whose values hold a password.
fn passwords_in(arguments: &[OsString]) -> Vec<String> {
    let mut before = String::new();
    let mut found = Vec::new();
    for (place, argument) in arguments.iter().enumerate().skip(1) {
        let text = argument.to_string_lossy();
        let (option, value) = match text.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option.to_owned(), value),
            _ if before.starts_with("--") => (before, text.as_ref()),
            _ => (format!("number {place}"), text.as_ref()),
        };
        if holds_password(value) {
            found.push(option);
        }
        before = text.into_owned();
    }
    found
}

/// The configuration file, if one is named.
fn named_file(arguments: &[OsString]) -> Option<PathBuf> {
    let option = format!("--{}", config_file::OPTION);
    let mut all = arguments.iter();
    while let Some(argument) = all.next() {
        let text = argument.to_string_lossy();
        if text == option {
            return all.next().map(PathBuf::from);
        }
        if let Some(path) = text.strip_prefix(&option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(PathBuf::from(path));
        }
    }
    variable(CONFIG_FILE).map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "here the environment is read")]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Options of `agent`.
#[derive(Args, Debug)]
pub struct Agent {
    /// The file that says what the command line does not.
    #[command(flatten)]
    pub file: ConfigFile,
    /// The overview's address.
    #[arg(long, env = "CLUSTER_OVERVIEW_OVERVIEW")]
    pub overview: String,
    /// The file with the join token.
    #[arg(long, env = "CLUSTER_OVERVIEW_TOKEN_FILE")]
    pub token_file: PathBuf,
    /// Where this server's own credential is kept; default: beside the token file. With two components each
    /// has a file: its role is added to the name.
    #[arg(long, env = "CLUSTER_OVERVIEW_CREDENTIAL_FILE")]
    pub credential_file: Option<PathBuf>,
    /// With an overview over TLS: the certificates to trust, a PEM file; default: those of the web.
    #[arg(long, env = "CLUSTER_OVERVIEW_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Which components it beats for: web, service, or both.
    #[arg(long, env = "CLUSTER_OVERVIEW_ROLE", value_parser = role, value_delimiter = ',', default_value = "service")]
    pub role: Vec<Role>,
    /// For a product that cannot be changed: an address that says whether it is well, such as
    /// `http://127.0.0.1:8080/health/json`. It beats with each good answer, and takes the version from it.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROBE", conflicts_with = "probe_command")]
    pub probe: Option<String>,
    /// The same by a command of the shell: exit code 0 says that all is well.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROBE_COMMAND")]
    pub probe_command: Option<String>,
    /// What it says of itself.
    #[command(flatten)]
    pub node: Node,
}

fn max_servers(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| "must be a whole number from 1 to 1000000".to_owned())
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "must be web or service".to_owned())
}

/// Options of `key accept`.
#[derive(Args, Debug)]
pub struct AcceptKey {
    /// The key check's first digits, as the overview shows them: 8 to 64.
    #[arg(value_parser = digits)]
    pub digits: String,
    /// Where the facts are kept.
    #[command(flatten)]
    pub database: Database,
    /// Which key: encryption or machine.
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

/// Options of `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// The overview's address.
    #[arg(long, env = "CLUSTER_OVERVIEW_OVERVIEW")]
    pub overview: String,
    /// The file with a viewer's token, where the overview wants one.
    #[arg(long, env = "CLUSTER_OVERVIEW_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// With an overview over TLS: the certificates to trust, a PEM file; default: those of the web.
    #[arg(long, env = "CLUSTER_OVERVIEW_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// The overview as JSON.
    #[arg(long, conflicts_with = "line")]
    pub json: bool,
    /// One line, with counts after a bar, as monitoring plug-ins say it.
    #[arg(long)]
    pub line: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_command_can_be_asked_for() {
        super::CommandLine::command().debug_assert();
    }

    #[test]
    fn help_shows_no_value_of_the_environment() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments().filter(|arg| arg.get_env().is_some()) {
                assert!(arg.is_hide_env_values_set(), "{} {}", command.get_name(), arg.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&super::without_values(super::CommandLine::command()));
    }

    #[test]
    fn a_password_in_an_argument_is_found_wherever_it_stands() {
        let found = |arguments: &[&str]| {
            super::passwords_in(&arguments.iter().map(std::convert::Into::into).collect::<Vec<_>>())
        };
        let address = "postgres://ann:secret@db/overview";
        assert_eq!(found(&["program", "serve", "--database", address]), ["--database"]);
        assert_eq!(found(&["program", "serve", &format!("--database={address}")]), ["--database"]);
        assert_eq!(found(&["program", "agent", "--probe=http://a:b@c/health"]), ["--probe"]);
        assert_eq!(found(&["program", "x", "postgres://db/o?password=secret"]), ["number 2"]);
        for harmless in [
            "postgres://ann@db/overview",
            "sqlite:a.db",
            "https://product:8443/overview?mail=ann@example",
            "[::1]:3000",
        ] {
            assert!(found(&["program", "serve", "--database", harmless]).is_empty(), "{harmless}");
        }
    }
}

//! The command `serve`: the web server.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use app::cluster::Role;
use app::cluster::Source;
use tokio::net::TcpListener;

use super::listen::{address, announce, bind, require_loopback, stop_signal};
use super::this_server::{
    ThisServer, package_version, server_name, warn_about_host_name, warn_if_key_is_world_readable,
    warn_if_world_readable,
};
use super::{Failure, args};
use crate::agent::host;
use crate::auth::proxy::trusted::TrustedProxies;
use crate::auth::secret::{SecretError, SecretHash, create_if_missing, read_join_token};
use crate::auth::{AuthMode, AuthPolicy, startup_warnings};
use crate::files::key::KeySource;
use crate::files::reloaded::ReloadedFile;
use crate::net::listener::Listener;
use crate::net::tls::Tls;
use crate::notify::{Channels, PublicUrl};
use crate::self_report::SelfReport;
use crate::site::branding::{Branding, BrandingError};
use crate::site::{FollowedFiles, Options, Site, base_path};
use crate::store::Store;

pub(super) async fn run(options: args::Serve) -> Result<(), Failure> {
    let auth = policy(&options.access, options.listen.address)?;
    let base = base_path::parse(&options.base_path)?;
    let name = server_name(options.node.name.as_deref())?.to_string();
    warn_if_key_is_world_readable(&options.node);
    let own = own(&options)?;
    let tls = tls(&options)?;
    for reason in startup_warnings::sign_in_problems(&auth, options.listen.address, tls.is_some()) {
        tracing::warn!("{reason}");
    }
    let branding = options.branding.path.as_deref().map(branding_file).transpose()?;
    let channels = options.notifications.path.as_deref().map(Channels::read).transpose()?;
    let database = options.database.address;
    Store::check_owner(&database)?;
    let join_token = join_token(options.join_token_file.as_deref(), &database)?;
    let socket = bind(options.listen.address)?;
    let public_url = match options.notifications.page.public_url {
        Some(given) => given,
        None => default_public_url(&socket, tls.is_some(), &base, channels.is_some())?,
    };
    let site = Site::open(Options {
        database,
        join_token: join_token.as_ref().map(|file| file.get()).transpose()?,
        auth,
        base: base.clone(),
        admin_url: options.admin_url,
        language: options.language,
        hsts: options.hsts,
        tls: tls.clone(),
        frame_ancestors: options.frame_ancestors,
        branding: branding.as_ref().map(|file| file.get()).transpose()?.unwrap_or_default(),
        max_servers: options.max_servers,
        keep_history: options.keep_history,
        channels: channels.unwrap_or_default(),
        ping_url: options.notifications.ping_url,
        public_url: Some(public_url),
        own,
        dials_as: Some(name),
        dial_loopback: options.dialling.loopback,
    })
    .await?;
    site.follow_files(FollowedFiles { join_token, branding });
    let listener = Listener { socket, tls };
    if options.access.auth == args::Auth::Password {
        let address = address(&listener, &base)?;
        if site.is_blind() {
            let site = Arc::clone(&site);
            tokio::spawn(async move {
                site.wait_until_readable().await;
                if let Err(error) = create_setup_code(&site, &address).await {
                    tracing::error!(%error, "cannot create a set-up code for the first admin; restart `serve` to try again");
                }
            });
        } else {
            create_setup_code(&site, &address).await?;
        }
    }
    announce(&listener, &base)?;
    // On loopback the other web servers cannot reach this process.
    if !options.listen.address.ip().is_loopback() {
        site.open_messenger(options.node.messenger_port).await;
    }
    crate::serve(listener, site, stop_signal()?).await;
    Ok(())
}

fn policy(access: &args::Access, address: SocketAddr) -> Result<AuthPolicy, Failure> {
    let proxies = TrustedProxies::parse(&access.trusted_proxies)
        .map_err(|error| format!("--trusted-proxies: {error}"))?;
    let mode = match access.auth {
        args::Auth::None => {
            require_loopback(address)?;
            AuthMode::Open
        }
        args::Auth::Password => AuthMode::Password,
        args::Auth::Proxy if proxies.is_empty() => {
            return Err(
                "--auth proxy needs the addresses of the proxies: give them with --trusted-proxies"
                    .into(),
            );
        }
        args::Auth::Proxy => AuthMode::Proxy {
            user: access.proxy_user_header.clone(),
            role: access.proxy_role_header.clone(),
        },
    };
    Ok(AuthPolicy {
        mode,
        proxies,
        require_enrolment: access.require_enrolment,
        metrics_public: access.metrics_public,
    })
}

/// Prints a set-up code if there is no admin yet, and a link that has it in its fragment. `address`: of the page.
async fn create_setup_code(site: &Site, address: &str) -> Result<(), Failure> {
    if let Some(code) = site.create_setup_code().await? {
        let (code, mut out) = (code.reveal(), std::io::stdout());
        writeln!(
            out,
            "There is no admin yet. Set-up code for the first admin, valid for one hour: {code}"
        )?;
        writeln!(out, "The sign-in page with this code: {address}/sign-in#{code}")?;
    }
    Ok(())
}

/// The URL of the page by this host's name. A proxy, or other names of this host, cannot be known.
fn default_public_url(
    socket: &TcpListener,
    is_encrypted: bool,
    base: &str,
    has_channels: bool,
) -> std::io::Result<PublicUrl> {
    let url = PublicUrl::of_listener(is_encrypted, socket.local_addr()?.port(), base);
    if has_channels {
        tracing::warn!(
            "messages link to {url}, by this host's name; if people open the page at another address, set --public-url"
        );
    }
    Ok(url)
}

fn branding_file(path: &Path) -> Result<Arc<ReloadedFile<Branding, BrandingError>>, BrandingError> {
    ReloadedFile::open(path, Branding::read).map(Arc::new)
}

fn tls(options: &args::Serve) -> Result<Option<Tls>, Failure> {
    match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Ok(Some(Tls::from_files(certificate, key)?)),
        _ => Ok(None),
    }
}

fn own(options: &args::Serve) -> Result<Option<(SelfReport, Vec<Role>)>, Failure> {
    let roles: BTreeSet<Role> =
        options.report_self.iter().filter_map(|report| report.role()).collect();
    // These options must be valid even if nothing is reported.
    let ThisServer { server, product, version, os, key_file } =
        ThisServer::from_options(&options.node)?;
    if roles.is_empty() {
        return Ok(None);
    }
    warn_about_host_name(&options.node);
    let source = if version.is_some() { Source::Own } else { Source::Observer };
    // An address of the documentation network: it is routed like any other, and nothing is sent to it.
    let remote = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9));
    let identity = SelfReport {
        server,
        product: product.or_else(|| version.is_none().then(|| "Cluster Overview".to_owned())),
        version: version.unwrap_or_else(package_version),
        os,
        ip: options
            .node
            .ip
            .or_else(|| host::address_towards(remote))
            .unwrap_or(options.listen.address.ip()),
        key: key_file.map(KeySource::File),
        source,
    };
    Ok(Some((identity, roles.into_iter().collect())))
}

/// The join token in a file, as a hash.
type JoinTokenFile = Arc<ReloadedFile<SecretHash, SecretError>>;

/// The join token of a file. Without the option it is in a file next to the SQLite database, which the first start writes. Web
/// servers that share a PostgreSQL database use the tokens in it.
fn join_token(given: Option<&Path>, database: &str) -> Result<Option<JoinTokenFile>, Failure> {
    if let Some(path) = given {
        warn_if_world_readable(path, "the join token");
        return Ok(Some(Arc::new(ReloadedFile::open(path, read_join_token)?)));
    }
    let Some(path) = Store::path(database) else {
        writeln!(
            std::io::stdout(),
            "Agents need a join token: create one with `cluster-overview token create --role join --name agents`"
        )?;
        return Ok(None);
    };
    let path = Store::join_token_file(&path);
    let verb = if create_if_missing(&path)? { "was written to" } else { "is in" };
    let token = ReloadedFile::open(&path, read_join_token)?;
    let path = std::path::absolute(&path).unwrap_or(path);
    writeln!(std::io::stdout(), "The join token for agents {verb} {}", path.display())?;
    Ok(Some(Arc::new(token)))
}

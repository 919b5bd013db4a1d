//! The command line: what each command needs, and how it ends.

mod people;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use app::cluster::facts::{Reporter, check_text};
use app::cluster::{Os, Role, ServerName};
use cluster_overview::access::origin::Proxies;
use cluster_overview::access::secret::{
    Hash, SecretError, join_token_in_file, make_if_absent, read_secret,
};
use cluster_overview::access::{Mode, Policy, composed, kept_out};
use cluster_overview::agent::{Agent, Facts, Proof};
use cluster_overview::branding::{Branding, BrandingError};
use cluster_overview::client::Client;
use cluster_overview::credential::Credential;
use cluster_overview::demo::Demo;
use cluster_overview::files::kept::Kept;
use cluster_overview::files::key::{KeyFile, KeySource, key_file};
use cluster_overview::listen::tls::Tls;
use cluster_overview::listen::{self, Listener};
use cluster_overview::messenger::Voice;
use cluster_overview::own::Identity;
use cluster_overview::probe::Probe;
use cluster_overview::store::Store;
use cluster_overview::store::beside::{Accepted, Beside};
use cluster_overview::{FollowedFiles, Options, Site, base_path, config, files, node, report};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("warn,cluster_overview=info"))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let told = match config::CommandLine::read() {
        Ok(told) => told,
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match told.command {
        config::Command::Serve(options) => serve(*options).await.map(|()| ExitCode::SUCCESS),
        config::Command::Agent(options) => agent(*options).await.map(|()| ExitCode::SUCCESS),
        config::Command::Status(options) => return status(&options),
        config::Command::Demo(options) => demo(options).await.map(|()| ExitCode::SUCCESS),
        config::Command::Key(config::Key::Accept(options)) => {
            accept_key(options).await.map(|()| ExitCode::SUCCESS)
        }
        config::Command::Token(command) => people::token(command).await.map(|()| ExitCode::SUCCESS),
        config::Command::Admin(command) => people::admin(command).await.map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("cluster-overview: {error}");
        ExitCode::FAILURE
    })
}

async fn serve(options: config::Serve) -> Result<(), Failure> {
    let access = policy(&options.access, options.listen.address)?;
    let base = base_path::parse(&options.base_path)?;
    let name = server_name(options.node.name.as_deref())?.to_string();
    warn_of_key(&options.node);
    let own = own(&options)?;
    let tls = tls(&options)?;
    for reason in kept_out::reasons(&access, options.listen.address, tls.is_some()) {
        tracing::warn!("{reason}");
    }
    let branding = options.branding.path.as_deref().map(branding_file).transpose()?;
    let database = options.database.address;
    Store::check_owner(&database)?;
    let join_token = join_token(options.join_token_file.as_deref(), &database)?;
    let socket = listen(options.listen.address)?;
    let site = Site::open(Options {
        database,
        join_token: join_token.as_ref().map(|file| file.get()).transpose()?,
        access,
        base: base.clone(),
        admin_url: options.admin_url,
        language: options.language,
        hsts: options.hsts,
        frame_ancestors: options.frame_ancestors,
        branding: branding.as_ref().map(|file| file.get()).transpose()?.unwrap_or_default(),
        max_servers: options.max_servers,
        own,
        dials_as: Some(name),
        dial_loopback: options.dialling.loopback,
    })
    .await?;
    site.follow_files(FollowedFiles { join_token, branding });
    if options.access.auth == config::Auth::Password {
        if site.is_blind() {
            let site = Arc::clone(&site);
            tokio::spawn(async move {
                site.in_sight().await;
                if let Err(error) = offer_setup(&site).await {
                    tracing::error!(%error, "no set-up code could be offered; start again for one");
                }
            });
        } else {
            offer_setup(&site).await?;
        }
    }
    let listener = Listener { socket, tls };
    announce(&listener, &base)?;
    // Who is reached on this machine alone is not dialled from another.
    if !options.listen.address.ip().is_loopback() {
        site.listen_as_service(options.node.messenger_port).await;
    }
    cluster_overview::serve(listener, site, asked_to_stop()?).await;
    Ok(())
}

async fn demo(options: config::Demo) -> Result<(), Failure> {
    refuse_strangers(options.listen.address)?;
    // Asked to stop from here on, it still removes what it made.
    let stop = asked_to_stop()?;
    let listener = Listener::from(listen(options.listen.address)?);
    let branding = options.branding.path.as_deref().map(Branding::read).transpose()?;
    let demo = Demo::open(branding.unwrap_or_default()).await?;
    announce(&listener, "")?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "A demo: a simulated cluster that shows everything there is within two minutes, again and again. Nothing of it is kept."
    )?;
    out.flush()?;
    demo.serve(listener, stop).await;
    Ok(())
}

/// Who may ask for what, as the command line has it.
fn policy(access: &config::Access, address: SocketAddr) -> Result<Policy, Failure> {
    let proxies = Proxies::parse(&access.trusted_proxies)
        .map_err(|wrong| format!("--trusted-proxies: {wrong}"))?;
    let mode = match access.auth {
        config::Auth::None => {
            refuse_strangers(address)?;
            Mode::Open
        }
        config::Auth::Password => Mode::Password,
        config::Auth::Proxy if proxies.is_empty() => {
            return Err("--auth proxy believes only proxies that are named: give their addresses with --trusted-proxies".into());
        }
        config::Auth::Proxy => Mode::Proxy {
            user: access.proxy_user_header.clone(),
            role: access.proxy_role_header.clone(),
        },
    };
    Ok(Policy {
        mode,
        proxies,
        require_enrolment: access.require_enrolment,
        metrics_public: access.metrics_public,
    })
}

/// Prints the code that makes the first admin, while there is none.
async fn offer_setup(site: &Site) -> Result<(), Failure> {
    if let Some(code) = site.offer_setup().await? {
        writeln!(
            std::io::stdout(),
            "There is no admin yet. Set-up code for the first admin, good for one hour: {}",
            code.reveal()
        )?;
    }
    Ok(())
}

fn refuse_strangers(address: SocketAddr) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(format!(
        "refusing to listen on {address}: nobody signs in (--auth none), so whoever reached this address could change the cluster's settings; listen on 127.0.0.1 or [::1], or let people sign in with --auth password"
    )
    .into())
}

fn branding_file(path: &Path) -> Result<Arc<Kept<Branding, BrandingError>>, BrandingError> {
    Kept::open(path, Branding::read).map(Arc::new)
}

fn tls(options: &config::Serve) -> Result<Option<Tls>, Failure> {
    match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Ok(Some(Tls::of(certificate, key)?)),
        _ => Ok(None),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    Ok(listen::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?)
}

/// Says where the page is, once it can be asked for.
fn announce(listener: &Listener, base: &str) -> std::io::Result<()> {
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    let mut out = std::io::stdout();
    writeln!(out, "Cluster Overview at {scheme}://{}{base}/", listener.socket.local_addr()?)?;
    out.flush()
}

/// What the command line says of this server, checked.
struct Said {
    server: ServerName,
    product: Option<String>,
    version: Option<String>,
    os: Os,
    key_file: Option<KeyFile>,
}

impl Said {
    fn of(node: &config::Node) -> Result<Self, Failure> {
        Ok(Self {
            server: server_name(node.name.as_deref())?,
            product: label("--product", node.product.as_deref())?,
            version: label("--product-version", node.product_version.as_deref())?,
            os: node::os(),
            key_file: node.encryption_key_file.as_deref().map(key_file).transpose()?,
        })
    }
}

/// The version of a component whose product's version nobody gave.
fn own_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

fn own(options: &config::Serve) -> Result<Option<(Identity, Vec<Role>)>, Failure> {
    let roles: BTreeSet<Role> =
        options.report_self.iter().filter_map(|report| report.role()).collect();
    // What cannot be used is refused, whether it is reported or not.
    let Said { server, product, version, os, key_file } = Said::of(&options.node)?;
    if roles.is_empty() {
        return Ok(None);
    }
    warn_of_name(&options.node);
    let reporter = if version.is_some() { Reporter::Own } else { Reporter::Observer };
    // The documentation network: routed like any other, and nothing is sent there.
    let elsewhere = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 9));
    let identity = Identity {
        server,
        product: product.or_else(|| version.is_none().then(|| "Cluster Overview".to_owned())),
        version: version.unwrap_or_else(own_version),
        os,
        ip: options
            .node
            .ip
            .or_else(|| node::address_towards(elsewhere))
            .unwrap_or(options.listen.address.ip()),
        key: key_file.map(KeySource::File),
        reporter,
    };
    Ok(Some((identity, roles.into_iter().collect())))
}

/// Says once that others than who should can read a secret.
fn warn_if_everybody_reads(path: &Path, what: &str) {
    if let Some(mode) = files::mode_if_everybody_reads(path) {
        tracing::warn!(
            "every account of this machine can read {what} in {} (mode {mode:o}); set its mode to 600, or to 640 for a group",
            path.display()
        );
    }
}

/// Warns where the host's name stands for the server's and is no good name for one.
fn warn_of_name(node: &config::Node) {
    if node.name.is_some() {
        return;
    }
    let host_name = node::host_name().unwrap_or_default();
    if let Some(why) = node::unsuitable(&host_name) {
        tracing::warn!(host_name, "{why}: give this server a name of its own with --name");
    }
}

/// The same of the encryption key, if one is named.
fn warn_of_key(node: &config::Node) {
    if let Some(path) = &node.encryption_key_file {
        warn_if_everybody_reads(path, "the encryption key");
    }
}

/// A file with the hash of the join token in it.
type JoinTokenFile = Arc<Kept<Hash, SecretError>>;

/// What agents prove themselves with at first contact. Beside a file there is a file for it, made at
/// the first start; web servers that share a database share the tokens in it.
fn join_token(given: Option<&Path>, database: &str) -> Result<Option<JoinTokenFile>, Failure> {
    if let Some(path) = given {
        warn_if_everybody_reads(path, "the join token");
        return Ok(Some(Arc::new(Kept::open(path, join_token_in_file)?)));
    }
    let Some(path) = Store::path(database) else {
        writeln!(
            std::io::stdout(),
            "Agents join with a token: `cluster-overview token create --role join --name agents` makes one"
        )?;
        return Ok(None);
    };
    let path = Store::join_token_file(&path);
    let verb = if make_if_absent(&path)? { "written to" } else { "in" };
    let token = Kept::open(&path, join_token_in_file)?;
    let path = std::path::absolute(&path).unwrap_or(path);
    writeln!(std::io::stdout(), "Join token for agents {verb} {}", path.display())?;
    Ok(Some(Arc::new(token)))
}

async fn agent(options: config::Agent) -> Result<(), Failure> {
    warn_of_name(&options.node);
    warn_if_everybody_reads(&options.token_file, "the join token");
    warn_of_key(&options.node);
    let probe = probe(&options)?;
    let roles: BTreeSet<Role> = options.role.iter().copied().collect();
    let alone = roles.len() == 1;
    let mut agents = tokio::task::JoinSet::new();
    for role in roles {
        let agent = one_agent(&options, role, alone, probe.clone()).await?;
        agents.spawn(agent.run(asked_to_stop()?));
    }
    agents.join_all().await;
    Ok(())
}

/// How the product is asked, if it is.
fn probe(options: &config::Agent) -> Result<Option<Probe>, Failure> {
    let address = options.probe.as_deref().map(Probe::of_address).transpose();
    let address = address.map_err(|wrong| format!("--probe {wrong}"))?;
    Ok(address.or_else(|| options.probe_command.clone().map(Probe::Command)))
}

/// What beats for one component.
async fn one_agent(
    options: &config::Agent,
    role: Role,
    alone: bool,
    probe: Option<Probe>,
) -> Result<Agent, Failure> {
    let Said { server, product, version, os, key_file } = Said::of(&options.node)?;
    let facts = Facts {
        server: server.to_string(),
        role,
        product,
        told_version: version.is_some(),
        version: version.unwrap_or_else(own_version),
        os,
        ip: options.node.ip,
        key_file,
    };
    let path = match &options.credential_file {
        Some(path) if alone => path.clone(),
        // Each component's agent renews its own.
        Some(path) => path.with_added_extension(role.as_str()),
        None => Credential::path_beside(&options.token_file, &facts.server, facts.role),
    };
    let proof = Proof::of(&options.token_file, path, &facts.server)?;
    let client = Client::new(&options.overview, options.ca_file.as_deref())?;
    // A product that is only asked has no voice: the agent's own would say nothing of it.
    let voice = if probe.is_none() { voice(&options.node, &facts).await } else { None };
    let agent = Agent::new(client, proof, facts, voice);
    Ok(match probe {
        Some(probe) => agent.asking(probe),
        None => agent,
    })
}

/// The messenger of a service. It is nonessential: without it heartbeats go on.
async fn voice(node: &config::Node, facts: &Facts) -> Option<Voice> {
    if facts.role != Role::Service {
        return None;
    }
    Some(Voice::open(node.messenger_port, &facts.server).await)
}

fn status(options: &config::Status) -> ExitCode {
    let asked = || -> Result<serde_json::Value, Failure> {
        if let Some(path) = options.token_file.as_deref().filter(|_| !options.line) {
            warn_if_everybody_reads(path, "the token");
        }
        let token = options.token_file.as_deref().map(read_secret).transpose()?;
        Ok(Client::new(&options.overview, options.ca_file.as_deref())?
            .get("/api/v1/overview", token.as_deref())?)
    };
    match asked() {
        Ok(overview) => {
            let said = match options {
                config::Status { json: true, .. } => report::json(&overview),
                config::Status { line: true, .. } => report::line(&overview),
                config::Status { .. } => report::text(&overview),
            };
            // A reader that has gone needs no answer; the exit code still tells.
            let _ = std::io::stdout().write_all(said.as_bytes());
            ExitCode::from(report::exit_code(&overview))
        }
        Err(error) if options.line => {
            // Whoever runs a plug-in reads its output alone.
            let _ = std::io::stdout().write_all(report::unknown(&error.to_string()).as_bytes());
            ExitCode::from(report::UNKNOWN)
        }
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            ExitCode::from(report::UNKNOWN)
        }
    }
}

async fn accept_key(options: config::AcceptKey) -> Result<(), Failure> {
    let database = Beside::open(&options.database.address).await?;
    let Accepted { check, already, differing } =
        database.accept_key(options.kind, &options.digits).await?;
    let (kind, check) = (options.kind.as_str(), check.short());
    let mut out = std::io::stdout();
    if already {
        writeln!(out, "The cluster's {kind} key was {check} already; nothing was changed.")?;
    } else {
        writeln!(out, "Accepted {check} as the cluster's {kind} key.")?;
    }
    if differing.is_empty() {
        writeln!(out, "No server differs from it.")?;
    } else {
        let names: Vec<&str> = differing.iter().map(ServerName::as_str).collect();
        writeln!(out, "These servers now differ from it: {}.", names.join(", "))?;
    }
    Ok(())
}

fn server_name(given: Option<&str>) -> Result<ServerName, Failure> {
    let name = given
        .map(str::to_owned)
        .or_else(node::host_name)
        .ok_or("this machine has no host name; give one with --name")?;
    // A name from macOS is the same server as one from elsewhere.
    let name = composed(&name);
    ServerName::parse(&name).map_err(|wrong| format!("the server name {name:?} {wrong}").into())
}

fn label(option: &str, given: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = given else { return Ok(None) };
    check_text(text, 1, 100).map_err(|wrong| format!("{option} {wrong}"))?;
    Ok(Some(text.to_owned()))
}

/// Resolves when the process is asked to stop: SIGTERM, or SIGINT at a terminal.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

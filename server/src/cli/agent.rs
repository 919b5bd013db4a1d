//! The command `agent`: sends the heartbeats of a server.

use std::collections::BTreeSet;

use app::cluster::Role;

use super::listen::stop_signal;
use super::this_server::{
    ThisServer, package_version, warn_about_host_name, warn_if_key_is_world_readable,
    warn_if_world_readable,
};
use super::{Failure, args};
use crate::agent::api_client::Client;
use crate::agent::credential_file::Credential;
use crate::agent::health_probe::Probe;
use crate::agent::{Agent, AgentAuth, Facts};
use crate::messenger::MessengerListener;

pub(super) async fn run(options: args::Agent) -> Result<(), Failure> {
    warn_about_host_name(&options.node);
    warn_if_world_readable(&options.token_file, "the join token");
    warn_if_key_is_world_readable(&options.node);
    let probe = probe(&options)?;
    let roles: BTreeSet<Role> = options.role.iter().copied().collect();
    let is_only_role = roles.len() == 1;
    let mut agents = tokio::task::JoinSet::new();
    for role in roles {
        let agent = agent_for(&options, role, is_only_role, probe.clone()).await?;
        agents.spawn(agent.run(stop_signal()?));
    }
    agents.join_all().await;
    Ok(())
}

fn probe(options: &args::Agent) -> Result<Option<Probe>, Failure> {
    let address = options.probe.as_deref().map(Probe::from_url).transpose();
    let address = address.map_err(|error| format!("--probe {error}"))?;
    Ok(address.or_else(|| options.probe_command.clone().map(Probe::Command)))
}

/// The agent of one component.
async fn agent_for(
    options: &args::Agent,
    role: Role,
    is_only_role: bool,
    probe: Option<Probe>,
) -> Result<Agent, Failure> {
    let ThisServer { server, product, version, os, key_file } =
        ThisServer::from_options(&options.node)?;
    let facts = Facts {
        server: server.to_string(),
        role,
        product,
        is_version_fixed: version.is_some(),
        version: version.unwrap_or_else(package_version),
        os,
        ip: options.node.ip,
        key_file,
    };
    let path = match &options.credential_file {
        Some(path) if is_only_role => path.clone(),
        // Each component enrols and renews on its own, so each needs a file.
        Some(path) => path.with_added_extension(role.as_str()),
        None => Credential::default_path(&options.token_file, &facts.server, facts.role),
    };
    let auth = AgentAuth::read(&options.token_file, path, &facts.server)?;
    let client = Client::new(&options.overview, options.ca_file.as_deref())?;
    // The messenger reports on the agent's own process. With a probe the product is another process, so there is none.
    let messenger = if probe.is_none() { messenger(&options.node, &facts).await } else { None };
    let agent = Agent::new(client, auth, facts, messenger);
    Ok(match probe {
        Some(probe) => agent.with_probe(probe),
        None => agent,
    })
}

/// The messenger of a service; `None` for a web component.
async fn messenger(node: &args::Node, facts: &Facts) -> Option<MessengerListener> {
    if facts.role != Role::Service {
        return None;
    }
    Some(MessengerListener::open(node.messenger_port, &facts.server).await)
}

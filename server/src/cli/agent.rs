//! The command `agent`: sends the heartbeats of a server.

use std::collections::BTreeSet;

use app::cluster::Role;

use super::listen::asked_to_stop;
use super::this_server::{
    ThisServer, package_version, warn_if_everybody_reads, warn_of_key, warn_of_name,
};
use super::{Failure, args};
use crate::agent::api_client::Client;
use crate::agent::credential_file::Credential;
use crate::agent::health_probe::Probe;
use crate::agent::{Agent, Facts, Proof};
use crate::messenger::MessengerListener;

pub(super) async fn run(options: args::Agent) -> Result<(), Failure> {
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
fn probe(options: &args::Agent) -> Result<Option<Probe>, Failure> {
    let address = options.probe.as_deref().map(Probe::of_address).transpose();
    let address = address.map_err(|wrong| format!("--probe {wrong}"))?;
    Ok(address.or_else(|| options.probe_command.clone().map(Probe::Command)))
}

/// What beats for one component.
async fn one_agent(
    options: &args::Agent,
    role: Role,
    alone: bool,
    probe: Option<Probe>,
) -> Result<Agent, Failure> {
    let ThisServer { server, product, version, os, key_file } =
        ThisServer::from_options(&options.node)?;
    let facts = Facts {
        server: server.to_string(),
        role,
        product,
        told_version: version.is_some(),
        version: version.unwrap_or_else(package_version),
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
async fn voice(node: &args::Node, facts: &Facts) -> Option<MessengerListener> {
    if facts.role != Role::Service {
        return None;
    }
    Some(MessengerListener::open(node.messenger_port, &facts.server).await)
}

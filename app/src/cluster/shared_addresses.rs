//! Which living server reports from the address of another one?

use super::boot::Address;
use super::health::{ComponentStatus, Overview};
use super::server_name::ServerName;

/// Loopback, link-local, and the network in which Docker numbers containers in the order of their starts: an
/// address there says nothing about which machine it is.
const SAYS_NOTHING: [&str; 8] = ["127.", "169.254.", "172.17.", "::1", "fe8", "fe9", "fea", "feb"];

/// The living servers at some addresses: of each the first two by name, and how many there are.
pub(super) struct SharedAddresses<'a>(Vec<(&'a Address, Servers<'a>)>);

#[derive(Default)]
struct Servers<'a> {
    first: Option<&'a ServerName>,
    second: Option<&'a ServerName>,
    count: usize,
}

impl<'a> SharedAddresses<'a> {
    /// At the addresses of these components: one look at all servers.
    pub(super) fn find(
        overview: &'a Overview,
        asked: impl Iterator<Item = &'a ComponentStatus>,
    ) -> Self {
        let mut found: Vec<(&Address, Servers<'_>)> = Vec::new();
        for address in
            asked.map(|status| &status.component.facts.ip).filter(|ip| identifies_machine(ip))
        {
            if find(&found, address).is_none() {
                found.push((address, Servers::default()));
            }
        }
        for server in &overview.servers {
            let mut before = None;
            for status in &server.components {
                let counts = status.live && !status.component.is_observer();
                let known = find(&found, &status.component.facts.ip).filter(|_| counts);
                // Both components of a server usually report from one address.
                if known.is_some() && before.replace(known) != Some(known) {
                    let at = known.and_then(|place| found.get_mut(place));
                    if let Some((_, servers)) = at {
                        servers.count += 1;
                        match servers.count {
                            1 => servers.first = Some(&server.name),
                            2 => servers.second = Some(&server.name),
                            _ => {}
                        }
                    }
                }
            }
        }
        Self(found)
    }

    /// The only living server at the address of a component, unless it is the same server: where one was renamed,
    /// its new name. Several share the address of a proxy or a router, and then it says nothing.
    pub(super) fn successor(&self, status: &ComponentStatus) -> Option<&'a ServerName> {
        let servers = self.at(status).filter(|servers| servers.count == 1)?;
        servers.first.filter(|name| **name != status.component.server)
    }

    /// Another living server at the address of a component.
    pub(super) fn neighbour(&self, status: &ComponentStatus) -> Option<&'a ServerName> {
        let servers = self.at(status)?;
        let mut names = [servers.first, servers.second].into_iter().flatten();
        names.find(|name| **name != status.component.server)
    }

    fn at(&self, status: &ComponentStatus) -> Option<&Servers<'a>> {
        let place = find(&self.0, &status.component.facts.ip)?;
        self.0.get(place).map(|(_, servers)| servers)
    }
}

/// They are as few as the hints that ask, so a search costs little.
fn find(among: &[(&Address, Servers<'_>)], address: &Address) -> Option<usize> {
    among.iter().position(|(known, _)| *known == address)
}

pub(super) fn identifies_machine(address: &Address) -> bool {
    !SAYS_NOTHING.iter().any(|begin| address.as_str().starts_with(begin))
}

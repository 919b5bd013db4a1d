//! The addresses of trusted proxies.

use std::net::IpAddr;

use ipnet::IpNet;

/// The networks of the proxies whose headers are believed. The headers of all others are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads networks and single addresses.
    ///
    /// # Errors
    /// A sentence that names the first text that is neither.
    pub fn parse(networks: &[String]) -> Result<Self, String> {
        let parse = |text: &String| {
            let text = text.trim();
            text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(
                |_| format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"),
            )
        };
        networks.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

//! Warns of proxies that `--trusted-proxies` does not name: all clients behind one have its address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::auth::origin::RequestOrigin;
use crate::auth::rate_limit::client_network;
use crate::clock::Stopwatch;

/// Between two warnings of one address.
const WARNING_INTERVAL: Duration = Duration::from_hours(1);
/// How many addresses are warned of within that time, because anybody can send such a header.
const MAX_ADDRESSES: usize = 20;

/// The addresses of the last warnings.
#[derive(Debug, Default)]
pub(crate) struct UnnamedProxyWarning(Mutex<HashMap<IpAddr, Stopwatch>>);

impl UnnamedProxyWarning {
    /// Logs a warning if the peer seems to be such a proxy.
    pub(crate) fn notice(&self, origin: &RequestOrigin) {
        let (Some(header), Some(peer)) = (origin.untrusted_header, origin.peer) else { return };
        if self.is_due(peer) {
            tracing::warn!(
                address = %peer,
                header,
                "ignoring {header} from {peer}, which is not in --trusted-proxies: if {peer} is your proxy, add \
                 --trusted-proxies {peer}; until then all clients behind it count as one address"
            );
        }
    }

    fn is_due(&self, peer: IpAddr) -> bool {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = client_network(peer);
        if warned.contains_key(&key) || warned.len() >= MAX_ADDRESSES {
            warned.retain(|_, since| since.elapsed() < WARNING_INTERVAL);
        }
        let due = !warned.contains_key(&key) && warned.len() < MAX_ADDRESSES;
        if due {
            warned.insert(key, Stopwatch::start());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_is_warned_of_once_and_strangers_cannot_fill_the_log() {
        let proxies = UnnamedProxyWarning::default();
        let warnings = |last: u8| proxies.is_due([192, 0, 2, last].into());
        assert!(warnings(1));
        assert!(!warnings(1));
        let all = (0..=255).filter(|last| warnings(*last)).count();
        assert_eq!(all, MAX_ADDRESSES - 1);
    }
}

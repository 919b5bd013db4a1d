//! Warns of proxies that `--trusted-proxies` does not name: behind one, everybody has its address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::auth::origin::Origin;
use crate::auth::rate_limit::network;
use crate::clock::Stopwatch;

/// The shortest time between two warnings of one address.
const WARNING_INTERVAL: Duration = Duration::from_hours(1);
/// How many addresses are warned of within that time: anybody can send such a header.
const MAX_ADDRESSES: usize = 20;

/// The addresses that were warned of lately.
#[derive(Debug, Default)]
pub(crate) struct UnnamedProxyWarning(Mutex<HashMap<IpAddr, Stopwatch>>);

impl UnnamedProxyWarning {
    /// Logs one warning if this request comes from a peer that seems to be such a proxy.
    pub(crate) fn notice(&self, origin: &Origin) {
        let (Some(header), Some(peer)) = (origin.unbelieved, origin.peer) else { return };
        if self.is_due(peer) {
            tracing::warn!(
                address = %peer,
                header,
                "ignoring {header} from {peer}, which is not in --trusted-proxies: if {peer} is your proxy, add \
                 --trusted-proxies {peer}; until then everybody behind it counts as one address"
            );
        }
    }

    fn is_due(&self, peer: IpAddr) -> bool {
        let mut warned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = network(peer);
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
    fn each_address_is_warned_of_once_and_strangers_fill_no_log() {
        let proxies = UnnamedProxyWarning::default();
        let warnings = |last: u8| proxies.is_due([192, 0, 2, last].into());
        assert!(warnings(1));
        assert!(!warnings(1));
        let all = (0..=255).filter(|last| warnings(*last)).count();
        assert_eq!(all, MAX_ADDRESSES - 1);
    }
}

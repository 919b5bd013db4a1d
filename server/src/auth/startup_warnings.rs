//! What will keep people out, as far as the options alone show it.

use std::net::SocketAddr;

use crate::auth::{Mode, Policy};

/// A sentence for each reason why nobody will get in, for `serve` to say at its start.
pub fn reasons(policy: &Policy, listen: SocketAddr, over_tls: bool) -> Vec<String> {
    let local = listen.ip().is_loopback();
    let proxies = &policy.proxies;
    let mut reasons = Vec::new();
    if policy.mode == Mode::Password && !local && !over_tls && proxies.is_empty() {
        reasons.push(format!(
            "nobody can sign in at http://{listen} from another machine: browsers keep a session only over HTTPS. \
             Give a certificate with --tls-cert and --tls-key, or put a proxy with HTTPS in front and name its \
             address with --trusted-proxies"
        ));
    }
    if matches!(policy.mode, Mode::Proxy { .. }) && local && !proxies.trust(listen.ip()) {
        reasons.push(format!(
            "nobody will be let in: --listen {listen} is reached from this machine alone, and --trusted-proxies \
             names no address of it. Add {}, or listen on an address that the proxy reaches",
            listen.ip()
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::proxy::trusted::Proxies;

    fn said(mode: Mode, listen: &str, over_tls: bool, proxies: &[&str]) -> usize {
        let proxies: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        let proxies = Proxies::parse(&proxies).unwrap();
        let policy = Policy { proxies, ..Policy::of(mode) };
        let listen: SocketAddr = listen.parse().unwrap();
        let reasons = reasons(&policy, listen, over_tls);
        assert!(reasons.iter().all(|reason| reason.contains(&listen.to_string())), "{reasons:?}");
        reasons.len()
    }

    #[test]
    fn what_keeps_everybody_out_is_said_and_nothing_else() {
        assert_eq!(said(Mode::Password, "192.0.2.1:3000", false, &[]), 1);
        assert_eq!(said(Mode::Password, "0.0.0.0:3000", false, &[]), 1);
        assert_eq!(said(Mode::Password, "192.0.2.1:3000", true, &[]), 0);
        assert_eq!(said(Mode::Password, "192.0.2.1:3000", false, &["192.0.2.2"]), 0);
        assert_eq!(said(Mode::Password, "127.0.0.1:3000", false, &[]), 0);
        let proxy = || Mode::Proxy {
            user: "x-forwarded-user".parse().unwrap(),
            role: "x-forwarded-role".parse().unwrap(),
        };
        assert_eq!(said(proxy(), "127.0.0.1:3000", false, &["192.0.2.2"]), 1);
        assert_eq!(said(proxy(), "127.0.0.1:3000", false, &["127.0.0.0/8"]), 0);
        assert_eq!(said(proxy(), "[::1]:3000", false, &["127.0.0.0/8"]), 1);
        assert_eq!(said(proxy(), "0.0.0.0:3000", false, &["192.0.2.2"]), 0);
    }
}

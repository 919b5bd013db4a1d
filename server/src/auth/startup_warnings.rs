//! Warnings at the start about options with which nobody can sign in.

use std::net::SocketAddr;

use crate::auth::{AuthMode, AuthPolicy};

/// One sentence for each problem.
pub fn sign_in_problems(policy: &AuthPolicy, listen: SocketAddr, over_tls: bool) -> Vec<String> {
    let local = listen.ip().is_loopback();
    let proxies = &policy.proxies;
    let mut reasons = Vec::new();
    if policy.mode == AuthMode::Password && !local && !over_tls && proxies.is_empty() {
        reasons.push(format!(
            "nobody can sign in at http://{listen} from another machine: browsers keep a session only over HTTPS. \
             Give a certificate with --tls-cert and --tls-key, or put a proxy with HTTPS in front and name its \
             address with --trusted-proxies"
        ));
    }
    if matches!(policy.mode, AuthMode::Proxy { .. }) && local && !proxies.contains(listen.ip()) {
        reasons.push(format!(
            "nobody can sign in: --listen {listen} can be reached from this machine only, and --trusted-proxies names no \
             address of it. Add {} there, or listen on an address that the proxy can reach",
            listen.ip()
        ));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::proxy::trusted::TrustedProxies;

    fn said(mode: AuthMode, listen: &str, over_tls: bool, proxies: &[&str]) -> usize {
        let proxies: Vec<String> = proxies.iter().map(ToString::to_string).collect();
        let proxies = TrustedProxies::parse(&proxies).unwrap();
        let policy = AuthPolicy { proxies, ..AuthPolicy::new(mode) };
        let listen: SocketAddr = listen.parse().unwrap();
        let reasons = sign_in_problems(&policy, listen, over_tls);
        assert!(reasons.iter().all(|reason| reason.contains(&listen.to_string())), "{reasons:?}");
        reasons.len()
    }

    #[test]
    fn options_that_keep_everybody_out_are_warned_of_and_no_others() {
        assert_eq!(said(AuthMode::Password, "192.0.2.1:3000", false, &[]), 1);
        assert_eq!(said(AuthMode::Password, "0.0.0.0:3000", false, &[]), 1);
        assert_eq!(said(AuthMode::Password, "192.0.2.1:3000", true, &[]), 0);
        assert_eq!(said(AuthMode::Password, "192.0.2.1:3000", false, &["192.0.2.2"]), 0);
        assert_eq!(said(AuthMode::Password, "127.0.0.1:3000", false, &[]), 0);
        let proxy = || AuthMode::Proxy {
            user: "x-forwarded-user".parse().unwrap(),
            role: "x-forwarded-role".parse().unwrap(),
        };
        assert_eq!(said(proxy(), "127.0.0.1:3000", false, &["192.0.2.2"]), 1);
        assert_eq!(said(proxy(), "127.0.0.1:3000", false, &["127.0.0.0/8"]), 0);
        assert_eq!(said(proxy(), "[::1]:3000", false, &["127.0.0.0/8"]), 1);
        assert_eq!(said(proxy(), "0.0.0.0:3000", false, &["192.0.2.2"]), 0);
    }
}

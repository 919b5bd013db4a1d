//! Whose pages may frame the overview?

use std::fmt;
use std::net::Ipv6Addr;

/// The origin of a page that may frame the overview, as a `Content-Security-Policy` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor(String);

impl fmt::Display for Ancestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is no origin that may frame the overview.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} {why}; name a product's origin, such as https://product.example")]
pub struct AncestorError {
    given: String,
    why: &'static str,
}

impl Ancestor {
    /// The origin `https://HOST`, `https://HOST:PORT`, or the same with `http`.
    ///
    /// # Errors
    /// Whatever would let more in than one origin: a wildcard, a scheme alone, `null`, a path.
    pub fn parse(given: &str) -> Result<Self, AncestorError> {
        let refuse = |why| Err(AncestorError { given: given.chars().take(80).collect(), why });
        let Some((scheme, rest)) = given.split_once("://") else {
            return refuse("is no origin");
        };
        if !matches!(scheme, "https" | "http") {
            return refuse("begins with neither https:// nor http://");
        }
        if rest.contains('*') {
            return refuse("has a wildcard, which would let in pages that nobody named");
        }
        if rest.contains(['/', '?', '#']) {
            return refuse("has something after the host and port");
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
            return refuse("has a port that is none");
        }
        if !is_host(host) {
            return refuse("has a host that is none");
        }
        Ok(Self(given.to_ascii_lowercase()))
    }
}

/// A name, or an address, of version 6 in brackets.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.len() <= 253 && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_maybe_a_port() {
        for given in [
            "https://product.example",
            "https://Product.Example:8443",
            "http://localhost:8080",
            "http://192.0.2.7",
            "https://[2001:db8::1]",
            "https://[2001:db8::1]:8443",
        ] {
            assert_eq!(Ancestor::parse(given).unwrap().to_string(), given.to_ascii_lowercase());
        }
    }

    #[test]
    fn whatever_would_let_in_more_is_refused_and_told_why() {
        let long = format!("https://{}.example", "a".repeat(300));
        for (given, why) in [
            ("*", "no origin"),
            ("null", "no origin"),
            ("https:", "no origin"),
            ("product.example", "no origin"),
            ("'self'", "no origin"),
            ("https://*", "wildcard"),
            ("https://*.example", "wildcard"),
            ("https://product.example:*", "wildcard"),
            ("https://product.example/", "after the host"),
            ("https://product.example/admin", "after the host"),
            ("https://product.example?x", "after the host"),
            ("https://product.example; script-src *", "wildcard"),
            ("https://product.example; default-src data:", "port"),
            ("https://product.example https://evil.example", "after the host"),
            ("https://ann@product.example", "host that is none"),
            ("https://", "host that is none"),
            ("https://product..example", "host that is none"),
            ("https://product.example:0", "port"),
            ("https://product.example:65536", "port"),
            ("https://[::1", "host that is none"),
            ("data://product.example", "begins with neither"),
            ("javascript://product.example", "begins with neither"),
            (long.as_str(), "host that is none"),
        ] {
            let said = Ancestor::parse(given).unwrap_err().to_string();
            assert!(said.contains(why), "{given}: {said}");
        }
    }
}

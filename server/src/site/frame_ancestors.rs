//! The origins whose pages may frame the overview.

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

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} {why}; give the origin of a product, such as https://product.example")]
pub struct AncestorError {
    given: String,
    why: &'static str,
}

impl Ancestor {
    /// The origin `https://HOST`, `https://HOST:PORT`, or the same with `http`.
    ///
    /// # Errors
    /// Everything that would allow more than one origin, such as a wildcard, a scheme alone, `null` or a path.
    pub fn parse(given: &str) -> Result<Self, AncestorError> {
        let reject = |why| Err(AncestorError { given: given.chars().take(80).collect(), why });
        let Some((scheme, rest)) = given.split_once("://") else {
            return reject("is not an origin");
        };
        if !matches!(scheme, "https" | "http") {
            return reject("begins with neither https:// nor http://");
        }
        if rest.contains('*') {
            return reject("has a wildcard, which would allow pages of other origins");
        }
        if rest.contains(['/', '?', '#']) {
            return reject("has something after the host and port");
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !rest.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        if port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
            return reject("has an invalid port");
        }
        if !is_host(host) {
            return reject("has an invalid host name");
        }
        Ok(Self(given.to_ascii_lowercase()))
    }
}

/// A name or an IP address; IPv6 in brackets.
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
    fn anything_that_would_allow_more_than_one_origin_is_rejected_with_the_reason() {
        let long = format!("https://{}.example", "a".repeat(300));
        for (given, why) in [
            ("*", "not an origin"),
            ("null", "not an origin"),
            ("https:", "not an origin"),
            ("product.example", "not an origin"),
            ("'self'", "not an origin"),
            ("https://*", "wildcard"),
            ("https://*.example", "wildcard"),
            ("https://product.example:*", "wildcard"),
            ("https://product.example/", "after the host"),
            ("https://product.example/admin", "after the host"),
            ("https://product.example?x", "after the host"),
            ("https://product.example; script-src *", "wildcard"),
            ("https://product.example; default-src data:", "port"),
            ("https://product.example https://evil.example", "after the host"),
            ("https://ann@product.example", "invalid host name"),
            ("https://", "invalid host name"),
            ("https://product..example", "invalid host name"),
            ("https://product.example:0", "port"),
            ("https://product.example:65536", "port"),
            ("https://[::1", "invalid host name"),
            ("data://product.example", "begins with neither"),
            ("javascript://product.example", "begins with neither"),
            (long.as_str(), "invalid host name"),
        ] {
            let said = Ancestor::parse(given).unwrap_err().to_string();
            assert!(said.contains(why), "{given}: {said}");
        }
    }
}

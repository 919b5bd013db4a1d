//! The URL at which people find the page: messages link to it.

use std::fmt;

use axum::http::Uri;
use tokio::sync::watch;

use crate::agent::host;

/// A URL of HTTP without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PublicUrl {
    /// # Errors
    /// It is not a URL of HTTP, or contains a password, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let example = "give the address of the page, such as https://overview.example.com/";
        let uri: Uri = text.parse().map_err(|_| format!("is not a URL; {example}"))?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(format!("begins with neither https:// nor http://; {example}"));
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') || text.contains(['?', '#', '<', '>', '|', '"']) {
            return Err(format!("is more than a host and a path; {example}"));
        }
        let Some(host) = uri.host().filter(|host| !host.is_empty()) else {
            return Err(format!("has no host name; {example}"));
        };
        let end = if text.ends_with('/') { "" } else { "/" };
        Ok(Self { text: format!("{text}{end}"), host: host.to_owned() })
    }

    /// The page of an overview on this machine of which nothing else is known. `base`: empty, or `/x` without a slash at its end.
    pub fn of_this_host(base: &str) -> Self {
        Self::on(&this_host(), false, None, base)
    }

    /// The page of an overview on this machine that listens on a port itself.
    pub(crate) fn of_listener(is_encrypted: bool, port: u16, base: &str) -> Self {
        Self::on(&this_host(), is_encrypted, Some(port), base)
    }

    fn on(host: &str, is_encrypted: bool, port: Option<u16>, base: &str) -> Self {
        let (scheme, usual_port) = if is_encrypted { ("https", 443) } else { ("http", 80) };
        let port = port.filter(|port| *port != usual_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Self { text: format!("{scheme}://{host}{port}{base}/"), host: host.to_owned() }
    }

    /// How messages name the cluster: by the host of its page, after the product's name if that is known.
    pub(crate) fn cluster_name(&self, product: Option<&str>) -> String {
        let host = &self.host;
        product.map_or_else(|| host.clone(), |product| format!("{product} ({host})"))
    }
}

fn this_host() -> String {
    host::host_name().unwrap_or_else(|| "localhost".to_owned())
}

/// The page that messages link to, and how they name its cluster.
#[derive(Clone, Debug)]
pub(crate) struct ClusterPage {
    pub(crate) url: PublicUrl,
    /// It changes when the branding file does.
    pub(crate) cluster: watch::Receiver<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_the_page_is_a_host_and_a_path() {
        for (text, shown) in [
            ("https://overview.example", "https://overview.example/"),
            ("http://10.0.0.1:3000/admin/cluster", "http://10.0.0.1:3000/admin/cluster/"),
        ] {
            assert_eq!(PublicUrl::parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "",
            "overview.example",
            "ftp://overview.example/",
            "https://ann:pw@overview.example/",
            "https://overview.example/?lang=de",
            "https://overview.example/#x",
            "javascript:alert(1)",
            "https://büro.example/",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cluster_is_named_by_its_product_and_host() {
        let url = PublicUrl::parse("https://a.example:8443/x").unwrap();
        assert_eq!(url.cluster_name(None), "a.example");
        assert_eq!(url.cluster_name(Some("ProGet")), "ProGet (a.example)");
    }

    #[test]
    fn the_url_that_nobody_has_given_has_port_and_base_path_of_the_overview() {
        for (is_encrypted, port, base, shown) in [
            (false, Some(3_000), "", "http://web-1:3000/"),
            (false, Some(80), "/admin/cluster", "http://web-1/admin/cluster/"),
            (true, Some(443), "", "https://web-1/"),
            (true, Some(80), "/x", "https://web-1:80/x/"),
            (false, None, "/x", "http://web-1/x/"),
        ] {
            let url = PublicUrl::on("web-1", is_encrypted, port, base);
            assert_eq!(url.to_string(), shown);
            assert_eq!(PublicUrl::parse(shown), Ok(url));
        }
    }
}

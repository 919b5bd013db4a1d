//! The URL at which people find the page: messages link to it.

use std::fmt;

use axum::http::Uri;

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

    /// The page of an overview on this machine with the default port, for whoever has named none.
    pub fn of_this_host() -> Self {
        Self::of_host(&host::host_name().unwrap_or_else(|| "localhost".to_owned()))
    }

    /// The page of an overview on this host with the default port, for whoever has named none.
    pub fn of_host(host: &str) -> Self {
        Self { text: format!("http://{host}:3000/"), host: host.to_owned() }
    }

    /// How a cluster is called that has no other name.
    pub fn host(&self) -> &str {
        &self.host
    }
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
        assert_eq!(PublicUrl::parse("https://a.example:8443/x").unwrap().host(), "a.example");
    }
}

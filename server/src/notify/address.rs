//! The address of a receiver that is told by HTTP: which ones are valid, and how they are shown.

use std::fmt;
use std::net::IpAddr;

use axum::http::Uri;

use super::failure::DeliveryFailure;
use super::fields::Fields;
use super::secret_file::SecretFile;
use crate::net::address_scope::may_connect;

const NO_SCHEME: &str = "begins with neither https:// nor http://";

/// A checked address. `Debug` and `Display` show its origin only: paths and queries of many receivers are secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Url(Uri);

impl Url {
    /// Reads an address that begins with `https://`, or with `http://` where private networks are allowed.
    pub(super) fn parse(text: &str, allow_private: bool) -> Result<Self, &'static str> {
        if !text.is_empty() && !text.contains("://") {
            return Err(NO_SCHEME);
        }
        let uri: Uri = text
            .parse()
            .map_err(|_| "is not a URL; give one that begins with https://, in plain ASCII")?;
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if allow_private => {}
            Some("http") => {
                return Err(
                    "begins with http://, which anybody on the way can read; use https://, \
                            or set allow_private = true for a receiver in a private network",
                );
            }
            _ => return Err(NO_SCHEME),
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("contains a user name or password; remove it, and use secret_file where \
                        the kind has one");
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or("has no host name")?;
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        if literal.is_ok_and(|ip| !may_connect(ip, allow_private)) {
            return Err(if allow_private {
                "is an IP address that no receiver can have"
            } else {
                "is in a private network; set allow_private = true if that is intended"
            });
        }
        Ok(Self(uri))
    }

    pub(super) fn as_uri(&self) -> &Uri {
        &self.0
    }

    pub(super) fn path(&self) -> &str {
        self.0.path()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.0.authority().map_or("", |authority| authority.as_str());
        write!(f, "{}://{authority}", self.0.scheme_str().unwrap_or_default())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({self}…)")
    }
}

/// Where a channel has the address of its receiver from.
#[derive(Clone, Debug)]
pub(super) enum Address {
    Known(Url),
    /// The address is a secret: who knows it can send messages.
    File {
        file: SecretFile,
        allow_private: bool,
    },
}

impl Address {
    /// Reads `url_file`, and `url` where the kind permits it: exactly one of them.
    pub(super) fn read(fields: &mut Fields<'_>, permits_url: bool) -> Option<Self> {
        let allow_private = fields.allow_private;
        let url = if permits_url { fields.text("url") } else { None };
        let file = fields.secret_file("url_file");
        match (url, file) {
            (Some(_), Some(_)) => {
                fields.problem("url", "cannot be used together with url_file; remove one of them");
                None
            }
            (Some(text), None) => match Url::parse(&text, allow_private) {
                Ok(url) => Some(Self::Known(url)),
                Err(why) => {
                    fields.problem("url", why);
                    None
                }
            },
            (None, Some(file)) => {
                let address = Self::File { file, allow_private };
                if let Err(error) = address.get() {
                    fields.problem("url_file", &error.to_string());
                    return None;
                }
                Some(address)
            }
            (None, None) => {
                let is_given = fields.has("url_file") || permits_url && fields.has("url");
                if !is_given {
                    let what = "is missing: the path of a file with the address of the receiver";
                    fields.problem("url_file", what);
                }
                None
            }
        }
    }

    /// The address to use now. Blocks.
    pub(super) fn get(&self) -> Result<Url, DeliveryFailure> {
        match self {
            Self::Known(url) => Ok(url.clone()),
            Self::File { file, allow_private } => {
                let text =
                    file.reveal().map_err(|error| DeliveryFailure::new(error.to_string()))?;
                Url::parse(&text, *allow_private).map_err(|why| {
                    DeliveryFailure::new(format!("the address in {} {why}", file.path().display()))
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_no_password() {
        for (text, why) in [
            ("https://hooks.example/services/T0/B0/secret", None),
            ("https://hooks.example:8443/?a=b", None),
            ("https://8.8.8.8/x", None),
            ("hooks.example/x", Some("neither")),
            ("ftp://hooks.example/x", Some("neither")),
            ("/x", Some("neither")),
            ("", Some("not a URL")),
            ("https://", Some("not a URL")),
            ("https://a b/", Some("not a URL")),
            ("https://büro.example/", Some("not a URL")),
            ("http://hooks.example/x", Some("http://")),
            ("https://ann:pw@hooks.example/x", Some("password")),
            ("https://ann@hooks.example/x", Some("user name")),
            ("https://127.0.0.1/x", Some("private network")),
            ("https://[::1]/x", Some("private network")),
            ("https://[::ffff:10.0.0.1]/x", Some("private network")),
        ] {
            match (Url::parse(text, false), why) {
                (Ok(_), None) => {}
                (Err(said), Some(why)) => assert!(said.contains(why), "{text}: {said}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert!(Url::parse("http://127.0.0.1:9093/x", true).is_ok());
        assert!(Url::parse("http://0.0.0.0/x", true).is_err());
    }

    #[test]
    fn an_address_is_shown_without_its_path() {
        let url = Url::parse("https://hooks.example:8443/services/secret?key=secret", false);
        let shown = format!("{0} {0:?}", url.unwrap());
        assert_eq!(shown, "https://hooks.example:8443 Url(https://hooks.example:8443…)");
    }
}

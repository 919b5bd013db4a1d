//! The forwarding headers of a trusted proxy: the client, the host that it asked for, and whether it used TLS.
//!
//! There are two families of headers: `X-Forwarded-For`, `-Host` and `-Proto`, and `Forwarded` (RFC 7239). Only
//! one family is read, the first one if any of its headers is there: a proxy sets the headers that it knows, and may
//! pass on the others as the client sent them.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};

use crate::auth::proxy::trusted::TrustedProxies;

/// A header, and its name as documentation writes it.
pub(crate) type Named = (HeaderName, &'static str);

pub(crate) const X_FOR: Named = (HeaderName::from_static("x-forwarded-for"), "X-Forwarded-For");
pub(crate) const X_HOST: Named = (HeaderName::from_static("x-forwarded-host"), "X-Forwarded-Host");
pub(crate) const X_PROTO: Named =
    (HeaderName::from_static("x-forwarded-proto"), "X-Forwarded-Proto");
pub(crate) const FORWARDED: Named = (HeaderName::from_static("forwarded"), "Forwarded");

/// How many entries of a list are read, from its end: each is another proxy.
const MAX_ENTRIES: usize = 50;

/// What the trusted proxies say about a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The last address that is not a trusted proxy. The client may have written everything before it.
    pub(crate) client: Option<IpAddr>,
    /// The host that the client asked for, and the header that names it.
    pub(crate) host: Option<(String, &'static str)>,
    /// Whether the client used TLS.
    pub(crate) encrypted: bool,
    /// The header whose address cannot be read.
    pub(crate) unreadable_header: Option<&'static str>,
}

impl Forwarded {
    pub(crate) fn read(headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        if [X_FOR, X_HOST, X_PROTO].iter().any(|(name, _)| headers.contains_key(name)) {
            Self::read_x_headers(headers, proxies)
        } else {
            Self::read_rfc_7239(headers, proxies)
        }
    }

    fn read_x_headers(headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let first = |(name, _): &Named| list(headers, name).next().filter(|it| !it.is_empty());
        let mut said = Self {
            host: first(&X_HOST).map(|host| (host, X_HOST.1)),
            encrypted: first(&X_PROTO).is_some_and(|scheme| is_tls(&scheme)),
            ..Self::default()
        };
        let entries: Vec<String> = list(headers, &X_FOR.0).filter(|it| !it.is_empty()).collect();
        for entry in entries.iter().rev().take(MAX_ENTRIES) {
            match address(entry) {
                Some(address) if proxies.contains(address) => {}
                Some(address) => {
                    said.client = Some(address);
                    break;
                }
                None => {
                    said.unreadable_header = Some(X_FOR.1);
                    break;
                }
            }
        }
        said
    }

    /// Host and scheme are those that the outermost trusted proxy saw.
    fn read_rfc_7239(headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let mut said = Self::default();
        let lines: Vec<String> = lines(headers, &FORWARDED.0).collect();
        let entries: Vec<&str> = lines.iter().flat_map(|line| split(line, ',')).collect();
        for entry in entries.into_iter().rev().take(MAX_ENTRIES) {
            let client = parameter(entry, "for");
            if let Some(host) = parameter(entry, "host").filter(|host| !host.is_empty()) {
                said.host = Some((host, FORWARDED.1));
            }
            if let Some(scheme) = parameter(entry, "proto") {
                said.encrypted = is_tls(&scheme);
            }
            match client.as_deref().map(address) {
                Some(Some(address)) if proxies.contains(address) => {}
                Some(Some(address)) => {
                    said.client = Some(address);
                    break;
                }
                Some(None) => {
                    said.unreadable_header = Some(FORWARDED.1);
                    break;
                }
                // This proxy does not name its client.
                None => break,
            }
        }
        said
    }
}

/// The header of a request that names a client, if there is one.
pub(crate) fn client_header(headers: &HeaderMap) -> Option<&'static str> {
    let there = |(name, _): &Named| headers.contains_key(name);
    [X_FOR, FORWARDED].into_iter().find(there).map(|(_, shown)| shown)
}

/// The header of a request that names the host, if there is one.
pub(crate) fn host_header(headers: &HeaderMap) -> Option<&'static str> {
    let there = |(name, _): &Named| headers.contains_key(name);
    [X_HOST, FORWARDED].into_iter().find(there).map(|(_, shown)| shown)
}

/// The lines of a header. Bytes that are not UTF-8 are replaced, so that such a line counts as unreadable.
fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    let lines = headers.get_all(name).iter();
    lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
}

/// The entries of a list, which may have several lines.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> + 'a {
    lines(headers, name).flat_map(|line| {
        line.split(',').map(|entry| unquoted(entry.trim())).collect::<Vec<String>>()
    })
}

fn is_tls(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("wss")
}

/// The value of a parameter such as `for` in an entry of `Forwarded`.
fn parameter(entry: &str, name: &str) -> Option<String> {
    split(entry, ';').into_iter().find_map(|pair| {
        let (known, value) = pair.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then(|| unquoted(value.trim()))
    })
}

/// The parts between separators that are not within quotation marks.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(move |c: char| {
        let literal = std::mem::take(&mut escaped);
        match c {
            '"' if !literal => quoted = !quoted,
            '\\' if quoted && !literal => escaped = true,
            _ => {}
        }
        c == separator && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A value without its quotation marks and escapes.
fn unquoted(value: &str) -> String {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(inner) = inner else { return value.to_owned() };
    let mut escaped = false;
    inner
        .chars()
        .filter(|c| {
            escaped = *c == '\\' && !escaped;
            !escaped
        })
        .collect()
}

/// An address, with or without a port and brackets. `unknown` and obfuscated names (`_proxy`) are not addresses.
fn address(text: &str) -> Option<IpAddr> {
    let without_brackets = |text: &str| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let whole = |text: &str| text.parse().ok().or_else(|| without_brackets(text));
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    // RFC 7239 also allows an obfuscated port.
    let hidden_port = || text.rsplit_once(":_").and_then(|(address, _)| whole(address));
    let address: Option<IpAddr> = whole(text).or_else(with_port).or_else(hidden_port);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[(&'static str, &str)]) -> Forwarded {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8".to_owned(), "::1".to_owned()]).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Forwarded::read(&headers, &proxies)
    }

    fn client(name: &'static str, value: &str) -> Option<String> {
        read(&[(name, value)]).client.map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_read_in_every_form() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:51514", "192.0.2.7"),
            ("\"192.0.2.7:51514\"", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("192.0.2.7:_port", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("1.1.1.1:1, 192.0.2.7:2", "192.0.2.7"),
            ("1.1.1.1, 192.0.2.7, 10.1.1.1:80", "192.0.2.7"),
            ("192.0.2.7,", "192.0.2.7"),
        ] {
            assert_eq!(client("x-forwarded-for", text).as_deref(), Some(address), "{text}");
            let escaped = format!("for=\"{}\"", text.replace('"', ""));
            if !text.contains(',') {
                assert_eq!(client("forwarded", &escaped).as_deref(), Some(address), "{escaped}");
            }
        }
    }

    #[test]
    fn an_unreadable_address_is_noticed_and_nothing_before_it_is_believed() {
        for text in ["nonsense", "1.1.1.1, nonsense", "1.1.1.1, unknown", "192.0.2.7:port", "[::1"]
        {
            let said = read(&[("x-forwarded-for", text)]);
            assert_eq!(
                (said.client, said.unreadable_header),
                (None, Some("X-Forwarded-For")),
                "{text}"
            );
        }
        for text in ["for=1.1.1.1, for=_hidden", "for=unknown", "for=\"[::1\""] {
            let said = read(&[("forwarded", text)]);
            assert_eq!((said.client, said.unreadable_header), (None, Some("Forwarded")), "{text}");
        }
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "1.1.1.1".parse().unwrap());
        let bytes = axum::http::HeaderValue::from_bytes(b"\xff").unwrap();
        headers.append("x-forwarded-for", bytes);
        let said = Forwarded::read(&headers, &TrustedProxies::default());
        assert_eq!((said.client, said.unreadable_header), (None, Some("X-Forwarded-For")));
    }

    #[test]
    fn an_entry_of_forwarded_says_all_that_its_proxy_saw() {
        let said = read(&[(
            "forwarded",
            "for=1.1.1.1;host=evil.example, For = \"[2001:db8::1]:4711\" ; Proto=HTTPS;host=\"overview.example:8443\"; \
             by=10.0.0.1, for=10.0.0.1;proto=http",
        )]);
        assert_eq!(said.client, Some("2001:db8::1".parse().unwrap()));
        assert_eq!(said.host, Some(("overview.example:8443".to_owned(), "Forwarded")));
        assert!(said.encrypted);
        let said = read(&[("forwarded", "for=192.0.2.7;ext=\"a,b;host=evil\\\"\";host=a.example")]);
        assert_eq!(said.client, Some([192, 0, 2, 7].into()));
        assert_eq!(said.host.unwrap().0, "a.example");
        let said = read(&[("forwarded", "proto=https;host=a.example")]);
        assert_eq!((said.client, said.unreadable_header, said.encrypted), (None, None, true));
    }

    #[test]
    fn of_the_two_families_only_one_is_read() {
        let said = read(&[
            ("x-forwarded-proto", "http"),
            ("forwarded", "for=1.1.1.1;proto=https;host=evil.example"),
        ]);
        assert_eq!(said, Forwarded::default());
        let said = read(&[
            ("x-forwarded-host", "overview.example, inner.example"),
            ("x-forwarded-proto", "https, http"),
        ]);
        assert_eq!(said.host, Some(("overview.example".to_owned(), "X-Forwarded-Host")));
        assert!(said.encrypted, "what the outermost proxy saw");
    }
}

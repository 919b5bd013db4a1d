//! The user that a trusted proxy names (`--auth proxy`): the name in one header, the roles in another.
//!
//! Header values are bytes, and single-sign-on proxies write names that are not ASCII in three ways: as UTF-8, as
//! encoded words (RFC 2047: `=?UTF-8?B?…?=`), and percent-encoded. All three are read. A name is percent-encoded
//! if all of it is ASCII and every `%` in it begins `%XX`, where the result is UTF-8; so `50% Ann` stays as it is.

use std::borrow::Cow;

use app::cluster::server_name::is_unprintable;
use app::protocol::UserRole;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::auth::HostUser;
use crate::auth::model::MAX_NAME_CHARS;
use crate::auth::normalization::composed;
use crate::auth::origin::RequestOrigin;

/// The longest name, of four bytes a character, all of them percent-encoded.
const MAX_NAME_BYTES: usize = 12 * MAX_NAME_CHARS;
/// What is longer is cut off.
const MAX_ROLES_BYTES: usize = 8 << 10;

/// Why a proxy's headers name no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyNameError {
    /// The request did not come through a trusted proxy.
    Direct,
    /// There is no header with the name.
    Missing,
    Empty,
    /// There are several headers with a name.
    TwoNames,
    /// There are several headers with roles.
    TwoRoles,
    Long,
    /// The name has control or invisible characters.
    Unprintable,
    /// The name is not UTF-8, or its encoding is unknown or broken.
    Encoding,
}

/// The user that a proxy names, with the highest of the roles that are known here; without one, a viewer.
///
/// A header that is there twice is an error, because the client may have sent one of them.
pub(crate) fn read_user(
    headers: &HeaderMap,
    origin: &RequestOrigin,
    user: &HeaderName,
    role: &HeaderName,
) -> Result<HostUser, ProxyNameError> {
    if !origin.trusted {
        return Err(ProxyNameError::Direct);
    }
    let given = single(headers, user)
        .map_err(|()| ProxyNameError::TwoNames)?
        .ok_or(ProxyNameError::Missing)?;
    let name = decode_name(given.as_bytes())?;
    let roles = single(headers, role).map_err(|()| ProxyNameError::TwoRoles)?;
    Ok(HostUser { name, role: roles.map_or(UserRole::Viewer, highest_role) })
}

/// The value of a header; an error if there are two.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, ()> {
    let mut lines = headers.get_all(name).iter();
    let first = lines.next();
    if lines.next().is_some() { Err(()) } else { Ok(first) }
}

/// The highest of these roles, separated by commas, semicolons or white space.
fn highest_role(roles: &HeaderValue) -> UserRole {
    let short = roles.as_bytes().get(..MAX_ROLES_BYTES).unwrap_or(roles.as_bytes());
    let text = String::from_utf8_lossy(short);
    let words = text.split(|c: char| matches!(c, ',' | ';') || c.is_whitespace());
    let known = words.filter_map(|word| UserRole::parse(&word.to_ascii_lowercase()));
    known.max().unwrap_or(UserRole::Viewer)
}

fn decode_name(given: &[u8]) -> Result<String, ProxyNameError> {
    if given.len() > MAX_NAME_BYTES {
        return Err(ProxyNameError::Long);
    }
    let text = str::from_utf8(given).map_err(|_| ProxyNameError::Encoding)?.trim();
    let decoded = match decode_encoded_words(text)? {
        Some(decoded) => Cow::Owned(decoded),
        None => percent_decode(text),
    };
    let name = composed(decoded.trim()).into_owned();
    match name.chars().count() {
        0 => Err(ProxyNameError::Empty),
        1..=MAX_NAME_CHARS if name.chars().any(is_unprintable) => Err(ProxyNameError::Unprintable),
        1..=MAX_NAME_CHARS => Ok(name),
        _ => Err(ProxyNameError::Long),
    }
}

/// The decoded name if it is percent-encoded; any other name as it is.
fn percent_decode(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut signs = text.match_indices('%').map(|(at, _)| at);
    if !text.is_ascii() || !signs.all(|at| is_hex(at + 1) && is_hex(at + 2)) {
        return Cow::Borrowed(text);
    }
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}

/// Decodes encoded words (RFC 2047) and the plain words between them; `None` if there are no encoded words.
fn decode_encoded_words(text: &str) -> Result<Option<String>, ProxyNameError> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    if !words.iter().any(|word| parts(word).is_some()) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    let mut after_plain = false;
    for (place, word) in words.into_iter().enumerate() {
        let encoded = parts(word);
        // A blank between two encoded words does not count; a character may be split over both.
        if place > 0 && (after_plain || encoded.is_none()) {
            bytes.push(b' ');
        }
        after_plain = encoded.is_none();
        let content =
            encoded.map(|(charset, encoding, text)| decode_content(charset, encoding, text));
        bytes.extend(content.unwrap_or_else(|| Some(word.into())).ok_or(ProxyNameError::Encoding)?);
    }
    String::from_utf8(bytes).map(Some).map_err(|_| ProxyNameError::Encoding)
}

/// Character set, encoding and content of an encoded word.
fn parts(word: &str) -> Option<(&str, &str, &str)> {
    let mut parts = word.strip_prefix("=?")?.strip_suffix("?=")?.splitn(3, '?');
    let (charset, encoding) = (parts.next()?, parts.next()?);
    // A language may follow the character set.
    Some((charset.split('*').next()?, encoding, parts.next()?))
}

/// The content of an encoded word, in UTF-8.
fn decode_content(charset: &str, encoding: &str, content: &str) -> Option<Vec<u8>> {
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(content).ok()?,
        "Q" | "q" => decode_q(content.as_bytes())?,
        _ => return None,
    };
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" | "us-ascii" => Some(bytes),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect::<String>().into_bytes()),
        _ => None,
    }
}

/// The Q encoding: `_` is a blank, `=XX` a byte.
fn decode_q(content: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some((first, after)) = rest.split_first() {
        let (byte, used) = match first {
            b'_' => (b' ', 0),
            b'=' => {
                let digits = str::from_utf8(after.get(..2)?).ok()?;
                (u8::from_str_radix(digits, 16).ok()?, 2)
            }
            plain => (*plain, 0),
        };
        bytes.push(byte);
        rest = after.get(used..)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_every_way_that_proxies_write_it() {
        for (given, read) in [
            ("ann", "ann"),
            (" Jürgen Müller ", "Jürgen Müller"),
            ("Ju\u{308}rgen", "Jürgen"),
            ("=?UTF-8?B?SsO8cmdlbiBNw7xsbGVy?=", "Jürgen Müller"),
            ("=?utf-8?q?J=C3=BCrgen_M=c3=bcller?=", "Jürgen Müller"),
            ("=?UTF-8*de?Q?J=C3?= =?UTF-8?Q?=BCrgen?= Ann", "Jürgen Ann"),
            ("Ann =?iso-8859-1?Q?M=FCller?=", "Ann Müller"),
            ("J%C3%BCrgen%20M%c3%bcller", "Jürgen Müller"),
            ("ann%40example.org", "ann@example.org"),
            ("50% Ann", "50% Ann"),
            ("100%Ann", "100%Ann"),
            ("100%", "100%"),
            ("ann%FF", "ann%FF"),
            ("Jürgen%20", "Jürgen%20"),
            ("=?what?=", "=?what?="),
            ("名前", "名前"),
        ] {
            assert_eq!(decode_name(given.as_bytes()).as_deref(), Ok(read), "{given}");
        }
        assert!(decode_name("ü".repeat(100).as_bytes()).is_ok());
    }

    #[test]
    fn an_invalid_name_is_rejected_with_the_reason() {
        let long = "x".repeat(101);
        for (given, why) in [
            (b"".as_slice(), ProxyNameError::Empty),
            (b"  ", ProxyNameError::Empty),
            (b"%20", ProxyNameError::Empty),
            (b"J\xfcrgen", ProxyNameError::Encoding),
            (b"=?UTF-8?B?/w==?=", ProxyNameError::Encoding),
            (b"=?UTF-8?B?!?=", ProxyNameError::Encoding),
            (b"=?UTF-8?Q?=C?=", ProxyNameError::Encoding),
            (b"=?KOI8-R?Q?a?=", ProxyNameError::Encoding),
            (b"ann%0Abob", ProxyNameError::Unprintable),
            ("ann\u{202e}bob".as_bytes(), ProxyNameError::Unprintable),
            (b"=?UTF-8?Q?ann=00?=", ProxyNameError::Unprintable),
            (long.as_bytes(), ProxyNameError::Long),
            ("%41".repeat(401).as_bytes(), ProxyNameError::Long),
        ] {
            assert_eq!(decode_name(given), Err(why), "{}", String::from_utf8_lossy(given));
        }
    }

    #[test]
    fn the_highest_known_role_counts() {
        for (roles, read) in [
            ("admin", UserRole::Admin),
            ("Admin", UserRole::Admin),
            ("users,admin", UserRole::Admin),
            ("users; ADMIN", UserRole::Admin),
            ("admin viewer", UserRole::Admin),
            ("viewer", UserRole::Viewer),
            ("administrators", UserRole::Viewer),
            ("root", UserRole::Viewer),
            ("", UserRole::Viewer),
        ] {
            assert_eq!(highest_role(&HeaderValue::from_static(roles)), read, "{roles}");
        }
    }
}

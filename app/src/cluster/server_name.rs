//! What a server may be called, and which text of others may be shown.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The unique name of one machine or container: 1 to 253 characters without control or format
/// characters, without a blank at either end, without `/` and `\`, and neither `.` nor `..`.
/// Compared without ASCII case and ordered as people order names, `svc-9` before `svc-10`; shown as first reported.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ServerName(Arc<str>);

impl ServerName {
    /// Takes a name that keeps the rules above.
    ///
    /// # Errors
    /// In words, which rule it breaks.
    pub fn parse(name: &str) -> Result<Self, String> {
        check_text(name, 1, 253)?;
        if name.contains(['/', '\\']) {
            return Err("must hold neither / nor \\".into());
        }
        if name == "." || name == ".." {
            return Err("must not be . or ..".into());
        }
        Ok(Self(name.into()))
    }

    /// As first reported.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is equal for equal names.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    fn folded_bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for ServerName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for ServerName {}

impl PartialOrd for ServerName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ServerName {
    fn cmp(&self, other: &Self) -> Ordering {
        natural_order(self.0.as_bytes(), other.0.as_bytes())
            // Only zeros before a number differ: `web-1` and `web-01` are two names.
            .then_with(|| self.folded_bytes().cmp(other.folded_bytes()))
    }
}

/// Compares byte by byte without ASCII case, but runs of digits as numbers of any length.
fn natural_order(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while let ([one, rest @ ..], [other, other_rest @ ..]) = (left, right) {
        let order = if one.is_ascii_digit() && other.is_ascii_digit() {
            take_number(&mut left).cmp(&take_number(&mut right))
        } else {
            (left, right) = (rest, other_rest);
            one.to_ascii_lowercase().cmp(&other.to_ascii_lowercase())
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

/// Takes the digits at the beginning: how many there are without leading zeros, and these, which is the order of the
/// numbers.
fn take_number<'a>(text: &mut &'a [u8]) -> (usize, &'a [u8]) {
    while let [b'0', rest @ ..] = *text {
        *text = rest;
    }
    let (digits, mut length) = (*text, 0);
    while let [b'0'..=b'9', rest @ ..] = *text {
        *text = rest;
        length += 1;
    }
    (length, digits.get(..length).unwrap_or_default())
}

impl Hash for ServerName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // An end, so that two names in a row are not taken for one.
        self.folded_bytes().chain([u8::MAX]).for_each(|byte| state.write_u8(byte));
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ServerName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Whether a text has `least` to `most` characters, no blank at either end, and nothing of Unicode's
/// Cc, Cf, Zl and Zp (line breaks, invisible and direction-changing characters).
///
/// # Errors
/// The rest of the sentence "this field …".
pub fn check_text(text: &str, least: usize, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        return Err(format!("must have {least} to {most} characters; it has {length}"));
    }
    if text.trim() != text {
        return Err("must not begin or end with a blank".into());
    }
    match text.chars().find(|c| is_unprintable(*c)) {
        Some(c) => Err(format!(
            "must not hold control, format or line-separating characters; it holds U+{:04X}",
            u32::from(c)
        )),
        None => Ok(()),
    }
}

/// Unicode 17's general categories Cc, Cf, Zl and Zp.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x180E
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x2064 | 0x2066..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3
            | 0x1D173..=0x1D17A | 0xE0001 | 0xE0020..=0xE007F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_name_has_1_to_253_characters() {
        assert!(ServerName::parse("a").is_ok());
        assert!(ServerName::parse(&"ä".repeat(253)).is_ok(), "characters, not bytes");
        assert!(ServerName::parse("").is_err());
        assert!(ServerName::parse(&"a".repeat(254)).is_err());
    }

    #[test]
    fn a_servers_name_cannot_be_taken_for_a_path_or_hide_a_character() {
        for bad in [
            ".",
            "..",
            "a/b",
            "a\\b",
            " a",
            "a ",
            "a\tb",
            "a\nb",
            "a\u{ad}b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{feff}b",
            "a\u{e0041}b",
        ] {
            assert!(ServerName::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["...", "web 1", "web_1", "Büro-1", "web-1.example"] {
            assert!(ServerName::parse(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn names_are_equal_ordered_and_hashed_without_ascii_case() {
        let name = |text| ServerName::parse(text).unwrap();
        assert_eq!(name("WEB-1"), name("web-1"));
        assert_ne!(name("BÜRO"), name("büro"), "ASCII only");
        assert!(name("A") < name("b") && name("a") < name("B"));
        let names = std::collections::HashSet::from([name("Web-1"), name("wEB-1")]);
        assert_eq!(names.len(), 1);
        assert_eq!(name("Web-1").as_str(), "Web-1");
    }

    #[test]
    fn names_are_ordered_by_the_value_of_their_numbers() {
        let ordered = [
            "10.0.0.9",
            "10.0.0.10",
            "app",
            "app-02",
            "app-2",
            "APP-10",
            "app-10-1",
            "app-99999999999999999999998",
            "app-99999999999999999999999",
            "app-x",
            "web1",
            "web2a",
            "web2b",
            "web10a",
        ];
        let names: Vec<ServerName> =
            ordered.iter().map(|name| ServerName::parse(name).unwrap()).collect();
        for (place, one) in names.iter().enumerate() {
            for (other_place, other) in names.iter().enumerate() {
                assert_eq!(one.cmp(other), place.cmp(&other_place), "{one} and {other}");
            }
        }
    }
}

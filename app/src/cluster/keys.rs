//! Which encryption key the cluster has agreed on, told by checks that never reveal it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::{Component, Role};
use super::order::sorted;

/// `HMAC-SHA256(key, "cluster-overview/key-check/v1")` of a key: 32 bytes that tell two keys apart
/// and reveal neither. It cannot hold a key: only 64 lower-case hex digits make one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyCheck([u8; 32]);

impl KeyCheck {
    /// From the 32 bytes of the HMAC.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From 64 lower-case hex digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }

    /// All 64 digits.
    pub fn digits(&self) -> String {
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
            }
        }
        text
    }

    /// The first 8 digits: what the screen shows.
    pub fn short(&self) -> String {
        self.digits()[..8].to_owned()
    }
}

/// Whether a text can be the first digits of a check: 8, which the screen shows, to all 64.
///
/// # Errors
/// The rest of the sentence "these digits …".
pub fn check_digits(text: &str) -> Result<(), String> {
    let fits = (8..=64).contains(&text.len()) && text.bytes().all(|digit| nibble(digit).is_some());
    if fits {
        Ok(())
    } else {
        Err("must be 8 to 64 of the key check's lower-case hex digits".into())
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Debug for KeyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyCheck({}…)", self.short())
    }
}

impl fmt::Display for KeyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits())
    }
}

impl Serialize for KeyCheck {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.digits())
    }
}

impl<'de> Deserialize<'de> for KeyCheck {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom("a key check is 64 lower-case hex digits"))
    }
}

/// Which of the two keys a product may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// The encryption key: every component.
    Encryption,
    /// The machine key of products up to 5.3: web components only.
    Machine,
}

impl KeyKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Encryption, Self::Machine];

    /// The check this component reports for this key. A service has no machine key.
    pub fn of(self, component: &Component) -> Option<KeyCheck> {
        match self {
            Self::Encryption => component.key_check,
            Self::Machine => component.machine_key_check.filter(|_| component.role == Role::Web),
        }
    }

    /// The one check that begins with these digits among those reported. What an observer row says
    /// does not count.
    ///
    /// # Errors
    /// Nobody reports such a check, or the digits fit several.
    pub fn named<'a>(
        self,
        digits: &str,
        components: impl Iterator<Item = &'a Component>,
    ) -> Result<KeyCheck, Unnamed> {
        let compared = components.filter(|component| !component.is_observer());
        let all: Vec<KeyCheck> = compared.filter_map(|component| self.of(component)).collect();
        let order = sorted(all.len(), &|a, b| all[a].cmp(&all[b]));
        let mut reported: Vec<KeyCheck> = order.into_iter().map(|place| all[place]).collect();
        reported.dedup();
        let mut fitting = reported.iter().filter(|check| check.digits().starts_with(digits));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(*only),
            (Some(_), Some(_)) => Err(Unnamed::Several),
            (None, _) => Err(Unnamed::Nobody { reported }),
        }
    }

    /// The word in addresses and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::Machine => "machine",
        }
    }
}

/// Why some digits name no check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// Nobody reports such a check; these are reported.
    Nobody {
        /// Every check reported, in the order of their digits.
        reported: Vec<KeyCheck>,
    },
    /// More than one begins so.
    Several,
}

/// The check that all others are held against, and how firmly it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The check itself.
    pub check: KeyCheck,
    /// Two servers agreed on it, or an admin accepted it: it stays until an admin accepts another.
    /// Before that it is merely the first one reported.
    pub agreed: bool,
}

/// The reference of each kind of key. A fact in the store: it survives the removal of every server
/// that reported it, for what is stored was encrypted under it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// The encryption key's.
    pub encryption: Option<Reference>,
    /// The machine key's.
    pub machine: Option<Reference>,
}

impl References {
    /// The reference of this kind.
    pub fn of(&self, kind: KeyKind) -> Option<Reference> {
        match kind {
            KeyKind::Encryption => self.encryption,
            KeyKind::Machine => self.machine,
        }
    }

    fn of_mut(&mut self, kind: KeyKind) -> &mut Option<Reference> {
        match kind {
            KeyKind::Encryption => &mut self.encryption,
            KeyKind::Machine => &mut self.machine,
        }
    }

    /// An admin accepts this check.
    pub fn accept(&mut self, kind: KeyKind, check: KeyCheck) {
        *self.of_mut(kind) = Some(Reference { check, agreed: true });
    }

    /// Learns from what `component` just reported, given all components (itself among them): the
    /// first check reported becomes the reference; the first that two servers agree on replaces it
    /// for good. Observer rows teach nothing.
    pub fn learn<'a>(
        &mut self,
        component: &Component,
        others: impl Iterator<Item = &'a Component> + Clone,
    ) {
        if component.is_observer() {
            return;
        }
        for kind in KeyKind::ALL {
            let Some(check) = kind.of(component) else { continue };
            let reference = self.of_mut(kind);
            if reference.is_some_and(|known| known.agreed) {
                continue;
            }
            let agreed = others.clone().any(|other| {
                !other.is_observer()
                    && other.server != component.server
                    && kind.of(other) == Some(check)
            });
            if agreed || reference.is_none() {
                *reference = Some(Reference { check, agreed });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_check_is_64_lower_case_hex_digits_and_nothing_else() {
        let digits = "0123456789abcdef".repeat(4);
        let check = KeyCheck::parse(&digits).unwrap();
        assert_eq!(check.digits(), digits);
        assert_eq!(check.short(), "01234567");
        for bad in
            [&digits[1..], &format!("{digits}0"), &digits.to_uppercase(), &"ä".repeat(32), ""]
        {
            assert_eq!(KeyCheck::parse(bad), None, "{bad}");
        }
        assert_eq!(KeyCheck::parse(&digits.replace('f', "g")), None);
    }

    #[test]
    fn a_key_check_shows_no_more_than_eight_digits_in_a_log() {
        let check = KeyCheck::from_bytes([0xab; 32]);
        assert_eq!(format!("{check:?}"), "KeyCheck(abababab…)");
    }
}

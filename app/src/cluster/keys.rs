//! Checks of keys, which tell two keys apart and never reveal them.

use std::fmt;

use serde::{Deserialize, Serialize};

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

    /// The word in addresses and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encryption => "encryption",
            Self::Machine => "machine",
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

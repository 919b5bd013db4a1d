//! What nodes say of themselves and what the store keeps of it: facts, never verdicts.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::boots::{Boot, Boots};
use super::keys::KeyCheck;
use super::time::{Span, Timestamp};

/// The unique name of one machine or container: 1 to 253 characters without control or format
/// characters, without a blank at either end, without `/` and `\`, and neither `.` nor `..`.
/// Compared without ASCII case, shown as first reported.
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
        self.folded_bytes().cmp(other.folded_bytes())
    }
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

/// What runs on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers people's requests; beats only when asked something.
    Web,
    /// Works in the background; beats every interval.
    Service,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Web, Self::Service];

    /// The word on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Service => "service",
        }
    }

    /// From the word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What names a component: there is no other id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ComponentKey {
    /// The server it runs on.
    pub server: ServerName,
    /// Which of the server's components.
    pub role: Role,
}

/// An operating system: its name and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// `Debian GNU/Linux`
    pub name: String,
    /// `12`
    pub version: String,
}

/// Who speaks for a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reporter {
    /// A node, over the wire.
    #[default]
    Node,
    /// An agent, of a product that cannot be changed and answers its probes.
    Probe,
    /// The overview of itself, bearing a product's version. Steps aside for a node of its name.
    Own,
    /// The overview of itself, without a product: shown, but not compared with others.
    Observer,
}

impl Reporter {
    /// Whether it is the overview that speaks of itself.
    pub const fn is_own(self) -> bool {
        match self {
            Self::Own | Self::Observer => true,
            Self::Node | Self::Probe => false,
        }
    }
}

/// An IPv4 or IPv6 address in its canonical spelling. Whoever shows it need not understand it, and a
/// browser does no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Arc<str>);

impl Address {
    /// The spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_string().into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a component says of itself, already checked. It carries no time that anyone trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The server's name.
    pub server: ServerName,
    /// The component's role.
    pub role: Role,
    /// A label on the screen, at most 100 characters.
    pub product: Option<String>,
    /// The software version, 1 to 100 characters.
    pub version: String,
    /// The operating system.
    pub os: Os,
    /// The address it says it has.
    pub ip: Address,
    /// New at each start of the process: a hyphenated UUID in lower case.
    pub boot_id: String,
    /// Grows with each heartbeat of one boot; below 2^53.
    pub sequence: i64,
    /// The node's own clock; tells its skew and nothing else.
    pub sent_at: Option<Timestamp>,
    /// The check of its encryption key.
    pub key_check: Option<KeyCheck>,
    /// The check of its machine key (products up to 5.3).
    pub machine_key_check: Option<KeyCheck>,
    /// Where its messenger listens.
    pub messenger_port: Option<u16>,
    /// It is about to stop.
    pub leaving: bool,
    /// Who sends it.
    pub reporter: Reporter,
}

impl Heartbeat {
    /// What names the component that sent it.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// The boot this heartbeat makes current.
    pub fn boot(&self) -> Boot {
        Boot { id: self.boot_id.clone(), sequence: self.sequence, ip: self.ip.clone() }
    }
}

/// How far a node's clock was off in its last two heartbeats; positive where it runs ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    /// In the last heartbeat.
    pub last: Span,
    /// In the one before, if that told its time.
    pub before: Option<Span>,
}

impl Skew {
    /// The skew both heartbeats agree on: the smaller amount, with its sign; zero if they disagree
    /// on the direction or there was only one.
    pub fn steady(self) -> Span {
        match self.before {
            Some(before) if (before.0 < 0) == (self.last.0 < 0) => {
                if before.0.abs() < self.last.0.abs() { before } else { self.last }
            }
            _ => Span::ZERO,
        }
    }
}

/// How a web server finds the live channel to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messenger {
    /// Why it cannot be reached, or `None` while connected.
    pub failure: Option<MessengerFailure>,
    /// Since when it is so.
    pub since: Timestamp,
    /// The port that was dialled.
    pub port: u16,
    /// The web server that saw it.
    pub seen_by: String,
}

/// Why there is no connection to a service's messenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessengerFailure {
    /// Not tried to the end yet: not a failure to speak of.
    Connecting,
    /// It was connected a moment ago, and is dialled again.
    Lost,
    /// Nothing listens there.
    Refused,
    /// No answer.
    TimedOut,
    /// No route.
    Unreachable,
    /// Something else listens there.
    NotAMessenger,
    /// It does not hold the key we share.
    WrongKey,
    /// It broke the protocol.
    Protocol,
}

/// All that the store knows of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The server it runs on, as first reported.
    pub server: ServerName,
    /// Its role there.
    pub role: Role,
    /// A label on the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The software version.
    pub version: String,
    /// The operating system.
    pub os: Os,
    /// Its address.
    pub ip: Address,
    /// The check of its encryption key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_check: Option<KeyCheck>,
    /// The check of its machine key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_key_check: Option<KeyCheck>,
    /// Where its messenger listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messenger_port: Option<u16>,
    /// Its last heartbeat said `leaving`.
    pub stopped: bool,
    /// Its starts.
    pub boots: Boots,
    /// When it was first heard of, or first again after a removal.
    pub first_seen: Timestamp,
    /// When it was last heard of.
    pub last_heartbeat: Timestamp,
    /// The heartbeat interval it was told then.
    pub told_interval: Span,
    /// How far its clock is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
    /// Who speaks for it.
    #[serde(default)]
    pub reporter: Reporter,
    /// When it came back under the boot it had been removed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_back: Option<Timestamp>,
    /// How each web server finds its messenger, by the web server's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messengers: Vec<Arc<Messenger>>,
}

impl MessengerFailure {
    /// Whether it is still, or again, being tried: no failure to speak of.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Connecting | Self::Lost => true,
            Self::Refused
            | Self::TimedOut
            | Self::Unreachable
            | Self::NotAMessenger
            | Self::WrongKey
            | Self::Protocol => false,
        }
    }
}

impl Messenger {
    /// The reason why it cannot be reached; `None` while it is connected or tried.
    pub fn unreachable(&self) -> Option<MessengerFailure> {
        self.failure.filter(|failure| !failure.is_under_way())
    }
}

impl Component {
    /// What names it.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// Whether this is a row the overview reports of itself without a product's version: shown and
    /// counted, but never compared.
    pub fn is_observer(&self) -> bool {
        self.reporter == Reporter::Observer
    }
}

/// What a removal leaves behind: enough to tell a late heartbeat from a new one. Kept 31 days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Which component was removed.
    pub key: ComponentKey,
    /// Its starts, as they were.
    pub boots: Boots,
    /// Its last heartbeat before the removal.
    pub last_heartbeat: Timestamp,
    /// Who spoke for it.
    pub reporter: Reporter,
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
    fn a_role_is_read_as_it_is_written() {
        for role in [Role::Web, Role::Service] {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Web"), None);
    }
}

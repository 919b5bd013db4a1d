//! What travels between the page and its server, and what the server tells a document about its surroundings.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::cluster::{Change, KeyKind, Role, ServerName, Settings, Snapshot, Timestamp};
use crate::i18n::Language;

/// Where the page lives, and who uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageContext {
    pub site: SiteInfo,
    pub user: CurrentUser,
}

/// Addresses and files of the site. What only the document needs is not sent to the browser's half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// The base path without a slash at its end.
    pub base: String,
    /// The base address of the assets, with the base path.
    #[serde(skip)]
    pub assets: String,
    /// The target of the breadcrumb.
    #[serde(skip)]
    pub admin_url: Option<String>,
    /// The origins whose pages may frame it, separated by spaces.
    #[serde(skip)]
    pub frame_ancestors: String,
    #[serde(skip)]
    pub branding: PageBranding,
}

/// The name, logo, menu and style of the product that the page is embedded in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageBranding {
    pub name: Option<String>,
    /// Where its name and logo lead.
    pub home: Option<String>,
    /// The address of its logo.
    pub logo: Option<String>,
    pub menu: Vec<MenuEntry>,
    /// The address of the style sheet with the product's colours and fonts.
    pub style: Option<String>,
}

/// An entry of the product's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuEntry {
    pub text: String,
    pub href: String,
}

/// What a user may do. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UserRole {
    /// See everything, change nothing.
    Viewer,
    /// Also change settings, remove components, accept keys, and manage access.
    Admin,
}

impl UserRole {
    /// The word on the command line, in headers and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// Who uses the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    /// `None` where nobody signs in.
    #[serde(skip)]
    pub name: Option<String>,
    pub role: UserRole,
    /// Whether there is a session of this overview to end.
    #[serde(skip)]
    pub can_sign_out: bool,
}

/// What the first render and hydration start from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InitialState {
    /// Everything that is known, as the delta for a reader without a cursor.
    pub delta: OverviewDelta,
    /// The query of the page's address.
    pub query: String,
    pub context: PageContext,
    /// The language if the address names none. A browser finds it in the document.
    #[serde(skip)]
    pub language: Language,
}

impl InitialState {
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        if let Some(change) = self.delta.change.clone() {
            snapshot.apply(change);
        }
        snapshot
    }
}

/// What changed since a cursor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OverviewDelta {
    /// The cursor to ask with next.
    pub cursor: String,
    /// The time of the answer.
    pub now: Timestamp,
    pub change: Option<Change>,
    /// The hash of the server's files: a page of another build offers to reload.
    pub build: String,
}

/// Something that an admin changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    Configure(Settings),
    /// Remove a component, or without a role a whole server.
    Remove {
        server: ServerName,
        role: Option<Role>,
        /// Also if it is alive.
        force: bool,
    },
    /// Make the key with these first digits the reference key.
    Accept {
        kind: KeyKind,
        /// 8 to 64 hexadecimal digits of its check.
        digits: String,
    },
    /// Connect to a server's service messenger now.
    Reconnect {
        server: ServerName,
    },
}

/// The result of a [`Command`]. A rejected command is an answer, not a [`CallError`].
pub type CommandResult = Result<(), CommandError>;

/// Why a command changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandError {
    /// A value is invalid.
    Fields,
    /// There is no such component, or no component reports such a key.
    Absent,
    /// It is alive and would be back with its next heartbeat.
    Live,
    /// More than one key begins with these digits.
    Ambiguous,
    /// The database cannot be written.
    Blind,
    /// No messenger is configured there.
    NotDialled,
    /// The last attempt to connect was a moment ago.
    TooSoon,
    /// The attempt to connect failed.
    Unreached,
}

impl CommandError {
    /// The word in an address and in the message file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Absent => "absent",
            Self::Live => "live",
            Self::Ambiguous => "ambiguous",
            Self::Blind => "blind",
            Self::NotDialled => "not-dialled",
            Self::TooSoon => "too-soon",
            Self::Unreached => "unreached",
        }
    }
}

/// A reason of a [`CallError`]: nobody is signed in any more.
pub const SIGNED_OUT: &str = "signed-out";
/// A reason: the session is too old to change something without a new sign-in.
pub const LAPSED: &str = "lapsed";
/// A reason: a viewer may change nothing.
pub const FORBIDDEN: &str = "forbidden";
/// A reason: no answer came.
pub const UNREACHABLE: &str = "unreachable";
/// A reason: the answer did not come from the overview.
pub const FOREIGN: &str = "foreign";

/// Why a server function was not run. Problems of the API are read as one too: they have a `detail` and no `reason`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallError {
    /// One of the words above; empty if there is only a `detail`.
    pub reason: String,
    /// A sentence of the server.
    pub detail: String,
}

impl From<&str> for CallError {
    fn from(reason: &str) -> Self {
        Self { reason: reason.to_owned(), detail: String::new() }
    }
}

impl FromServerFnError for CallError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let reason =
            if matches!(error, ServerFnErrorErr::Request(_)) { UNREACHABLE } else { FOREIGN };
        reason.into()
    }
}

/// The body of an answer that makes a server function fail for this reason.
#[cfg(feature = "ssr")]
pub fn call_error_body(reason: &str) -> leptos::server_fn::Bytes {
    CallError::from(reason).ser()
}

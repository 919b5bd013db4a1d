//! What the page and its server exchange, and what the server tells a document about its surroundings.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::cluster::{Change, KeyKind, Role, ServerName, Settings, Snapshot, Timestamp};
use crate::i18n::Language;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageContext {
    pub site: SiteInfo,
    pub user: CurrentUser,
}

/// Addresses of the site. Fields that only the rendered document needs are not sent to the browser as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// The base path, without a slash at its end.
    pub base: String,
    /// The address of the assets, with the base path.
    #[serde(skip)]
    pub assets: String,
    #[serde(skip)]
    pub admin_url: Option<String>,
    /// The origins that may frame the page, separated by spaces.
    #[serde(skip)]
    pub frame_ancestors: String,
    #[serde(skip)]
    pub branding: PageBranding,
}

/// From the branding file of the product that the page is embedded in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageBranding {
    pub name: Option<String>,
    /// Where the name and the logo link to.
    pub home: Option<String>,
    pub logo: Option<String>,
    pub menu: Vec<MenuEntry>,
    /// A style sheet with the product's colours and fonts.
    pub style: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuEntry {
    pub text: String,
    pub href: String,
}

/// Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum UserRole {
    /// Can see everything.
    Viewer,
    /// Can change settings, remove components, accept keys, and manage access.
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentUser {
    /// `None` without sign-in.
    #[serde(skip)]
    pub name: Option<String>,
    pub role: UserRole,
    /// Whether the user has a session of this overview, which can be ended.
    #[serde(skip)]
    pub can_sign_out: bool,
}

/// What the first render and hydration start from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InitialState {
    /// The whole snapshot, as the delta for a reader without a cursor.
    pub delta: OverviewDelta,
    pub query: String,
    pub context: PageContext,
    /// What the timeouts in the form of the settings would have called stale: only what is rendered on the server has it.
    #[serde(skip)]
    pub rehearsal: String,
    /// The language if the query names none. The browser reads it from the document.
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

/// The changes since a cursor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OverviewDelta {
    /// The cursor for the next request.
    pub cursor: String,
    /// The server's time of the answer.
    pub now: Timestamp,
    pub change: Option<Change>,
    /// The hash of the server's assets. A page that was loaded from others offers to reload.
    pub build: String,
}

/// What an admin can do on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    Configure(Settings),
    /// Removes a component, or without a role a whole server.
    Remove {
        server: ServerName,
        role: Option<Role>,
        /// Removes it even if it is alive.
        force: bool,
    },
    /// Makes the key with these first digits the reference key.
    Accept {
        kind: KeyKind,
        /// 8 to 64 hexadecimal digits of its key check.
        digits: String,
    },
    /// Connects to a server's service messenger now.
    Reconnect {
        server: ServerName,
    },
}

/// A rejected command is an answer, not a [`CallError`].
pub type CommandResult = Result<(), CommandError>;

/// Why a command was rejected. It has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandError {
    /// A value is invalid.
    Fields,
    /// There is no such component, or no component reports such a key.
    Absent,
    /// It is alive, so it would reappear with its next heartbeat.
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
    const ALL: [Self; 8] = [
        Self::Fields,
        Self::Absent,
        Self::Live,
        Self::Ambiguous,
        Self::Blind,
        Self::NotDialled,
        Self::TooSoon,
        Self::Unreached,
    ];

    /// The error that a word in an address names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.as_str() == word)
    }

    /// The word in an address.
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

/// A reason of a [`CallError`]: the user is not signed in any more.
pub const SIGNED_OUT: &str = "signed-out";
/// A reason: the session is too old for changes and needs a new sign-in.
pub const LAPSED: &str = "lapsed";
/// A reason: viewers can change nothing.
pub const FORBIDDEN: &str = "forbidden";
/// A reason: the overview rejected the request, and said why.
pub const REJECTED: &str = "refused";
/// A reason: no answer came.
pub const UNREACHABLE: &str = "unreachable";
/// A reason: another build of the overview answered, in a way that this page cannot read.
pub const OUTDATED: &str = "outdated";
/// A reason: the answer came from something else, for example a proxy.
pub const FOREIGN: &str = "foreign";

/// Why a server function did not run. A problem document of the API is read as one too: it has a `detail` and
/// no `reason`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallError {
    /// One of the reasons above, or empty.
    pub reason: String,
    /// The server's sentence.
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

/// The body that makes the client's call of a server function fail for this reason.
#[cfg(feature = "ssr")]
pub fn call_error_body(reason: &str) -> leptos::server_fn::Bytes {
    CallError::from(reason).ser()
}

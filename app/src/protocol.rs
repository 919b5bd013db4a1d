//! What travels between the page and its server.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::cluster::{Change, KeyKind, Role, ServerName, Settings, Snapshot, Timestamp};
use crate::i18n::Language;
use crate::page::branding::Around;

/// Where the page lives, and who looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The site.
    pub site: Site,
    /// Who looks.
    pub visitor: Visitor,
}

/// Where the page lives and which files it is made of. What only the document says does not travel on to the
/// browser's half.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The base path without a slash at its end.
    pub base: String,
    /// Where the assets are, base included.
    #[serde(skip)]
    pub assets: String,
    /// The target of the breadcrumb.
    #[serde(skip)]
    pub admin_url: Option<String>,
    /// The origins whose pages may frame it, with blanks in between.
    #[serde(skip)]
    pub frame_ancestors: String,
    /// What it borrows from the product it lives in.
    #[serde(skip)]
    pub around: Around,
}

/// What a person may: each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// Look.
    Viewer,
    /// Change settings, remove, accept a key, and say who may come in.
    Admin,
}

impl Rank {
    /// The word on the command line, in headers and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }

    /// The rank of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Admin].into_iter().find(|rank| rank.as_str() == word)
    }
}

/// Who looks at the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// The name they gave; nobody's where nobody signs in.
    #[serde(skip)]
    pub name: Option<String>,
    /// What they may.
    pub rank: Rank,
    /// Whether they signed in here, and so can sign out.
    #[serde(skip)]
    pub leaves: bool,
}

/// What the first render and hydration start from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Picture {
    /// All facts, as the news of one who knew nothing.
    pub news: News,
    /// The query of the page's address: what it shows of the picture.
    pub query: String,
    /// Where the page lives, and who looks at it.
    pub visit: Visit,
    /// The language of a reader whose address names none. A browser is told by the document.
    #[serde(skip)]
    pub language: Language,
}

/// What a poll brings.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct News {
    /// The reader's next place.
    pub cursor: String,
    /// The moment of the answer.
    pub now: Timestamp,
    /// What changed, if anything did.
    pub change: Option<Change>,
    /// The hash of the server's files.
    pub build: String,
}

impl Picture {
    /// The facts.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        if let Some(change) = self.news.change.clone() {
            snapshot.apply(change);
        }
        snapshot
    }
}

/// What an admin wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Put these settings in force.
    Configure(Settings),
    /// Take a component, or with no role a whole server, out.
    Remove {
        /// Whose.
        server: ServerName,
        /// Which component.
        role: Option<Role>,
        /// Though it is live.
        force: bool,
    },
    /// Make the key with these first digits the one all others are held against.
    Accept {
        /// Which kind.
        kind: KeyKind,
        /// 8 to 64 digits of its check.
        digits: String,
    },
    /// Dial a server's service messenger now.
    Reconnect {
        /// Whose.
        server: ServerName,
    },
}

/// Why it was not done. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// A value does not fit.
    Fields,
    /// There is no such component, or nobody reports such a key.
    Absent,
    /// It is live and would be back with its next heartbeat.
    Live,
    /// More than one key begins with these digits.
    Ambiguous,
    /// The database cannot be written.
    Blind,
    /// No messenger is dialled there.
    NotDialled,
    /// It was dialled a moment ago.
    TooSoon,
    /// It was dialled, and cannot be reached.
    Unreached,
}

impl Refusal {
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

/// The reason of a [`Failure`]: nobody is signed in any more.
pub const SIGNED_OUT: &str = "signed-out";
/// The same: the session has changed nothing for long and must be proved again.
pub const LAPSED: &str = "lapsed";
/// The same: a viewer may only look.
pub const FORBIDDEN: &str = "forbidden";
/// The same: no answer came.
pub const UNREACHABLE: &str = "unreachable";
/// The same: what answered is not the overview.
pub const FOREIGN: &str = "foreign";

/// Why a server function was not run. It is read from a problem of the API too, which has a `detail` and no
/// reason.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// One of the words above; empty where the answer only says why in words.
    pub reason: String,
    /// What the server said.
    pub detail: String,
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        Self { reason: reason.to_owned(), detail: String::new() }
    }
}

impl FromServerFnError for Failure {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let reason =
            if matches!(error, ServerFnErrorErr::Request(_)) { UNREACHABLE } else { FOREIGN };
        reason.into()
    }
}

/// The body of an answer that makes a server function fail for this reason.
#[cfg(feature = "ssr")]
pub fn failure(reason: &str) -> leptos::server_fn::Bytes {
    Failure::from(reason).ser()
}

/// Done, or why not: a refusal is an answer, no failure.
pub type Outcome = Result<(), Refusal>;

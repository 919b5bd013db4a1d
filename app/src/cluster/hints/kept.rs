//! How is a hint kept in a database, to be said later and in any language?

use serde::{Deserialize, Serialize};

use super::hint::{Arg, Hint};
use super::note::Note;
use crate::cluster::component_key::Role;
use crate::cluster::finding::{HintId, Severity};
use crate::cluster::server_name::ServerName;
use crate::cluster::time::Timestamp;

/// The names of all values in hints. A hint with another one cannot be kept: `tests/hints` tells.
const NAMES: [&str; 69] = [
    "address",
    "addresses",
    "ahead",
    "back",
    "behind",
    "blind",
    "channel",
    "channels",
    "component",
    "count",
    "crashes",
    "expires_at",
    "failing_since",
    "file",
    "first",
    "first_start",
    "folder",
    "free",
    "from",
    "gaps",
    "gone",
    "interval",
    "key",
    "last_end",
    "last_length",
    "last_start",
    "late",
    "limit",
    "longest",
    "machines",
    "names",
    "neighbour",
    "network",
    "off",
    "os",
    "other",
    "others",
    "percent",
    "port",
    "prefix",
    "product",
    "reason",
    "reasons",
    "reference",
    "refused_since",
    "reporting",
    "returns",
    "roles",
    "same",
    "seen_by",
    "server",
    "servers",
    "services",
    "sharing",
    "silent",
    "since",
    "since_when",
    "stale_at",
    "started_first",
    "starts",
    "successor",
    "timeout",
    "token",
    "token_role",
    "tokens",
    "used_at",
    "version",
    "versions",
    "wanted",
];

/// A hint as it is written.
#[derive(Serialize, Deserialize)]
struct KeptHint {
    id: HintId,
    severity: Severity,
    server: Option<ServerName>,
    role: Option<Role>,
    since: Option<Timestamp>,
    notes: Vec<Note>,
    args: Vec<(String, Arg)>,
}

/// Why a text is no hint.
#[derive(Debug)]
pub struct UnreadableHint;

impl Hint {
    /// As one line of JSON.
    pub fn keep(&self) -> String {
        let Self { id, severity, ref server, role, since, ref notes, ref args } = *self;
        let (server, notes) = (server.clone(), notes.clone());
        let args = args.iter().map(|(name, arg)| ((*name).to_owned(), arg.clone())).collect();
        let kept = KeptHint { id, severity, server, role, since, notes, args };
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// From its JSON.
    pub fn from_kept(text: &str) -> Result<Self, UnreadableHint> {
        let kept: KeptHint = serde_json::from_str(text).map_err(|_| UnreadableHint)?;
        let KeptHint { id, severity, server, role, since, notes, args } = kept;
        let known = |(name, arg): (String, Arg)| {
            let name = NAMES.into_iter().find(|known| *known == name);
            name.map(|name| (name, arg)).ok_or(UnreadableHint)
        };
        let args = args.into_iter().map(known).collect::<Result<_, _>>()?;
        Ok(Self { id, severity, server, role, since, notes, args })
    }
}

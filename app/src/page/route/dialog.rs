//! The dialogs of the page and their query parameters.

use crate::cluster::{KeyKind, Role, ServerName};
use crate::page::route::query::Params;
use crate::page::settings::draft::Draft;

/// A key check is 32 bytes in hexadecimal digits.
const MAX_DIGITS: usize = 64;

/// At most one dialog is open at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dialog {
    #[default]
    None,
    /// The details of a server.
    Details(ServerName),
    /// The settings form, with the draft of what was typed.
    Settings(Option<Draft>),
    /// Confirms the removal of a component or a whole server.
    Removal {
        server: ServerName,
        /// `None` for all components.
        role: Option<Role>,
        /// The second confirmation, for something that is still running.
        again: bool,
    },
    /// Confirms a key as the reference key.
    AcceptKey {
        kind: KeyKind,
        /// The first digits of its key check.
        digits: String,
    },
}

impl Dialog {
    pub fn parse(params: &Params) -> Self {
        let server = |name: &str| params.get(name).and_then(|text| ServerName::parse(text).ok());
        if let Some(server) = server("remove") {
            let role = params.get("role").and_then(Role::parse);
            Self::Removal { server, role, again: params.get("again").is_some() }
        } else if let Some(digits) = params.get("accept") {
            let is_machine = params.get("kind") == Some(KeyKind::Machine.as_str());
            let kind = if is_machine { KeyKind::Machine } else { KeyKind::Encryption };
            Self::AcceptKey { kind, digits: digits.chars().take(MAX_DIGITS).collect() }
        } else if params.get("configure").is_some() {
            Self::Settings(Draft::from_pairs(params.pairs()))
        } else {
            server("server").map_or(Self::None, Self::Details)
        }
    }

    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::None => Vec::new(),
            Self::Details(server) => vec![("server", server.to_string())],
            Self::Settings(_) => vec![("configure", String::new())],
            Self::Removal { server, role, again } => {
                let mut pairs = vec![("remove", server.to_string())];
                pairs.extend(role.map(|role| ("role", role.as_str().to_owned())));
                pairs.extend(again.then(|| ("again", String::new())));
                pairs
            }
            Self::AcceptKey { kind, digits } => {
                let mut pairs = vec![("accept", digits.clone())];
                if *kind == KeyKind::Machine {
                    pairs.push(("kind", kind.as_str().to_owned()));
                }
                pairs
            }
        }
    }

    /// The second confirmation of a removal.
    #[must_use]
    pub fn confirming_live(&self) -> Self {
        let mut dialog = self.clone();
        if let Self::Removal { again, .. } = &mut dialog {
            *again = true;
        }
        dialog
    }

    /// Whether it is a form that a reload would empty.
    pub fn is_form(&self) -> bool {
        match self {
            Self::None | Self::Details(_) => false,
            Self::Settings(_) | Self::Removal { .. } | Self::AcceptKey { .. } => true,
        }
    }
}

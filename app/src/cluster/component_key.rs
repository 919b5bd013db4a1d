//! What names a component: its server and its role.

use serde::{Deserialize, Serialize};

use super::server_name::ServerName;

/// What runs on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Serves people's requests; sends heartbeats only when it gets requests.
    Web,
    /// Works in the background; sends a heartbeat every interval.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in [Role::Web, Role::Service] {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Web"), None);
    }
}

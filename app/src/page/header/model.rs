//! How the page gets updates, as the header shows it.

use crate::i18n::MessageKey;

/// How the page gets updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser can lose it"))]
pub(crate) enum Connection {
    /// By the event stream.
    Live,
    /// By polling.
    Polling,
    /// The user has paused it.
    Paused,
    /// The overview does not answer; polling goes on.
    Reconnecting,
    /// This computer is offline; the page polls as soon as it is online.
    Offline,
    /// The overview rejects the requests of this page; polling goes on.
    Refused,
    /// The answers come from something else, for example a proxy; polling goes on.
    Foreign,
    /// Signed out, while a form is open that a reload would empty.
    SignedOut,
}

impl Connection {
    pub(crate) const fn message(self) -> MessageKey {
        match self {
            Self::Live => MessageKey::ConnectionLive,
            Self::Polling => MessageKey::ConnectionPolling,
            Self::Paused => MessageKey::ConnectionPaused,
            Self::Reconnecting => MessageKey::ConnectionReconnecting,
            Self::Offline => MessageKey::ConnectionOffline,
            Self::Refused => MessageKey::ConnectionRejected,
            Self::Foreign => MessageKey::ConnectionProxyAnswers,
            Self::SignedOut => MessageKey::ConnectionSignedOut,
        }
    }
}

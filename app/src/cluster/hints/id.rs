//! Which hints there are, and how urgent each is.

use serde::{Deserialize, Serialize};

/// How urgent a hint is; the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something will not work when it is needed.
    Warning,
    /// Info.
    Info,
}

/// What an admin can do about a hint on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintAction {
    Nothing,
    AcceptEncryptionKey,
    AcceptMachineKey,
    /// Removes the server or the component that the hint is about.
    Remove,
    /// Opens the server's details, where its messenger can be dialled again.
    Reconnect,
    EditSettings,
}

macro_rules! hint_ids {
    ($($(#[$doc:meta])* $case:ident = $id:literal, $severity:ident, $action:ident;)*) => {
        /// Which advice; the order is that of the troubleshooting list within one severity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HintId { $($(#[$doc])* $case,)* }

        impl HintId {
            /// Every hint there is.
            pub const ALL: &[Self] = &[$(Self::$case,)*];

            /// Its stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $id,)* }
            }

            /// How urgent it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$case => Severity::$severity,)* }
            }

            /// What the page offers to do about it.
            pub const fn action(self) -> HintAction {
                match self { $(Self::$case => HintAction::$action,)* }
            }
        }
    };
}

hint_ids! {
    /// The observer's database cannot be read or written.
    OverviewBlind = "overview-blind", Error, Nothing;
    /// More than half of at least two services went stale within one interval.
    EveryoneSilent = "everyone-silent", Error, Nothing;
    /// A server decrypts with another key.
    KeyMismatch = "key-mismatch", Error, AcceptEncryptionKey;
    /// A web server: the machine key does not match.
    MachineKeyMismatch = "machine-key-mismatch", Error, AcceptMachineKey;
    /// Two machines use one name.
    DuplicateName = "duplicate-name", Error, Nothing;
    /// A service is stale.
    ServiceStale = "service-stale", Error, Nothing;
    /// A service is late.
    ServiceLate = "service-late", Warning, Nothing;
    /// A web component is stale while its server is alive.
    WebIdle = "web-idle", Warning, Nothing;
    /// A web component is stale and nothing else is alive on its server.
    WebStale = "web-stale", Warning, Remove;
    /// A server reports no key while others do.
    KeyMissing = "key-missing", Warning, Nothing;
    /// More than one version runs.
    VersionSkew = "version-skew", Warning, Nothing;
    /// Nothing could take over.
    FailoverThin = "failover-thin", Warning, EditSettings;
    /// One web server carries all.
    BalancingThin = "balancing-thin", Warning, EditSettings;
    /// A server's clock is off.
    ClockSkew = "clock-skew", Warning, Nothing;
    /// There are nearly as many servers as the web server takes in.
    ServersFull = "servers-full", Warning, Nothing;
    /// Agents of servers that have never sent a heartbeat report that their probes fail.
    NotReportedYet = "not-reported-yet", Warning, Nothing;
    /// A service stopped cleanly long ago.
    ServiceStopped = "service-stopped", Info, Remove;
    /// A web component stopped cleanly long ago.
    WebStopped = "web-stopped", Info, Remove;
    /// A service's messenger cannot be reached.
    MessengerUnreachable = "messenger-unreachable", Info, Reconnect;
    /// The stale timeout is short compared with the interval.
    TimersTight = "timers-tight", Info, EditSettings;
    /// A removed component sends heartbeats again.
    CameBack = "came-back", Info, Remove;
}

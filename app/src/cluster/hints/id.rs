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
    /// Good to know.
    Info,
}

macro_rules! hint_ids {
    ($($(#[$doc:meta])* $case:ident = $id:literal, $severity:ident;)*) => {
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
        }
    };
}

hint_ids! {
    /// The observer's database cannot be read or written.
    OverviewBlind = "overview-blind", Error;
    /// More than half of at least two services went stale within one interval.
    EveryoneSilent = "everyone-silent", Error;
    /// A server decrypts with another key.
    KeyMismatch = "key-mismatch", Error;
    /// A web server has another machine key.
    MachineKeyMismatch = "machine-key-mismatch", Error;
    /// Two machines bear one name.
    DuplicateName = "duplicate-name", Error;
    /// A service is stale.
    ServiceStale = "service-stale", Error;
    /// A service is late.
    ServiceLate = "service-late", Warning;
    /// A web component is stale while its server is alive.
    WebIdle = "web-idle", Warning;
    /// A web component is stale and nothing else is alive on its server.
    WebStale = "web-stale", Warning;
    /// A server reports no key while others do.
    KeyMissing = "key-missing", Warning;
    /// More than one version runs.
    VersionSkew = "version-skew", Warning;
    /// Nothing could take over.
    FailoverThin = "failover-thin", Warning;
    /// One web server carries all.
    BalancingThin = "balancing-thin", Warning;
    /// A server's clock is off.
    ClockSkew = "clock-skew", Warning;
    /// There are nearly as many servers as the web server takes in.
    ServersFull = "servers-full", Warning;
    /// The agents of servers that have sent no heartbeat yet say that their probes fail.
    NotReportedYet = "not-reported-yet", Warning;
    /// A service has said goodbye long ago.
    ServiceStopped = "service-stopped", Info;
    /// A web component has said goodbye long ago.
    WebStopped = "web-stopped", Info;
    /// A service's messenger cannot be reached.
    MessengerUnreachable = "messenger-unreachable", Info;
    /// The stale timeout is short beside the interval.
    TimersTight = "timers-tight", Info;
    /// A removed component beats again.
    CameBack = "came-back", Info;
}

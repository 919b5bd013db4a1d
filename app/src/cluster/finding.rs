//! Which hints there are, how urgent each is, and about whom one is due.

use serde::{Deserialize, Serialize};

use super::component_key::Role;

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

impl Severity {
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
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

/// The trouble that a hint is about. Hints of one family about one subject follow each other while it lasts: a service is late,
/// then stale, then its heartbeats are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HintFamily {
    /// The overview cannot use its database.
    Blind,
    /// Whether a component is heard, steadily and from one machine; for the cluster, whether most services are.
    Heartbeat,
    /// An agent reports, but its server has never sent a heartbeat.
    FirstHeartbeat,
    /// Whether a web component gets requests.
    Requests,
    Key,
    Version,
    /// Which machine has which name.
    Name,
    Clock,
    Messenger,
    Failover,
    Balancing,
    Timers,
    /// The overview was blind often or for long.
    Unsteady,
    Certificate,
    Disk,
    /// A channel through which people are told.
    Channel,
    Token,
    Capacity,
}

macro_rules! hint_ids {
    ($($(#[$doc:meta])* $case:ident = $id:literal, $severity:ident, $action:ident, $family:ident;)*) => {
        /// Which advice; the order is that of the troubleshooting list within one severity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum HintId { $($(#[$doc])* $case,)* }

        impl HintId {
            /// Every hint there is.
            pub const ALL: &[Self] = &[$(Self::$case,)*];

            /// Its stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $id,)* }
            }

            /// How urgent it is at most: some hints say for each finding how urgent it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$case => Severity::$severity,)* }
            }

            /// What the page offers to do about it.
            pub const fn action(self) -> HintAction {
                match self { $(Self::$case => HintAction::$action,)* }
            }

            /// Which trouble it is about.
            pub const fn family(self) -> HintFamily {
                match self { $(Self::$case => HintFamily::$family,)* }
            }

            /// From its stable name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|id| id.as_str() == name)
            }
        }
    };
}

hint_ids! {
    /// The observer's database cannot be read or written.
    OverviewBlind = "overview-blind", Error, Nothing, Blind;
    /// More than half of at least two services went stale within one interval, and nothing is heard of any other component.
    EveryoneSilent = "everyone-silent", Error, Nothing, Heartbeat;
    /// The same, while other components go on sending heartbeats.
    ManySilent = "many-silent", Error, Nothing, Heartbeat;
    /// The certificate of the overview's web server has expired or does so soon.
    CertificateExpiring = "certificate-expiring", Error, Nothing, Certificate;
    /// A server decrypts with another key.
    KeyMismatch = "key-mismatch", Error, AcceptEncryptionKey, Key;
    /// A web server: the machine key does not match.
    MachineKeyMismatch = "machine-key-mismatch", Error, AcceptMachineKey, Key;
    /// Several machines use one name.
    DuplicateName = "duplicate-name", Error, Nothing, Heartbeat;
    /// A silent service whose heartbeats are rejected.
    HeartbeatsRefused = "heartbeats-refused", Error, Nothing, Heartbeat;
    /// An agent reports that the product does not answer its probe.
    ProbeFailing = "probe-failing", Error, Nothing, Heartbeat;
    /// A service starts again and again.
    ServiceRestarting = "service-restarting", Error, Nothing, Heartbeat;
    /// A web component starts again and again.
    WebRestarting = "web-restarting", Error, Nothing, Heartbeat;
    /// A service is stale.
    ServiceStale = "service-stale", Error, Nothing, Heartbeat;
    /// A service is late.
    ServiceLate = "service-late", Warning, Nothing, Heartbeat;
    /// A service's heartbeats stop and come back, again and again.
    ServiceFlapping = "service-flapping", Warning, Nothing, Heartbeat;
    /// A web component is stale while its server is alive.
    WebIdle = "web-idle", Warning, Nothing, Heartbeat;
    /// A web component is stale and nothing else is alive on its server.
    WebStale = "web-stale", Warning, Remove, Heartbeat;
    /// A server reports no key while others do.
    KeyMissing = "key-missing", Warning, Nothing, Key;
    /// More than one version runs.
    VersionSkew = "version-skew", Warning, Nothing, Version;
    /// Nothing could take over.
    FailoverThin = "failover-thin", Warning, EditSettings, Failover;
    /// One web server carries all.
    BalancingThin = "balancing-thin", Warning, EditSettings, Balancing;
    /// Two servers seem to be one machine under two names.
    SameMachine = "same-machine", Warning, Nothing, Name;
    /// A server's clock is off.
    ClockSkew = "clock-skew", Warning, Nothing, Clock;
    /// The disk of the overview's database is nearly full.
    DiskLow = "disk-low", Warning, Nothing, Disk;
    /// A channel does not accept messages.
    ChannelFailing = "channel-failing", Warning, Nothing, Channel;
    /// A token that is in use expires soon.
    TokenExpiring = "token-expiring", Warning, Nothing, Token;
    /// There are nearly as many servers as the web server takes in.
    ServersFull = "servers-full", Warning, Nothing, Capacity;
    /// Agents of servers that have never sent a heartbeat report that their probes fail.
    NotReportedYet = "not-reported-yet", Warning, Nothing, FirstHeartbeat;
    /// A service stopped cleanly long ago.
    ServiceStopped = "service-stopped", Warning, Remove, Heartbeat;
    /// A web component stopped cleanly long ago.
    WebStopped = "web-stopped", Warning, Remove, Heartbeat;
    /// The overview was blind often or for long.
    OverviewUnsteady = "overview-unsteady", Warning, Nothing, Unsteady;
    /// A web component gets no requests while others do.
    WebUnused = "web-unused", Info, Nothing, Requests;
    /// A service's messenger cannot be reached.
    MessengerUnreachable = "messenger-unreachable", Info, Reconnect, Messenger;
    /// The stale timeout is short compared with the interval.
    TimersTight = "timers-tight", Info, EditSettings, Timers;
    /// A removed component sends heartbeats again.
    CameBack = "came-back", Info, Remove, Name;
}

/// At most this number of hints of one id are given. Where more are due, the last of them is a summary of the rest:
/// nobody reads the same steps ten thousand times, and a picture must stay small.
pub const MAX_HINTS_OF_ONE_ID: usize = 50;

/// That advice is due: which, and about whom. The hint itself, with its evidence, is made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which advice.
    pub id: HintId,
    pub severity: Severity,
    /// The place of the server in the overview; `None` for the cluster.
    pub server: Option<usize>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
}

impl Finding {
    pub fn for_cluster(id: HintId) -> Self {
        Self { id, severity: id.severity(), server: None, role: None }
    }

    /// Splits the findings of one id into those that get a hint of their own and those that share a summary.
    pub fn split(same: &[Self]) -> (&[Self], &[Self]) {
        let summed = same.len() > MAX_HINTS_OF_ONE_ID;
        same.split_at(if summed { MAX_HINTS_OF_ONE_ID - 1 } else { same.len() })
    }
}

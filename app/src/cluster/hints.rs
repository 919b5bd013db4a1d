//! Which advice follows from the facts and verdicts.
//!
//! First it is found for whom advice is due ([`Finding`]: cheap, one for each server in trouble), then the hints are
//! made, with their evidence: a bounded number. Both cost what the servers are, never their square.
//!
//! To add a hint: a line in the table below, when it is due (`Case::about_cluster` or
//! `Case::about_server`), its evidence in `Case::hint`, and its sentences in the message files of `words`.

use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::blindness::Blindness;
use super::facts::{Messenger, MessengerFailure, Role, ServerName};
use super::keys::{KeyCheck, KeyKind};
use super::order::sorted;
use super::refusal::{Refusal, RefusalReason};
use super::silence::exceeds_at;
use super::snapshot::Snapshot;
use super::status::{ComponentStatus, KeyVerdict, Overview, Pulse, ServerStatus, VersionCheck};
use super::time::{Span, Timestamp};

/// How long a return after a removal is spoken of: one hour.
pub const CAME_BACK_FOR: Span = Span::minutes(60);
/// A clock further off than this, twice in a row, is worth a hint.
const SKEWED: Span = Span::seconds(2);
/// A clock further off than this is said more strongly.
const BADLY_SKEWED: Span = Span::seconds(5);

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

/// A value in a hint's sentences. The words decide how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A moment.
    Moment(Timestamp),
    /// A length of time.
    Span(Span),
    /// A count.
    Number(usize),
    /// A name, a version, an address.
    Text(String),
    /// Words of our own: their key.
    Word(&'static str),
    /// Several of them, in order.
    List(Names),
}

/// A sentence says this many names and counts the others.
const MAX_NAMES_IN_SENTENCE: usize = 6;
/// So many more are named rather than counted: that is as short.
const NAMED_RATHER_THAN_COUNTED: usize = 2;

/// Names in order: the first few, and how many there are. It never grows with the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    first: Vec<String>,
    total: usize,
    most: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self::up_to(MAX_NAMES_IN_SENTENCE)
    }
}

impl From<Vec<String>> for Names {
    fn from(all: Vec<String>) -> Self {
        let mut names = Self::default();
        for name in &all {
            names.push(&|| name.clone());
        }
        names
    }
}

impl Names {
    /// None yet; of many, this number is named.
    fn up_to(most: usize) -> Self {
        Self { first: Vec::new(), total: 0, most }
    }

    /// Adds one, which is made only if it may be named.
    fn push(&mut self, name: &dyn Fn() -> String) {
        if self.total < self.most + NAMED_RATHER_THAN_COUNTED {
            self.first.push(name());
        }
        self.total += 1;
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Those that are named, and how many are counted.
    pub fn named(&self) -> (&[String], usize) {
        match self.total - self.first.len() {
            0 => (&self.first, 0),
            _ => (&self.first[..self.most], self.total - self.most),
        }
    }
}

/// At most this number of hints of one id are given. Where more are due, the last of them is a summary of the rest:
/// nobody reads the same steps ten thousand times, and a picture must stay small.
pub const MAX_HINTS_OF_ONE_ID: usize = 50;
/// A summary names this number of servers and counts the others.
const MAX_NAMES_IN_SUMMARY: usize = 20;
/// The note of a hint that is a summary.
const SUMMARY: &str = "summary";

/// That advice is due: which, and about whom. The hint itself, with its evidence, is made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which advice.
    pub id: HintId,
    /// The place of the server in the overview; `None` for the cluster.
    pub server: Option<usize>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
}

impl Finding {
    fn of_cluster(id: HintId) -> Self {
        Self { id, server: None, role: None }
    }

    /// What the title of its hint names, made from its server alone.
    pub fn title_args(&self, overview: &Overview) -> Vec<(&'static str, Arg)> {
        let server = self.server.and_then(|place| overview.servers.get(place));
        let hint = server.and_then(|server| {
            if self.id == HintId::ClockSkew {
                return server.components.iter().find_map(clock_skew);
            }
            Some(Hint::of_server(self.id, &server.name))
        });
        hint.map(|hint| hint.args).unwrap_or_default()
    }

    /// Splits the findings of one id into those that get a hint of their own and those that share a summary.
    pub fn split(same: &[Self]) -> (&[Self], &[Self]) {
        let summed = same.len() > MAX_HINTS_OF_ONE_ID;
        same.split_at(if summed { MAX_HINTS_OF_ONE_ID - 1 } else { same.len() })
    }
}

/// The place of a hint on the page: stable, and safe in an address and as an element's id.
pub fn anchor(id: HintId, server: Option<&ServerName>, role: Option<Role>) -> String {
    let mut anchor = format!("hint-{}", id.as_str());
    if let Some(server) = server {
        anchor.push('-');
        anchor.push_str(&dom_safe(server));
    }
    if let Some(role) = role {
        // A `_` before a letter stands in no server's name: no two hints share a place.
        anchor.push('_');
        anchor.push_str(role.as_str());
    }
    anchor
}

/// The place of the summary of an id. No server's name leads there either.
pub fn summary_anchor(id: HintId) -> String {
    anchor(id, None, None) + "_" + SUMMARY
}

/// One piece of advice: data from which the words make sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Which advice.
    pub id: HintId,
    /// The server it is about; `None` for the cluster.
    pub server: Option<ServerName>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
    /// Which optional sentences apply, in order: of its evidence, said before the rest, and of its steps, said in
    /// place of the usual ones.
    pub notes: Vec<&'static str>,
    /// The values its sentences name.
    pub args: Vec<(&'static str, Arg)>,
}

impl Hint {
    fn of_cluster(id: HintId) -> Self {
        Self { id, server: None, role: None, notes: Vec::new(), args: Vec::new() }
    }

    fn of_server(id: HintId, server: &ServerName) -> Self {
        Self { server: Some(server.clone()), ..Self::of_cluster(id) }
            .with("server", Arg::Text(server.to_string()))
    }

    fn of_component(id: HintId, status: &ComponentStatus) -> Self {
        let component = &status.component;
        Self { role: Some(component.role), ..Self::of_server(id, &component.server) }
            .with("since", Arg::Moment(component.last_heartbeat))
            .with("address", Arg::Text(component.ip.to_string()))
    }

    fn with(mut self, name: &'static str, value: Arg) -> Self {
        self.args.push((name, value));
        self
    }

    /// Notes that another server plays a part, if one does, and names it.
    fn naming(self, note: &'static str, name: &'static str, other: Option<&ServerName>) -> Self {
        let named: Vec<String> = other.map(ToString::to_string).into_iter().collect();
        self.noting(note, other.is_some()).with(name, Arg::List(named.into()))
    }

    fn noting(mut self, note: &'static str, applies: bool) -> Self {
        if applies {
            self.notes.push(note);
        }
        self
    }

    /// How urgent it is.
    pub const fn severity(&self) -> Severity {
        self.id.severity()
    }

    /// The text it names so: a name, digits, an address.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Arg::Text(text) = self.arg(name)? { Some(text) } else { None }
    }

    fn arg(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Of how many findings it is the summary; `None` for a hint about one.
    pub fn summed(&self) -> Option<usize> {
        let summary = self.notes.first() == Some(&SUMMARY);
        match self.arg("count").filter(|_| summary) {
            Some(Arg::Number(count)) => Some(*count),
            _ => None,
        }
    }

    /// How many findings it stands for.
    pub fn weight(&self) -> usize {
        self.summed().unwrap_or(1)
    }

    /// Its place on the page: stable, and safe in an address and as an element's id.
    pub fn anchor(&self) -> String {
        match self.summed() {
            Some(_) => summary_anchor(self.id),
            None => anchor(self.id, self.server.as_ref(), self.role),
        }
    }
}

/// A server's name as part of an element's id: letters, digits, `-` and `.` of ASCII stand, all else
/// becomes `_` and its number.
pub fn dom_safe(server: &ServerName) -> String {
    server.folded().chars().fold(String::new(), |mut safe, c| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
            safe.push(c);
        } else {
            safe.push('_');
            safe.push_str(&u32::from(c).to_string());
            safe.push('_');
        }
        safe
    })
}

impl Snapshot {
    /// All hints at `now`, most urgent first, at most [`MAX_HINTS_OF_ONE_ID`] of each id. `overview` is
    /// this snapshot's own at `now`. While the observer is blind that is the only thing to say: nobody can
    /// tell about the servers.
    pub fn hints(&self, overview: &Overview, now: Timestamp) -> Vec<Hint> {
        self.hints_of(overview, &self.findings(overview, now))
    }

    /// For what advice is due at `now`, in the order of the hints. `overview` is this snapshot's own at
    /// `now`.
    pub fn findings(&self, overview: &Overview, now: Timestamp) -> Vec<Finding> {
        if self.blind_since.is_some() {
            return vec![Finding::of_cluster(HintId::OverviewBlind)];
        }
        let case = Case { snapshot: self, overview };
        let mut found = case.about_cluster();
        for (place, server) in overview.servers.iter().enumerate() {
            case.about_server(server, now, |id, role| {
                found.push(Finding { id, server: Some(place), role });
            });
        }
        // They were found in the order of servers and components; what is left is that of the ids.
        let mut findings = Vec::with_capacity(found.len());
        for severity in [Severity::Error, Severity::Warning, Severity::Info] {
            for id in HintId::ALL.iter().filter(|id| id.severity() == severity) {
                findings.extend(found.iter().filter(|finding| finding.id == *id));
            }
        }
        findings
    }

    /// The hints that these findings of one overview make.
    pub fn hints_of(&self, overview: &Overview, findings: &[Finding]) -> Vec<Hint> {
        let case = Case { snapshot: self, overview };
        let mut hints = Vec::new();
        for same in findings.chunk_by(|a, b| a.id == b.id) {
            case.add_hints(same, &mut hints);
        }
        hints
    }

    /// Which hints about the cluster as a whole are due at `now`.
    pub(super) fn cluster_hints(&self, now: Timestamp) -> Vec<Hint> {
        let overview = self.overview(now);
        let findings = if self.blind_since.is_some() {
            self.findings(&overview, now)
        } else {
            Case { snapshot: self, overview: &overview }.about_cluster()
        };
        self.hints_of(&overview, &findings)
    }
}

/// What every rule looks at.
#[derive(Clone, Copy)]
struct Case<'a> {
    snapshot: &'a Snapshot,
    overview: &'a Overview,
}

/// Services that went stale within one interval.
struct Together {
    services: usize,
    silent: usize,
    first: Timestamp,
}

/// What the hints of one id have in common: counted once for all of them.
enum Compared<'a> {
    /// Each stands for itself.
    Nothing,
    /// Who shares which key.
    Keys(Sharing),
    /// How many servers report a key.
    Keyed(usize),
    /// Who reports from which address.
    Addresses(Addresses<'a>),
}

impl<'a> Compared<'a> {
    fn addresses(&self) -> Option<&Addresses<'a>> {
        if let Self::Addresses(addresses) = self { Some(addresses) } else { None }
    }
}

/// Who reports which key: the servers with the reference, and those with each key that is asked for.
struct Sharing {
    reference: KeyCheck,
    most: bool,
    servers: Vec<(KeyCheck, Names)>,
}

impl Sharing {
    fn with(&self, check: KeyCheck) -> Names {
        let place = self.servers.binary_search_by_key(&check, |(known, _)| *known);
        let names = place.ok().and_then(|place| self.servers.get(place));
        names.map(|(_, names)| names.clone()).unwrap_or_default()
    }
}

impl<'a> Case<'a> {
    fn about_cluster(self) -> Vec<Finding> {
        let due = [
            (HintId::EveryoneSilent, self.together().is_some()),
            (HintId::VersionSkew, self.has_version_skew()),
            (HintId::FailoverThin, self.thin(HintId::FailoverThin).is_some()),
            (HintId::BalancingThin, self.thin(HintId::BalancingThin).is_some()),
            (HintId::ServersFull, self.nearly_full().is_some()),
            (HintId::NotReportedYet, self.unreported().next().is_some()),
            (HintId::TimersTight, self.has_tight_timers()),
        ];
        let mut findings = Vec::new();
        for (id, applies) in due {
            if applies {
                findings.push(Finding::of_cluster(id));
            }
        }
        findings
    }

    fn about_server(
        self,
        server: &ServerStatus,
        now: Timestamp,
        mut due: impl FnMut(HintId, Option<Role>),
    ) {
        for kind in KeyKind::ALL {
            if odd(server, kind).is_some() {
                due(key_hint(kind), None);
            }
        }
        let (missing, role) = bare(server);
        if missing > 0 {
            due(HintId::KeyMissing, role);
        }
        if server.components.iter().any(|status| off(status).is_some()) {
            due(HintId::ClockSkew, None);
        }
        for status in &server.components {
            let component = &status.component;
            let mut about = |id, applies: bool| {
                if applies {
                    due(id, Some(component.role));
                }
            };
            if let Some(id) = self.pulse(status, now) {
                about(id, true);
            }
            about(HintId::MessengerUnreachable, unreachable(status).is_some());
            let compared = !component.is_observer();
            let two = component.boots.former.is_some() && component.boots.is_duplicate(now);
            about(HintId::DuplicateName, compared && two);
            let back = component.came_back.is_some_and(|back| now - back <= CAME_BACK_FOR);
            about(HintId::CameBack, compared && back);
        }
    }

    /// Adds the hints of findings that share an id.
    fn add_hints(self, same: &[Finding], hints: &mut Vec<Hint>) {
        let (own, summed) = Finding::split(same);
        let compared = self.compare(own);
        for finding in own {
            hints.extend(self.hint(finding, &compared));
        }
        hints.extend(self.summary(summed));
    }

    /// What the hints of these findings, which share an id, have in common.
    fn compare(self, own: &[Finding]) -> Compared<'a> {
        let Some(id) = own.first().map(|first| first.id) else { return Compared::Nothing };
        match id {
            HintId::KeyMismatch | HintId::MachineKeyMismatch => {
                let kind = KeyKind::ALL.into_iter().find(|kind| id == key_hint(*kind));
                let sharing = kind.and_then(|kind| self.sharing(kind, own));
                sharing.map_or(Compared::Nothing, Compared::Keys)
            }
            HintId::KeyMissing => {
                let keyed = self.overview.servers.iter().filter(|server| is_keyed(server));
                Compared::Keyed(keyed.count())
            }
            HintId::ServiceStale
            | HintId::WebStale
            | HintId::ServiceStopped
            | HintId::WebStopped
            | HintId::MessengerUnreachable => {
                let asked = own.iter().filter_map(|finding| self.component(finding));
                Compared::Addresses(Addresses::of(self.overview, asked))
            }
            HintId::OverviewBlind
            | HintId::EveryoneSilent
            | HintId::DuplicateName
            | HintId::ServiceLate
            | HintId::WebIdle
            | HintId::VersionSkew
            | HintId::FailoverThin
            | HintId::BalancingThin
            | HintId::ClockSkew
            | HintId::ServersFull
            | HintId::NotReportedYet
            | HintId::TimersTight
            | HintId::CameBack => Compared::Nothing,
        }
    }

    /// One hint in place of all these.
    fn summary(self, summed: &[Finding]) -> Option<Hint> {
        let id = summed.first()?.id;
        let mut names = Names::up_to(MAX_NAMES_IN_SUMMARY);
        for servers in summed.chunk_by(|a, b| a.server == b.server) {
            if let Some(server) = self.server(servers.first()?) {
                names.push(&|| server.name.to_string());
            }
        }
        let hint = Hint::of_cluster(id).noting(SUMMARY, true);
        let hint = hint.with("count", Arg::Number(summed.len())).with("servers", Arg::List(names));
        Some(hint.with("server", Arg::Word("summary.servers")))
    }

    fn server(self, finding: &Finding) -> Option<&'a ServerStatus> {
        self.overview.servers.get(finding.server?)
    }

    fn component(self, finding: &Finding) -> Option<&'a ComponentStatus> {
        let mut components = self.server(finding)?.components.iter();
        components.find(|status| Some(status.component.role) == finding.role)
    }

    fn hint(self, finding: &Finding, compared: &Compared<'_>) -> Option<Hint> {
        let status = || self.component(finding);
        match finding.id {
            HintId::OverviewBlind => self.overview_blind(),
            HintId::EveryoneSilent => self.everyone_silent(),
            HintId::KeyMismatch => {
                key_mismatch(KeyKind::Encryption, self.server(finding)?, compared)
            }
            HintId::MachineKeyMismatch => {
                key_mismatch(KeyKind::Machine, self.server(finding)?, compared)
            }
            HintId::DuplicateName => duplicate_name(status()?),
            id @ (HintId::ServiceStale
            | HintId::ServiceLate
            | HintId::WebIdle
            | HintId::WebStale
            | HintId::ServiceStopped
            | HintId::WebStopped) => Some(self.silence(id, status()?, compared)),
            HintId::KeyMissing => key_missing(self.server(finding)?, compared),
            HintId::VersionSkew => self.version_skew(),
            id @ (HintId::FailoverThin | HintId::BalancingThin) => {
                Some(Hint::of_cluster(id).with("count", Arg::Number(self.thin(id)?)))
            }
            HintId::ClockSkew => self.server(finding)?.components.iter().find_map(clock_skew),
            HintId::ServersFull => self.servers_full(),
            HintId::NotReportedYet => Some(self.not_reported_yet()),
            HintId::MessengerUnreachable => messenger(status()?, compared),
            HintId::TimersTight => Some(self.timers_tight()),
            HintId::CameBack => {
                let status = status()?;
                let back = status.component.came_back?;
                let hint = Hint::of_component(HintId::CameBack, status);
                Some(hint.with("back", Arg::Moment(back)))
            }
        }
    }

    fn overview_blind(self) -> Option<Hint> {
        let since = self.snapshot.blind_since?;
        let hint = Hint::of_cluster(HintId::OverviewBlind).with("since", Arg::Moment(since));
        let why = self.snapshot.blindness.map(Blindness::as_str);
        Some(Hint { notes: why.into_iter().collect(), ..hint })
    }

    /// When a component's silence grew longer than `limit`.
    fn since_silent(self, status: &ComponentStatus, limit: Span) -> Timestamp {
        exceeds_at(status.component.last_heartbeat, limit, &self.snapshot.spells)
    }

    /// More than half of at least two services, if they went stale within one interval.
    fn together(self) -> Option<Together> {
        let settings = &self.snapshot.settings;
        let mut services = 0;
        let mut silent = Vec::new();
        for status in self.overview.compared() {
            if status.component.role == Role::Service && status.pulse != Pulse::Stopped {
                services += 1;
                if status.pulse == Pulse::Stale {
                    silent.push(self.since_silent(status, status.component.stale_limit(settings)));
                }
            }
        }
        let order = sorted(silent.len(), &|a, b| silent[a].cmp(&silent[b]));
        let silent: Vec<Timestamp> = order.into_iter().map(|place| silent[place]).collect();
        // Of the spans of one interval the fullest, and of equals the latest: a window slides over them.
        let (mut end, mut most, mut first) = (0, 0, None);
        for (start, moment) in silent.iter().enumerate() {
            while silent.get(end).is_some_and(|last| *last - *moment <= settings.interval()) {
                end += 1;
            }
            if end - start >= most {
                (most, first) = (end - start, Some(*moment));
            }
        }
        let first = first.filter(|_| services >= 2 && most * 2 > services)?;
        Some(Together { services, silent: most, first })
    }

    fn everyone_silent(self) -> Option<Hint> {
        let Together { services, silent, first } = self.together()?;
        Some(
            Hint::of_cluster(HintId::EveryoneSilent)
                .with("silent", Arg::Number(silent))
                .with("services", Arg::Number(services))
                .with("first", Arg::Moment(first))
                .with("interval", Arg::Span(self.snapshot.settings.interval())),
        )
    }

    /// Who shares which key, of the reference and of the servers that are told of: one look at all of them.
    fn sharing(self, kind: KeyKind, told: &[Finding]) -> Option<Sharing> {
        let reference = self.snapshot.references.of(kind)?.check;
        let odd_ones = told.iter().filter_map(|finding| odd(self.server(finding)?, kind));
        let mut servers: Vec<(KeyCheck, Names)> = Vec::new();
        for check in odd_ones.chain([reference]) {
            if let Err(place) = servers.binary_search_by_key(&check, |(known, _)| *known) {
                servers.insert(place, (check, Names::default()));
            }
        }
        let (mut wrong, mut right) = (0, 0);
        for server in &self.overview.servers {
            let mut before = None;
            for status in &server.components {
                match verdict(status, kind).filter(|_| status.live) {
                    Some(KeyVerdict::Mismatch) => wrong += 1,
                    Some(KeyVerdict::InSync) => right += 1,
                    Some(KeyVerdict::Missing) | None => {}
                }
                let compared = !status.component.is_observer();
                let Some(check) = kind.of(&status.component).filter(|_| compared) else { continue };
                let known = servers.binary_search_by_key(&check, |(known, _)| *known);
                if let Some((_, names)) = known.ok().and_then(|place| servers.get_mut(place))
                    && before.replace(check) != Some(check)
                {
                    names.push(&|| server.name.to_string());
                }
            }
        }
        Some(Sharing { reference, most: wrong > right, servers })
    }

    fn has_version_skew(self) -> bool {
        let skewed = |status: &ComponentStatus| {
            status.live
                && matches!(status.version, Some(VersionCheck::Behind | VersionCheck::Ahead))
        };
        self.overview.compared().any(skewed)
    }

    fn version_skew(self) -> Option<Hint> {
        let reference = self.overview.reference_version.clone()?;
        let named = |wanted: VersionCheck| {
            let mut names = Names::default();
            let mut before = None;
            for status in self.overview.compared() {
                let one = (&status.component.server, status.component.version.as_str());
                if status.live && status.version == Some(wanted) && before.replace(one) != Some(one)
                {
                    names.push(&|| format!("{} ({})", one.0, one.1));
                }
            }
            names
        };
        let (behind, ahead) = (named(VersionCheck::Behind), named(VersionCheck::Ahead));
        let mut per_version = Names::default();
        for count in &self.overview.versions {
            per_version.push(&|| format!("{}: {}", count.version, count.servers));
        }
        Some(
            Hint::of_cluster(HintId::VersionSkew)
                .noting("behind", behind.total() > 0)
                .noting("ahead", ahead.total() > 0)
                .with("reference", Arg::Text(reference))
                .with("behind", Arg::List(behind))
                .with("ahead", Arg::List(ahead))
                .with("versions", Arg::List(per_version)),
        )
    }

    /// How many carry what this advice is about, if it is on and they are fewer than two.
    fn thin(self, id: HintId) -> Option<usize> {
        let settings = &self.snapshot.settings;
        let (on, role) = if id == HintId::FailoverThin {
            (settings.automatic_failover, Role::Service)
        } else {
            (settings.load_balancing, Role::Web)
        };
        let carries = |status: &&ComponentStatus| {
            status.component.role == role
                && if role == Role::Service { status.pulse.is_heard() } else { status.live }
        };
        let count = self.overview.compared().filter(carries).count();
        (on && count < 2).then_some(count)
    }

    /// How many servers there are, and how many there may be, if those are nearly as many.
    fn nearly_full(self) -> Option<(usize, usize)> {
        let servers = self.overview.servers.len();
        self.snapshot.nearly_reached(servers).map(|limit| (servers, limit))
    }

    fn servers_full(self) -> Option<Hint> {
        let (servers, limit) = self.nearly_full()?;
        // Nobody has been gone for a day since the picture's own moment: that would have moved it.
        let gone = self.snapshot.count_gone(self.overview.as_of);
        Some(
            Hint::of_cluster(HintId::ServersFull)
                .noting("nearly", servers < limit)
                .noting("full", servers >= limit)
                .with("servers", Arg::Number(servers))
                .with("limit", Arg::Number(limit))
                .with("gone", Arg::Number(gone)),
        )
    }

    /// Failing probes of servers without a row, at the picture's own moment: their end would have moved it.
    fn unreported(self) -> impl Iterator<Item = &'a Refusal> {
        self.snapshot.unreported(self.overview.as_of)
    }

    fn not_reported_yet(self) -> Hint {
        let (mut servers, mut reasons) = (Names::default(), Names::default());
        let mut before = None;
        for refusal in self.unreported() {
            if before.replace(&refusal.server) != Some(&refusal.server) {
                servers.push(&|| refusal.server.to_string());
            }
            if let RefusalReason::Probe { role, said } = &refusal.why {
                let said = said.trim_end_matches('.');
                reasons.push(&|| format!("{} ({}): {said}", refusal.server, role.as_str()));
            }
        }
        Hint::of_cluster(HintId::NotReportedYet)
            .with("servers", Arg::List(servers))
            .with("reasons", Arg::List(reasons))
    }

    fn has_tight_timers(self) -> bool {
        let settings = &self.snapshot.settings;
        settings.stale_timeout() < settings.interval().times(3)
    }

    fn timers_tight(self) -> Hint {
        let settings = &self.snapshot.settings;
        Hint::of_cluster(HintId::TimersTight)
            .with("timeout", Arg::Span(settings.stale_timeout()))
            .with("interval", Arg::Span(settings.interval()))
            .with("wanted", Arg::Span(settings.interval().times(3)))
    }

    /// Which advice a pulse asks for.
    fn pulse(self, status: &ComponentStatus, now: Timestamp) -> Option<HintId> {
        let component = &status.component;
        match (status.pulse, component.role) {
            (Pulse::Alive | Pulse::Unknown, _) => None,
            (Pulse::Late, _) => Some(HintId::ServiceLate),
            (Pulse::Stale, Role::Service) => Some(HintId::ServiceStale),
            (Pulse::Stale, Role::Web) if status.live => Some(HintId::WebIdle),
            (Pulse::Stale, Role::Web) => Some(HintId::WebStale),
            (Pulse::Stopped, role) => {
                let silence = component.silence(&self.snapshot.spells, now);
                (silence > self.snapshot.settings.stale_timeout()).then_some(match role {
                    Role::Service => HintId::ServiceStopped,
                    Role::Web => HintId::WebStopped,
                })
            }
        }
    }

    fn silence(self, id: HintId, status: &ComponentStatus, compared: &Compared<'_>) -> Hint {
        let component = &status.component;
        let settings = &self.snapshot.settings;
        let limit = component.stale_limit(settings);
        Hint::of_component(id, status)
            .naming(
                "renamed",
                "successor",
                compared.addresses().and_then(|at| at.successor(status)),
            )
            .with("limit", Arg::Span(limit))
            .with("late", Arg::Span(component.late_limit(settings)))
            .with("stale_at", Arg::Moment(self.since_silent(status, limit)))
            .with("interval", Arg::Span(settings.interval()))
    }
}

/// The verdict on a component's key of this kind.
fn verdict(status: &ComponentStatus, kind: KeyKind) -> Option<KeyVerdict> {
    match kind {
        KeyKind::Encryption => status.key,
        KeyKind::Machine => status.machine_key,
    }
}

/// The advice for a server with another key of this kind.
const fn key_hint(kind: KeyKind) -> HintId {
    match kind {
        KeyKind::Encryption => HintId::KeyMismatch,
        KeyKind::Machine => HintId::MachineKeyMismatch,
    }
}

/// The first key of a server that differs from the reference.
fn odd(server: &ServerStatus, kind: KeyKind) -> Option<KeyCheck> {
    let mut components = server.components.iter();
    let odd = components.find(|status| verdict(status, kind) == Some(KeyVerdict::Mismatch))?;
    kind.of(&odd.component)
}

fn key_mismatch(kind: KeyKind, server: &ServerStatus, compared: &Compared<'_>) -> Option<Hint> {
    let Compared::Keys(sharing) = compared else { return None };
    let check = odd(server, kind)?;
    let right = sharing.with(sharing.reference);
    let count = right.total();
    Some(
        Hint::of_server(key_hint(kind), &server.name)
            .noting("most", sharing.most)
            .noting("nobody", count == 0)
            .noting("alone", count == 1)
            .noting("sharing", count > 1)
            .with("key", Arg::Text(check.short()))
            .with("reference", Arg::Text(sharing.reference.short()))
            .with("sharing", Arg::List(right))
            .with("count", Arg::Number(count))
            .with("same", Arg::List(sharing.with(check))),
    )
}

fn key_missing(server: &ServerStatus, compared: &Compared<'_>) -> Option<Hint> {
    let Compared::Keyed(keyed) = compared else { return None };
    let (_, role) = bare(server);
    let hint = Hint::of_server(HintId::KeyMissing, &server.name)
        .with("roles", Arg::Word(roles(role)))
        .with("count", Arg::Number(keyed - usize::from(is_keyed(server))));
    Some(Hint { role, ..hint })
}

/// Whether a server reports an encryption key.
fn is_keyed(server: &ServerStatus) -> bool {
    let mut components = server.components.iter().map(|status| &status.component);
    components.any(|component| !component.is_observer() && component.key_check.is_some())
}

/// How many components of a server report no key while others do, and which one if it is one.
fn bare(server: &ServerStatus) -> (usize, Option<Role>) {
    let missing = |status: &&ComponentStatus| status.key == Some(KeyVerdict::Missing);
    let mut bare = server.components.iter().filter(missing);
    let first = bare.next().map(|status| status.component.role);
    let others = bare.count();
    (usize::from(first.is_some()) + others, first.filter(|_| others == 0))
}

fn unreachable(status: &ComponentStatus) -> Option<(&Messenger, MessengerFailure)> {
    let messenger = status.messenger.as_deref()?;
    let failure = messenger.unreachable()?;
    (status.component.role == Role::Service).then_some((messenger, failure))
}

fn messenger(status: &ComponentStatus, compared: &Compared<'_>) -> Option<Hint> {
    let (messenger, failure) = unreachable(status)?;
    let neighbour = compared.addresses().and_then(|at| at.neighbour(status));
    Some(
        Hint::of_component(HintId::MessengerUnreachable, status)
            .naming("shared", "neighbour", neighbour)
            .noting(failure.note(), true)
            .with("port", Arg::Text(messenger.port.to_string()))
            .with("reason", Arg::Word(failure.key()))
            .with("since_when", Arg::Moment(messenger.since))
            .with("seen_by", Arg::Text(messenger.seen_by.clone())),
    )
}

fn duplicate_name(status: &ComponentStatus) -> Option<Hint> {
    let boots = &status.component.boots;
    let former = boots.former.as_ref()?;
    Some(
        Hint::of_component(HintId::DuplicateName, status)
            .with("one", Arg::Text(boots.current.ip.to_string()))
            .with("other", Arg::Text(former.ip.to_string()))
            .with("returns", Arg::Number(boots.returns.len())),
    )
}

/// By how much a component's clock is off, if that is worth a hint.
fn off(status: &ComponentStatus) -> Option<Span> {
    let off = status.component.skew?.steady();
    (Span(off.0.abs()) > SKEWED).then_some(off)
}

fn clock_skew(status: &ComponentStatus) -> Option<Hint> {
    let off = off(status)?;
    let amount = Span(off.0.abs());
    Some(
        Hint::of_server(HintId::ClockSkew, &status.component.server)
            .noting("badly", amount > BADLY_SKEWED)
            .noting("ahead", off > Span::ZERO)
            .noting("behind", off < Span::ZERO)
            .with("off", Arg::Span(amount)),
    )
}

impl MessengerFailure {
    /// Which steps of the advice fit it: of their own where something answers, and the usual ones where nothing does.
    const fn note(self) -> &'static str {
        match self {
            Self::Connecting | Self::Lost | Self::Refused | Self::TimedOut | Self::Unreachable => {
                "no-answer"
            }
            Self::NotAMessenger => "not-a-messenger",
            Self::WrongKey => "wrong-key",
            Self::Protocol => "protocol",
        }
    }

    /// The key of the words for it, a word or two as they stand in a sentence.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Connecting => "reason.connecting",
            Self::Lost => "reason.lost",
            Self::Refused => "reason.refused",
            Self::TimedOut => "reason.timed-out",
            Self::Unreachable => "reason.unreachable",
            Self::NotAMessenger => "reason.not-a-messenger",
            Self::WrongKey => "reason.wrong-key",
            Self::Protocol => "reason.protocol",
        }
    }
}

/// The key of the words for a component, or for both of a server.
pub const fn roles(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Web) => "role.in-text.web",
        Some(Role::Service) => "role.in-text.service",
        None => "role.in-text.both",
    }
}

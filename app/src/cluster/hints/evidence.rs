//! What the hints say: the values that their sentences name.

use super::hint::{Arg, Hint, MAX_NAMES_IN_SUMMARY, Names};
use super::note::Note;
use super::rules::{RuleContext, bare, key_hint, odd, off, unreachable, verdict};
use super::shared_evidence::{SharedEvidence, Sharing};
use crate::cluster::capacity::GONE_FOR;
use crate::cluster::finding::{Finding, HintId};
use crate::cluster::health::{ComponentStatus, Overview, ServerStatus};
use crate::cluster::health::{KeyVerdict, VersionCheck};
use crate::cluster::keys::{KeyCheck, KeyKind};
use crate::cluster::rejected::RejectionReason;
use crate::cluster::removal::RemovalFilter;
use crate::cluster::shared_addresses::SharedAddresses;
use crate::cluster::time::Span;

/// A clock further off than this is said more strongly.
const BADLY_SKEWED: Span = Span::seconds(5);

impl<'a> RuleContext<'a> {
    /// Adds the hints of findings that share an id.
    pub(super) fn add_hints(self, same: &[Finding], hints: &mut Vec<Hint>) {
        let (own, summed) = Finding::split(same);
        hints.extend(self.hints_one_by_one(own).flatten());
        hints.extend(self.summary(summed));
    }

    /// The hint of each of these findings, which share an id.
    pub(super) fn hints_one_by_one(self, same: &[Finding]) -> impl Iterator<Item = Option<Hint>> {
        let compared = self.compare(same);
        same.iter().map(move |finding| {
            let hint = self.hint(finding, &compared)?;
            Some(Hint { severity: finding.severity, since: self.since(finding), ..hint })
        })
    }

    /// What the hints of these findings, which share an id, have in common.
    fn compare(self, own: &[Finding]) -> SharedEvidence<'a> {
        let Some(id) = own.first().map(|first| first.id) else { return SharedEvidence::Nothing };
        match id {
            HintId::KeyMismatch | HintId::MachineKeyMismatch => {
                let kind = KeyKind::ALL.into_iter().find(|kind| id == key_hint(*kind));
                let sharing = kind.and_then(|kind| self.sharing(kind, own));
                sharing.map_or(SharedEvidence::Nothing, SharedEvidence::Keys)
            }
            HintId::KeyMissing => {
                let keyed = self.overview.servers.iter().filter(|server| is_keyed(server));
                SharedEvidence::Keyed(keyed.count())
            }
            HintId::ServiceStale
            | HintId::WebStale
            | HintId::ServiceStopped
            | HintId::WebStopped
            | HintId::MessengerUnreachable => {
                let asked = own.iter().filter_map(|finding| self.component(finding));
                SharedEvidence::SharedAddresses(SharedAddresses::find(self.overview, asked))
            }
            HintId::SameMachine => SharedEvidence::SameMachines(self.same_machines()),
            HintId::OverviewBlind
            | HintId::EveryoneSilent
            | HintId::ManySilent
            | HintId::DuplicateName
            | HintId::HeartbeatsRefused
            | HintId::ProbeFailing
            | HintId::ServiceRestarting
            | HintId::WebRestarting
            | HintId::ServiceFlapping
            | HintId::WebUnused
            | HintId::OverviewUnsteady
            | HintId::ServiceLate
            | HintId::WebIdle
            | HintId::VersionSkew
            | HintId::FailoverThin
            | HintId::BalancingThin
            | HintId::ClockSkew
            | HintId::ServersFull
            | HintId::CertificateExpiring
            | HintId::DiskLow
            | HintId::ChannelFailing
            | HintId::TokenExpiring
            | HintId::NotReportedYet
            | HintId::TimersTight
            | HintId::CameBack => SharedEvidence::Nothing,
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
        let severity = summed.first()?.severity;
        let hint = Hint { severity, ..Hint::for_cluster(id) }.with_note(Note::Summary, true);
        Some(hint.with("count", Arg::Number(summed.len())).with("servers", Arg::List(names)))
    }

    pub(super) fn server(self, finding: &Finding) -> Option<&'a ServerStatus> {
        self.overview.servers.get(finding.server?)
    }

    pub(super) fn component(self, finding: &Finding) -> Option<&'a ComponentStatus> {
        let mut components = self.server(finding)?.components.iter();
        components.find(|status| Some(status.component.role) == finding.role)
    }

    fn hint(self, finding: &Finding, compared: &SharedEvidence<'_>) -> Option<Hint> {
        let status = || self.component(finding);
        match finding.id {
            HintId::OverviewBlind => self.overview_blind(),
            HintId::EveryoneSilent => self.everyone_silent(),
            HintId::ManySilent => self.many_silent(),
            HintId::HeartbeatsRefused => self.heartbeats_refused(status()?),
            HintId::ProbeFailing => self.probe_failing(status()?),
            id @ (HintId::ServiceRestarting | HintId::WebRestarting) => {
                self.restarting(id, status()?)
            }
            HintId::ServiceFlapping => self.flapping(status()?),
            HintId::SameMachine => self.same_machine(finding, compared),
            HintId::WebUnused => Some(self.web_unused(status()?)),
            HintId::OverviewUnsteady => self.overview_unsteady(),
            HintId::KeyMismatch => {
                key_mismatch(KeyKind::Encryption, self.server(finding)?, compared)
            }
            HintId::MachineKeyMismatch => {
                key_mismatch(KeyKind::Machine, self.server(finding)?, compared)
            }
            HintId::DuplicateName => Some(duplicate_name(status()?)),
            id @ (HintId::ServiceStale
            | HintId::ServiceLate
            | HintId::WebIdle
            | HintId::WebStale
            | HintId::ServiceStopped
            | HintId::WebStopped) => Some(self.silence(id, status()?, compared)),
            HintId::KeyMissing => key_missing(self.server(finding)?, compared),
            HintId::VersionSkew => self.version_skew(),
            id @ (HintId::FailoverThin | HintId::BalancingThin) => {
                Some(Hint::for_cluster(id).with("count", Arg::Number(self.thin(id)?)))
            }
            HintId::ClockSkew => self.server(finding)?.components.iter().find_map(clock_skew),
            HintId::ServersFull => self.servers_full(),
            HintId::CertificateExpiring => self.certificate_expiring(),
            HintId::DiskLow => self.disk_low(),
            HintId::ChannelFailing => self.channel_failing(),
            HintId::TokenExpiring => self.token_expiring(),
            HintId::NotReportedYet => Some(self.not_reported_yet()),
            HintId::MessengerUnreachable => messenger(status()?, compared),
            HintId::TimersTight => Some(self.timers_tight()),
            HintId::CameBack => {
                let status = status()?;
                let back = status.component.came_back?;
                let hint = Hint::for_component(HintId::CameBack, status);
                Some(hint.with("back", Arg::Moment(back)))
            }
        }
    }

    fn overview_blind(self) -> Option<Hint> {
        let since = self.snapshot.blind_since?;
        let hint = Hint::for_cluster(HintId::OverviewBlind).with("since", Arg::Moment(since));
        let why = self.snapshot.outage.map(Note::Outage);
        Some(Hint { notes: why.into_iter().collect(), ..hint })
    }

    fn everyone_silent(self) -> Option<Hint> {
        Some(self.with_silence(Hint::for_cluster(HintId::EveryoneSilent), self.together?))
    }

    /// Who has which key: the reference, and those of the servers in the hints. One pass over all servers.
    fn sharing(self, kind: KeyKind, findings: &[Finding]) -> Option<Sharing> {
        let reference = self.snapshot.references.get(kind)?.check;
        let odd_ones = findings.iter().filter_map(|finding| odd(self.server(finding)?, kind));
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
                let Some(check) = status.component.check(kind).filter(|_| compared) else {
                    continue;
                };
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

    fn version_skew(self) -> Option<Hint> {
        let reference = self.overview.reference_version.clone()?;
        let named = |wanted: VersionCheck| {
            let mut names = Names::default();
            let mut before = None;
            for status in self.overview.compared() {
                let one = (&status.component.server, status.component.facts.version.as_str());
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
            Hint::for_cluster(HintId::VersionSkew)
                .with_note(Note::OlderVersions, behind.total() > 0)
                .with_note(Note::NewerVersions, ahead.total() > 0)
                .with("reference", Arg::Text(reference))
                .with("behind", Arg::List(behind))
                .with("ahead", Arg::List(ahead))
                .with("versions", Arg::List(per_version)),
        )
    }

    fn servers_full(self) -> Option<Hint> {
        let (servers, limit) = self.nearly_full()?;
        // Nobody has been gone for a day since the picture's own moment: that would have moved it.
        let gone = RemovalFilter { stale_for: Some(GONE_FOR), name: None };
        let gone = self.snapshot.servers_to_remove(&gone, self.overview.as_of).len();
        Some(
            Hint::for_cluster(HintId::ServersFull)
                .with_note(Note::NearlyFull, servers < limit)
                .with_note(Note::Full, servers >= limit)
                .with("count", Arg::Number(servers))
                .with("limit", Arg::Number(limit))
                .with("gone", Arg::Number(gone)),
        )
    }

    fn not_reported_yet(self) -> Hint {
        let (mut servers, mut reasons) = (Names::default(), Names::default());
        let mut before = None;
        for refusal in self.unreported() {
            if before.replace(&refusal.server) != Some(&refusal.server) {
                servers.push(&|| refusal.server.to_string());
            }
            if let RejectionReason::Probe { role, reason } = &refusal.why {
                let reason = reason.trim_end_matches('.');
                reasons.push(&|| format!("{} ({}): {reason}", refusal.server, role.as_str()));
            }
        }
        Hint::for_cluster(HintId::NotReportedYet)
            .with("servers", Arg::List(servers))
            .with("reasons", Arg::List(reasons))
    }

    fn timers_tight(self) -> Hint {
        let settings = &self.snapshot.settings;
        Hint::for_cluster(HintId::TimersTight)
            .with("timeout", Arg::Span(settings.stale_timeout()))
            .with("interval", Arg::Span(settings.interval()))
            .with("wanted", Arg::Span(settings.interval().times(3)))
    }

    fn silence(self, id: HintId, status: &ComponentStatus, compared: &SharedEvidence<'_>) -> Hint {
        let component = &status.component;
        let settings = &self.snapshot.settings;
        let limit = component.stale_limit(settings);
        Hint::for_component(id, status)
            .with_other(
                Note::Renamed,
                "successor",
                compared.addresses().and_then(|at| at.successor(status)),
            )
            .with("limit", Arg::Span(limit))
            .with("late", Arg::Span(component.late_limit(settings)))
            .with("stale_at", Arg::Moment(self.since_silent(status, limit)))
            .with("interval", Arg::Span(settings.interval()))
    }
}

fn key_mismatch(
    kind: KeyKind,
    server: &ServerStatus,
    compared: &SharedEvidence<'_>,
) -> Option<Hint> {
    let SharedEvidence::Keys(sharing) = compared else { return None };
    let check = odd(server, kind)?;
    let right = sharing.with(sharing.reference);
    let count = right.total();
    Some(
        Hint::for_server(key_hint(kind), &server.name)
            .with_note(Note::MostDiffer(kind), sharing.most)
            .with_note(Note::ReferenceUnused(kind), count == 0)
            .with_note(Note::ReferenceUsed(kind), count > 0)
            .with("key", Arg::Text(check.short()))
            .with("reference", Arg::Text(sharing.reference.short()))
            .with("sharing", Arg::List(right))
            .with("count", Arg::Number(count))
            .with("same", Arg::List(sharing.with(check))),
    )
}

fn key_missing(server: &ServerStatus, compared: &SharedEvidence<'_>) -> Option<Hint> {
    let SharedEvidence::Keyed(keyed) = compared else { return None };
    let (_, role) = bare(server);
    let hint = Hint::for_server(HintId::KeyMissing, &server.name)
        .with("roles", Arg::Roles(role))
        .with("count", Arg::Number(keyed - usize::from(is_keyed(server))));
    Some(Hint { role, ..hint })
}

/// Whether a server reports an encryption key.
fn is_keyed(server: &ServerStatus) -> bool {
    let mut components = server.components.iter().map(|status| &status.component);
    components.any(|component| !component.is_observer() && component.facts.key_check.is_some())
}

fn messenger(status: &ComponentStatus, compared: &SharedEvidence<'_>) -> Option<Hint> {
    let (messenger, failure) = unreachable(status)?;
    let neighbour = compared.addresses().and_then(|at| at.neighbour(status));
    Some(
        Hint::for_component(HintId::MessengerUnreachable, status)
            .with_other(Note::SharedAddress, "neighbour", neighbour)
            .with_note(Note::Failure(failure), true)
            .with("port", Arg::Text(messenger.port.to_string()))
            .with("reason", Arg::MessengerFailure(failure))
            .with("since_when", Arg::Moment(messenger.since))
            .with("seen_by", Arg::Text(messenger.seen_by.clone())),
    )
}

fn duplicate_name(status: &ComponentStatus) -> Hint {
    let boots = &status.component.boots;
    let addresses: Vec<String> =
        boots.addresses_of_duplicates().into_iter().map(ToString::to_string).collect();
    Hint::for_component(HintId::DuplicateName, status)
        .with("machines", Arg::Number(addresses.len()))
        .with("addresses", Arg::List(addresses.into()))
        .with("returns", Arg::Number(boots.returns.len()))
}

fn clock_skew(status: &ComponentStatus) -> Option<Hint> {
    let off = off(status)?;
    let amount = Span(off.0.abs());
    Some(
        Hint::for_server(HintId::ClockSkew, &status.component.server)
            .with_note(Note::ClockFarOff, amount > BADLY_SKEWED)
            .with_note(Note::ClockAhead, off > Span::ZERO)
            .with_note(Note::ClockBehind, off < Span::ZERO)
            .with("off", Arg::Span(amount)),
    )
}

impl Finding {
    /// What the title of its hint names, made from its server alone.
    pub fn title_args(&self, overview: &Overview) -> Vec<(&'static str, Arg)> {
        let server = self.server.and_then(|place| overview.servers.get(place));
        let hint = server.and_then(|server| {
            let mut components = server.components.iter();
            if self.id == HintId::ClockSkew {
                return components.find_map(clock_skew);
            }
            Some(Hint::for_server(self.id, &server.name))
        });
        hint.map(|hint| hint.args).unwrap_or_default()
    }
}

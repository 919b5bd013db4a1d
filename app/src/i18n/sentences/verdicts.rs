//! How the cluster, its components and its hints are said.

use crate::cluster::hints::{Arg, roles};
use crate::cluster::{
    ComponentStatus, Health, Hint, HintId, KeyVerdict, Messenger, Overview, Pulse,
    RejectedHeartbeat, RejectionReason, Role, Snapshot, Source, Span, VersionCheck,
};
use crate::i18n::Words;

/// A hint in sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintText {
    /// What is wrong, naming the server.
    pub title: String,
    /// How one knows, with moments and limits.
    pub evidence: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What not to do, where that matters.
    pub avoid: Option<String>,
}

/// The page's first sentence and the one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the cluster is.
    pub headline: String,
    /// Who is wrong and why; empty when all is well.
    pub detail: String,
}

impl Words {
    /// The sentences of a hint.
    pub fn hint(&self, hint: &Hint) -> HintText {
        let id = hint.id.as_str();
        if hint.summed().is_some() {
            return HintText {
                title: self.title(hint),
                evidence: self.say("summary.evidence", &hint.args),
                steps: self.all("summary.step", &hint.args),
                avoid: self.all(&format!("{id}.avoid"), &hint.args).into_iter().next(),
            };
        }
        let part = |part: &str| self.all(&format!("{id}.{part}"), &hint.args);
        let noted = |of: &str| -> Vec<String> {
            hint.notes.iter().flat_map(|note| part(&format!("{of}.{note}"))).collect()
        };
        let mut evidence = noted("evidence");
        evidence.extend(part("evidence"));
        let mut steps = noted("step");
        if steps.is_empty() {
            steps = part("step");
        }
        HintText {
            title: self.title(hint),
            evidence: evidence.join(" "),
            steps,
            avoid: part("avoid").into_iter().next(),
        }
    }

    /// What is wrong, naming the server.
    pub fn title(&self, hint: &Hint) -> String {
        if let Some(count) = hint.summed() {
            let many = self.many(hint.id, count);
            return self.say("summary.title", &[("many", Arg::Text(many))]);
        }
        self.say(&format!("{}.title", hint.id.as_str()), &hint.args)
    }

    /// The heading over several hints of one id.
    pub fn many(&self, id: HintId, count: usize) -> String {
        self.say(&format!("{}.many", id.as_str()), &[("count", Arg::Number(count))])
    }

    /// Why a component is as it is: moments and limits, never ages, so that it changes only with the
    /// verdict.
    pub fn why(&self, status: &ComponentStatus, snapshot: &Snapshot) -> String {
        let version = [("version", Arg::Text(status.component.facts.version.clone()))];
        let mut sentences = vec![self.why_pulse(status, snapshot)];
        sentences.extend(version_key(status.version).map(|key| self.say(key, &version)));
        sentences.extend(key_key(status.key).map(|key| self.say(key, &[])));
        if status.machine_key == Some(KeyVerdict::Mismatch) {
            sentences.push(self.say("why.machine-key", &[]));
        }
        sentences.join("; ")
    }

    /// That heartbeats in a server's name are refused or not sent, and why.
    pub fn refused(&self, refusal: &RejectedHeartbeat) -> String {
        let from = refusal.from.as_ref();
        let from =
            from.map_or(Arg::Word("refused.from-unknown"), |from| Arg::Text(from.to_string()));
        let (role, said) = match &refusal.why {
            RejectionReason::Probe { role, reason } => (Some(*role), reason.as_str()),
            RejectionReason::Token | RejectionReason::Foreign | RejectionReason::NotEnrolled => {
                (None, "")
            }
        };
        let args = [
            ("since", Arg::Moment(refusal.since)),
            ("from", from),
            ("role", Arg::Word(roles(role))),
            ("said", Arg::Text(said.trim_end_matches('.').to_owned())),
        ];
        self.say(&format!("refused.{}", refusal.why.as_str()), &args)
    }

    /// Why a component's pulse is as it is.
    pub fn why_pulse(&self, status: &ComponentStatus, snapshot: &Snapshot) -> String {
        let component = &status.component;
        let settings = &snapshot.settings;
        let seconds = |span: Span| Arg::Text(format!("{} s", span.0 / 1_000));
        let args = [
            ("since", Arg::Moment(component.last_heartbeat)),
            ("limit", seconds(component.stale_limit(settings))),
            ("late", seconds(component.late_limit(settings))),
            ("blind", Arg::Moment(snapshot.blind_since.unwrap_or_default())),
        ];
        let probed = status.pulse == Pulse::Alive && component.facts.source == Source::Probe;
        let by = if probed { ".probed" } else { "" };
        self.say(&format!("why.{}.{}{by}", status.pulse.as_str(), component.role.as_str()), &args)
    }

    /// Why a messenger cannot be reached, and since when.
    pub fn why_messenger(&self, messenger: &Messenger) -> Option<String> {
        let failure = messenger.unreachable()?;
        let args = [("reason", Arg::Word(failure.key())), ("since", Arg::Moment(messenger.since))];
        Some(self.say("why.messenger", &args))
    }

    /// The page's opening: how many servers need attention, and why, in words.
    pub fn verdict(&self, overview: &Overview, hints: &[Hint]) -> Verdict {
        let total = overview.servers.len();
        let troubled: Vec<_> =
            overview.servers.iter().filter(|server| server.health > Health::Unknown).collect();
        let args = [
            ("total", Arg::Number(total)),
            ("troubled", Arg::Number(troubled.len())),
            ("since", Arg::Moment(overview.blind_since.unwrap_or_default())),
        ];
        let headline = match (overview.health, total, troubled.len()) {
            (Health::Unknown, ..) => "verdict.blind",
            _ if overview.blind_since.is_some() => "verdict.blind",
            (_, 0, _) => "verdict.empty",
            (Health::Ok, 1, _) => "verdict.well.one",
            (Health::Ok, ..) => "verdict.well",
            (Health::Warning | Health::Error, _, 0) => "verdict.cluster",
            (Health::Warning | Health::Error, 1, _) => "verdict.trouble.one",
            (Health::Warning | Health::Error, _, 1) => "verdict.trouble.first",
            (Health::Warning | Health::Error, ..) => "verdict.trouble",
        };
        let mut reasons: Vec<String> = Vec::new();
        let mut count = 0;
        if overview.blind_since.is_some() {
            reasons.push(self.say("verdict.blind.detail", &args));
        } else {
            // Who went silent together is told together: the cause is seldom theirs.
            let everyone = hints.iter().find(|hint| hint.id == HintId::EveryoneSilent);
            reasons.extend(everyone.map(|everyone| self.title(everyone) + "."));
            count += reasons.len();
            let worst = troubled.iter().filter_map(|server| {
                let (weight, key) = server.components.iter().map(short_reason).max()?;
                Some((weight, key, &server.name))
            });
            let found: Vec<_> =
                worst.filter(|(_, key, _)| everyone.is_none() || *key != "verdict.stale").collect();
            // Only what may be named is put into words.
            for heaviest in (1..=HEAVIEST).rev() {
                for (_, key, server) in found.iter().filter(|(weight, ..)| *weight == heaviest) {
                    count += 1;
                    if reasons.len() <= NAMED {
                        reasons.push(self.say(key, &[("server", Arg::Text(server.to_string()))]));
                    }
                }
            }
            if troubled.is_empty() {
                let told = |hint: &&Hint| hint.severity() != crate::cluster::Severity::Info;
                for hint in hints.iter().filter(told) {
                    count += hint.weight();
                    if reasons.len() <= NAMED {
                        reasons.push(self.title(hint) + ".");
                    }
                }
            }
        }
        // One more is named as quickly as it is counted.
        let more = count.saturating_sub(NAMED);
        if more > 1 {
            reasons.truncate(NAMED);
            reasons.push(self.say("verdict.more", &[("count", Arg::Number(more))]));
        }
        Verdict { headline: self.say(headline, &args), detail: reasons.join(" ") }
    }
}

fn version_key(check: Option<VersionCheck>) -> Option<&'static str> {
    match check {
        None | Some(VersionCheck::InSync) => None,
        Some(VersionCheck::Behind) => Some("why.behind"),
        Some(VersionCheck::Ahead) => Some("why.ahead"),
    }
}

fn key_key(verdict: Option<KeyVerdict>) -> Option<&'static str> {
    match verdict {
        None | Some(KeyVerdict::InSync) => None,
        Some(KeyVerdict::Mismatch) => Some("why.key-mismatch"),
        Some(KeyVerdict::Missing) => Some("why.key-missing"),
    }
}

/// How many servers the opening names before it merely counts.
const NAMED: usize = 3;

/// What the worst there is weighs.
const HEAVIEST: u8 = 7;

/// What is worst about a component, and how much it weighs.
fn short_reason(status: &ComponentStatus) -> (u8, &'static str) {
    if status.key == Some(KeyVerdict::Mismatch) {
        return (HEAVIEST, "verdict.key");
    }
    if status.machine_key == Some(KeyVerdict::Mismatch) {
        return (6, "verdict.machine-key");
    }
    let pulse = match (status.pulse, status.component.role) {
        (Pulse::Stale, Role::Service) => (5, "verdict.stale"),
        (Pulse::Late, _) => (4, "verdict.late"),
        (Pulse::Stale, Role::Web) => (3, "verdict.web-stale"),
        (Pulse::Stopped, _) => (3, "verdict.stopped"),
        (Pulse::Alive | Pulse::Unknown, _) => (0, ""),
    };
    let rest = match (status.version, status.key) {
        (Some(VersionCheck::Behind), _) => (2, "verdict.behind"),
        (Some(VersionCheck::Ahead), _) => (2, "verdict.ahead"),
        (_, Some(KeyVerdict::Missing)) => (1, "verdict.key-missing"),
        _ => (0, ""),
    };
    if pulse.0 >= rest.0 { pulse } else { rest }
}

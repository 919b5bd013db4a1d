//! How verdicts and hints are said: sentences are data, one message file a language.

mod effect;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::cluster::hints::Arg;
use crate::cluster::{
    ComponentStatus, Health, Hint, HintId, Messenger, Overview, Pulse, Refusal, Role, Snapshot,
    Span, VersionCheck, status::KeyVerdict,
};

pub use self::effect::effects;

/// The one language so far. A line is `key = sentence`; a key may stand several times (the steps).
static ENGLISH: &str = include_str!("en.txt");

static MESSAGES: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut messages: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in ENGLISH.lines().filter(|line| !line.starts_with('#')) {
        if let Some((key, sentence)) = line.split_once(" = ") {
            messages.entry(key).or_default().push(sentence);
        }
    }
    messages
});

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

/// The sentences of a hint.
pub fn hint(hint: &Hint) -> HintText {
    let id = hint.id.as_str();
    let part = |part: &str| all(&format!("{id}.{part}"), &hint.args);
    let mut evidence: Vec<String> =
        hint.notes.iter().flat_map(|note| part(&format!("evidence.{note}"))).collect();
    evidence.extend(part("evidence"));
    HintText {
        title: title(hint),
        evidence: evidence.join(" "),
        steps: part("step"),
        avoid: part("avoid").into_iter().next(),
    }
}

/// What is wrong, naming the server.
pub fn title(hint: &Hint) -> String {
    say(&format!("{}.title", hint.id.as_str()), &hint.args)
}

/// The heading over several hints of one id.
pub fn many(id: HintId, count: usize) -> String {
    say(&format!("{}.many", id.as_str()), &[("count", Arg::Number(count))])
}

/// Why a component is as it is: moments and limits, never ages, so that it changes only with the
/// verdict.
pub fn why(status: &ComponentStatus, snapshot: &Snapshot) -> String {
    let version = [("version", Arg::Text(status.component.version.clone()))];
    let mut sentences = vec![why_pulse(status, snapshot)];
    sentences.extend(version_key(status.version).map(|key| say(key, &version)));
    sentences.extend(key_key(status.key).map(|key| say(key, &[])));
    if status.machine_key == Some(KeyVerdict::Mismatch) {
        sentences.push(say("why.machine-key", &[]));
    }
    sentences.join("; ")
}

/// That heartbeats in a server's name are refused, and why.
pub fn refused(refusal: &Refusal) -> String {
    let from =
        refusal.from.as_ref().map_or_else(|| "an unknown address".to_owned(), ToString::to_string);
    let args = [("since", Arg::Moment(refusal.since)), ("from", Arg::Text(from))];
    say(&format!("refused.{}", refusal.why.as_str()), &args)
}

/// Why a component's pulse is as it is.
pub fn why_pulse(status: &ComponentStatus, snapshot: &Snapshot) -> String {
    let component = &status.component;
    let settings = &snapshot.settings;
    let seconds = |span: Span| Arg::Text(format!("{} s", span.0 / 1_000));
    let args = [
        ("since", Arg::Moment(component.last_heartbeat)),
        ("limit", seconds(component.stale_limit(settings))),
        ("late", seconds(component.late_limit(settings))),
        ("blind", Arg::Moment(snapshot.blind_since.unwrap_or_default())),
    ];
    say(&format!("why.{}.{}", status.pulse.as_str(), component.role.as_str()), &args)
}

/// Why a messenger cannot be reached, and since when.
pub fn why_messenger(messenger: &Messenger) -> Option<String> {
    let failure = messenger.unreachable()?;
    let args = [
        ("reason", Arg::Text(failure.in_words().to_owned())),
        ("since", Arg::Moment(messenger.since)),
    ];
    Some(say("why.messenger", &args))
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

/// The page's opening: how many servers need attention, and why, in words.
pub fn verdict(overview: &Overview, hints: &[Hint]) -> Verdict {
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
        (Health::Warning | Health::Error, 1, _) => "verdict.trouble.one",
        (Health::Warning | Health::Error, _, 1) => "verdict.trouble.first",
        (Health::Warning | Health::Error, ..) => "verdict.trouble",
    };
    let mut reasons: Vec<String> = Vec::new();
    if overview.blind_since.is_some() {
        reasons.push(say("verdict.blind.detail", &args));
    } else {
        // Who went silent together is told together: the cause is seldom theirs.
        let everyone = hints.iter().find(|hint| hint.id == HintId::EveryoneSilent);
        reasons.extend(everyone.map(|everyone| title(everyone) + "."));
        let worst = troubled.iter().filter_map(|server| {
            let (weight, key) = server.components.iter().map(short_reason).max()?;
            Some((weight, key, &server.name))
        });
        let found: Vec<_> =
            worst.filter(|(_, key, _)| everyone.is_none() || *key != "verdict.stale").collect();
        for heaviest in (1..=HEAVIEST).rev() {
            let found = found.iter().filter(|(weight, ..)| *weight == heaviest);
            reasons
                .extend(found.map(|(_, key, server)| {
                    say(key, &[("server", Arg::Text(server.to_string()))])
                }));
        }
        if troubled.is_empty() {
            reasons.extend(
                hints
                    .iter()
                    .filter(|found| found.severity() != crate::cluster::Severity::Info)
                    .map(|found| title(found) + "."),
            );
        }
    }
    // One more is named as quickly as it is counted.
    let more = reasons.len().saturating_sub(NAMED);
    if more > 1 {
        reasons.truncate(NAMED);
        reasons.push(say("verdict.more", &[("count", Arg::Number(more))]));
    }
    Verdict { headline: say(headline, &args), detail: reasons.join(" ") }
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

/// The first sentence of a key; empty if there is none.
pub(crate) fn say(key: &str, args: &[(&'static str, Arg)]) -> String {
    all(key, args).into_iter().next().unwrap_or_default()
}

/// Every sentence of a key, its `{names}` replaced.
pub(crate) fn all(key: &str, args: &[(&'static str, Arg)]) -> Vec<String> {
    MESSAGES
        .get(key)
        .map(|sentences| sentences.iter().map(|sentence| fill(sentence, args)).collect())
        .unwrap_or_default()
}

fn fill(sentence: &str, args: &[(&'static str, Arg)]) -> String {
    let mut said = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        said.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        // A name without a value is caught by the test that says every hint aloud.
        if let Some((_, value)) = args.iter().find(|(known, _)| *known == name) {
            write_arg(&mut said, value);
        }
        rest = after;
    }
    said.push_str(rest);
    said
}

fn write_arg(said: &mut String, value: &Arg) {
    // Writing to a string cannot fail.
    let _ = match value {
        Arg::Moment(moment) => write!(said, "{}", moment.clock()),
        Arg::Span(span) => write!(said, "{span}"),
        Arg::Number(number) => write!(said, "{number}"),
        Arg::Text(text) => write!(said, "{}", isolated(text)),
        Arg::List(names) => {
            said.push_str(&list(names));
            Ok(())
        }
    };
}

/// A longer list is cut to this many names, and a count of the others.
const LISTED: usize = 6;

/// `a, b and c`; of a long list the first few, and how many more there are.
fn list(names: &[String]) -> String {
    let mut said: Vec<Cow<'_, str>> = names.iter().map(|name| isolated(name)).collect();
    // Up to two more are named as quickly as they are counted.
    if let Some(more) = names.len().checked_sub(LISTED).filter(|more| *more > 2) {
        said.truncate(LISTED);
        said.push(say("list.more", &[("count", Arg::Number(more))]).into());
    }
    match said.split_last() {
        None => "nobody".to_owned(),
        Some((only, [])) => only.clone().into_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A text that runs from right to left, kept from turning round the sentence it stands in.
fn isolated(text: &str) -> Cow<'_, str> {
    let rightward = |c: char| {
        matches!(u32::from(c),
            0x590..=0x8FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFC | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF)
    };
    if text.contains(rightward) { format!("\u{2068}{text}\u{2069}").into() } else { text.into() }
}

/// Every placeholder of a key's sentences; for the test that none is left without a value.
#[cfg(test)]
pub(crate) fn placeholders(key: &str) -> Option<Vec<&'static str>> {
    let sentences = MESSAGES.get(key)?;
    Some(
        sentences
            .iter()
            .flat_map(|sentence| sentence.split('{').skip(1))
            .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::cluster::{HintId, RefusalReason, ServerName, Timestamp};

    #[test]
    fn every_hint_has_a_title_evidence_and_steps() {
        for id in HintId::ALL {
            for part in ["title", "evidence", "step"] {
                let key = format!("{}.{part}", id.as_str());
                assert!(placeholders(&key).is_some(), "{key} has no sentence");
            }
        }
    }

    #[test]
    fn every_blindness_has_a_sentence_that_says_why() {
        for why in crate::cluster::Blindness::ALL {
            let key = format!("overview-blind.evidence.{}", why.as_str());
            assert!(placeholders(&key).is_some(), "{key} has no sentence");
        }
    }

    #[test]
    fn every_hint_that_names_a_server_has_a_heading_for_many() {
        for id in HintId::ALL {
            let of_a_server =
                placeholders(&format!("{}.title", id.as_str())).unwrap().contains(&"server");
            assert_eq!(!many(*id, 6).is_empty(), of_a_server, "{}", id.as_str());
        }
    }

    /// Who says something beside the hints: verdicts, and what answers an admin.
    const OWNERS: [&str; 10] = [
        "why",
        "verdict",
        "cut-off",
        "done",
        "refusal",
        "effect",
        "ask",
        "configure",
        "list",
        "refused",
    ];

    #[test]
    fn every_sentence_belongs_to_a_verdict_or_to_a_hint_there_is() {
        for key in MESSAGES.keys() {
            let (owner, _) = key.split_once('.').unwrap();
            let known = HintId::ALL.iter().any(|id| id.as_str() == owner);
            assert!(known || OWNERS.contains(&owner), "nobody says {key}");
        }
    }

    #[test]
    fn every_reason_for_a_refusal_is_said_with_its_moment_and_its_address() {
        for why in RefusalReason::ALL {
            let (since, server) = (Timestamp::default(), ServerName::parse("a").unwrap());
            let from = Some(IpAddr::from([10, 0, 0, 9]).into());
            let said = refused(&Refusal { server, since, until: since, why, from });
            assert!(said.contains("00:00:00Z") && said.contains("10.0.0.9"), "{said}");
        }
    }

    #[test]
    fn every_line_of_the_message_file_is_a_sentence_a_comment_or_empty() {
        for line in ENGLISH.lines() {
            let whole = line.is_empty() || line.starts_with('#') || line.contains(" = ");
            assert!(whole, "not a sentence: {line}");
            assert_eq!(line.matches('{').count(), line.matches('}').count(), "{line}");
        }
    }

    #[test]
    fn a_value_with_braces_is_not_taken_for_a_placeholder() {
        let args = [("server", Arg::Text("{since}".into())), ("since", Arg::Text("noon".into()))];
        assert_eq!(fill("{server} at {since}", &args), "{since} at noon");
    }

    #[test]
    fn a_list_is_said_with_commas_and_a_last_and() {
        let said = |names: &[&str]| {
            let list: Vec<_> = names.iter().map(ToString::to_string).collect();
            fill("{list}", &[("list", Arg::List(list.into()))])
        };
        assert_eq!(said(&[]), "nobody");
        assert_eq!(said(&["a"]), "a");
        assert_eq!(said(&["a", "b"]), "a and b");
        assert_eq!(said(&["a", "b", "c"]), "a, b and c");
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        assert_eq!(said(&many[..8]), "a, b, c, d, e, f, g and h");
        assert_eq!(said(&many), "a, b, c, d, e, f and 3 more");
    }

    #[test]
    fn a_name_from_right_to_left_does_not_turn_the_sentence_round() {
        let said = fill("{server} is late", &[("server", Arg::Text("שרת".into()))]);
        assert_eq!(said, "\u{2068}שרת\u{2069} is late");
        assert_eq!(fill("{server}", &[("server", Arg::Text("Büro".into()))]), "Büro");
    }
}

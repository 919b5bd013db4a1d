//! How everything is said: sentences are data, one message file a language.

use std::borrow::Cow;
use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::LazyLock;

use crate::cluster::hints::{Arg, Names};

use crate::i18n::format::number;
use crate::i18n::locale::Language;

/// Everything the page can say, in one language.
pub struct Words {
    language: Language,
    /// Keys and their sentences, ordered by key; a key may stand several times (the steps).
    messages: Vec<(&'static str, &'static str)>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Words").field(&self.language).finish()
    }
}

impl Words {
    /// The words of a message file. A line is `key = sentence`.
    pub fn read(language: Language, file: &'static str) -> Self {
        let lines = file.lines().filter(|line| !line.starts_with('#'));
        #[cfg_attr(
            target_arch = "wasm32",
            expect(unused_mut, reason = "a browser is handed them in order")
        )]
        let mut messages: Vec<_> = lines.filter_map(|line| line.split_once(" = ")).collect();
        // Another sort is some kilobytes of wasm.
        #[cfg(not(target_arch = "wasm32"))]
        messages.sort_by_key(|(key, _)| *key);
        Self { language, messages }
    }

    /// The words of a language. A browser knows only those it is handed.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn of(language: Language) -> &'static Self {
        static ENGLISH: LazyLock<Words> =
            LazyLock::new(|| Words::read(Language::English, include_str!("en.txt")));
        static GERMAN: LazyLock<Words> =
            LazyLock::new(|| Words::read(Language::German, include_str!("de.txt")));
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }

    /// What programs are told: English, whoever asks.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn for_programs() -> &'static Self {
        Self::of(Language::English)
    }

    /// Which language this is.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Every sentence of a key, as it stands in the file.
    fn sentences(&self, key: &str) -> impl Iterator<Item = &'static str> {
        let first = self.messages.partition_point(|(known, _)| *known < key);
        let same = self.messages.iter().skip(first).take_while(move |(known, _)| *known == key);
        same.map(|(_, sentence)| *sentence)
    }

    /// The words of a key that stands for itself: a label, a button; empty if there are none.
    pub fn label(&self, key: &str) -> &'static str {
        self.sentences(key).next().unwrap_or_default()
    }

    /// The first sentence of a key, its `{names}` replaced; empty if there is none.
    pub fn say(&self, key: &str, args: &[(&'static str, Arg)]) -> String {
        self.fill(self.label(key), args)
    }

    /// Every sentence of a key, its `{names}` replaced.
    pub fn all(&self, key: &str, args: &[(&'static str, Arg)]) -> Vec<String> {
        self.sentences(key).map(|sentence| self.fill(sentence, args)).collect()
    }

    fn fill(&self, sentence: &str, args: &[(&'static str, Arg)]) -> String {
        let mut said = String::with_capacity(sentence.len() + 32);
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            // A name without a value is caught by the test that says every hint aloud.
            if let Some((_, value)) = args.iter().find(|(known, _)| *known == name) {
                said.push_str(&self.value(value));
            }
            rest = after;
        }
        said.push_str(rest);
        said
    }

    fn value<'a>(&self, value: &'a Arg) -> Cow<'a, str> {
        match value {
            Arg::Moment(moment) => moment.clock().into(),
            Arg::Span(span) => span.to_string().into(),
            Arg::Number(count) => number(*count).into(),
            Arg::Text(text) => isolated(text),
            Arg::Word(key) => self.label(key).into(),
            Arg::List(names) => self.list(names).into(),
        }
    }

    /// `a, b and c`; of a long list the first few, and how many more there are.
    fn list(&self, names: &Names) -> String {
        let (first, more) = names.named();
        let mut said: Vec<Cow<'_, str>> = first.iter().map(|name| isolated(name)).collect();
        if more > 0 {
            said.push(self.say("list.more", &[("count", Arg::Number(more))]).into());
        }
        match said.split_last() {
            None => self.label("list.nobody").to_owned(),
            Some((only, [])) => only.clone().into_owned(),
            Some((last, rest)) => {
                format!("{} {} {last}", rest.join(", "), self.label("list.and"))
            }
        }
    }

    /// Every placeholder of a key's sentences; for the test that none is left without a value.
    #[cfg(test)]
    pub(crate) fn placeholders(&self, key: &str) -> Option<Vec<&'static str>> {
        let names = |sentence: &'static str| {
            let rest = sentence.split('{').skip(1);
            rest.filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        };
        let mut sentences = self.sentences(key).peekable();
        sentences.peek()?;
        Some(sentences.flat_map(names).collect())
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;
    use std::path::Path;

    use super::*;
    use crate::cluster::{
        DatabaseOutage, HintId, RejectedHeartbeat, RejectionReason, Role, ServerName, Timestamp,
    };

    /// All languages.
    fn all() -> impl Iterator<Item = &'static Words> {
        Language::ALL.into_iter().map(Words::of)
    }

    fn english() -> &'static Words {
        Words::of(Language::English)
    }

    impl Words {
        fn keys(&self) -> BTreeSet<&'static str> {
            self.messages.iter().map(|(key, _)| *key).collect()
        }
    }

    #[test]
    fn every_hint_has_a_title_evidence_and_steps() {
        for id in HintId::ALL {
            for part in ["title", "evidence", "step"] {
                let key = format!("{}.{part}", id.as_str());
                assert!(english().placeholders(&key).is_some(), "{key} has no sentence");
            }
        }
    }

    #[test]
    fn every_blindness_has_a_sentence_that_says_why() {
        for why in DatabaseOutage::ALL {
            let key = format!("overview-blind.evidence.{}", why.as_str());
            assert!(english().placeholders(&key).is_some(), "{key} has no sentence");
        }
    }

    #[test]
    fn every_hint_that_names_a_server_has_a_heading_for_many() {
        for id in HintId::ALL {
            let title = english().placeholders(&format!("{}.title", id.as_str())).unwrap();
            let of_a_server = title.contains(&"server");
            assert_eq!(!english().many(*id, 6).is_empty(), of_a_server, "{}", id.as_str());
        }
    }

    #[test]
    fn every_language_says_all_that_the_others_say_with_the_same_values() {
        for words in all() {
            assert_eq!(words.keys(), english().keys(), "{words:?}");
            for key in words.keys() {
                let names = |words: &Words| {
                    let values = words.placeholders(key).unwrap().into_iter();
                    (words.sentences(key).count(), values.collect::<BTreeSet<_>>())
                };
                assert_eq!(names(words), names(english()), "{words:?}: {key}");
            }
        }
    }

    /// All string literals in the page's sources.
    fn literals(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                literals(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
                found.extend(source.split('"').map(str::to_owned));
            }
        }
    }

    /// What begins a key whose end the code puts to it.
    const COMPOSED: [&str; 11] = [
        "settings.",
        "why.",
        "refused.",
        "done.",
        "refusal.",
        "effect.",
        "ask.",
        "hint.",
        "verdict.",
        "plain.audit.action.",
        "plain.audit.proof.",
    ];

    #[test]
    fn every_sentence_is_said_somewhere_and_every_key_that_is_said_has_one() {
        let mut said = BTreeSet::new();
        let app = Path::new(env!("CARGO_MANIFEST_DIR"));
        literals(&app.join("src"), &mut said);
        literals(&app.join("../server/src"), &mut said);
        let keys = english().keys();
        for key in &keys {
            let (owner, _) = key.split_once('.').unwrap();
            let hint = HintId::ALL.iter().any(|id| id.as_str() == owner);
            let composed = COMPOSED.iter().any(|begin| key.starts_with(begin));
            assert!(hint || composed || said.contains(*key), "nobody says {key}");
        }
        let owners: BTreeSet<&str> = keys.iter().filter_map(|key| key.split('.').next()).collect();
        for literal in &said {
            let letters = |c: char| c.is_ascii_lowercase() || "-.".contains(c);
            let Some((owner, rest)) = literal.split_once('.') else { continue };
            let file = rest == "css";
            if owners.contains(owner) && !file && !rest.is_empty() && literal.chars().all(letters) {
                let begins = keys.iter().any(|key| key.starts_with(literal.as_str()));
                assert!(begins, "there is no sentence {literal}");
            }
        }
    }

    #[test]
    fn every_reason_for_a_refusal_is_said_with_its_moment_and_its_address() {
        let probe = |role| RejectionReason::Probe { role, reason: "10.0.0.9 is away.".into() };
        for why in [
            RejectionReason::Token,
            RejectionReason::Foreign,
            RejectionReason::NotEnrolled,
            probe(Role::Web),
            probe(Role::Service),
        ] {
            let (since, server) = (Timestamp::default(), ServerName::parse("a").unwrap());
            let from = Some(IpAddr::from([10, 0, 0, 9]).into());
            let refusal = RejectedHeartbeat { server, since, until: since, why, from };
            for words in all() {
                let said = words.refused(&refusal);
                assert!(said.contains("00:00:00Z") && said.contains("10.0.0.9"), "{said}");
            }
        }
    }

    #[test]
    fn every_line_of_a_message_file_is_a_sentence_a_comment_or_empty() {
        for line in include_str!("en.txt").lines().chain(include_str!("de.txt").lines()) {
            let whole = line.is_empty() || line.starts_with('#') || line.contains(" = ");
            assert!(whole, "not a sentence: {line}");
            assert_eq!(line.matches('{').count(), line.matches('}').count(), "{line}");
        }
    }

    #[test]
    fn a_value_with_braces_is_not_taken_for_a_placeholder() {
        let args = [("server", Arg::Text("{since}".into())), ("since", Arg::Text("noon".into()))];
        assert_eq!(english().fill("{server} at {since}", &args), "{since} at noon");
    }

    #[test]
    fn a_list_is_said_with_commas_and_a_last_and() {
        let said = |words: &Words, names: &[&str]| {
            let list: Vec<_> = names.iter().map(ToString::to_string).collect();
            words.fill("{list}", &[("list", Arg::List(list.into()))])
        };
        let in_english = |names| said(english(), names);
        assert_eq!(in_english(&[]), "none");
        assert_eq!(in_english(&["a"]), "a");
        assert_eq!(in_english(&["a", "b"]), "a and b");
        assert_eq!(in_english(&["a", "b", "c"]), "a, b and c");
        let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        assert_eq!(in_english(&many[..8]), "a, b, c, d, e, f, g and h");
        assert_eq!(in_english(&many), "a, b, c, d, e, f and 3 more");
        let german = Words::of(Language::German);
        assert_eq!(said(german, &many), "a, b, c, d, e, f und 3 weitere");
    }

    #[test]
    fn a_name_from_right_to_left_does_not_turn_the_sentence_round() {
        let said = english().fill("{server} is late", &[("server", Arg::Text("שרת".into()))]);
        assert_eq!(said, "\u{2068}שרת\u{2069} is late");
        assert_eq!(english().fill("{server}", &[("server", Arg::Text("Büro".into()))]), "Büro");
    }
}

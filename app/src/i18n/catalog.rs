//! How does a message become text? Its sentence is found by its key, and its placeholders are replaced.

use std::borrow::Cow;
use std::fmt;
#[cfg(not(target_arch = "wasm32"))]
use std::sync::LazyLock;

use crate::cluster::hints::{Arg, Names};
use crate::i18n::format::{clock, date, number};
use crate::i18n::plural::PluralRule;
use crate::i18n::sentences::{failure_reason, roles};
use crate::i18n::{Language, MessageKey};

/// Between the sentences of one key in a packed message file.
const SENTENCE_SEPARATOR: char = '\t';
/// Between the plural forms of one sentence.
const FORM_SEPARATOR: char = '\u{1f}';
/// The argument that chooses among the plural forms of a sentence.
const COUNT: &str = "count";

/// The values of placeholders, by name.
type Args<'a> = &'a [(&'static str, Arg)];

/// Every message in one language.
pub struct Catalog {
    language: Language,
    plural_rule: PluralRule,
    /// For each [`MessageKey`], by its number, the sentences of the packed message file.
    messages: Vec<&'static str>,
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Catalog").field(&self.language).finish()
    }
}

impl Catalog {
    /// The catalog of a packed message file: a line for each key, in the order of the keys. A browser gets the first
    /// lines only: the others are said by the server alone.
    pub fn read(language: Language, packed: &'static str) -> Self {
        Self::with_plural_rule(language, language.plural_rule(), packed)
    }

    fn with_plural_rule(language: Language, plural_rule: PluralRule, packed: &'static str) -> Self {
        Self { language, plural_rule, messages: packed.split('\n').collect() }
    }

    /// The catalog of a language. A browser has only the one that the server sends.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn for_language(language: Language) -> &'static Self {
        macro_rules! packed {
            ($file:literal) => {
                include_str!(concat!(env!("OUT_DIR"), "/", $file))
            };
        }
        static ENGLISH: LazyLock<Catalog> =
            LazyLock::new(|| Catalog::read(Language::English, packed!("en.txt")));
        static GERMAN: LazyLock<Catalog> =
            LazyLock::new(|| Catalog::read(Language::German, packed!("de.txt")));
        match language {
            Language::English => &ENGLISH,
            Language::German => &GERMAN,
        }
    }

    /// For programs, which always get English.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn english() -> &'static Self {
        Self::for_language(Language::English)
    }

    pub fn language(&self) -> Language {
        self.language
    }

    /// The sentences of a key, with their plural forms.
    fn sentences(&self, key: MessageKey) -> impl Iterator<Item = &'static str> {
        let packed = self.messages.get(key as usize).copied().unwrap_or_default();
        packed.split(SENTENCE_SEPARATOR)
    }

    /// A message without placeholders: a label, a button.
    pub fn text(&self, key: MessageKey) -> &'static str {
        self.sentences(key).next().unwrap_or_default()
    }

    /// The first sentence of a message, its `{names}` replaced. Of its plural forms the argument `count` chooses one.
    pub fn format(&self, key: MessageKey, args: Args<'_>) -> String {
        self.fill(self.text(key), args)
    }

    /// Every sentence of a message, its `{names}` replaced.
    pub fn format_all(&self, key: MessageKey, args: Args<'_>) -> Vec<String> {
        self.sentences(key).map(|sentence| self.fill(sentence, args)).collect()
    }

    fn fill(&self, sentence: &str, args: Args<'_>) -> String {
        fill(self.form(sentence, args), &|name| {
            // That every placeholder has a value is tested.
            let value = args.iter().find(|(known, _)| *known == name);
            value.map(|(_, value)| self.value(value)).unwrap_or_default()
        })
    }

    /// The plural form that the argument `count` needs.
    fn form<'s>(&self, sentence: &'s str, args: Args<'_>) -> &'s str {
        let Some((other, forms)) = sentence.split_once(FORM_SEPARATOR) else { return sentence };
        let Some((_, Arg::Number(count))) = args.iter().find(|(name, _)| *name == COUNT) else {
            return other;
        };
        let sign = (self.plural_rule)(*count).sign();
        forms.split(FORM_SEPARATOR).find_map(|form| form.strip_prefix(sign)).unwrap_or(other)
    }

    fn value<'a>(&self, value: &'a Arg) -> Cow<'a, str> {
        match value {
            Arg::Moment(moment) => clock(*moment).into(),
            Arg::Date(moment) => date(*moment).into(),
            Arg::Span(span) => span.to_string().into(),
            Arg::Number(count) => number(*count).into(),
            Arg::Text(text) => isolated(text),
            Arg::Roles(role) => self.text(roles(*role)).into(),
            Arg::MessengerFailure(failure) => self.text(failure_reason(*failure)).into(),
            Arg::List(names) => self.list(names).into(),
        }
    }

    /// `a, b and c`; of a long list the first few, and how many more there are.
    fn list(&self, names: &Names) -> String {
        let (first_names, more) = names.named();
        let more = (more > 0)
            .then(|| self.format(MessageKey::NamesMore, &[(COUNT, Arg::Number(more))]).into());
        let mut items = first_names.iter().map(|name| isolated(name)).chain(more).peekable();
        let Some(first) = items.next() else {
            return self.text(MessageKey::NamesNone).to_owned();
        };
        let mut list = first.into_owned();
        while let Some(next) = items.next() {
            let is_last = items.peek().is_none();
            let key = if is_last { MessageKey::NamesLast } else { MessageKey::NamesNext };
            list = fill(self.text(key), &|name| match name {
                "names" => Cow::from(list.as_str()),
                _ => Cow::from(next.as_ref()),
            });
        }
        list
    }
}

/// Replaces the placeholders of a sentence. A value is never searched for placeholders itself.
fn fill<'a>(sentence: &str, value: &dyn Fn(&str) -> Cow<'a, str>) -> String {
    let mut filled = String::with_capacity(sentence.len() + 32);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(&value(name));
        rest = after;
    }
    filled.push_str(rest);
    filled
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
mod tests;

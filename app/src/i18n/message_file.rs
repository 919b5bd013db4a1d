//! What is in a message file, and how is it packed for the program?
//!
//! The syntax is described at the top of `en.txt`. Included by the build script, by the tests and by `xtask`, which packs
//! the files for the browser: so all three number the keys in the same way.

use std::collections::BTreeMap;

/// What the keys of messages begin with that only the server needs.
const SERVER_ONLY: &str = "pages.";
/// Between the sentences of one key.
pub(crate) const SENTENCE_SEPARATOR: char = '\t';
/// Between the plural forms of one sentence.
pub(crate) const FORM_SEPARATOR: char = '\u{1f}';
/// The plural categories of the Unicode CLDR apart from `other`. Their places are their signs in the packed file.
const CATEGORIES: [&str; 5] = ["zero", "one", "two", "few", "many"];

/// The messages of one language, in the order in which the keys are numbered.
#[derive(Debug)]
pub(crate) struct MessageFile {
    pub(crate) messages: Vec<Message>,
}

#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) key: String,
    /// The lines of the comment above it.
    #[allow(dead_code, reason = "only the build script writes it down")]
    pub(crate) comment: Vec<String>,
    pub(crate) sentences: Vec<Sentence>,
}

/// A sentence and its plural forms.
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    pub(crate) other: String,
    /// The place of the category in [`CATEGORIES`], and the form.
    pub(crate) forms: BTreeMap<usize, String>,
}

impl MessageFile {
    /// Reads a message file; the error names the line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut messages: BTreeMap<(bool, String), Message> = BTreeMap::new();
        let mut comment = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(remark) = line.strip_prefix('#') {
                comment.push(remark.trim().to_owned());
                continue;
            }
            if !line.is_empty() {
                let (key, form, text) =
                    read_line(line).map_err(|error| format!("line {number}: {error}: {line}"))?;
                let message = messages.entry((key.starts_with(SERVER_ONLY), key.to_owned()));
                let message = message.or_insert_with(|| Message {
                    key: key.to_owned(),
                    comment: std::mem::take(&mut comment),
                    sentences: Vec::new(),
                });
                message
                    .add(form, text)
                    .map_err(|error| format!("line {number}: {error}: {line}"))?;
            }
            comment.clear();
        }
        let messages: Vec<Message> = messages.into_values().collect();
        match messages.iter().find(|message| message.sentences.iter().any(|s| s.other.is_empty())) {
            Some(message) => Err(format!("{0} has plural forms, but no {0}[other]", message.key)),
            None => Ok(Self { messages }),
        }
    }

    /// One line a key, in the order of the keys: what the program reads. The browser's keys come first.
    #[allow(dead_code, reason = "`xtask` packs only what the browser needs")]
    pub(crate) fn pack(&self) -> String {
        let lines: Vec<String> = self.messages.iter().map(Message::pack).collect();
        lines.join("\n")
    }

    /// The same without what only the server needs.
    #[allow(dead_code, reason = "the build script packs all of it, `xtask` only this")]
    pub(crate) fn pack_for_browser(&self) -> String {
        let sent = self.messages.iter().filter(|message| !message.key.starts_with(SERVER_ONLY));
        let lines: Vec<String> = sent.map(Message::pack).collect();
        lines.join("\n")
    }
}

/// The key of a line, its plural category, and its text.
fn read_line(line: &str) -> Result<(&str, Option<&str>, &str), &'static str> {
    let (key, text) = line.split_once(" = ").ok_or("not `key = sentence`")?;
    let (key, form) = match key.strip_suffix(']').and_then(|key| key.split_once('[')) {
        Some((key, form)) => (key, Some(form)),
        None => (key, None),
    };
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    if !key.split('.').all(is_part) {
        return Err("a key is lower-case words, joined by `-` and `.`");
    }
    if text.contains([SENTENCE_SEPARATOR, FORM_SEPARATOR]) {
        return Err("a sentence contains no control characters");
    }
    placeholders(text)?;
    Ok((key, form, text))
}

/// The names in braces of a sentence.
pub(crate) fn placeholders(text: &str) -> Result<Vec<&str>, &'static str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a `{` without a `}`")?;
        let is_name = name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
        if name.is_empty() || !is_name || before.contains('}') {
            return Err("a placeholder is `{name}`");
        }
        names.push(name);
        rest = after;
    }
    if rest.contains('}') { Err("a `}` without a `{`") } else { Ok(names) }
}

impl Message {
    fn add(&mut self, form: Option<&str>, text: &str) -> Result<(), &'static str> {
        let has_forms = self.sentences.iter().any(|sentence| !sentence.forms.is_empty());
        let Some(form) = form else {
            if has_forms {
                return Err("a key has either plural forms or several sentences");
            }
            self.sentences.push(Sentence { other: text.to_owned(), ..Sentence::default() });
            return Ok(());
        };
        if self.sentences.is_empty() {
            self.sentences.push(Sentence::default());
        }
        let [sentence] = self.sentences.as_mut_slice() else {
            return Err("a key has either plural forms or several sentences");
        };
        let is_new = if form == "other" {
            std::mem::replace(&mut sentence.other, text.to_owned()).is_empty()
        } else {
            let category = CATEGORIES.iter().position(|known| *known == form);
            let category = category.ok_or("a form is zero, one, two, few, many or other")?;
            sentence.forms.insert(category, text.to_owned()).is_none()
        };
        if is_new { Ok(()) } else { Err("this form is there already") }
    }

    fn pack(&self) -> String {
        let sentences: Vec<String> = self.sentences.iter().map(Sentence::pack).collect();
        sentences.join(&SENTENCE_SEPARATOR.to_string())
    }
}

impl Sentence {
    fn pack(&self) -> String {
        self.forms.iter().fold(self.other.clone(), |packed, (category, form)| {
            format!("{packed}{FORM_SEPARATOR}{category}{form}")
        })
    }
}

//! Makes a typed key of every key in the message files, and packs the files. What is missing in a language, or has other
//! placeholders there, does not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

#[path = "src/i18n/message_file.rs"]
mod message_file;

use message_file::{Message, MessageFile, Sentence, placeholders};

const FOLDER: &str = "src/i18n";
/// The file that names the keys; every other has to have the same.
const REFERENCE: &str = "en";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={FOLDER}");
    let files = read_files()?;
    let reference = files.get(REFERENCE).ok_or("there is no en.txt")?;
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder so")]
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    for (language, file) in &files {
        let differences = differences(reference, file);
        if !differences.is_empty() {
            let named = format!("{FOLDER}/{language}.txt:\n{}", differences.join("\n"));
            return Err(named.into());
        }
        fs::write(out.join(format!("{language}.txt")), file.pack())?;
    }
    fs::write(out.join("message_key.rs"), keys(reference)? + &hints(reference)?)?;
    Ok(())
}

/// Every message file, by its language.
fn read_files() -> Result<BTreeMap<String, MessageFile>, Box<dyn Error>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let language = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let file = MessageFile::parse(&fs::read_to_string(&path)?)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            files.insert(language, file);
        }
    }
    Ok(files)
}

/// What a file says differently from the reference file: keys, numbers of sentences, placeholders.
fn differences(reference: &MessageFile, file: &MessageFile) -> Vec<String> {
    let by_key = |file: &'_ MessageFile| -> BTreeSet<String> {
        file.messages.iter().map(|message| message.key.clone()).collect()
    };
    let (wanted, found) = (by_key(reference), by_key(file));
    let missing = wanted.difference(&found).map(|key| format!("{key} is missing"));
    let unknown = found.difference(&wanted).map(|key| format!("{key} is not in {REFERENCE}.txt"));
    let mut differences: Vec<String> = missing.chain(unknown).collect();
    for message in &file.messages {
        let same = reference.messages.iter().find(|other| other.key == message.key);
        differences.extend(same.and_then(|reference| difference(reference, message)));
    }
    differences
}

fn difference(reference: &Message, message: &Message) -> Option<String> {
    let key = &message.key;
    let (wanted, count) = (reference.sentences.len(), message.sentences.len());
    if count != wanted {
        return Some(format!("{key} has {count} sentences instead of {wanted}"));
    }
    let (wanted, names) = (names(reference), names(message));
    (names != wanted).then(|| format!("{key} has the placeholders {names:?} instead of {wanted:?}"))
}

/// The placeholders of a message. `count` may be left out, and any other only in a form that is said of one thing.
fn names(message: &Message) -> BTreeSet<&str> {
    let others = message.sentences.iter().map(|sentence| &sentence.other);
    let names = others.flat_map(|text| placeholders(text).unwrap_or_default());
    names.filter(|name| *name != "count").collect()
}

/// The enum of all keys, in the order of the packed files.
fn keys(reference: &MessageFile) -> Result<String, std::fmt::Error> {
    let mut code = String::from(
        "/// The key of a message. Its number is its line in the packed message files.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]\n\
         #[repr(u16)]\n\
         #[rustfmt::skip]\n\
         pub enum MessageKey {\n",
    );
    for message in &reference.messages {
        for line in &message.comment {
            writeln!(code, "    #[doc = {:?}]", format!(" {line}"))?;
        }
        // As preformatted text: a sentence is not Markdown.
        writeln!(code, "    #[doc = \"```text\"]")?;
        for Sentence { other, .. } in &message.sentences {
            writeln!(code, "    #[doc = {other:?}]")?;
        }
        writeln!(code, "    #[doc = \"```\"]")?;
        writeln!(code, "    {},", variant(&message.key))?;
    }
    code.push_str("}\n");
    Ok(code)
}

/// The messages of every hint: a `match` that compiles only if each id has its section in the file.
fn hints(reference: &MessageFile) -> Result<String, std::fmt::Error> {
    let mut sections: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for message in &reference.messages {
        let hint = message.key.strip_prefix("hint.").and_then(|key| key.split_once('.'));
        if let Some((id, part)) = hint {
            sections.entry(id).or_default().insert(part);
        }
    }
    let mut code = String::from(
        "/// What the hints of this id say.\n\
         #[allow(clippy::too_many_lines, reason = \"generated\")]\n\
         pub(super) const fn hint_messages(id: HintId) -> &'static HintMessages {\n    match id {\n",
    );
    for (id, parts) in sections {
        let key = |part: &str| format!("MessageKey::{}", variant(&format!("hint.{id}.{part}")));
        let optional = |part: &str| {
            if parts.contains(part) { format!("Some({})", key(part)) } else { "None".to_owned() }
        };
        writeln!(code, "        HintId::{} => &HintMessages {{", variant(id))?;
        for part in ["title", "evidence", "step"] {
            writeln!(code, "            {part}: {},", key(part))?;
        }
        for part in ["many", "avoid"] {
            writeln!(code, "            {part}: {},", optional(part))?;
        }
        writeln!(code, "        }},")?;
    }
    code.push_str("    }\n}\n");
    Ok(code)
}

/// `status.in-sync` as the name of an enum's case: `StatusInSync`.
fn variant(key: &str) -> String {
    let mut name = String::new();
    for part in key.split(['.', '-']) {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

//! Which messages are there? Made by the build script from the message files.

use crate::cluster::HintId;

/// What a hint of one id says.
#[derive(Clone, Copy, Debug)]
pub(super) struct HintMessages {
    /// What is wrong.
    pub(super) title: MessageKey,
    /// The heading over several of them.
    pub(super) many: Option<MessageKey>,
    /// How we know.
    pub(super) evidence: MessageKey,
    /// What to do, in order.
    pub(super) step: MessageKey,
    /// What not to do.
    pub(super) avoid: Option<MessageKey>,
}

include!(concat!(env!("OUT_DIR"), "/message_key.rs"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/message_key.rs"));

    /// The cases of `MessageKey` that a text names.
    fn named_keys(text: &str) -> impl Iterator<Item = &str> {
        let rest = text.split("MessageKey::").skip(1);
        rest.filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next())
    }

    fn add_named_keys(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add_named_keys(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                found.extend(named_keys(&source).map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_message_is_used() {
        let mut used: BTreeSet<String> = named_keys(GENERATED).map(str::to_owned).collect();
        let app = Path::new(env!("CARGO_MANIFEST_DIR"));
        add_named_keys(&app.join("src"), &mut used);
        add_named_keys(&app.join("../server/src"), &mut used);
        let (_, cases) = GENERATED.split_once("pub enum MessageKey {").unwrap();
        let (cases, _) = cases.split_once("\n}\n").unwrap();
        let cases = cases.lines().filter_map(|line| line.trim().strip_suffix(','));
        let unused: Vec<&str> = cases.filter(|case| !used.contains(*case)).collect();
        assert_eq!(unused, Vec::<&str>::new());
    }
}

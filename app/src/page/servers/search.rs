//! Which servers does a search find? Those that have all its words; `version:2026.1` or `role:web` names a field.

use crate::cluster::{ComponentStatus, ServerStatus};

/// The words of a search, from the search box or the address.
pub(crate) struct Search<'a>(Vec<Term<'a>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Term<'a> {
    /// `None`: any field that the table shows as plain text.
    field: Option<Field>,
    text: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Role,
    Product,
    Version,
    System,
    Address,
    State,
}

/// The names of the fields. They and the states are English in every language, so that an address means the same to
/// everybody.
const FIELDS: [(&str, Field); 7] = [
    ("name", Field::Name),
    ("role", Field::Role),
    ("product", Field::Product),
    ("version", Field::Version),
    ("system", Field::System),
    ("address", Field::Address),
    ("state", Field::State),
];

impl<'a> Search<'a> {
    pub(crate) fn parse(text: &'a str) -> Self {
        Self(text.split_whitespace().map(Term::parse).collect())
    }

    /// What is said about a component must be true of one and the same: `role:web version:5.3` finds no server whose
    /// service alone has that version.
    pub(crate) fn finds(&self, server: &ServerStatus) -> bool {
        self.0.is_empty()
            || server
                .components
                .iter()
                .any(|status| self.0.iter().all(|term| term.matches(server, status)))
    }
}

impl<'a> Term<'a> {
    /// A colon after anything but a field's name is part of the word, as in an IPv6 address.
    fn parse(word: &'a str) -> Self {
        let named = word.split_once(':').and_then(|(name, text)| {
            let field = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            field.map(|(_, field)| Self { field: Some(*field), text })
        });
        named.unwrap_or(Self { field: None, text: word })
    }

    /// Roles, versions, addresses and states are named from their beginning; other text is found anywhere.
    fn matches(self, server: &ServerStatus, status: &ComponentStatus) -> bool {
        let name = server.name.as_str();
        let facts = &status.component.facts;
        let (version, address) = (facts.version.as_str(), facts.ip.as_str());
        let product = facts.product.as_deref().unwrap_or_default();
        let (system, edition) = (facts.os.name.as_str(), facts.os.version.as_str());
        let (texts, anywhere): (&[&str], bool) = match self.field {
            None => (&[name, version, address, product, system, edition], true),
            Some(Field::Name) => (&[name], true),
            Some(Field::Product) => (&[product], true),
            Some(Field::System) => (&[system, edition], true),
            Some(Field::Role) => (&[status.component.role.as_str()], false),
            Some(Field::Version) => (&[version], false),
            Some(Field::Address) => (&[address], false),
            Some(Field::State) => (&[server.health.as_str(), status.pulse.as_str()], false),
        };
        texts.iter().any(|text| has(text, self.text, anywhere))
    }
}

/// Whether the text contains the part, or begins with it, without ASCII case. It makes no copy: each key that is typed
/// searches thousands of servers.
fn has(text: &str, part: &str, anywhere: bool) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let places = if anywhere { usize::MAX } else { 1 };
    part.is_empty()
        || text.windows(part.len()).take(places).any(|here| here.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(Option<Field>, &str)> {
        Search::parse(text).0.iter().map(|term| (term.field, term.text)).collect()
    }

    #[test]
    fn a_search_is_words_and_named_fields() {
        assert_eq!(parsed("  web 1 "), [(None, "web"), (None, "1")]);
        assert_eq!(
            parsed("Version:2026.1 role:web"),
            [(Some(Field::Version), "2026.1"), (Some(Field::Role), "web")]
        );
        assert_eq!(parsed("fd00::5 x:y :"), [(None, "fd00::5"), (None, "x:y"), (None, ":")]);
        assert_eq!(parsed("role:"), [(Some(Field::Role), "")], "while it is typed");
    }

    #[test]
    fn text_is_found_without_ascii_case() {
        assert!(has("Debian GNU/Linux", "gnu/", true) && has("", "", true) && has("a", "", false));
        assert!(!has("a", "ab", true) && !has("büro", "BÜRO", true));
        assert!(has("2026.1.9", "2026.1", false) && !has("2026.1", "2026.1.9", false));
        assert!(has("12026.1", "2026.1", true) && !has("12026.1", "2026.1", false));
    }
}

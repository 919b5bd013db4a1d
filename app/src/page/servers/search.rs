//! Which servers does a search find? Those that have all its words; `version:2026.1` or `role:web` names a field.

use crate::cluster::{ComponentStatus, Overview, ServerStatus};

/// The words of a search, from the search box or the address.
pub(crate) struct Search<'a>(Vec<Term<'a>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term<'a> {
    /// `None`: any field that the table shows as plain text.
    field: Option<Field>,
    text: &'a str,
    /// Of [`Field::Hint`]: for each server of the overview whether it has the hint.
    with_hint: Vec<bool>,
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
    /// The id of a hint, such as `service-stale`.
    Hint,
}

/// The names of the fields. They and the states are English in every language, so that an address means the same to
/// everybody.
const FIELDS: [(&str, Field); 8] = [
    ("name", Field::Name),
    ("role", Field::Role),
    ("product", Field::Product),
    ("version", Field::Version),
    ("system", Field::System),
    ("address", Field::Address),
    ("state", Field::State),
    ("hint", Field::Hint),
];

impl<'a> Search<'a> {
    pub(crate) fn parse(text: &'a str, overview: &Overview) -> Self {
        let mut terms: Vec<Term<'a>> = words(text).map(Term::parse).collect();
        for term in terms.iter_mut().filter(|term| term.field == Some(Field::Hint)) {
            term.with_hint = vec![false; overview.servers.len()];
            for finding in overview.findings.iter().filter(|found| found.id.as_str() == term.text) {
                if let Some(has) = finding.server.and_then(|at| term.with_hint.get_mut(at)) {
                    *has = true;
                }
            }
        }
        Self(terms)
    }

    /// The search without the term for this field and text, if it has that, or else with it: what a click on a filter does.
    pub(crate) fn toggled(search: &str, field: &str, text: &str) -> (String, bool) {
        let quote = if text.contains(char::is_whitespace) { "\"" } else { "" };
        let term = format!("{field}:{quote}{text}{quote}");
        let others: Vec<&str> = words(search).filter(|word| *word != term).collect();
        let others = others.join(" ");
        let had = words(search).any(|word| word == term);
        match (had, others.is_empty()) {
            (true, _) => (others, true),
            (false, true) => (term, false),
            (false, false) => (format!("{others} {term}"), false),
        }
    }

    /// What is said about a component must be true of one and the same: `role:web version:5.3` finds no server whose
    /// service alone has that version.
    ///
    /// `at`: the position of the server in the overview.
    pub(crate) fn finds(&self, at: usize, server: &ServerStatus) -> bool {
        let mut components = server.components.iter();
        self.0.is_empty()
            || components.any(|status| self.0.iter().all(|term| term.matches(at, server, status)))
    }
}

impl<'a> Term<'a> {
    fn new(field: Option<Field>, text: &'a str) -> Self {
        Self { field, text, with_hint: Vec::new() }
    }

    /// A colon after anything but a field's name is part of the word, as in an IPv6 address.
    fn parse(word: &'a str) -> Self {
        let named = word.split_once(':').and_then(|(name, text)| {
            let field = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            field.map(|(_, field)| Self::new(Some(*field), text.trim_matches('"')))
        });
        named.unwrap_or_else(|| Self::new(None, word.trim_matches('"')))
    }

    /// Roles, versions, addresses and states are named from their beginning; other text is found anywhere.
    fn matches(&self, at: usize, server: &ServerStatus, status: &ComponentStatus) -> bool {
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
            Some(Field::Hint) => return self.with_hint.get(at).copied().unwrap_or_default(),
        };
        texts.iter().any(|text| has(text, self.text, anywhere))
    }
}

/// The words of a text. Within quotes a blank is part of the word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    let words = text.split(move |c: char| {
        is_quoted ^= c == '"';
        c.is_whitespace() && !is_quoted
    });
    words.filter(|word| !word.is_empty())
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
        words(text).map(Term::parse).map(|term| (term.field, term.text)).collect()
    }

    #[test]
    fn quotes_keep_blanks_in_a_word() {
        assert_eq!(
            parsed("product:\"Build Master\" x"),
            [(Some(Field::Product), "Build Master"), (None, "x")]
        );
        assert_eq!(parsed("\"a b"), [(None, "a b")], "while it is typed");
    }

    #[test]
    fn a_filter_clicked_twice_leaves_the_search_as_it_was() {
        for search in ["", "web", "web role:web", "product:\"Build Master\" x"] {
            for (field, text) in [("role", "service"), ("product", "Otter 2"), ("version", "5.3")] {
                let (with, was_there) = Search::toggled(search, field, text);
                assert!(!was_there && parsed(&with).len() == parsed(search).len() + 1, "{with}");
                assert_eq!(Search::toggled(&with, field, text), (search.to_owned(), true));
            }
        }
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

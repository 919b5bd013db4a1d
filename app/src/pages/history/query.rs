//! What the query of the history page asks for: a span of time up to now, and a filter of the events.

use std::collections::BTreeSet;

use crate::cluster::ServerName;
use crate::cluster::Span;
use crate::cluster::history::{Event, EventKind};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::query::Params;

/// What is longer in a field of the filter is cut.
pub const MAX_TEXT_CHARS: usize = 200;

/// How much of the past is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryRange {
    #[default]
    Day,
    Week,
    Month,
    Quarter,
}

impl HistoryRange {
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Quarter];

    /// The word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
            Self::Quarter => "90d",
        }
    }

    /// From the query `span=`; a day if that names no other.
    pub fn parse(query: &str) -> Self {
        let params = Params::parse(query);
        let word = params.get("span");
        Self::ALL.into_iter().find(|range| word == Some(range.as_str())).unwrap_or_default()
    }

    pub const fn length(self) -> Span {
        const DAY: Span = Span::minutes(24 * 60);
        match self {
            Self::Day => DAY,
            Self::Week => DAY.times(7),
            Self::Month => DAY.times(30),
            Self::Quarter => DAY.times(90),
        }
    }

    pub(super) const fn message(self) -> MessageKey {
        match self {
            Self::Day => MessageKey::PagesHistorySpanDay,
            Self::Week => MessageKey::PagesHistorySpanWeek,
            Self::Month => MessageKey::PagesHistorySpanMonth,
            Self::Quarter => MessageKey::PagesHistorySpanQuarter,
        }
    }

    /// Its query parameter; none for a day.
    pub fn pairs(self) -> Vec<(&'static str, String)> {
        let is_default = self == Self::default();
        (!is_default).then(|| ("span", self.as_str().to_owned())).into_iter().collect()
    }
}

/// The filter as it was typed; empty fields filter nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// A name of a server, or a part of names.
    pub server: String,
    pub kind: Option<EventKind>,
    /// The text to search for.
    pub text: String,
}

impl HistoryFilter {
    /// From the query of the page.
    pub fn parse(query: &str) -> Self {
        let params = Params::parse(query);
        let field = |name| {
            let typed = params.get(name).unwrap_or_default().trim();
            typed.chars().take(MAX_TEXT_CHARS).collect::<String>()
        };
        Self {
            server: field("server"),
            kind: params.get("kind").and_then(EventKind::parse),
            text: field("text"),
        }
    }

    /// Its query parameters.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let kind = self.kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
        let pairs = [("server", self.server.clone()), ("kind", kind), ("text", self.text.clone())];
        pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Which of the servers with these names it means; `None` for all, and what is about none.
    pub fn servers<'a>(
        &self,
        names: impl Iterator<Item = &'a ServerName> + Clone,
    ) -> Option<BTreeSet<ServerName>> {
        let typed = self.server.to_lowercase();
        // Links name a whole server, and `web-1` is a part of `web-10`.
        let is_whole = names.clone().any(|name| name.as_str().to_lowercase() == typed);
        let is_meant = |name: &&ServerName| {
            let name = name.as_str().to_lowercase();
            if is_whole { name == typed } else { name.contains(&typed) }
        };
        (!typed.is_empty()).then(|| names.filter(is_meant).cloned().collect())
    }

    /// Whether an event has the kind, and the text in what the page says of it.
    pub fn matches(&self, event: &Event, catalog: &Catalog) -> bool {
        self.kind.is_none_or(|kind| event.kind() == kind)
            && (self.text.is_empty() || contains(event, catalog, &self.text))
    }
}

fn contains(event: &Event, catalog: &Catalog, text: &str) -> bool {
    let subject = event.subject.as_ref();
    let server = subject.map(|subject| subject.server.to_string()).unwrap_or_default();
    let said = format!("{server} {}", catalog.event(event)).to_lowercase();
    said.contains(&text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::history::Happening;
    use crate::cluster::{ComponentKey, Role, Timestamp};
    use crate::page::route::query::to_query;

    fn passes(query: &str) -> bool {
        let server = ServerName::parse("web-1").unwrap();
        let subject = Some(ComponentKey { server, role: Role::Web });
        let (from, to) = ("2026.1".to_owned(), "2026.2".to_owned());
        let what = Happening::Version { from, to };
        let event = Event { at: Timestamp(0), subject, what };
        HistoryFilter::parse(query).matches(&event, Catalog::english())
    }

    #[test]
    fn a_filter_is_read_back_from_its_query() {
        for query in ["", "server=web-1&kind=version&text=2026.1", "kind=blind"] {
            assert_eq!(to_query(HistoryFilter::parse(query).pairs()), query);
        }
        for range in HistoryRange::ALL {
            assert_eq!(HistoryRange::parse(&to_query(range.pairs())), range);
        }
        assert_eq!(HistoryRange::parse("span=5y"), HistoryRange::Day);
    }

    #[test]
    fn an_event_passes_by_its_kind_and_its_words() {
        for query in ["", "kind=version", "text=version+2026", "text=WEB-"] {
            assert!(passes(query), "{query}");
        }
        for query in ["kind=start", "text=2027"] {
            assert!(!passes(query), "{query}");
        }
    }

    #[test]
    fn a_whole_name_means_one_server_and_a_part_all_that_have_it() {
        let names = ["db-1", "Web-1", "web-10"].map(|name| ServerName::parse(name).unwrap());
        let meant = |typed: &str| {
            let filter = HistoryFilter { server: typed.to_owned(), ..HistoryFilter::default() };
            let servers = filter.servers(names.iter())?;
            Some(servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(meant(""), None);
        for (typed, servers) in
            [("WEB-1", "Web-1"), ("web-", "Web-1 web-10"), ("-1", "db-1 Web-1 web-10"), ("x", "")]
        {
            assert_eq!(meant(typed).as_deref(), Some(servers), "{typed}");
        }
    }
}

//! The route: sort order, filter, search and the open dialog.
//!
//! It is one query string, so a link shows the same to everyone, with scripts and without.

pub mod dialog;
pub mod query;

use crate::cluster::{Health, Role, ServerName};
use crate::i18n::MessageKey;
use crate::page::appearance::Appearance;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::{Params, to_query};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The past moment that is shown, as the address names it; empty for now.
    pub at: String,
    pub list: List,
    pub appearance: Appearance,
    pub dialog: Dialog,
    /// The command that just succeeded.
    pub done: Option<Done>,
    /// Why the last command failed.
    pub failure: Option<CommandFailure>,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandFailure {
    /// The word of a [`crate::protocol::CommandError`] or of a [`crate::protocol::CallError`].
    pub reason: String,
    /// The server's own sentence about it. It is not in the query, so that no link can make the page say something.
    pub detail: String,
    pub source: CommandSource,
}

/// What sent a command, which is where the page says why it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandSource {
    /// The open dialog, or the page if none is open.
    Dialog,
    /// A button of a hint.
    Hint,
}

impl CommandFailure {
    /// Of the open dialog, for this reason.
    pub fn of_dialog(reason: &str) -> Self {
        Self { reason: reason.to_owned(), detail: String::new(), source: CommandSource::Dialog }
    }
}

/// Which servers the table shows, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    pub sort: Sort,
    pub reversed: bool,
    /// Only servers with this health.
    pub state: Option<Health>,
    /// Servers that have this in common are together.
    pub group: Option<Group>,
    /// The group that is shown although all in it are well.
    pub unfolded: String,
    /// Only servers whose name, address or version contains this.
    pub search: String,
    /// The page number, from 0; `None` if the address names none.
    pub page: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The worst health first.
    #[default]
    Trouble,
    Name,
    /// The longest silence first.
    Heartbeat,
    /// The oldest version first.
    Version,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Trouble, Self::Name, Self::Heartbeat, Self::Version];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Name => "name",
            Self::Heartbeat => "heartbeat",
            Self::Version => "version",
        }
    }

    /// What its link says: the heading of the column, or that problems come first.
    pub(crate) const fn message(self) -> MessageKey {
        match self {
            Self::Trouble => MessageKey::ListProblemsFirst,
            Self::Name => MessageKey::ColumnServer,
            Self::Heartbeat => MessageKey::ColumnHeartbeat,
            Self::Version => MessageKey::ColumnVersion,
        }
    }
}

/// What the servers of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Product,
    Role,
    Version,
    /// The /24 of an IPv4 address, the /64 of an IPv6 address.
    Network,
    /// The beginning of their names, without the number at the end.
    Name,
}

impl Group {
    pub const ALL: [Self; 5] =
        [Self::Product, Self::Role, Self::Version, Self::Network, Self::Name];

    /// The word in the query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Role => "role",
            Self::Version => "version",
            Self::Network => "network",
            Self::Name => "name",
        }
    }

    pub(crate) const fn message(self) -> MessageKey {
        match self {
            Self::Product => MessageKey::ListGroupProduct,
            Self::Role => MessageKey::ListGroupRole,
            Self::Version => MessageKey::ColumnVersion,
            Self::Network => MessageKey::ListGroupNetwork,
            Self::Name => MessageKey::ListGroupName,
        }
    }
}

/// The command that just succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    Saved,
    /// The server and the component, where they are known.
    Removed(Option<(ServerName, Option<Role>)>),
    Accepted,
    Reconnected,
}

impl Done {
    /// The word in the query. It names no server, so that no link can make the page say a name.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Removed(_) => "removed",
            Self::Accepted => "accepted",
            Self::Reconnected => "reconnected",
        }
    }
}

impl Route {
    /// Ignores what it does not know, so that links of later versions still open the page. Of a past moment it ignores forms
    /// and results of commands: nobody can change the past.
    pub fn parse(query: &str) -> Self {
        let params = Params::parse(query);
        let get = |name| params.get(name);
        let sort = get("sort").unwrap_or_default();
        let (reversed, sort) = sort.strip_prefix('-').map_or((false, sort), |sort| (true, sort));
        let route = Self {
            at: get("at").unwrap_or_default().to_owned(),
            list: List {
                sort: Sort::ALL
                    .into_iter()
                    .find(|known| known.as_str() == sort)
                    .unwrap_or_default(),
                reversed,
                state: get("state")
                    .and_then(|word| Health::WORST_FIRST.into_iter().find(|h| h.as_str() == word)),
                group: get("group")
                    .and_then(|word| Group::ALL.into_iter().find(|group| group.as_str() == word)),
                unfolded: get("unfolded").unwrap_or_default().to_owned(),
                search: get("q").unwrap_or_default().trim().to_owned(),
                page: get("page")
                    .and_then(|page| page.parse().ok())
                    .map(|page: usize| page.saturating_sub(1)),
            },
            appearance: Appearance::parse(query),
            dialog: Dialog::parse(&params),
            done: [Done::Saved, Done::Removed(None), Done::Accepted, Done::Reconnected]
                .into_iter()
                .find(|done| get("done") == Some(done.as_str())),
            failure: get("refused").map(CommandFailure::of_dialog),
        };
        if !route.is_past() {
            return route;
        }
        let dialog = if route.dialog.is_form() { Dialog::None } else { route.dialog };
        Self { dialog, done: None, failure: None, ..route }
    }

    /// Whether the page shows a past moment.
    pub fn is_past(&self) -> bool {
        !self.at.is_empty()
    }

    /// Relative to the page: `?` and what differs from the default route. Without `done`, so that a reload does
    /// not announce it again.
    pub fn address(&self) -> String {
        format!("?{}", to_query(self.persistent_params().into_iter().chain(self.dialog.pairs())))
    }

    /// The parameters that every link keeps, whatever it opens.
    pub(crate) fn persistent_params(&self) -> Vec<(&'static str, String)> {
        let at = (!self.at.is_empty()).then(|| ("at", self.at.clone()));
        at.into_iter().chain(self.list.pairs()).chain(self.appearance.pairs()).collect()
    }

    /// Also has the draft of a form and its error, or what was done: for pages without scripts.
    pub fn address_with_draft(&self) -> String {
        let mut pairs = self.dialog.pairs();
        if let Dialog::Settings(Some(draft)) = &self.dialog {
            pairs.extend(draft.pairs());
            pairs.extend(draft.base_field());
        }
        pairs.extend(self.failure.as_ref().map(|failure| ("refused", failure.reason.clone())));
        pairs.extend(self.done.as_ref().map(|done| ("done", done.as_str().to_owned())));
        format!("?{}", to_query(self.persistent_params().into_iter().chain(pairs)))
    }

    #[must_use]
    pub fn with_dialog(&self, dialog: Dialog) -> Self {
        Self { dialog, done: None, failure: None, ..self.clone() }
    }

    /// The route after a command: a confirmation closes, details stay open, and so does a form beside a hint that was acted on.
    #[must_use]
    pub fn after(&self, done: Done) -> Self {
        let closes = self.dialog.is_form() && done != Done::Reconnected;
        let dialog = if closes { Dialog::None } else { self.dialog.clone() };
        Self { done: Some(done), ..self.with_dialog(dialog) }
    }

    #[must_use]
    pub fn with_list(&self, list: List) -> Self {
        Self { list, done: None, failure: None, ..self.clone() }
    }
}

impl List {
    /// Its parameters, as far as they differ from the default.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if self.sort != Sort::default() || self.reversed {
            let minus = if self.reversed { "-" } else { "" };
            pairs.push(("sort", format!("{minus}{}", self.sort.as_str())));
        }
        pairs.extend(self.state.map(|state| ("state", state.as_str().to_owned())));
        pairs.extend(self.group.map(|group| ("group", group.as_str().to_owned())));
        if !self.unfolded.is_empty() {
            pairs.push(("unfolded", self.unfolded.clone()));
        }
        if !self.search.is_empty() {
            pairs.push(("q", self.search.clone()));
        }
        pairs.extend(self.page.map(|page| ("page", (page.saturating_add(1)).to_string())));
        pairs
    }

    /// Sorts by this, or reverses the order if it is sorted by it already.
    #[must_use]
    pub fn sorted_by(&self, sort: Sort) -> Self {
        let reversed = self.sort == sort && !self.reversed;
        Self { sort, reversed, page: self.first_page(), ..self.clone() }
    }

    #[must_use]
    pub fn filtered(&self, state: Option<Health>) -> Self {
        Self { state, page: self.first_page(), ..self.clone() }
    }

    #[must_use]
    pub fn grouped(&self, group: Option<Group>) -> Self {
        Self { group, unfolded: String::new(), page: self.first_page(), ..self.clone() }
    }

    /// With this group shown although all in it are well, or with none.
    #[must_use]
    pub fn unfolding(&self, group: &str) -> Self {
        Self { unfolded: group.to_owned(), page: self.first_page(), ..self.clone() }
    }

    #[must_use]
    pub fn searched(&self, search: String) -> Self {
        Self { search, page: self.first_page(), ..self.clone() }
    }

    /// Of a list in pages the first; another list has other pages.
    fn first_page(&self) -> Option<usize> {
        self.page.map(|_| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::KeyKind;
    use crate::i18n::Language;
    use crate::page::settings::draft::Draft;

    fn name(text: &str) -> ServerName {
        ServerName::parse(text).unwrap()
    }

    #[test]
    fn the_page_as_it_opens_has_an_empty_query() {
        assert_eq!(Route::default().address(), "?");
        assert_eq!(Route::parse(""), Route::default());
        assert_eq!(Route::parse("?"), Route::default());
    }

    #[test]
    fn a_past_moment_can_be_looked_at_but_not_changed() {
        let at = "at=2026-11-23T03%3A12%3A00Z";
        let past = Route::parse(at);
        for change in
            ["configure", "remove=app-1&again", "accept=07d1e655", "done=saved", "refused=x"]
        {
            assert_eq!(Route::parse(&format!("{at}&{change}")), past, "{change}");
        }
        let details = Dialog::Details(name("app-1"));
        assert_eq!(Route::parse(&format!("{at}&server=app-1")).dialog, details);
    }

    #[test]
    fn every_place_is_found_again_by_its_address() {
        let lists = [
            List::default(),
            List { sort: Sort::Version, reversed: true, ..List::default() },
            List { state: Some(Health::Error), page: Some(3), ..List::default() },
            List { search: "a&b=c#d ü+%?".into(), ..List::default() },
            List { group: Some(Group::Network), unfolded: "10.0.0.0/24".into(), ..List::default() },
        ];
        let server = name("Büro & Söhne?#1");
        let dialogs = [
            Dialog::None,
            Dialog::Details(server.clone()),
            Dialog::Settings(None),
            Dialog::Removal { server: server.clone(), role: Some(Role::Web), again: false },
            Dialog::Removal { server, role: None, again: true },
            Dialog::AcceptKey { kind: KeyKind::Encryption, digits: "07d1e655".into() },
            Dialog::AcceptKey { kind: KeyKind::Machine, digits: "07d1e655".into() },
        ];
        for list in &lists {
            for dialog in &dialogs {
                let appearance = Appearance {
                    language: Some(Language::German),
                    hide_chrome: true,
                    ..Appearance::default()
                };
                let route = Route {
                    list: list.clone(),
                    appearance,
                    dialog: dialog.clone(),
                    ..Route::default()
                };
                assert_eq!(Route::parse(&route.address()), route, "{}", route.address());
            }
        }
    }

    #[test]
    fn what_was_typed_survives_only_in_the_address_that_says_so() {
        let typed = ["on", "", "", "soon", ""].map(str::to_owned);
        let draft = Draft { typed, base: None };
        let route = Route {
            dialog: Dialog::Settings(Some(draft)),
            failure: Some(CommandFailure::of_dialog("blind")),
            ..Route::default()
        };
        assert_eq!(Route::parse(&route.address_with_draft()), route);
        assert_eq!(Route::parse(&route.address()).dialog, Dialog::Settings(None));
    }

    #[test]
    fn what_an_address_does_not_mean_is_left_out() {
        let route = Route::parse("?sort=colour&state=purple&page=x&server=a/b&later=1&page=2");
        assert_eq!(route, Route::default());
    }

    #[test]
    fn an_order_chosen_twice_turns_round() {
        let once = List::default().sorted_by(Sort::Name);
        assert_eq!((once.sort, once.reversed), (Sort::Name, false));
        assert!(once.sorted_by(Sort::Name).reversed);
        assert!(!once.sorted_by(Sort::Name).sorted_by(Sort::Name).reversed);
    }
}

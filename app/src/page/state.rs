//! The signals of the page. A signal is set only if its value differs, so that only what changed is rendered.

use leptos::prelude::*;

use crate::cluster::{Snapshot, Timestamp};
use crate::i18n::Catalog;
use crate::page::banner::model::Banner;
#[cfg(feature = "hydrate")]
use crate::page::client::rendering::set_if_changed;
use crate::page::header::model::Connection;
use crate::page::hints::model::HintGroup;
use crate::page::model::PageModel;
use crate::page::panel::model::Panel;
use crate::page::route::Route;
use crate::page::route::dialog::Dialog;
use crate::page::servers::list::Toolbar;
use crate::page::servers::row_cache::RowCache;
use crate::page::servers::row_signals::RowSignals;
#[cfg(feature = "hydrate")]
use crate::page::servers::row_signals::update_rows;
use crate::page::settings::draft::Draft;
use crate::page::settings::model::{Form, SummaryItem};
use crate::protocol::{Command, InitialState, PageContext, UserRole};

/// The server renders at most so many rows; a hydrated page then shows all.
const MAX_SERVER_RENDERED_ROWS: usize = 200;

#[derive(Clone, Copy, Debug)]
pub(crate) struct PageState {
    /// The route that the address names.
    pub(crate) route: RwSignal<Route>,
    /// The next command to send.
    pub(crate) pending_command: RwSignal<Option<Command>>,
    /// A command is under way.
    pub(crate) busy: RwSignal<bool>,
    pub(crate) banner: RwSignal<Banner>,
    pub(crate) summary: RwSignal<Vec<SummaryItem>>,
    /// `Some` while the form is open.
    pub(crate) form: RwSignal<Option<Form>>,
    pub(crate) toolbar: RwSignal<Toolbar>,
    /// Sort order, filter and search as a query: every link on the page keeps them.
    pub(crate) list: RwSignal<String>,
    /// In the order of the list, including rows that are not rendered yet.
    pub(crate) rows: RwSignal<Vec<RowSignals>>,
    pub(crate) hints: RwSignal<Vec<HintGroup>>,
    pub(crate) panel: RwSignal<Option<Panel>>,
    /// The server's time in whole seconds, from which ages are computed.
    pub(crate) tick: RwSignal<Timestamp>,
    pub(crate) as_of: RwSignal<Timestamp>,
    pub(crate) connection: RwSignal<Connection>,
    /// The overview was updated since this page was loaded.
    pub(crate) outdated: RwSignal<bool>,
    shared: StoredValue<SharedState>,
}

/// What does not change, and signals that only a few parts read. `PageState` stays small and `Copy`.
#[derive(Clone, Debug)]
struct SharedState {
    page_context: PageContext,
    catalog: &'static Catalog,
    /// The overview's reason if it rejected the last request.
    error_detail: RwSignal<String>,
    /// The text of the live region.
    announcement: RwSignal<String>,
}

impl PageState {
    /// The first render: equal on the server and at hydration.
    pub(crate) fn new(
        initial: InitialState,
        snapshot: &Snapshot,
        catalog: &'static Catalog,
    ) -> Self {
        let route = Route::parse(&initial.query);
        let InitialState { delta, context: page_context, .. } = initial;
        let model = PageModel::new(
            snapshot,
            delta.now,
            &route,
            MAX_SERVER_RENDERED_ROWS,
            &mut RowCache::default(),
            catalog,
        );
        let rows = model
            .rows
            .into_iter()
            .map(|(server, heartbeats)| RowSignals::new(server, heartbeats, true));
        let rows = rows.collect();
        Self {
            route: RwSignal::new(route),
            pending_command: RwSignal::new(None),
            busy: RwSignal::new(false),
            banner: RwSignal::new(model.banner),
            summary: RwSignal::new(model.summary),
            form: RwSignal::new(model.form),
            toolbar: RwSignal::new(model.toolbar),
            list: RwSignal::new(model.list),
            rows: RwSignal::new(rows),
            hints: RwSignal::new(model.hints),
            panel: RwSignal::new(model.panel),
            tick: RwSignal::new(delta.now),
            as_of: RwSignal::new(delta.now),
            connection: RwSignal::new(Connection::Polling),
            outdated: RwSignal::new(false),
            shared: StoredValue::new(SharedState {
                page_context,
                catalog,
                error_detail: RwSignal::new(String::new()),
                announcement: RwSignal::new(String::new()),
            }),
        }
    }

    /// Shows another model. Only signals whose value differs are set.
    #[cfg(feature = "hydrate")]
    pub(crate) fn show(&self, model: PageModel) {
        set_if_changed(&self.banner, model.banner);
        set_if_changed(&self.summary, model.summary);
        set_if_changed(&self.form, model.form);
        set_if_changed(&self.toolbar, model.toolbar);
        set_if_changed(&self.list, model.list);
        set_if_changed(&self.hints, model.hints);
        set_if_changed(&self.panel, model.panel);
        update_rows(self.rows, model.rows);
    }

    /// Renders numbers and dates again once the browser's own formats are known.
    #[cfg(feature = "hydrate")]
    pub(crate) fn rerender_formatted(&self) {
        self.toolbar.notify();
        self.panel.notify();
    }

    /// The address of this list with another dialog, or with none.
    pub(crate) fn address(&self, query: &str) -> String {
        let list = self.list.get();
        match (list.is_empty(), query.is_empty()) {
            (false, false) => format!("?{list}&{query}"),
            _ => format!("?{list}{query}"),
        }
    }

    pub(crate) fn catalog(&self) -> &'static Catalog {
        self.shared.with_value(|shared| shared.catalog)
    }

    /// The overview's reason if it rejected the last request.
    pub(crate) fn error_detail(&self) -> RwSignal<String> {
        self.shared.with_value(|shared| shared.error_detail)
    }

    /// The text of the live region.
    pub(crate) fn announcement(&self) -> RwSignal<String> {
        self.shared.with_value(|shared| shared.announcement)
    }

    pub(crate) fn page_context<T>(&self, read: impl FnOnce(&PageContext) -> T) -> T {
        self.shared.with_value(|shared| read(&shared.page_context))
    }

    /// A viewer can change nothing.
    pub(crate) fn is_read_only(&self) -> bool {
        self.page_context(|context| context.user.role == UserRole::Viewer)
    }

    /// The address of a route below the base path; it keeps the appearance.
    pub(crate) fn action_address(&self, name: &str) -> String {
        let appearance = self.route.with_untracked(|route| route.appearance.query());
        self.page_context(|page_context| format!("{}/{name}{appearance}", page_context.site.base))
    }

    /// Edits the settings form; the first edit makes a draft from the fields as shown.
    pub(crate) fn edit_draft(&self, edit: impl FnOnce(&mut Draft)) {
        let shown = self.form.with_untracked(|form| form.as_ref().map(|form| form.draft.clone()));
        self.route.update(|route| {
            if let Dialog::Settings(draft) = &mut route.dialog {
                edit(draft.get_or_insert_with(|| shown.unwrap_or_default()));
                route.error = None;
            }
        });
    }
}

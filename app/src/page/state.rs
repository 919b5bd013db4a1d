//! The state of the page: its model and its signals. A signal is set only if what it stands for differs, so that only
//! what changed is rendered.

use std::sync::Arc;

use leptos::prelude::*;

use crate::cluster::{Snapshot, Timestamp};
use crate::i18n::Catalog;
use crate::page::header::model::Connection;
use crate::page::model::PageModel;
#[cfg(feature = "hydrate")]
use crate::page::route::CommandSource;
use crate::page::route::Route;
#[cfg(feature = "hydrate")]
use crate::page::route::dialog::Dialog;
#[cfg(feature = "hydrate")]
use crate::page::servers::chunks;
use crate::page::servers::chunks::Chunk;
use crate::page::servers::list::Extent;
#[cfg(feature = "hydrate")]
use crate::page::servers::list::MAX_WHOLE;
use crate::page::servers::row_cache::RowCache;
#[cfg(feature = "hydrate")]
use crate::page::settings::draft::Draft;
use crate::page::view_context::ViewContext;
#[cfg(feature = "hydrate")]
use crate::protocol::Command;
use crate::protocol::{InitialState, PageContext, UserRole};

#[derive(Clone, Copy, Debug)]
pub(crate) struct PageState {
    /// The route that the address names.
    pub(crate) route: RwSignal<Route>,
    /// The next command to send.
    #[cfg(feature = "hydrate")]
    pub(crate) pending_command: RwSignal<Option<(Command, CommandSource)>>,
    /// A command is under way.
    pub(crate) busy: RwSignal<bool>,
    /// The rows, in the order of the list.
    pub(crate) chunks: RwSignal<Vec<Chunk>>,
    /// Set when a chunk comes near the screen, which needs rows then.
    #[cfg(feature = "hydrate")]
    pub(crate) rows_due: RwSignal<()>,
    /// The server's time in whole seconds, from which ages are computed.
    pub(crate) tick: RwSignal<Timestamp>,
    pub(crate) as_of: RwSignal<Timestamp>,
    /// The place in the list of the server that the map's link leads to.
    pub(crate) map_place: RwSignal<usize>,
    pub(crate) connection: RwSignal<Connection>,
    /// The overview was updated since this page was loaded.
    pub(crate) outdated: RwSignal<bool>,
    model: StoredValue<Arc<PageModel>>,
    shared: StoredValue<Arc<SharedState>>,
}

/// A part of the model that is rendered for itself. All parts share one type of signal: a signal of a type of its own is
/// some kilobytes of wasm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Banner,
    Summary,
    /// The form of the settings.
    Form,
    Toolbar,
    Map,
    /// What every link on the page keeps.
    List,
    Hints,
    Panel,
}

impl Part {
    const COUNT: usize = Self::Panel as usize + 1;
}

/// What does not change, and signals that only a few parts read.
#[derive(Debug)]
pub(crate) struct SharedState {
    pub(crate) page_context: PageContext,
    catalog: &'static Catalog,
    /// For each part of the model, set when that part differs.
    changed: [RwSignal<()>; Part::COUNT],
    /// The overview's reason if it rejected the last request.
    pub(crate) error_detail: RwSignal<String>,
    /// What the timeouts in the form of the settings would have called stale, as the page was rendered.
    pub(crate) rehearsal: String,
    /// The text of the live region.
    pub(crate) announcement: RwSignal<String>,
}

impl PageState {
    /// The first render: equal on the server and at hydration.
    pub(crate) fn new(
        initial: InitialState,
        snapshot: &Snapshot,
        catalog: &'static Catalog,
    ) -> Self {
        let route = Route::parse(&initial.query);
        let InitialState { delta, context: page_context, rehearsal, .. } = initial;
        let now = delta.now;
        let overview = snapshot.overview(now);
        let known = snapshot.last_known();
        let (model, listing) =
            PageModel::new(snapshot, &overview, known.as_ref(), now, &route, Extent::Page, catalog);
        let chunks = Chunk::all_near(listing.rows.order.len());
        let last_known = None;
        let context =
            ViewContext { snapshot, overview: &overview, last_known, now, route: &route, catalog };
        let places: Vec<_> =
            chunks.iter().map(|chunk| chunk.places(listing.rows.order.len())).collect();
        let rows = RowCache::default().build(&places, &listing, &context);
        for (chunk, rows) in chunks.iter().zip(rows) {
            chunk.show(rows);
        }
        Self {
            route: RwSignal::new(route),
            #[cfg(feature = "hydrate")]
            pending_command: RwSignal::new(None),
            busy: RwSignal::new(false),
            chunks: RwSignal::new(chunks),
            #[cfg(feature = "hydrate")]
            rows_due: RwSignal::new(()),
            tick: RwSignal::new(now),
            as_of: RwSignal::new(now),
            map_place: RwSignal::new(0),
            connection: RwSignal::new(Connection::Polling),
            outdated: RwSignal::new(false),
            model: StoredValue::new(Arc::new(model)),
            shared: StoredValue::new(Arc::new(SharedState {
                page_context,
                catalog,
                changed: std::array::from_fn(|_| RwSignal::new(())),
                error_detail: RwSignal::new(String::new()),
                rehearsal,
                announcement: RwSignal::new(String::new()),
            })),
        }
    }

    /// The model, for a view of this part: it is rendered again when the part differs.
    pub(crate) fn model(&self, part: Part) -> Arc<PageModel> {
        self.shared().changed[part as usize].track();
        self.model_untracked()
    }

    pub(crate) fn model_untracked(&self) -> Arc<PageModel> {
        self.model.get_value()
    }

    /// Shows another model. Only parts that differ are rendered.
    #[cfg(feature = "hydrate")]
    pub(crate) fn show(&self, model: PageModel) {
        let before = self.model_untracked();
        // By number of the part.
        let differs: [bool; Part::COUNT] = [
            before.banner != model.banner,
            before.summary != model.summary,
            before.form != model.form,
            before.toolbar != model.toolbar,
            before.map != model.map,
            before.list != model.list,
            before.hints != model.hints,
            before.panel != model.panel,
        ];
        self.model.set_value(Arc::new(model));
        let changed = self.shared().changed;
        for (changed, _) in changed.iter().zip(differs).filter(|(_, differs)| *differs) {
            changed.notify();
        }
    }

    /// Gives the list this length. Its rows are built where they are near the screen.
    #[cfg(feature = "hydrate")]
    pub(crate) fn resize_list(&self, listed: usize) {
        chunks::resize(self.chunks, listed, self.is_list_whole(listed));
    }

    /// Whether all servers of a list of this length are in the document.
    #[cfg(feature = "hydrate")]
    fn is_list_whole(&self, listed: usize) -> bool {
        listed <= MAX_WHOLE || self.route.get_untracked().list.page.is_some()
    }

    /// A chunk has come near the screen, or has left it with this height.
    #[cfg(feature = "hydrate")]
    pub(crate) fn set_near(&self, chunk: &Chunk, is_near: bool, height: i32) {
        let listed = self.chunks.get_untracked().len() * chunks::CHUNK_LENGTH;
        let is_near = is_near || self.is_list_whole(listed);
        if chunk.is_near() == is_near {
            return;
        }
        if is_near {
            chunk.empty_height.set(None);
            self.rows_due.notify();
        } else {
            chunk.show(Vec::new());
            chunk.empty_height.set(Some(height));
        }
    }

    /// Renders numbers and dates again once the browser's own formats are known.
    #[cfg(feature = "hydrate")]
    pub(crate) fn rerender_formatted(&self) {
        for part in [Part::Toolbar, Part::Panel] {
            self.shared().changed[part as usize].notify();
        }
    }

    /// The address of this list with another dialog, or with none.
    pub(crate) fn address(&self, query: &str) -> String {
        let list = &self.model(Part::List).list;
        match (list.is_empty(), query.is_empty()) {
            (false, false) => format!("?{list}&{query}"),
            _ => format!("?{list}{query}"),
        }
    }

    pub(crate) fn catalog(&self) -> &'static Catalog {
        self.shared().catalog
    }

    pub(crate) fn shared(&self) -> Arc<SharedState> {
        self.shared.get_value()
    }

    /// A viewer can change nothing, and nobody can change the past.
    pub(crate) fn is_read_only(&self) -> bool {
        self.shared().page_context.user.role == UserRole::Viewer
            || self.route.get_untracked().is_past()
    }

    /// The address of a route below the base path; it keeps the appearance.
    pub(crate) fn action_address(&self, name: &str) -> String {
        let appearance = self.route.get_untracked().appearance.query();
        format!("{}/{name}{appearance}", self.shared().page_context.site.base)
    }

    /// Edits the settings form; the first edit makes a draft from the fields as shown.
    #[cfg(feature = "hydrate")]
    pub(crate) fn edit_draft(&self, edit: impl FnOnce(&mut Draft)) {
        let shown = self.model_untracked().form.as_ref().map(|form| form.draft.clone());
        self.route.update(|route| {
            if let Dialog::Settings(draft) = &mut route.dialog {
                edit(draft.get_or_insert_with(|| shown.unwrap_or_default()));
                route.failure = None;
            }
        });
    }
}

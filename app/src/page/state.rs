//! The signals of the page: each wakes only what shows it, and only when it differs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use crate::cluster::order::sorted_indices;
use crate::cluster::{Snapshot, Timestamp};
use crate::i18n::Words;
use crate::page::route::dialog::Dialog;
use crate::page::hints::model::HintGroup;
use crate::page::model::{Banner, PageModel, SummaryItem};
use crate::page::panel::model::Panel;
use crate::page::route::Route;
use crate::page::servers::list::Toolbar;
use crate::page::servers::model::ServerRow;
use crate::page::servers::row_cache::{HeartbeatTimes, RowCache};
use crate::page::settings::draft::Draft;
use crate::page::settings::model::Form;
use crate::protocol::{Command, InitialState, PageContext, UserRole};

/// So many servers are rendered on the server at most; a browser with scripts then shows all.
const MAX_SERVER_RENDERED_ROWS: usize = 200;

/// At most this many rows are rendered in one task, so that the page reacts to typing in between.
#[cfg(feature = "hydrate")]
const ROWS_PER_RENDER: usize = 100;

/// One row on the screen: its block, and the moments its ages count from. Rows come and go, so their
/// signals live as long as somebody holds them, not as long as whoever made them.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Tells it from all others there are and were.
    pub(crate) number: usize,
    pub(crate) server: ArcRwSignal<Arc<ServerRow>>,
    /// The times of the last heartbeats of its components.
    pub(crate) heartbeats: ArcRwSignal<HeartbeatTimes>,
    /// Whether it is on the screen: only then its ages tick.
    pub(crate) visible: ArcRwSignal<bool>,
    /// Whether it is drawn yet.
    pub(crate) drawn: bool,
}

/// How the page gets changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser can lose it"))]
pub(crate) enum Connection {
    /// As it happens.
    Live,
    /// By asking again and again.
    Polling,
    /// Not at all: an admin wants it to stand still.
    Paused,
    /// The overview does not answer; asking on.
    Reconnecting,
    /// This computer has no network; asking as soon as it has one.
    Offline,
    /// The overview answers that it will not say; asking on.
    Refused,
    /// Something else answers in the overview's place; asking on.
    Foreign,
    /// Nobody is signed in any more, and a form is open that a reload would empty.
    SignedOut,
}

impl Connection {
    /// The key of the word for it.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Live => "news.live",
            Self::Polling => "news.polling",
            Self::Paused => "news.paused",
            Self::Reconnecting => "news.reconnecting",
            Self::Offline => "news.offline",
            Self::Refused => "news.refused",
            Self::Foreign => "news.foreign",
            Self::SignedOut => "news.signed-out",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PageState {
    /// Which part of the page is shown: the address says it.
    pub(crate) route: RwSignal<Route>,
    /// What an admin wants done, until it is taken up.
    pub(crate) pending_command: RwSignal<Option<Command>>,
    /// Something is being done.
    pub(crate) busy: RwSignal<bool>,
    pub(crate) banner: RwSignal<Banner>,
    /// The configuration.
    pub(crate) summary: RwSignal<Vec<SummaryItem>>,
    /// Its form, while it is open.
    pub(crate) form: RwSignal<Option<Form>>,
    /// What stands above the servers.
    pub(crate) toolbar: RwSignal<Toolbar>,
    /// The list as it stands in every address.
    pub(crate) list: RwSignal<String>,
    /// The rows, in order, those not drawn yet too.
    pub(crate) rows: RwSignal<Vec<Row>>,
    pub(crate) hints: RwSignal<Vec<HintGroup>>,
    pub(crate) panel: RwSignal<Option<Panel>>,
    /// Now, in whole seconds: what ages count to.
    pub(crate) tick: RwSignal<Timestamp>,
    /// The server's time of the last update.
    pub(crate) as_of: RwSignal<Timestamp>,
    /// How the page gets changes.
    pub(crate) connection: RwSignal<Connection>,
    /// The overview that answers is of another build than this page.
    pub(crate) outdated: RwSignal<bool>,
    /// What all of it has in common.
    shared: StoredValue<SharedState>,
}

/// What the parts of a page have in common.
#[derive(Clone, Debug)]
struct SharedState {
    /// Where the page lives and who looks at it.
    page_context: PageContext,
    /// The messages in the language of the page.
    words: &'static Words,
    /// What the overview said when it last refused an answer.
    error_detail: RwSignal<String>,
    /// What a screen reader says without being asked.
    announcement: RwSignal<String>,
}

impl PageState {
    /// The signals of the first render: the same on the server and at hydration.
    pub(crate) fn new(picture: InitialState, snapshot: &Snapshot, words: &'static Words) -> Self {
        let route = Route::parse(&picture.query);
        let InitialState { delta, context: page_context, .. } = picture;
        let view = PageModel::new(
            snapshot,
            delta.now,
            &route,
            MAX_SERVER_RENDERED_ROWS,
            &mut RowCache::default(),
            words,
        );
        let rows =
            view.rows.into_iter().map(|(server, heartbeats)| Row::new(server, heartbeats, true));
        let rows = rows.collect();
        Self {
            route: RwSignal::new(route),
            pending_command: RwSignal::new(None),
            busy: RwSignal::new(false),
            banner: RwSignal::new(view.banner),
            summary: RwSignal::new(view.summary),
            form: RwSignal::new(view.form),
            toolbar: RwSignal::new(view.toolbar),
            list: RwSignal::new(view.list),
            rows: RwSignal::new(rows),
            hints: RwSignal::new(view.hints),
            panel: RwSignal::new(view.panel),
            tick: RwSignal::new(delta.now),
            as_of: RwSignal::new(delta.now),
            connection: RwSignal::new(Connection::Polling),
            outdated: RwSignal::new(false),
            shared: StoredValue::new(SharedState {
                page_context,
                words,
                error_detail: RwSignal::new(String::new()),
                announcement: RwSignal::new(String::new()),
            }),
        }
    }

    /// Shows another model: only signals whose value differs are set.
    #[cfg(feature = "hydrate")]
    pub(crate) fn show(&self, view: PageModel) {
        set(&self.banner, view.banner);
        set(&self.summary, view.summary);
        set(&self.form, view.form);
        set(&self.toolbar, view.toolbar);
        set(&self.list, view.list);
        set(&self.hints, view.hints);
        set(&self.panel, view.panel);
        // Nearly always the same servers stand in the same order: then no row comes or goes.
        let stands = self.rows.with_untracked(|rows| {
            let same =
                |(row, (server, _)): (&Row, &(Arc<ServerRow>, HeartbeatTimes))| row.shows(server);
            let stands = rows.len() == view.rows.len() && rows.iter().zip(&view.rows).all(same);
            if stands {
                rows.iter()
                    .zip(&view.rows)
                    .for_each(|(row, (server, heartbeats))| row.take(server, *heartbeats));
            }
            stands
        });
        if stands {
            return;
        }
        let rows = self.rows.get_untracked();
        let id = |row: &Row| row.server.with_untracked(|server| server.id.clone());
        let ids: Vec<String> = rows.iter().map(id).collect();
        let by_id = sorted_indices(ids.len(), &|a, b| ids[a].cmp(&ids[b]));
        let mut next = Vec::with_capacity(view.rows.len());
        for (server, heartbeats) in view.rows {
            let place = by_id.binary_search_by(|place| ids[*place].cmp(&server.id));
            next.push(match place.ok().and_then(|place| rows.get(by_id[place])) {
                Some(row) => {
                    row.take(&server, heartbeats);
                    row.clone()
                }
                None => Row::new(server, heartbeats, false),
            });
        }
        let waited = rows.iter().any(|row| !row.drawn);
        let more = draw(&mut next);
        self.rows.set(next);
        // Whoever draws already goes on with these.
        if more && !waited {
            leptos::task::spawn_local(draw_remaining_rows(self.rows));
        }
    }

    /// Draws what holds numbers and days that are written only when they are drawn.
    #[cfg(feature = "hydrate")]
    pub(crate) fn rerender_formatted(&self) {
        self.toolbar.notify();
        self.panel.notify();
    }

    /// The address that opens something and keeps the list as it is.
    pub(crate) fn address(&self, opens: &str) -> String {
        let list = self.list.get();
        match (list.is_empty(), opens.is_empty()) {
            (false, false) => format!("?{list}&{opens}"),
            _ => format!("?{list}{opens}"),
        }
    }

    /// The messages in the language of the page.
    pub(crate) fn words(&self) -> &'static Words {
        self.shared.with_value(|shared| shared.words)
    }

    /// What the overview said when it last refused an answer.
    pub(crate) fn error_detail(&self) -> RwSignal<String> {
        self.shared.with_value(|shared| shared.error_detail)
    }

    /// What a screen reader says without being asked.
    pub(crate) fn announcement(&self) -> RwSignal<String> {
        self.shared.with_value(|shared| shared.announcement)
    }

    /// Something of where the page lives and who looks at it.
    pub(crate) fn page_context<T>(&self, of: impl FnOnce(&PageContext) -> T) -> T {
        self.shared.with_value(|shared| of(&shared.page_context))
    }

    /// Whether the user is a viewer.
    pub(crate) fn is_read_only(&self) -> bool {
        self.page_context(|context| context.user.role == UserRole::Viewer)
    }

    /// The address of a form or a link of the page; it keeps the appearance.
    pub(crate) fn action(&self, name: &str) -> String {
        let appearance = self.route.with_untracked(|route| route.appearance.query());
        self.page_context(|page_context| format!("{}/{name}{appearance}", page_context.site.base))
    }

    /// Changes what is typed into the settings form.
    pub(crate) fn type_in(&self, write: impl FnOnce(&mut Draft)) {
        let shown = self.form.with_untracked(|form| form.as_ref().map(|form| form.draft.clone()));
        self.route.update(|route| {
            if let Dialog::Settings(draft) = &mut route.dialog {
                write(draft.get_or_insert_with(|| shown.unwrap_or_default()));
                route.error = None;
            }
        });
    }
}

/// The number of the next row.
static NEXT_ROW_NUMBER: AtomicUsize = AtomicUsize::new(0);

impl Row {
    fn new(server: Arc<ServerRow>, heartbeats: HeartbeatTimes, drawn: bool) -> Self {
        Self {
            number: NEXT_ROW_NUMBER.fetch_add(1, Ordering::Relaxed),
            server: ArcRwSignal::new(server),
            heartbeats: ArcRwSignal::new(heartbeats),
            visible: ArcRwSignal::new(false),
            drawn,
        }
    }
}

#[cfg(feature = "hydrate")]
impl Row {
    /// Whether it is of the same server.
    fn shows(&self, server: &Arc<ServerRow>) -> bool {
        self.server.with_untracked(|known| Arc::ptr_eq(known, server) || known.id == server.id)
    }

    /// Shows this from now on.
    fn take(&self, server: &Arc<ServerRow>, heartbeats: HeartbeatTimes) {
        if self.server.with_untracked(|known| !Arc::ptr_eq(known, server) && known != server) {
            self.server.set(Arc::clone(server));
        }
        set(&self.heartbeats, heartbeats);
    }
}

/// Lets the next rows be drawn; whether there are more.
#[cfg(feature = "hydrate")]
fn draw(rows: &mut [Row]) -> bool {
    let mut waiting = rows.iter_mut().filter(|row| !row.drawn);
    waiting.by_ref().take(ROWS_PER_RENDER).for_each(|row| row.drawn = true);
    waiting.next().is_some()
}

#[cfg(feature = "hydrate")]
async fn draw_remaining_rows(rows: RwSignal<Vec<Row>>) {
    loop {
        crate::page::client::focus::rendered().await;
        let mut next = rows.get_untracked();
        let more = draw(&mut next);
        rows.set(next);
        if !more {
            break;
        }
    }
}

/// Sets a signal only if the value differs: who reads it sleeps otherwise.
#[cfg(feature = "hydrate")]
pub(crate) fn set<T: PartialEq + 'static>(
    signal: &(impl WithUntracked<Value = T> + Set<Value = T>),
    value: T,
) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}

//! The signals of the page: each wakes only what shows it, and only when it differs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use crate::cluster::order::sorted_indices;
use crate::cluster::{Snapshot, Timestamp};
use crate::i18n::Words;
use crate::page::model::{Beats, Block, Fact, Form, Group, Head, Kept, Panel, Tools, View};
use crate::page::route::{Open, Place};
use crate::page::settings::draft::Draft;
use crate::protocol::{Command, Picture, Rank, Visit};

/// So many servers are rendered on the server at most; a browser with scripts then shows all.
const FIRST_ROWS: usize = 200;

/// So many rows are drawn in one go at most: what is typed while the rest follow is heard in between.
#[cfg(feature = "hydrate")]
const DRAWN_AT_ONCE: usize = 100;

/// One row on the screen: its block, and the moments its ages count from. Rows come and go, so their
/// signals live as long as somebody holds them, not as long as whoever made them.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Tells it from all others there are and were.
    pub(crate) number: usize,
    /// What it shows.
    pub(crate) block: ArcRwSignal<Arc<Block>>,
    /// When each of its components was last heard of.
    pub(crate) beats: ArcRwSignal<Beats>,
    /// Whether it is on the screen: only then its ages tick.
    pub(crate) seen: ArcRwSignal<bool>,
    /// Whether it is drawn yet.
    pub(crate) drawn: bool,
}

/// How news comes.
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

/// The signals of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Which part of the page is shown: the address says it.
    pub(crate) place: RwSignal<Place>,
    /// What an admin wants done, until it is taken up.
    pub(crate) wish: RwSignal<Option<Command>>,
    /// Something is being done.
    pub(crate) acting: RwSignal<bool>,
    /// The opening.
    pub(crate) head: RwSignal<Head>,
    /// The configuration.
    pub(crate) facts: RwSignal<Vec<Fact>>,
    /// Its form, while it is open.
    pub(crate) form: RwSignal<Option<Form>>,
    /// What stands above the servers.
    pub(crate) tools: RwSignal<Tools>,
    /// The list as it stands in every address.
    pub(crate) list: RwSignal<String>,
    /// The rows, in order, those not drawn yet too.
    pub(crate) rows: RwSignal<Vec<Row>>,
    /// The advice.
    pub(crate) groups: RwSignal<Vec<Group>>,
    /// What is open beside the page.
    pub(crate) panel: RwSignal<Option<Panel>>,
    /// Now, in whole seconds: what ages count to.
    pub(crate) tick: RwSignal<Timestamp>,
    /// The moment of the last picture.
    pub(crate) pictured: RwSignal<Timestamp>,
    /// How news comes.
    pub(crate) connection: RwSignal<Connection>,
    /// The overview that answers is of another build than this page.
    pub(crate) outdated: RwSignal<bool>,
    /// What all of it has in common.
    told: StoredValue<Told>,
}

/// What the parts of a page have in common.
#[derive(Clone, Debug)]
struct Told {
    /// Where the page lives and who looks at it.
    visit: Visit,
    /// In which words all of it is said.
    words: &'static Words,
    /// What the overview said when it last refused an answer.
    refusal: RwSignal<String>,
    /// What a screen reader says without being asked.
    spoken: RwSignal<String>,
}

impl Screen {
    /// The screen of a first picture: on the server and at hydration the same.
    pub(crate) fn new(picture: Picture, snapshot: &Snapshot, words: &'static Words) -> Self {
        let place = Place::parse(&picture.query);
        let Picture { news, visit, .. } = picture;
        let view = View::of(snapshot, news.now, &place, FIRST_ROWS, &mut Kept::default(), words);
        let rows = view.blocks.into_iter().map(|(block, beats)| Row::new(block, beats, true));
        let rows = rows.collect();
        Self {
            place: RwSignal::new(place),
            wish: RwSignal::new(None),
            acting: RwSignal::new(false),
            head: RwSignal::new(view.head),
            facts: RwSignal::new(view.facts),
            form: RwSignal::new(view.form),
            tools: RwSignal::new(view.tools),
            list: RwSignal::new(view.list),
            rows: RwSignal::new(rows),
            groups: RwSignal::new(view.groups),
            panel: RwSignal::new(view.panel),
            tick: RwSignal::new(news.now),
            pictured: RwSignal::new(news.now),
            connection: RwSignal::new(Connection::Polling),
            outdated: RwSignal::new(false),
            told: StoredValue::new(Told {
                visit,
                words,
                refusal: RwSignal::new(String::new()),
                spoken: RwSignal::new(String::new()),
            }),
        }
    }

    /// Shows another view: wakes only what differs.
    #[cfg(feature = "hydrate")]
    pub(crate) fn show(&self, view: View) {
        set(&self.head, view.head);
        set(&self.facts, view.facts);
        set(&self.form, view.form);
        set(&self.tools, view.tools);
        set(&self.list, view.list);
        set(&self.groups, view.groups);
        set(&self.panel, view.panel);
        // Nearly always the same servers stand in the same order: then no row comes or goes.
        let stands = self.rows.with_untracked(|rows| {
            let same = |(row, (block, _)): (&Row, &(Arc<Block>, Beats))| row.shows(block);
            let stands = rows.len() == view.blocks.len() && rows.iter().zip(&view.blocks).all(same);
            if stands {
                rows.iter()
                    .zip(&view.blocks)
                    .for_each(|(row, (block, beats))| row.take(block, *beats));
            }
            stands
        });
        if stands {
            return;
        }
        let rows = self.rows.get_untracked();
        let id = |row: &Row| row.block.with_untracked(|block| block.id.clone());
        let ids: Vec<String> = rows.iter().map(id).collect();
        let by_id = sorted_indices(ids.len(), &|a, b| ids[a].cmp(&ids[b]));
        let mut next = Vec::with_capacity(view.blocks.len());
        for (block, beats) in view.blocks {
            let place = by_id.binary_search_by(|place| ids[*place].cmp(&block.id));
            next.push(match place.ok().and_then(|place| rows.get(by_id[place])) {
                Some(row) => {
                    row.take(&block, beats);
                    row.clone()
                }
                None => Row::new(block, beats, false),
            });
        }
        let waited = rows.iter().any(|row| !row.drawn);
        let more = draw(&mut next);
        self.rows.set(next);
        // Whoever draws already goes on with these.
        if more && !waited {
            leptos::task::spawn_local(draw_the_rest(self.rows));
        }
    }

    /// Draws what holds numbers and days that are written only when they are drawn.
    #[cfg(feature = "hydrate")]
    pub(crate) fn write_anew(&self) {
        self.tools.notify();
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

    /// In which words all of it is said.
    pub(crate) fn words(&self) -> &'static Words {
        self.told.with_value(|told| told.words)
    }

    /// What the overview said when it last refused an answer.
    pub(crate) fn refusal(&self) -> RwSignal<String> {
        self.told.with_value(|told| told.refusal)
    }

    /// What a screen reader says without being asked.
    pub(crate) fn spoken(&self) -> RwSignal<String> {
        self.told.with_value(|told| told.spoken)
    }

    /// Something of where the page lives and who looks at it.
    pub(crate) fn visit<T>(&self, of: impl FnOnce(&Visit) -> T) -> T {
        self.told.with_value(|told| of(&told.visit))
    }

    /// Whether whoever looks may do no more than that.
    pub(crate) fn only_looks(&self) -> bool {
        self.visit(|visit| visit.visitor.rank == Rank::Viewer)
    }

    /// Where a form or a link of the page goes; the page stays dressed as it is.
    pub(crate) fn action(&self, name: &str) -> String {
        let dress = self.place.with_untracked(|place| place.dress.query());
        self.visit(|visit| format!("{}/{name}{dress}", visit.site.base))
    }

    /// Something was typed into the configuration's form.
    pub(crate) fn type_in(&self, write: impl FnOnce(&mut Draft)) {
        let shown = self.form.with_untracked(|form| form.as_ref().map(|form| form.draft.clone()));
        self.place.update(|place| {
            if let Open::Configuration(draft) = &mut place.open {
                write(draft.get_or_insert_with(|| shown.unwrap_or_default()));
                place.refused = None;
            }
        });
    }
}

/// The number of the next row.
static NEXT: AtomicUsize = AtomicUsize::new(0);

impl Row {
    fn new(block: Arc<Block>, beats: Beats, drawn: bool) -> Self {
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            block: ArcRwSignal::new(block),
            beats: ArcRwSignal::new(beats),
            seen: ArcRwSignal::new(false),
            drawn,
        }
    }
}

#[cfg(feature = "hydrate")]
impl Row {
    /// Whether it is of the same server.
    fn shows(&self, block: &Arc<Block>) -> bool {
        self.block.with_untracked(|known| Arc::ptr_eq(known, block) || known.id == block.id)
    }

    /// Shows this from now on.
    fn take(&self, block: &Arc<Block>, beats: Beats) {
        if self.block.with_untracked(|known| !Arc::ptr_eq(known, block) && known != block) {
            self.block.set(Arc::clone(block));
        }
        set(&self.beats, beats);
    }
}

/// Lets the next rows be drawn; whether there are more.
#[cfg(feature = "hydrate")]
fn draw(rows: &mut [Row]) -> bool {
    let mut waiting = rows.iter_mut().filter(|row| !row.drawn);
    waiting.by_ref().take(DRAWN_AT_ONCE).for_each(|row| row.drawn = true);
    waiting.next().is_some()
}

#[cfg(feature = "hydrate")]
async fn draw_the_rest(rows: RwSignal<Vec<Row>>) {
    loop {
        crate::page::client::focus::drawn().await;
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

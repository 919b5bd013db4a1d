//! The signals of the table's rows, and how a new list of rows reaches them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use crate::cluster::order::sorted_indices;
#[cfg(feature = "hydrate")]
use crate::page::client::rendering::{next_render, set_if_changed};
use crate::page::servers::model::ServerRow;
use crate::page::servers::row_cache::HeartbeatTimes;

/// A task renders at most so many rows, so that the page reacts to typing in between.
#[cfg(feature = "hydrate")]
const ROWS_PER_RENDER: usize = 100;

/// The signals of one row. They are reference-counted, because rows come and go while the page's owner stays.
#[derive(Clone, Debug)]
pub(crate) struct RowSignals {
    /// The key of the `For` loop: no other row has ever had it.
    pub(crate) key: usize,
    pub(crate) server: ArcRwSignal<Arc<ServerRow>>,
    pub(crate) heartbeats: ArcRwSignal<HeartbeatTimes>,
    /// Whether it is on the screen. Ages of other rows are not updated.
    pub(crate) visible: ArcRwSignal<bool>,
    pub(crate) rendered: bool,
}

static NEXT_ROW_KEY: AtomicUsize = AtomicUsize::new(0);

impl RowSignals {
    pub(crate) fn new(server: Arc<ServerRow>, heartbeats: HeartbeatTimes, rendered: bool) -> Self {
        Self {
            key: NEXT_ROW_KEY.fetch_add(1, Ordering::Relaxed),
            server: ArcRwSignal::new(server),
            heartbeats: ArcRwSignal::new(heartbeats),
            visible: ArcRwSignal::new(false),
            rendered,
        }
    }
}

#[cfg(feature = "hydrate")]
impl RowSignals {
    fn is_for(&self, server: &Arc<ServerRow>) -> bool {
        self.server.with_untracked(|known| Arc::ptr_eq(known, server) || known.id == server.id)
    }

    fn update(&self, server: &Arc<ServerRow>, heartbeats: HeartbeatTimes) {
        if self.server.with_untracked(|known| !Arc::ptr_eq(known, server) && known != server) {
            self.server.set(Arc::clone(server));
        }
        set_if_changed(&self.heartbeats, heartbeats);
    }
}

/// Updates, adds, removes and moves rows.
#[cfg(feature = "hydrate")]
pub(crate) fn update_rows(
    signal: RwSignal<Vec<RowSignals>>,
    models: Vec<(Arc<ServerRow>, HeartbeatTimes)>,
) {
    // Nearly always the list has the same servers in the same order: then no row is added, removed or moved.
    let is_same_list = signal.with_untracked(|rows| {
        let pairs = rows.iter().zip(&models);
        let is_same = rows.len() == models.len()
            && pairs.clone().all(|(row, (server, _))| row.is_for(server));
        if is_same {
            pairs.for_each(|(row, (server, heartbeats))| row.update(server, *heartbeats));
        }
        is_same
    });
    if is_same_list {
        return;
    }
    let rows = signal.get_untracked();
    let id = |row: &RowSignals| row.server.with_untracked(|server| server.id.clone());
    let ids: Vec<String> = rows.iter().map(id).collect();
    let order = sorted_indices(ids.len(), &|a, b| ids[a].cmp(&ids[b]));
    let mut next = Vec::with_capacity(models.len());
    for (server, heartbeats) in models {
        let position = order.binary_search_by(|position| ids[*position].cmp(&server.id));
        next.push(match position.ok().and_then(|position| rows.get(order[position])) {
            Some(row) => {
                row.update(&server, heartbeats);
                row.clone()
            }
            None => RowSignals::new(server, heartbeats, false),
        });
    }
    let was_rendering = rows.iter().any(|row| !row.rendered);
    let more = render_next(&mut next);
    signal.set(next);
    // A task that renders rows already goes on with these.
    if more && !was_rendering {
        leptos::task::spawn_local(render_remaining_rows(signal));
    }
}

/// Marks the next rows as rendered; returns whether there are more.
#[cfg(feature = "hydrate")]
fn render_next(rows: &mut [RowSignals]) -> bool {
    let mut waiting = rows.iter_mut().filter(|row| !row.rendered);
    waiting.by_ref().take(ROWS_PER_RENDER).for_each(|row| row.rendered = true);
    waiting.next().is_some()
}

#[cfg(feature = "hydrate")]
async fn render_remaining_rows(rows: RwSignal<Vec<RowSignals>>) {
    loop {
        next_render().await;
        let mut next = rows.get_untracked();
        let more = render_next(&mut next);
        rows.set(next);
        if !more {
            break;
        }
    }
}

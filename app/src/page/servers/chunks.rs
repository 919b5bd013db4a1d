//! The rows of the table, in chunks. Only chunks near the screen have rows in the document; in place of the others there
//! is an empty box of the same height, so that ten thousand servers cost a browser no more than sixty.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::page::servers::model::ServerRow;
use crate::page::servers::row_cache::{HeartbeatTimes, TimedRow};

/// How many servers a chunk has.
pub(crate) const CHUNK_LENGTH: usize = 20;

/// The height of its rows if none has a problem. What they really need is measured when it leaves the screen.
const CHUNK_HEIGHT_PX: i32 = 20 * 33;

/// The signals are reference-counted, because chunks and rows come and go while the page's owner stays.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    /// Its place in the list, from 0.
    pub(crate) number: usize,
    pub(crate) rows: ArcRwSignal<Vec<RowSignals>>,
    /// In pixels, while it is not near the screen and so has no rows.
    pub(crate) empty_height: ArcRwSignal<Option<i32>>,
}

impl Chunk {
    fn new(number: usize, is_near: bool) -> Self {
        Self {
            number,
            rows: ArcRwSignal::new(Vec::new()),
            empty_height: ArcRwSignal::new((!is_near).then_some(CHUNK_HEIGHT_PX)),
        }
    }

    /// The chunks of a document that was rendered on the server, which has a row for each server that it lists.
    pub(crate) fn all_near(listed: usize) -> Vec<Self> {
        (0..listed.div_ceil(CHUNK_LENGTH)).map(|number| Self::new(number, true)).collect()
    }

    /// Whether it is on the screen or near it.
    #[cfg(feature = "hydrate")]
    pub(crate) fn is_near(&self) -> bool {
        self.empty_height.get_untracked().is_none()
    }

    /// Its places in a list of this length.
    pub(crate) fn places(&self, listed: usize) -> Range<usize> {
        let first = self.number * CHUNK_LENGTH;
        first..listed.min(first + CHUNK_LENGTH)
    }

    /// Updates, adds, removes and moves rows.
    pub(crate) fn show(&self, models: Vec<TimedRow>) {
        let rows = self.rows.get_untracked();
        let mut next: Vec<RowSignals> = Vec::with_capacity(models.len());
        for (server, heartbeats) in models {
            let known = rows.get(next.len()).filter(|row| row.is_for(&server));
            let row = known.or_else(|| rows.iter().find(|row| row.is_for(&server))).cloned();
            let row = row.unwrap_or_else(|| RowSignals::new(Arc::clone(&server)));
            row.update(&server, heartbeats);
            next.push(row);
        }
        // Nearly always it has the same servers in the same order: then no row is added, removed or moved.
        let is_same =
            rows.len() == next.len() && rows.iter().zip(&next).all(|(a, b)| a.key == b.key);
        if !is_same {
            self.rows.set(next);
        }
    }
}

/// Makes the chunks of a list of this length from those of the list before. Chunks that are new are not near: the
/// observer of the screen tells which are. If the list is in the document as a whole, all are.
#[cfg(feature = "hydrate")]
pub(crate) fn resize(chunks: RwSignal<Vec<Chunk>>, listed: usize, is_whole: bool) {
    let mut next = chunks.get_untracked();
    let (before, count) = (next.len(), listed.div_ceil(CHUNK_LENGTH));
    next.truncate(count);
    next.extend((before..count).map(|number| Chunk::new(number, is_whole)));
    if is_whole {
        next.iter().filter(|chunk| !chunk.is_near()).for_each(|chunk| chunk.empty_height.set(None));
    }
    if before != count {
        chunks.set(next);
    }
}

/// What one row shows.
#[derive(Clone, Debug)]
pub(crate) struct RowSignals {
    /// The key of the `For` loop: no other row has ever had it.
    pub(crate) key: usize,
    pub(crate) server: ArcRwSignal<Arc<ServerRow>>,
    /// The last heartbeat of each component. Ages are computed from them at each tick.
    heartbeats: Arc<[AtomicI64; 2]>,
}

static NEXT_ROW_KEY: AtomicUsize = AtomicUsize::new(0);

impl RowSignals {
    fn new(server: Arc<ServerRow>) -> Self {
        Self {
            key: NEXT_ROW_KEY.fetch_add(1, Ordering::Relaxed),
            server: ArcRwSignal::new(server),
            heartbeats: Arc::default(),
        }
    }

    /// When the component at this place sent its last heartbeat.
    pub(crate) fn last_heartbeat(&self, place: usize) -> Timestamp {
        let at = self.heartbeats.get(place).map(|at| at.load(Ordering::Relaxed));
        Timestamp(at.unwrap_or_default())
    }

    fn is_for(&self, server: &Arc<ServerRow>) -> bool {
        let known = self.server.get_untracked();
        Arc::ptr_eq(&known, server) || known.id == server.id
    }

    fn update(&self, server: &Arc<ServerRow>, heartbeats: HeartbeatTimes) {
        for (known, at) in self.heartbeats.iter().zip(heartbeats) {
            known.store(at.0, Ordering::Relaxed);
        }
        let known = self.server.get_untracked();
        if !Arc::ptr_eq(&known, server) && known != *server {
            self.server.set(Arc::clone(server));
        }
    }
}

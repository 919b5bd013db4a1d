//! The browser's copy of the snapshot: how old it is, what it shows, and when to poll again.

use crate::cluster::{Snapshot, Span, Timestamp};
use crate::i18n::Words;
use crate::page::client::monotonic::since_opened;
use crate::page::model::PageModel;
use crate::page::route::Route;
use crate::page::servers::row_cache::RowCache;
use crate::protocol::{InitialState, OverviewDelta};

/// The longest pause after failures.
const MAX_POLL_DELAY: Span = Span::seconds(10);
/// The time between two polls of a hidden page: at most two requests a minute.
const HIDDEN_POLL_DELAY: Span = Span::seconds(30);
/// An answer that takes longer than this is a failure if the last update was long ago.
const SLOW_REQUEST: Span = Span::seconds(3);

/// What one page knows.
pub(crate) struct ClientState {
    snapshot: Snapshot,
    /// The hash of the files this page is made of.
    build: String,
    cursor: String,
    /// The server's time of the last update, and the browser's monotonic time when it came.
    as_of: Timestamp,
    received_at: Span,
    /// When a verdict may next turn by time alone.
    next_turn: Option<Timestamp>,
    /// The last update was so long ago that the state of the cluster is unknown.
    cut_off: bool,
    failures: u32,
    /// Since when an answer is awaited.
    request_started: Option<Span>,
    /// What the overview said when it refused the last answer.
    error_detail: String,
    /// The servers' blocks as they are shown.
    row_cache: RowCache,
    /// In which words.
    words: &'static Words,
}

impl ClientState {
    pub(crate) fn new(initial: &InitialState, words: &'static Words) -> Self {
        let OverviewDelta { cursor, now, build, .. } = initial.delta.clone();
        let snapshot = initial.snapshot();
        let next_turn = snapshot.next_turn(now);
        Self {
            snapshot,
            build,
            cursor,
            as_of: now,
            received_at: since_opened(),
            next_turn,
            cut_off: false,
            failures: 0,
            request_started: None,
            error_detail: String::new(),
            row_cache: RowCache::default(),
            words,
        }
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The cursor to poll with.
    pub(crate) fn cursor(&self) -> String {
        self.cursor.clone()
    }

    /// The server's time of the last update.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The time of the last update plus what has passed since, at most one poll period.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = since_opened() - self.received_at;
        self.as_of + passed.min(self.snapshot.settings.poll_period())
    }

    /// Whether the overview that answers is of another build than this page.
    pub(crate) fn is_outdated(&self, delta: &OverviewDelta) -> bool {
        self.build != delta.build
    }

    /// Takes an answer in; whether anything on the screen may differ for it.
    pub(crate) fn apply(&mut self, delta: OverviewDelta) -> bool {
        let changed = delta.change.is_some() || self.cut_off;
        // One question is under way at a time, so no answer is overtaken: if time went back, the
        // database's clock did.
        self.as_of = delta.now;
        if let Some(change) = delta.change {
            self.snapshot.apply(change);
        }
        self.cursor = delta.cursor;
        self.received_at = since_opened();
        self.failures = 0;
        self.request_started = None;
        self.error_detail.clear();
        self.cut_off = false;
        changed
    }

    /// Whether the event stream has been silent for so long that polling is better.
    pub(crate) fn is_stream_overdue(&self) -> bool {
        since_opened() - self.received_at > self.snapshot.settings.poll_period().times(2)
    }

    /// A question is under way.
    pub(crate) fn start_request(&mut self) {
        self.request_started = Some(since_opened());
    }

    /// An answer came that is not shown.
    pub(crate) fn drop_request(&mut self) {
        self.request_started = None;
    }

    /// There was no answer, or an error with this detail.
    pub(crate) fn record_failure(&mut self, error_detail: String) {
        self.failures += 1;
        self.request_started = None;
        // With another detail the page is rendered again.
        self.cut_off &= self.error_detail == error_detail;
        self.error_detail = error_detail;
    }

    /// Whether the last update was so long ago that the state of the cluster is unknown.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Whether time alone has changed what is to be shown: a verdict changed, or there has been no
    /// update for three poll periods and at least 15 s.
    pub(crate) fn needs_redraw(&mut self) -> bool {
        let limit = self.snapshot.settings.poll_period().times(3).max(Span::seconds(15));
        let now = since_opened();
        let fails = self.failures > 0
            || self
                .request_started
                .is_some_and(|request_started| now - request_started > SLOW_REQUEST);
        let lost = fails && now - self.received_at > limit;
        let cut_off = lost && !self.cut_off;
        self.cut_off |= lost;
        cut_off || self.next_turn.is_some_and(|turn| turn <= self.now())
    }

    /// What a place of the page shows now: all servers, for a browser need not send them.
    pub(crate) fn view(&mut self, route: &Route) -> PageModel {
        let now = self.now();
        self.next_turn = self.snapshot.next_turn(now);
        if self.cut_off && self.snapshot.blind_since.is_none() {
            let blind = Snapshot { blind_since: Some(self.as_of), ..self.snapshot.clone() };
            return PageModel::new(&blind, now, route, usize::MAX, &mut self.row_cache, self.words)
                .cut_off(self.as_of, &self.error_detail, self.words);
        }
        PageModel::new(&self.snapshot, now, route, usize::MAX, &mut self.row_cache, self.words)
    }

    /// How long to wait before asking again: the poll period, doubled with each failure; up to a
    /// tenth sooner, so that a hundred open pages do not ask in step. Of a hidden page only the title can be seen.
    pub(crate) fn poll_delay(&self, hidden: bool) -> Span {
        if hidden {
            return HIDDEN_POLL_DELAY;
        }
        let period = self.snapshot.settings.poll_period();
        let factor = 1_i64 << self.failures.min(6);
        let pause = period.times(factor).min(MAX_POLL_DELAY.max(period));
        // Differs from page to page: where in its millisecond cycle this one is.
        let mix = since_opened().0.wrapping_mul(31).wrapping_add(self.as_of.0);
        Span(pause.0 * (900 + mix.rem_euclid(101)) / 1_000)
    }
}

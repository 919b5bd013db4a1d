//! The browser's copy of the snapshot, its age, and when to poll again.

use std::borrow::Cow;
use std::ops::Range;

use crate::cluster::hints::dom_safe;
use crate::cluster::{Judgement, Overview, Snapshot, Span, Timestamp};
use crate::i18n::Catalog;
use crate::page::client::monotonic::since_opened;
use crate::page::model::PageModel;
use crate::page::route::Route;
use crate::page::servers::list::Extent;
use crate::page::servers::listing::Listing;
use crate::page::servers::row_cache::{RowCache, TimedRow};
use crate::page::view_context::ViewContext;
use crate::protocol::{InitialState, OverviewDelta};

/// The longest back-off after failures.
const MAX_POLL_DELAY: Span = Span::seconds(10);
/// A hidden page polls at most twice a minute.
const HIDDEN_POLL_DELAY: Span = Span::seconds(30);
/// A request that takes longer counts as a failure if the last update was long ago.
const SLOW_REQUEST: Span = Span::seconds(3);

pub(crate) struct ClientState {
    snapshot: Snapshot,
    /// The hash of the files that this page was loaded from.
    build: String,
    cursor: String,
    /// The server's time of the last update, and the browser's monotonic time when it arrived.
    as_of: Timestamp,
    received_at: Span,
    /// The last update is so old that the state of the cluster is unknown.
    cut_off: bool,
    failures: u32,
    /// When the pending request was sent.
    request_started: Option<Span>,
    /// The overview's reason if it rejected the last request.
    error_detail: String,
    judgement: Judgement,
    /// [`Snapshot::last_known`] of what is shown.
    last_known: Option<(Snapshot, Overview)>,
    /// The judgement is of what is shown now: this snapshot, cut off or not.
    is_judged: bool,
    /// The servers of the list.
    listing: Option<Listing>,
    row_cache: RowCache,
    catalog: &'static Catalog,
}

impl ClientState {
    pub(crate) fn new(initial: &InitialState, catalog: &'static Catalog) -> Self {
        let OverviewDelta { cursor, now, build, .. } = initial.delta.clone();
        let snapshot = initial.snapshot();
        Self {
            snapshot,
            build,
            cursor,
            as_of: now,
            received_at: since_opened(),
            cut_off: false,
            failures: 0,
            request_started: None,
            error_detail: String::new(),
            judgement: Judgement::default(),
            last_known: None,
            is_judged: false,
            listing: None,
            row_cache: RowCache::default(),
            catalog,
        }
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(crate) fn cursor(&self) -> String {
        self.cursor.clone()
    }

    pub(crate) fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The server's time: that of the last update plus what has passed since, at most one poll period.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = since_opened() - self.received_at;
        self.as_of + passed.min(self.snapshot.settings.poll_period())
    }

    /// Whether the overview has been updated since this page was loaded.
    pub(crate) fn is_outdated(&self, delta: &OverviewDelta) -> bool {
        self.build != delta.build
    }

    /// Applies an update. Returns whether anything on the screen may change.
    pub(crate) fn apply(&mut self, delta: OverviewDelta) -> bool {
        let changed = delta.change.is_some() || self.cut_off;
        self.is_judged &= !changed;
        // Only one request is under way at a time, so no answer overtakes another. If time goes back, the
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

    pub(crate) fn is_stream_overdue(&self) -> bool {
        since_opened() - self.received_at > self.snapshot.settings.poll_period().times(2)
    }

    pub(crate) fn start_request(&mut self) {
        self.request_started = Some(since_opened());
    }

    /// An answer arrived that is not shown.
    pub(crate) fn drop_request(&mut self) {
        self.request_started = None;
    }

    /// No answer, or an error with this detail.
    pub(crate) fn record_failure(&mut self, error_detail: String) {
        self.failures += 1;
        self.request_started = None;
        // Another detail has to be rendered.
        self.cut_off &= self.error_detail == error_detail;
        self.error_detail = error_detail;
    }

    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Whether time alone changes what is shown: a verdict is due, or there has been no update for three poll
    /// periods and at least 15 s.
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
        self.is_judged &= !cut_off;
        !self.has_current_verdicts()
    }

    /// Whether no verdict can have changed since the last judgement.
    fn has_current_verdicts(&self) -> bool {
        let turn = self.judgement.overview().next_turn;
        self.is_judged && turn.is_none_or(|turn| turn > self.now())
    }

    /// What this route shows now. Another route shows the same verdicts.
    pub(crate) fn page_model(&mut self, route: &Route) -> PageModel {
        let now = self.now();
        let is_current = self.has_current_verdicts();
        let mut judgement = std::mem::take(&mut self.judgement);
        let mut known = self.last_known.take();
        let snapshot = self.shown_snapshot();
        if !is_current {
            judgement.update(&snapshot, now);
            known = snapshot.last_known();
        }
        let overview = judgement.overview();
        let known_then = known.as_ref();
        let (model, listing) = PageModel::new(
            &snapshot,
            overview,
            known_then,
            now,
            route,
            Extent::Whole,
            self.catalog,
        );
        let is_cut_off = matches!(snapshot, Cow::Owned(_));
        (self.judgement, self.is_judged, self.listing) = (judgement, true, Some(listing));
        self.last_known = known;
        if is_cut_off { model.cut_off(self.as_of, &self.error_detail, self.catalog) } else { model }
    }

    /// How many servers the list has.
    pub(crate) fn listed(&self) -> usize {
        self.listing.as_ref().map_or(0, |listing| listing.rows.order.len())
    }

    /// The place in the list of the server whose row has this id.
    pub(crate) fn place_of_row(&self, id: &str) -> Option<usize> {
        let name = id.strip_prefix("server-")?;
        let listing = self.listing.as_ref()?;
        let servers = &self.judgement.overview().servers;
        let has_id = |at: &usize| servers.get(*at).is_some_and(|s| dom_safe(&s.name) == name);
        listing.rows.order.iter().position(has_id)
    }

    /// The rows at these places of the list, a vector for each range.
    pub(crate) fn rows(&mut self, places: &[Range<usize>], route: &Route) -> Vec<Vec<TimedRow>> {
        let Some(listing) = self.listing.take() else { return Vec::new() };
        let mut row_cache = std::mem::take(&mut self.row_cache);
        let snapshot = self.shown_snapshot();
        let overview = self.judgement.overview();
        let (now, catalog) = (self.now(), self.catalog);
        let context =
            ViewContext { snapshot: &snapshot, overview, last_known: None, now, route, catalog };
        let rows = row_cache.build(places, &listing, &context);
        drop(snapshot);
        (self.row_cache, self.listing) = (row_cache, Some(listing));
        rows
    }

    /// The snapshot, without the overview's word on its database if this page has lost the overview.
    fn shown_snapshot(&self) -> Cow<'_, Snapshot> {
        if self.cut_off && self.snapshot.blind_since.is_none() {
            let blind_since = Some(self.as_of);
            return Cow::Owned(Snapshot { blind_since, ..self.snapshot.clone() });
        }
        Cow::Borrowed(&self.snapshot)
    }

    /// The time until the next poll: the poll period, doubled with each failure, and up to a tenth shorter, so
    /// that a hundred open pages do not poll in step. Of a hidden page only the title can be seen.
    pub(crate) fn poll_delay(&self, hidden: bool) -> Span {
        if hidden {
            return HIDDEN_POLL_DELAY;
        }
        let period = self.snapshot.settings.poll_period();
        let factor = 1_i64 << self.failures.min(6);
        let pause = period.times(factor).min(MAX_POLL_DELAY.max(period));
        // The milliseconds of this page's own clock serve as a random number.
        let mix = since_opened().0.wrapping_mul(31).wrapping_add(self.as_of.0);
        Span(pause.0 * (900 + mix.rem_euclid(101)) / 1_000)
    }
}

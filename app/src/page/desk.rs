//! The facts as the browser has them: how old they are, what they show, and when to ask for more.

use super::elapsed::since_opened;
use super::place::Place;
use super::view::{Kept, View};
use crate::api::{News, Picture};
use crate::cluster::{Snapshot, Span, Timestamp};
use crate::words::Words;

/// The longest pause after failures.
const LONGEST_PAUSE: Span = Span::seconds(10);

/// What one page knows.
pub(super) struct Desk {
    snapshot: Snapshot,
    /// The hash of the files this page is made of.
    build: String,
    cursor: String,
    /// The picture's moment, and the browser's elapsed time when it came.
    pictured: Timestamp,
    arrived: Span,
    /// When a verdict may next turn by time alone.
    next_turn: Option<Timestamp>,
    /// There has been no news for so long that nobody can tell from here.
    cut_off: bool,
    failures: u32,
    /// The servers' blocks as they are shown.
    kept: Kept,
    /// In which words.
    words: &'static Words,
}

impl Desk {
    pub(super) fn of(picture: &Picture, words: &'static Words) -> Self {
        let News { cursor, now, build, .. } = picture.news.clone();
        let snapshot = picture.snapshot();
        let next_turn = snapshot.next_turn(now);
        Self {
            snapshot,
            build,
            cursor,
            pictured: now,
            arrived: since_opened(),
            next_turn,
            cut_off: false,
            failures: 0,
            kept: Kept::default(),
            words,
        }
    }

    /// The facts.
    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What to ask for news with.
    pub(super) fn cursor(&self) -> String {
        self.cursor.clone()
    }

    /// The moment of the last picture.
    pub(super) fn pictured(&self) -> Timestamp {
        self.pictured
    }

    /// The picture's moment plus what has passed, but at most one poll ahead.
    pub(super) fn now(&self) -> Timestamp {
        let passed = since_opened() - self.arrived;
        self.pictured + passed.min(self.snapshot.settings.poll_period())
    }

    /// Whether the overview that answers is of another build than this page.
    pub(super) fn is_outdated(&self, news: &News) -> bool {
        self.build != news.build
    }

    /// Takes an answer in; whether anything on the screen may differ for it.
    pub(super) fn take(&mut self, news: News) -> bool {
        let moved = news.change.is_some() || self.cut_off;
        // One question is under way at a time, so no answer is overtaken: if time went back, the
        // database's clock did.
        self.pictured = news.now;
        if let Some(change) = news.change {
            self.snapshot.apply(change);
        }
        self.cursor = news.cursor;
        self.arrived = since_opened();
        self.failures = 0;
        self.cut_off = false;
        moved
    }

    /// Whether one who listens has heard nothing for so long that asking is better.
    pub(super) fn is_forsaken(&self) -> bool {
        since_opened() - self.arrived > self.snapshot.settings.poll_period().times(2)
    }

    /// There was no answer.
    pub(super) fn miss(&mut self) {
        self.failures += 1;
    }

    /// Whether time alone has changed what is to be shown: a verdict turned, or there has been no
    /// picture for three polls and at least 15 s.
    pub(super) fn has_turned(&mut self) -> bool {
        let patience = self.snapshot.settings.poll_period().times(3).max(Span::seconds(15));
        let lost = self.failures > 0 && since_opened() - self.arrived > patience;
        let cut_off = lost && !self.cut_off;
        self.cut_off |= lost;
        cut_off || self.next_turn.is_some_and(|turn| turn <= self.now())
    }

    /// What a place of the page shows now: all servers, for a browser need not send them.
    pub(super) fn view(&mut self, place: &Place) -> View {
        let now = self.now();
        self.next_turn = self.snapshot.next_turn(now);
        if self.cut_off && self.snapshot.blind_since.is_none() {
            let unseen = Snapshot { blind_since: Some(self.pictured), ..self.snapshot.clone() };
            return View::of(&unseen, now, place, usize::MAX, &mut self.kept, self.words)
                .cut_off(self.pictured, self.words);
        }
        View::of(&self.snapshot, now, place, usize::MAX, &mut self.kept, self.words)
    }

    /// How long to wait before asking again: the poll period, doubled with each failure; up to a
    /// tenth sooner, so that a hundred open pages do not ask in step.
    pub(super) fn pause(&self) -> Span {
        let period = self.snapshot.settings.poll_period();
        let factor = 1_i64 << self.failures.min(6);
        let pause = period.times(factor).min(LONGEST_PAUSE.max(period));
        // Differs from page to page: where in its millisecond cycle this one is.
        let mix = since_opened().0.wrapping_mul(31).wrapping_add(self.pictured.0);
        Span(pause.0 * (900 + mix.rem_euclid(101)) / 1_000)
    }
}

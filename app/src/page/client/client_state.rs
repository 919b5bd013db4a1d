//! The facts as the browser has them: how old they are, what they show, and when to ask for more.

use crate::cluster::{Snapshot, Span, Timestamp};
use crate::i18n::Words;
use crate::page::client::monotonic::since_opened;
use crate::page::model::{Kept, View};
use crate::page::route::Place;
use crate::protocol::{News, Picture};

/// The longest pause after failures.
const LONGEST_PAUSE: Span = Span::seconds(10);
/// How long a page that nobody looks at waits between two polls: two requests a minute at most.
const HIDDEN_PAUSE: Span = Span::seconds(30);
/// An answer that takes longer than this is a failure once there has been no picture for long.
const SLOW_ANSWER: Span = Span::seconds(3);

/// What one page knows.
pub(crate) struct Desk {
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
    /// Since when an answer is awaited.
    asked: Option<Span>,
    /// What the overview said when it refused the last answer.
    refusal: String,
    /// The servers' blocks as they are shown.
    kept: Kept,
    /// In which words.
    words: &'static Words,
}

impl Desk {
    pub(crate) fn of(picture: &Picture, words: &'static Words) -> Self {
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
            asked: None,
            refusal: String::new(),
            kept: Kept::default(),
            words,
        }
    }

    /// The facts.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What to ask for news with.
    pub(crate) fn cursor(&self) -> String {
        self.cursor.clone()
    }

    /// The moment of the last picture.
    pub(crate) fn pictured(&self) -> Timestamp {
        self.pictured
    }

    /// The picture's moment plus what has passed, but at most one poll ahead.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = since_opened() - self.arrived;
        self.pictured + passed.min(self.snapshot.settings.poll_period())
    }

    /// Whether the overview that answers is of another build than this page.
    pub(crate) fn is_outdated(&self, news: &News) -> bool {
        self.build != news.build
    }

    /// Takes an answer in; whether anything on the screen may differ for it.
    pub(crate) fn take(&mut self, news: News) -> bool {
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
        self.asked = None;
        self.refusal.clear();
        self.cut_off = false;
        moved
    }

    /// Whether one who listens has heard nothing for so long that asking is better.
    pub(crate) fn is_forsaken(&self) -> bool {
        since_opened() - self.arrived > self.snapshot.settings.poll_period().times(2)
    }

    /// A question is under way.
    pub(crate) fn ask(&mut self) {
        self.asked = Some(since_opened());
    }

    /// An answer came that is not shown.
    pub(crate) fn leave(&mut self) {
        self.asked = None;
    }

    /// There was no news: no answer, or a refusal that said this.
    pub(crate) fn miss(&mut self, refusal: String) {
        self.failures += 1;
        self.asked = None;
        // What the page says of it is drawn anew.
        self.cut_off &= self.refusal == refusal;
        self.refusal = refusal;
    }

    /// Whether there has been no picture for so long that nobody can tell from here.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Whether time alone has changed what is to be shown: a verdict turned, or there has been no
    /// picture for three polls and at least 15 s.
    pub(crate) fn has_turned(&mut self) -> bool {
        let patience = self.snapshot.settings.poll_period().times(3).max(Span::seconds(15));
        let now = since_opened();
        let fails = self.failures > 0 || self.asked.is_some_and(|asked| now - asked > SLOW_ANSWER);
        let lost = fails && now - self.arrived > patience;
        let cut_off = lost && !self.cut_off;
        self.cut_off |= lost;
        cut_off || self.next_turn.is_some_and(|turn| turn <= self.now())
    }

    /// What a place of the page shows now: all servers, for a browser need not send them.
    pub(crate) fn view(&mut self, place: &Place) -> View {
        let now = self.now();
        self.next_turn = self.snapshot.next_turn(now);
        if self.cut_off && self.snapshot.blind_since.is_none() {
            let unseen = Snapshot { blind_since: Some(self.pictured), ..self.snapshot.clone() };
            return View::of(&unseen, now, place, usize::MAX, &mut self.kept, self.words).cut_off(
                self.pictured,
                &self.refusal,
                self.words,
            );
        }
        View::of(&self.snapshot, now, place, usize::MAX, &mut self.kept, self.words)
    }

    /// How long to wait before asking again: the poll period, doubled with each failure; up to a
    /// tenth sooner, so that a hundred open pages do not ask in step. Nobody looks at a hidden page but at its title.
    pub(crate) fn pause(&self, hidden: bool) -> Span {
        if hidden {
            return HIDDEN_PAUSE;
        }
        let period = self.snapshot.settings.poll_period();
        let factor = 1_i64 << self.failures.min(6);
        let pause = period.times(factor).min(LONGEST_PAUSE.max(period));
        // Differs from page to page: where in its millisecond cycle this one is.
        let mix = since_opened().0.wrapping_mul(31).wrapping_add(self.pictured.0);
        Span(pause.0 * (900 + mix.rem_euclid(101)) / 1_000)
    }
}

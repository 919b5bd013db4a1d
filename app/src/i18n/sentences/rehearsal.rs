//! What would other timeouts have called stale, in sentences?

use crate::cluster::Span;
use crate::cluster::hints::{Arg, Names};
use crate::cluster::history::StaleCounts;
use crate::i18n::{Catalog, MessageKey};

impl Catalog {
    /// How often which servers would have become stale over the last `length`: with the timeouts that were typed, and with those
    /// of today.
    pub fn rehearsed(&self, proposed: &StaleCounts, current: &StaleCounts, length: Span) -> String {
        let said = [
            self.stale_times(
                proposed,
                length,
                MessageKey::PagesRehearsalProposed,
                MessageKey::PagesRehearsalProposedNever,
            ),
            self.stale_times(
                current,
                length,
                MessageKey::PagesRehearsalCurrent,
                MessageKey::PagesRehearsalCurrentNever,
            ),
        ];
        said.join(" ")
    }

    fn stale_times(
        &self,
        counts: &StaleCounts,
        length: Span,
        often: MessageKey,
        never: MessageKey,
    ) -> String {
        let servers = counts.keys().map(ToString::to_string).collect::<Vec<_>>();
        let args = [
            ("count", Arg::Number(counts.values().sum())),
            ("span", Arg::Span(length)),
            ("servers", Arg::List(Names::from(servers))),
        ];
        self.format(if counts.is_empty() { never } else { often }, &args)
    }
}

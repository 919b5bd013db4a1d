//! What a strip shows, in words: the availability, the interruptions, and what nobody observed.

use crate::cluster::Span;
use crate::cluster::hints::Arg;
use crate::cluster::history::availability::Observation;
use crate::cluster::history::{Availability, Interval, Observed};
use crate::i18n::{Catalog, MessageKey};

/// What was observed over a span, added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) availability: Availability,
    interruptions: usize,
}

impl Summary {
    pub(super) fn of(observed: &[Observation], span: Interval) -> Self {
        Self {
            availability: Availability::of(observed, span),
            interruptions: count_interruptions(observed),
        }
    }

    pub(super) const fn is_quiet(self) -> bool {
        self.interruptions == 0
    }

    /// `99.98 %`, or a dash if too little was observed.
    pub(super) fn percent(self, catalog: &Catalog) -> String {
        match self.availability.hundredths() {
            None => "–".to_owned(),
            Some(10_000) => catalog.text(MessageKey::PagesHistoryPercentWhole).to_owned(),
            Some(hundredths) => {
                let part = |number: String| Arg::Text(number);
                let args = [
                    ("whole", part((hundredths / 100).to_string())),
                    ("part", part(format!("{:02}", hundredths % 100))),
                ];
                catalog.format(MessageKey::PagesHistoryPercent, &args)
            }
        }
    }

    /// `2 interruptions, 14 min`, and for how long nobody observed. That is left out if it is `known`: it is said of the whole
    /// cluster, and mostly the same for all.
    pub(super) fn sentence(self, catalog: &Catalog, known: Span) -> String {
        let Availability { up, down, blind, .. } = self.availability;
        let was_observed = up + down > Span::ZERO;
        let is_new = blind > Span::ZERO && (blind != known || !was_observed);
        let span = |span: Span| Arg::Span(span.to_nearest_second());
        let not_observed = is_new.then(|| {
            catalog.format(MessageKey::PagesHistoryNotObserved, &[("blind", span(blind))])
        });
        let interruptions = match self.interruptions {
            0 if was_observed => Some(MessageKey::PagesHistoryNoInterruptions),
            0 => (!is_new).then_some(MessageKey::PagesHistoryNothingRecorded),
            _ => Some(MessageKey::PagesHistoryInterruptions),
        };
        let args = [("count", Arg::Number(self.interruptions)), ("down", span(down))];
        let interruptions = interruptions.map(|key| catalog.format(key, &args));
        let said: Vec<String> = interruptions.into_iter().chain(not_observed).collect();
        said.join("; ")
    }
}

/// An interruption goes on while nobody observes, if it is there afterwards.
fn count_interruptions(observed: &[Observation]) -> usize {
    let seen = observed.iter().map(|(_, what)| *what).filter(|what| *what != Observed::Blind);
    let mut before = Observed::Up;
    let mut count = 0;
    for what in seen {
        count += usize::from(what == Observed::Down && before != Observed::Down);
        before = what;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Timestamp;
    use crate::i18n::Language;

    const HOUR: Interval = Interval { from: Timestamp(0), until: Timestamp(3_600_000) };

    /// From each of these minutes on.
    fn summary(observed: &[(i64, Observed)]) -> Summary {
        let at = |minute: i64| Timestamp(minute * 60_000);
        let observed: Vec<_> = observed.iter().map(|(minute, what)| (at(*minute), *what)).collect();
        Summary::of(&observed, HOUR)
    }

    fn said(observed: &[(i64, Observed)]) -> (String, String) {
        let summary = summary(observed);
        (summary.percent(Catalog::english()), summary.sentence(Catalog::english(), Span::ZERO))
    }

    fn pair(percent: &str, sentence: &str) -> (String, String) {
        (percent.to_owned(), sentence.to_owned())
    }

    #[test]
    fn interruptions_are_counted_and_added_up() {
        use Observed::{Blind, Down, Unknown, Up};
        assert_eq!(said(&[(0, Up)]), pair("100 %", "no interruptions"));
        assert_eq!(
            said(&[(0, Up), (10, Down), (12, Up), (20, Down), (32, Up)]),
            pair("76.66 %", "2 interruptions, 14 min")
        );
        assert_eq!(
            said(&[(0, Up), (58, Down), (59, Up)]),
            pair("98.33 %", "1 interruption, 1 min")
        );
        assert_eq!(
            said(&[(0, Up), (10, Down), (12, Blind), (17, Down), (18, Up)]),
            pair("94.54 %", "1 interruption, 3 min; not observed: 5 min")
        );
        assert_eq!(said(&[(0, Blind)]), pair("–", "not observed: 1 h"));
        assert_eq!(said(&[(0, Unknown)]), pair("–", "nothing recorded"));
        assert_eq!(said(&[(0, Down)]), pair("0.00 %", "1 interruption, 1 h"));
    }

    #[test]
    fn what_is_said_of_the_cluster_is_not_said_again_of_each_server() {
        let blind = summary(&[(0, Observed::Up), (10, Observed::Blind), (15, Observed::Up)]);
        let said = |known| blind.sentence(Catalog::english(), Span::minutes(known));
        assert_eq!(said(5), "no interruptions");
        assert_eq!(said(6), "no interruptions; not observed: 5 min");
        let never = summary(&[(0, Observed::Blind)]);
        assert_eq!(never.sentence(Catalog::english(), Span::minutes(60)), "not observed: 1 h");
    }

    #[test]
    fn a_percentage_is_written_as_in_its_language() {
        let german = Catalog::for_language(Language::German);
        let half = summary(&[(0, Observed::Up), (59, Observed::Down)]);
        assert_eq!(half.percent(german), "98,33 %");
        assert_eq!(half.sentence(german, Span::ZERO), "1 Unterbrechung, 1 min");
    }
}

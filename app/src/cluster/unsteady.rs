//! Was the overview itself blind so often, or for so long, that its verdicts may be late?

use super::observation::{self, BlindPeriod};
use super::time::{Span, Timestamp};

/// The time that is looked at.
const WITHIN: Span = Span::minutes(10);
/// Blind for longer than this within it: a fifth.
const MAX_BLIND: Span = Span::minutes(2);
/// Or blind so often.
const MIN_PERIODS: usize = 3;

/// How often, and for how long, the overview was blind within the last 10 min.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsteady {
    pub periods: usize,
    pub blind: Span,
}

/// Whether the overview was blind three times, or for more than a fifth, of the 10 min before `now`. A clock that was set does
/// not count.
pub fn unsteady(blind_periods: &[BlindPeriod], now: Timestamp) -> Option<Unsteady> {
    let from = now - WITHIN;
    let recent = observation::after(from, blind_periods).iter().filter(|period| !period.clock_set);
    let overlap = |period: &BlindPeriod| period.end - period.start.max(from);
    let blind = recent.clone().fold(Span::ZERO, |sum, period| sum + overlap(period));
    let periods = recent.count();
    (periods >= MIN_PERIODS || blind > MAX_BLIND).then_some(Unsteady { periods, blind })
}

/// Every moment at which time alone may end it.
pub(super) fn each_turn(blind_periods: &[BlindPeriod], turn: &mut dyn FnMut(Timestamp)) {
    // Sums over what is left of the last periods, from the latest back: when enough of it is out of sight.
    let mut blind = Span::ZERO;
    for period in blind_periods.iter().rev().filter(|period| !period.clock_set) {
        turn(period.end + WITHIN);
        let length = period.end - period.start;
        if blind <= MAX_BLIND && blind + length > MAX_BLIND {
            turn(period.end - (MAX_BLIND - blind) + WITHIN);
        }
        blind = blind + length;
        if blind_periods.last().is_some_and(|last| last.end - period.start > WITHIN.times(2)) {
            break;
        }
    }
}

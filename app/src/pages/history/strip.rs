//! A span of time as a strip, true to scale: one picture with a path for each state, hidden from screen readers. Its ground
//! means alive, so only what is not alive is drawn.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::cluster::history::{Interval, Observed, PastState, Segment};
use crate::cluster::{Pulse, Timestamp};

/// The width of a strip in its own units.
const WIDTH: i64 = 1_000;
/// What is shorter is drawn so wide: 2 px on a strip of 400 px. On a narrow screen styles add 2 units on each side.
const MIN_WIDTH: i64 = 5;

/// What is drawn. Each mark has a shape of its own, whatever its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Without ground: not there, or not known.
    Absent,
    /// The lower half.
    Late,
    /// The whole height.
    Stale,
    /// The whole height, in lines.
    Stopped,
    /// A hatched band in the middle, without ground.
    Blind,
}

impl Mark {
    /// In the order in which they are drawn.
    pub(super) const ALL: [Self; 5] =
        [Self::Absent, Self::Late, Self::Stale, Self::Stopped, Self::Blind];

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Late => "late",
            Self::Stale => "stale",
            Self::Stopped => "stopped",
            Self::Blind => "blind",
        }
    }

    /// The pattern it is drawn with, if not in one colour.
    const fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Absent | Self::Late | Self::Stale => None,
            Self::Stopped => Some("url(#lines)"),
            Self::Blind => Some("url(#hatch)"),
        }
    }

    /// The middle of its line. A strip is 4 units high; the stroke is as wide as the mark is high.
    const fn middle(self) -> i64 {
        match self {
            Self::Absent | Self::Stale | Self::Stopped | Self::Blind => 2,
            Self::Late => 3,
        }
    }

    pub(super) const fn of_state(state: PastState) -> Option<Self> {
        match state {
            PastState::Absent | PastState::Forgotten => Some(Self::Absent),
            PastState::Pulse(Pulse::Alive) => None,
            PastState::Pulse(Pulse::Late) => Some(Self::Late),
            PastState::Pulse(Pulse::Stale) => Some(Self::Stale),
            PastState::Pulse(Pulse::Stopped) => Some(Self::Stopped),
            PastState::Pulse(Pulse::Unknown) => Some(Self::Blind),
        }
    }

    pub(super) const fn of_observed(observed: Observed) -> Option<Self> {
        match observed {
            Observed::Up => None,
            Observed::Down | Observed::Stopped => Some(Self::Stale),
            Observed::Blind => Some(Self::Blind),
            Observed::Unknown => Some(Self::Absent),
        }
    }
}

/// From one moment to another, in units of the strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Drawn {
    from: i64,
    until: i64,
    mark: Mark,
}

/// The strip of a component. `class`: that of its role.
pub(super) fn of_segments(class: &str, segments: &[Segment], span: Interval) -> Markup {
    let turns = segments.iter().map(|segment| (segment.from, Mark::of_state(segment.state)));
    strip(class, &turns.collect::<Vec<_>>(), span)
}

/// A strip in which each of these marks is drawn from its moment to the next one.
pub(super) fn strip(class: &str, turns: &[(Timestamp, Option<Mark>)], span: Interval) -> Markup {
    let drawn = drawn(turns, span);
    html! {
        svg class={"strip " (class)} viewBox="0 0 1000 4" preserveAspectRatio="none" aria-hidden="true" {
            @for mark in Mark::ALL {
                @let path = path(mark, &drawn);
                @if !path.is_empty() {
                    path class=(mark.class()) stroke=[mark.pattern()] d=(path) {}
                }
            }
        }
    }
}

/// A short piece of a strip that is all in one state: for the legend.
pub(super) fn sample(class: &str, mark: Option<Mark>) -> Markup {
    html! {
        svg class={"strip sample " (class)} viewBox="0 0 40 4" preserveAspectRatio="none" aria-hidden="true" {
            @if let Some(mark) = mark {
                path class=(mark.class()) stroke=[mark.pattern()] d={"M0 " (mark.middle()) "h40"} {}
            }
        }
    }
}

/// The patterns of strips, once in each document.
pub(super) const PATTERNS: &str = r#"<svg width="0" height="0" aria-hidden="true"><pattern id="lines" patternUnits="userSpaceOnUse" width="1000" height="1"><path class="line" d="M0 .3h1000"/></pattern><pattern id="hatch" patternUnits="userSpaceOnUse" width="6" height="4"><path class="gap" d="M0 0h6v4h-6z"/><path class="line" d="M0 3l3-2h2l-3 2zM-6 3l3-2h2l-3 2z"/></pattern></svg>"#;

/// Whatever is not alive, in order.
fn drawn(turns: &[(Timestamp, Option<Mark>)], span: Interval) -> Vec<Drawn> {
    let whole = i128::from(span.length().0.max(1));
    let place = |at: Timestamp, round: i128| {
        let scaled = i128::from((at - span.from).0) * i128::from(WIDTH) + round;
        i64::try_from(scaled.div_euclid(whole)).unwrap_or(WIDTH).clamp(0, WIDTH)
    };
    let mut drawn = Vec::new();
    for (number, (at, mark)) in turns.iter().enumerate() {
        let until = turns.get(number + 1).map_or(span.until, |(next, _)| *next);
        if let Some(mark) = *mark {
            drawn.push(Drawn { from: place(*at, 0), until: place(until, whole - 1), mark });
        }
    }
    widen(&mut drawn);
    drawn
}

/// Gives what is short its least width: at the expense of what is alive, if there is room.
fn widen(drawn: &mut [Drawn]) {
    for number in 0..drawn.len() {
        let before = number.checked_sub(1).and_then(|before| drawn.get(before));
        let free_from = before.map_or(0, |before| before.until);
        let free_until = drawn.get(number + 1).map_or(WIDTH, |after| after.from);
        let Some(one) = drawn.get_mut(number).filter(|one| one.mark != Mark::Absent) else {
            continue;
        };
        let missing = (MIN_WIDTH - (one.until - one.from)).max(0);
        let after = missing.min((free_until - one.until).max(0));
        let before = (missing - after).min((one.from - free_from).max(0));
        one.until = (one.until + missing - before).min(WIDTH);
        one.from = (one.from - before).clamp(0, WIDTH - MIN_WIDTH);
    }
}

/// A line for each time of a mark; those that touch are one.
fn path(mark: Mark, drawn: &[Drawn]) -> String {
    let mut lines: Vec<(i64, i64)> = Vec::new();
    for one in drawn.iter().filter(|one| one.mark == mark) {
        match lines.last_mut() {
            Some((_, until)) if one.from <= *until => *until = one.until.max(*until),
            _ => lines.push((one.from, one.until)),
        }
    }
    let mut path = String::new();
    for (from, until) in lines {
        // Writing to a string cannot fail.
        let _ = write!(path, "M{from} {}h{}", mark.middle(), until - from);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Span;

    /// A second is a unit.
    const SPAN: Interval = Interval { from: Timestamp(5_000), until: Timestamp(1_005_000) };

    fn at(second: i64) -> Timestamp {
        SPAN.from + Span::seconds(second)
    }

    fn of(turns: &[(i64, Option<Mark>)]) -> String {
        let turns: Vec<_> = turns.iter().map(|(second, mark)| (at(*second), *mark)).collect();
        strip("web", &turns, SPAN).into_string()
    }

    fn paths(turns: &[(i64, Option<Mark>)]) -> Vec<String> {
        let strip = of(turns);
        strip.split("<path class=\"").skip(1).map(|path| path.replace("></path>", "")).collect()
    }

    #[test]
    fn nothing_is_drawn_of_what_was_alive() {
        assert_eq!(
            of(&[(0, None)]),
            "<svg class=\"strip web\" viewBox=\"0 0 1000 4\" preserveAspectRatio=\"none\" \
             aria-hidden=\"true\"></svg>"
        );
    }

    #[test]
    fn every_state_has_a_path_of_its_own_with_its_own_shape() {
        use Mark::{Absent, Blind, Late, Stale, Stopped};
        let turns = [
            (0, Some(Absent)),
            (100, None),
            (200, Some(Late)),
            (300, Some(Stale)),
            (400, None),
            (500, Some(Stopped)),
            (600, None),
            (700, Some(Blind)),
            (800, Some(Stale)),
        ];
        let found = paths(&turns).concat().replace("</svg>", "");
        let expected = [
            "absent\" d=\"M0 2h100\"",
            "late\" d=\"M200 3h100\"",
            "stale\" d=\"M300 2h100M800 2h200\"",
            "stopped\" stroke=\"url(#lines)\" d=\"M500 2h100\"",
            "blind\" stroke=\"url(#hatch)\" d=\"M700 2h100\"",
        ];
        assert_eq!(found, expected.concat());
    }

    #[test]
    fn a_short_outage_is_wide_enough_to_be_seen() {
        let down = |from, until| {
            let found = paths(&[(0, None), (from, Some(Mark::Stale)), (until, None)]);
            found.concat().replace("</svg>", "")
        };
        assert_eq!(down(500, 501), "stale\" d=\"M500 2h5\"");
        assert_eq!(down(999, 1_000), "stale\" d=\"M995 2h5\"");
        assert_eq!(down(0, 1), "stale\" d=\"M0 2h5\"");
    }

    #[test]
    fn what_is_widened_covers_what_was_alive_and_nothing_else() {
        let turns = [
            (0, None),
            (500, Some(Mark::Late)),
            (501, Some(Mark::Stale)),
            (600, Some(Mark::Blind)),
            (601, None),
        ];
        let found = paths(&turns).concat().replace("</svg>", "");
        let expected = [
            "late\" d=\"M496 3h5\"",
            "stale\" d=\"M501 2h99\"",
            "blind\" stroke=\"url(#hatch)\" d=\"M600 2h5\"",
        ];
        assert_eq!(found, expected.concat());
    }

    #[test]
    fn a_thousand_outages_are_a_short_path() {
        let turns: Vec<_> = (0..20_000)
            .map(|turn| (SPAN.from + Span(turn * 50), (turn % 2 == 0).then_some(Mark::Stale)))
            .collect();
        assert!(strip("web", &turns, SPAN).into_string().len() < 200);
    }
}

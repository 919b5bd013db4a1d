//! When is a message tried again?

use app::cluster::{Span, Timestamp};

use super::failure::NextTry;

/// After the tries before: at once, then after these waits, and then every hour.
const WAITS: [Span; 6] = [
    Span::seconds(5),
    Span::seconds(30),
    Span::minutes(2),
    Span::minutes(5),
    Span::minutes(15),
    Span::minutes(30),
];
const LAST_WAIT: Span = Span::minutes(60);
/// So long after the first try a message is given up.
const GIVEN_UP_AFTER: Span = Span::minutes(24 * 60);

/// When to try a message again that was first tried at `begun` and has failed `tries` times, the last time at `now`. `None` if it
/// is given up.
pub(super) fn next_try(
    begun: Timestamp,
    tries: u32,
    asked: NextTry,
    now: Timestamp,
) -> Option<Timestamp> {
    let place = usize::try_from(tries).unwrap_or(usize::MAX).saturating_sub(1);
    let planned = now + WAITS.get(place).copied().unwrap_or(LAST_WAIT);
    let next = match asked {
        NextTry::AsPlanned => planned,
        NextTry::NotBefore(pause) => planned.max(now + pause),
        NextTry::Never => return None,
    };
    (next - begun <= GIVEN_UP_AFTER).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_less_and_less_often_for_a_day() {
        let begun = Timestamp(1_000_000);
        let (mut now, mut tries, mut waits) = (begun, 0, Vec::new());
        loop {
            tries += 1;
            let Some(next) = next_try(begun, tries, NextTry::AsPlanned, now) else { break };
            waits.push((next - now).0 / 1_000);
            now = next;
        }
        assert_eq!(waits[..8], [5, 30, 120, 300, 900, 1_800, 3_600, 3_600]);
        assert!(now - begun > Span::minutes(23 * 60), "{now:?}");
        assert!(waits.len() < 40);
    }

    #[test]
    fn a_receiver_that_asks_for_a_pause_gets_it_and_one_that_is_gone_is_not_asked_again() {
        let begun = Timestamp(1_000_000);
        let pause = NextTry::NotBefore(Span::minutes(10));
        assert_eq!(next_try(begun, 1, pause, begun), Some(begun + Span::minutes(10)));
        let short = NextTry::NotBefore(Span::seconds(1));
        assert_eq!(next_try(begun, 1, short, begun), Some(begun + Span::seconds(5)));
        assert_eq!(next_try(begun, 1, NextTry::Never, begun), None);
    }
}

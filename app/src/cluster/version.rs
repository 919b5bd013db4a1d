//! Which of two software versions is newer.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::str::Chars;

/// Orders two versions as an admin would: split at `. - + _` and blanks; groups of digits compare as
/// numbers of any length, everything else as text; text sorts before a number, and of two versions
/// that agree as far as the shorter goes, the longer is newer. `2026.9 < 2026.10`.
pub fn compare(left: &str, right: &str) -> Ordering {
    // Nearly always they are the same text: a cluster of thousands is compared with each picture.
    if left == right { Ordering::Equal } else { parts(left).cmp(parts(right)) }
}

/// The order of the cases is the rule: text before numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    /// Length first, then digits: leading zeros are gone, so this is the order of the numbers.
    Number(usize, String),
}

fn parts(version: &str) -> impl Iterator<Item = Part> + '_ {
    let mut rest = version.chars().peekable();
    std::iter::from_fn(move || {
        while rest.next_if(|c| is_separator(*c)).is_some() {}
        let first = *rest.peek()?;
        Some(if first.is_ascii_digit() {
            let digits = take_while(&mut rest, |c| c.is_ascii_digit());
            let digits = digits.trim_start_matches('0').to_owned();
            Part::Number(digits.len(), digits)
        } else {
            Part::Text(take_while(&mut rest, |c| !c.is_ascii_digit() && !is_separator(c)))
        })
    })
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '+' | '_') || c.is_whitespace()
}

fn take_while(rest: &mut Peekable<Chars<'_>>, belongs: impl Fn(char) -> bool) -> String {
    std::iter::from_fn(|| rest.next_if(|c| belongs(*c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_digits_compare_as_numbers() {
        for (older, newer) in [
            ("2026.9", "2026.10"),
            ("5.3.0.9", "5.3.0.10"),
            ("2026.2", "2026.2.1"),
            ("1.0-rc.9", "1.0-rc.10"),
            ("1.0 rc9", "1.0 rc10"),
            ("1.0-rc", "1.0.1"),
            ("9.99999999999999999999998", "9.99999999999999999999999"),
            ("1.a", "1.b"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} is older than {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} is newer than {older}");
        }
    }

    #[test]
    fn spelling_that_means_the_same_number_is_the_same_version() {
        assert_eq!(compare("2026.02", "2026.2"), Ordering::Equal);
        assert_eq!(compare("1.2_3", "1-2+3"), Ordering::Equal);
    }
}

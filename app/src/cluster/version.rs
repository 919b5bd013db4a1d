//! Which of two software versions is newer.

use std::cmp::Ordering;

/// Orders two versions as an admin would: split at `. - + _` and blanks; groups of digits compare as
/// numbers of any length, everything else as text; text sorts before a number, and of two versions
/// that agree as far as the shorter goes, the longer is newer. `2026.9 < 2026.10`.
pub fn compare(left: &str, right: &str) -> Ordering {
    // Nearly always they are the same text: a cluster of thousands is compared with each picture.
    if left == right { Ordering::Equal } else { parts(left).cmp(parts(right)) }
}

/// The order of the cases is the rule: text before numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Text(&'a str),
    /// Length first, then digits: leading zeros are gone, so this is the order of the numbers.
    Number(usize, &'a str),
}

/// The parts, borrowed: a sort of ten thousand versions compares some hundred thousand times.
fn parts(version: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_separator);
        let is_number = rest.chars().next()?.is_ascii_digit();
        let other = |c: char| is_separator(c) || c.is_ascii_digit() != is_number;
        let (part, after) = rest.split_at(rest.find(other).unwrap_or(rest.len()));
        rest = after;
        let digits = part.trim_start_matches('0');
        Some(if is_number { Part::Number(digits.len(), digits) } else { Part::Text(part) })
    })
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '+' | '_') || c.is_whitespace()
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

//! Which of two software versions is newer.

use std::cmp::Ordering;

/// The words that make a version older than the same version without them.
const PRE_RELEASE_WORDS: [&str; 12] = [
    "alpha",
    "beta",
    "a",
    "b",
    "rc",
    "pre",
    "preview",
    "dev",
    "snapshot",
    "nightly",
    "ci",
    "milestone",
];

/// Orders two versions: a leading `v` and everything from `+` on do not count. The rest is numbers and text,
/// split at `.`, `-`, `_` and blanks, and between letters and digits. Numbers may have any length, and missing
/// ones are 0. Of versions with the same numbers, one with a pre-release word comes first, then the one
/// without text, then those with other text, which compares without case. Equal order means the same version.
pub fn compare(left: &str, right: &str) -> Ordering {
    // Nearly always they are the same text: a cluster of thousands is compared with each picture.
    if left == right {
        return Ordering::Equal;
    }
    let (mut left, mut right) = (Groups::split(left), Groups::split(right));
    loop {
        let numbers = compare_numbers(&mut left, &mut right);
        let (one, other) = (left.text(), right.text());
        let order = numbers.then_with(|| compare_texts(one, other));
        if order.is_ne() || one.is_none() {
            return order;
        }
    }
}

/// Compares the numbers up to the next text of each.
fn compare_numbers(left: &mut Groups<'_>, right: &mut Groups<'_>) -> Ordering {
    loop {
        match (left.number(), right.number()) {
            (None, None) => return Ordering::Equal,
            (one, other) => {
                let order = one.unwrap_or_default().cmp(&other.unwrap_or_default());
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

fn compare_texts(left: Option<&str>, right: Option<&str>) -> Ordering {
    let stages = Stage::from_text(left).cmp(&Stage::from_text(right));
    stages.then_with(|| lower_case(left).cmp(lower_case(right)))
}

/// Versions are ASCII: the tables for all other letters would be a part of the page.
fn lower_case(text: Option<&str>) -> impl Iterator<Item = u8> {
    text.unwrap_or_default().bytes().map(|byte| byte.to_ascii_lowercase())
}

/// What a text, or none, makes of the numbers before it, oldest first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    PreRelease,
    Release,
    After,
}

impl Stage {
    fn from_text(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Release };
        // Other marks count as separators here: `1.0~rc1`, `1.0 (beta)`.
        let word = text.trim_matches(|c: char| c.is_ascii_punctuation());
        if PRE_RELEASE_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
            Self::PreRelease
        } else {
            Self::After
        }
    }
}

/// The numbers and texts of a version, borrowed: a sort of ten thousand versions compares some hundred thousand
/// times.
struct Groups<'a>(&'a str);

impl<'a> Groups<'a> {
    fn split(version: &'a str) -> Self {
        let core = version.split('+').next().unwrap_or_default().trim_start_matches(is_separator);
        let after_v = core.strip_prefix(['v', 'V']);
        Self(after_v.filter(|rest| !rest.starts_with(is_letter)).unwrap_or(core))
    }

    /// The next group, if it is a number: its length, then its digits without leading zeros, which is the
    /// order of the numbers. A missing number compares as 0.
    fn number(&mut self) -> Option<(usize, &'a str)> {
        let digits = self.next_if(true)?.trim_start_matches('0');
        Some((digits.len(), digits))
    }

    /// The next group, if it is text.
    fn text(&mut self) -> Option<&'a str> {
        self.next_if(false)
    }

    fn next_if(&mut self, is_number: bool) -> Option<&'a str> {
        self.0 = self.0.trim_start_matches(is_separator);
        let belongs = |c: char| !is_separator(c) && c.is_ascii_digit() == is_number;
        let end = self.0.find(|c| !belongs(c)).unwrap_or(self.0.len());
        let (group, rest) = self.0.split_at(end);
        self.0 = rest;
        (!group.is_empty()).then_some(group)
    }
}

fn is_letter(c: char) -> bool {
    !c.is_ascii_digit() && !c.is_ascii_punctuation() && !is_separator(c)
}

fn is_separator(c: char) -> bool {
    matches!(c, '.' | '-' | '_') || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_digits_compare_as_numbers_and_text_comes_before_numbers() {
        for (older, newer) in [
            ("2026.9", "2026.10"),
            ("5.3.0.9", "5.3.0.10"),
            ("2026.2", "2026.2.1"),
            ("1.0-rc.9", "1.0-rc.10"),
            ("1.0 rc9", "1.0 rc10"),
            ("1.0-rc", "1.0.1"),
            ("1.0-hotfix7", "1.0.0.1"),
            ("9.99999999999999999999998", "9.99999999999999999999999"),
            ("1.x", "1.y"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} is older than {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} is newer than {older}");
        }
    }

    #[test]
    fn spelling_that_means_the_same_is_the_same_version() {
        for (one, other) in [
            ("2026.02", "2026.2"),
            ("1.2_3", "1-2 3"),
            ("2026.2.1", "2026.2.1+4f3c2d1"),
            ("1.0+build.2", "1.0+build.10"),
            ("v5.0.0", "5.0.0"),
            ("V5", "5.0.0"),
            ("5.0.0", "5"),
            ("5-rc.2", "5.0.0-rc.2"),
            ("1.0-RC1", "1.0rc1"),
            ("1.0 rc-1", "1.0_Rc.1"),
            ("1.0-rc", "1.0-rc0"),
            ("2026.2 SP1", "2026.2-sp1"),
        ] {
            assert_eq!(compare(one, other), Ordering::Equal, "{one} and {other}");
            assert_eq!(compare(other, one), Ordering::Equal, "{other} and {one}");
        }
    }

    #[test]
    fn a_pre_release_word_makes_a_version_older_with_any_separator_or_none() {
        for word in PRE_RELEASE_WORDS {
            for before in ["-", ".", "_", " ", "", "~", " ("] {
                for after in ["", "1", ".2", "-3"] {
                    let version = format!("5.0.0{before}{word}{after}");
                    for release in ["5.0.0", "5", "v5.0.0+build.7", "5.0.0.1", "5.0.0-hotfix1"] {
                        assert!(compare(&version, release).is_lt(), "{version} {release}");
                    }
                    assert!(compare(&version, "4.9.9").is_gt(), "{version}");
                    let loud = version.to_uppercase();
                    assert!(compare(&version, &loud).is_eq(), "{version} {loud}");
                }
            }
        }
        for (older, newer) in [
            ("5.0-alpha2", "5.0-beta1"),
            ("5.0-beta3", "5.0-rc1"),
            ("5.0-hotfix1-rc1", "5.0-hotfix1"),
        ] {
            assert!(compare(older, newer).is_lt(), "{older} {newer}");
        }
    }

    #[test]
    fn any_other_suffix_makes_a_version_newer() {
        for suffix in
            ["-hotfix1", "-SP1", "-4", ".1", " patch", "-ga", "-arch", "-prelude", "-rca", "-x"]
        {
            let version = format!("1.2.3{suffix}");
            for release in ["1.2.3", "v1.2.3", "1.2.3.0", "1.2.3+1", "1.2.3-rc9"] {
                assert!(compare(&version, release).is_gt(), "{version} {release}");
            }
            assert!(compare(&version, "1.2.4").is_lt(), "{version}");
        }
    }

    #[test]
    fn a_v_that_begins_a_word_is_a_part_of_it() {
        assert!(compare("vista", "ista").is_ne());
        assert!(compare("v.5", "5").is_eq());
    }
}

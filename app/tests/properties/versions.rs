//! The order of versions.

use cluster_overview_app::cluster::version;
use proptest::prelude::*;

use crate::random::config;

/// Similar versions, and some unrealistic ones.
fn version_text() -> impl Strategy<Value = String> {
    let part = "[vV]|[0-2]|00|[.+_ ~-]|[aAbcx]|rc|RC|Beta|hotfix|sp|ß|99999999999999999999999";
    prop_oneof![prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat()), ".{0,8}"]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn versions_are_in_a_total_order(
        a in version_text(),
        b in version_text(),
        c in version_text(),
    ) {
        prop_assert_eq!(version::compare(&a, &b), version::compare(&b, &a).reverse());
        prop_assert!(version::compare(&a, &a).is_eq());
        let mut sorted_indices = [a, b, c];
        sorted_indices.sort_by(|left, right| version::compare(left, right));
        let [low, middle, high] = &sorted_indices;
        prop_assert!(version::compare(low, middle).is_le());
        prop_assert!(version::compare(middle, high).is_le());
        prop_assert!(version::compare(low, high).is_le(), "{low:?} {middle:?} {high:?}");
        if version::compare(low, high).is_eq() {
            prop_assert!(version::compare(low, middle).is_eq());
        }
    }

    #[test]
    fn parts_that_do_not_count_in_a_version_never_change_its_order(
        version in version_text(),
        other in version_text(),
        build in version_text(),
    ) {
        let order = version::compare(&version, &other);
        for same in [
            format!("{version}+{build}"),
            version.to_ascii_uppercase(),
            version.replace('-', "_").replace('.', " "),
        ] {
            prop_assert!(version::compare(&version, &same).is_eq(), "{version:?} {same:?}");
            prop_assert_eq!(version::compare(&same, &other), order, "{:?}", same);
        }
    }

    #[test]
    fn a_word_after_a_version_makes_it_older_or_newer_and_never_the_same(
        numbers in "[0-9]{1,3}([.-][0-9]{1,3}){0,3}",
        separator in "[._ -]?",
        number in "([.-]?[0-9]{1,3})?",
        word in "[a-zA-Z]{1,8}",
        pre in prop::sample::select(vec![
            "alpha", "beta", "a", "b", "rc", "pre", "preview", "dev", "snapshot", "nightly", "ci",
            "milestone",
        ]),
    ) {
        let older = format!("{numbers}{separator}{pre}{number}");
        prop_assert!(version::compare(&older, &numbers).is_lt(), "{older}");
        let is_pre = [
            "alpha", "beta", "a", "b", "rc", "pre", "preview", "dev", "snapshot", "nightly", "ci",
            "milestone",
        ].contains(&word.to_lowercase().as_str());
        let suffixed = format!("{numbers}{separator}{word}{number}");
        let order = version::compare(&suffixed, &numbers);
        prop_assert_eq!(order.is_lt(), is_pre, "{}", suffixed);
        prop_assert!(order.is_ne(), "{suffixed}");
    }
}

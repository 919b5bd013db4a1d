//! Which sentences tell what happened?

mod common;

use cluster_overview_app::cluster::history::{
    Event, EventKind, Happening, LongSilence, PulseCause,
};
use cluster_overview_app::cluster::settings::SettingValue;
use cluster_overview_app::cluster::{ComponentKey, KeyKind, Pulse, Role, Span, Stability};
use cluster_overview_app::i18n::{Catalog, Language};
use common::{NOON, key, name, s};

const FIVE_MINUTES: Span = Span::minutes(5);

const CAUSES: [PulseCause; 6] = [
    PulseCause::Heartbeat,
    PulseCause::Start,
    PulseCause::Silence,
    PulseCause::Goodbye,
    PulseCause::Settings,
    PulseCause::Observed,
];

fn said(language: Language, role: Role, what: Happening) -> String {
    let subject = Some(ComponentKey { server: name("web-1"), role });
    Catalog::for_language(language).event(&Event { at: NOON, subject, what })
}

fn english(what: Happening) -> String {
    said(Language::English, Role::Service, what)
}

/// The former pulse lasted five minutes, of which `blind_s` seconds were not observed.
fn pulse(from: Pulse, to: Pulse, why: PulseCause, blind_s: i64) -> Happening {
    let lasted = (from != Pulse::Alive).then_some(FIVE_MINUTES);
    let is_silent = matches!(to, Pulse::Late | Pulse::Stale);
    let silence = is_silent.then(|| LongSilence { since: s(-60), limit: Span::seconds(60) });
    Happening::Pulse { from, to, why, silence, lasted, blind: Span::seconds(blind_s) }
}

fn start(count: u32, last_s: i64, stopped_cleanly: bool) -> Happening {
    Happening::Start { count, last: s(last_s), ran: Span::seconds(5), stopped_cleanly }
}

fn change() -> (String, String) {
    ("2026.1".to_owned(), "2026.2".to_owned())
}

fn version() -> Happening {
    let (from, to) = change();
    Happening::Version { from, to }
}

fn back(count: u32) -> Happening {
    Happening::BootReturned { count, address: "10.0.0.7".to_owned() }
}

fn encryption_key(from: Option<u8>, to: Option<u8>) -> Happening {
    Happening::Key { kind: KeyKind::Encryption, from: from.map(key), to: to.map(key) }
}

fn setting(name: &'static str, from: SettingValue, to: SettingValue) -> Happening {
    Happening::Setting { name, from, to }
}

/// At least one of each kind.
fn happenings() -> Vec<Happening> {
    use SettingValue::{Seconds, Switch};
    let (from, to) = change();
    let mut all = vec![
        start(1, 0, true),
        start(1, 0, false),
        start(12, 40, true),
        start(12, 40, false),
        version(),
        Happening::Address { from, to },
        Happening::FirstSeen { version: String::new() },
        Happening::FirstSeen { version: "2026.2".to_owned() },
        Happening::Removed,
        Happening::Returned,
        back(1),
        back(3),
        setting("stale_timeout_s", Seconds(300), Seconds(120)),
        setting("load_balancing", Switch(false), Switch(true)),
        Happening::Blind { lasted: FIVE_MINUTES },
        Happening::Clock { by: Span::minutes(60) },
        Happening::Clock { by: Span::minutes(-60) },
    ];
    for kind in KeyKind::ALL {
        for (from, to) in [(None, Some(key(1))), (Some(key(1)), Some(key(2))), (Some(key(1)), None)]
        {
            all.push(Happening::Key { kind, from, to });
            all.push(Happening::ReferenceKey { kind, from, to });
        }
    }
    let steadiness = [Stability::Steady, Stability::Flapping, Stability::Restarting];
    for from in steadiness {
        all.extend(steadiness.map(|to| Happening::Stability { from, to }));
    }
    for (from, to) in Pulse::ALL.iter().flat_map(|from| Pulse::ALL.map(|to| (*from, to))) {
        all.extend(CAUSES.map(|why| pulse(from, to, why, 60)));
    }
    all
}

#[test]
fn every_happening_has_a_sentence_in_every_language() {
    let happenings = happenings();
    for kind in EventKind::ALL {
        let of_kind =
            |what: &Happening| Event { at: NOON, subject: None, what: what.clone() }.kind() == kind;
        assert!(happenings.iter().any(of_kind), "{kind:?}");
    }
    for language in Language::ALL {
        for what in &happenings {
            for role in Role::ALL {
                let text = said(language, role, what.clone());
                assert!(!text.is_empty(), "{language:?}: {what:?}");
                assert!(!text.ends_with('.') && !text.contains('{'), "{language:?}: {text}");
            }
        }
    }
}

#[test]
fn every_kind_of_events_has_a_name_of_its_own() {
    for language in Language::ALL {
        let catalog = Catalog::for_language(language);
        let mut names: Vec<_> =
            EventKind::ALL.iter().map(|kind| catalog.event_kind(*kind)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EventKind::ALL.len());
    }
}

#[test]
fn a_pulse_is_told_with_its_cause_and_how_long_the_former_one_lasted() {
    use Pulse::{Alive, Late, Stale, Stopped};
    use PulseCause::{Goodbye, Heartbeat, Observed, Settings, Silence, Start};
    for (from, to, why, expected) in [
        (Alive, Late, Silence, "Late: silent since 11:59:00Z, limit 1 min"),
        (Late, Stale, Silence, "Stale: silent since 11:59:00Z, limit 1 min"),
        (
            Alive,
            Stale,
            Observed,
            "Stale, as the overview found when it could observe again: silent since 11:59:00Z, limit 1 min",
        ),
        (
            Alive,
            Stale,
            Settings,
            "Stale because of the new settings: silent since 11:59:00Z, limit 1 min",
        ),
        (Stale, Alive, Heartbeat, "Alive again; it was stale for 5 min"),
        (Stopped, Alive, Start, "Alive again after a start; it was stopped for 5 min"),
        (
            Stale,
            Late,
            Settings,
            "Late because of the new settings: silent since 11:59:00Z, limit 1 min; it was stale for 5 min",
        ),
        (Alive, Stopped, Goodbye, "Stopped cleanly"),
    ] {
        assert_eq!(english(pulse(from, to, why, 0)), expected);
    }
}

#[test]
fn what_nobody_observed_of_a_former_pulse_is_said() {
    let partly = pulse(Pulse::Stale, Pulse::Alive, PulseCause::Heartbeat, 60);
    assert_eq!(
        english(partly.clone()),
        "Alive again; it was stale for 5 min (1 min of that not observed)"
    );
    assert_eq!(
        said(Language::German, Role::Service, partly),
        "Wieder aktiv; zuvor 5 min verstummt (davon 1 min nicht beobachtet)"
    );
}

#[test]
fn a_change_is_told_with_what_was_before() {
    use SettingValue::{Seconds, Switch};
    for (what, expected) in [
        (version(), "Version 2026.1 → 2026.2"),
        (encryption_key(Some(1), Some(2)), "Encryption key 01010101 → 02020202"),
        (encryption_key(None, Some(2)), "Encryption key 02020202; none before"),
        (encryption_key(Some(1), None), "Encryption key: none any more; 01010101 before"),
        (setting("stale_timeout_s", Seconds(300), Seconds(86_400)), "Stale timeout: 5 min → 24 h"),
        (
            setting("automatic_failover", Switch(false), Switch(true)),
            "Automatic failover: Off → On",
        ),
        (Happening::Clock { by: Span::minutes(60) }, "The clock was set forward by 1 h"),
        (Happening::Clock { by: Span::minutes(-60) }, "The clock was set back by 1 h"),
    ] {
        assert_eq!(english(what), expected);
    }
}

#[test]
fn many_starts_are_told_with_the_last_of_them() {
    assert_eq!(
        english(start(1, 0, true)),
        "Started; the process before ran for 5 s and stopped cleanly"
    );
    let times = "Started 12 times until 12:00:40Z; the last process before ran for 5 s";
    assert_eq!(english(start(12, 40, false)), format!("{times} and did not stop cleanly"));
    let next_day = english(start(12, 86_400, false));
    assert!(next_day.starts_with("Started 12 times until 2026-11-23 12:00:00Z;"), "{next_day}");
}

#[test]
fn a_former_process_that_is_back_warns_that_two_machines_may_use_the_name() {
    let once = "A former process reported again, from 10.0.0.7: two machines may use this name";
    assert_eq!(english(back(1)), once);
    assert!(english(back(3)).starts_with("Former processes reported again 3 times, last from"));
}

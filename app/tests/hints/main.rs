//! Every hint: when it is there, when it is not, and what it says.

mod cases;
#[path = "../common/mod.rs"]
mod common;

use cases::case;
use cluster_overview_app::cluster::hints::Arg;
use cluster_overview_app::cluster::{Hint, HintId, Role, Severity, Snapshot, Timestamp};
use cluster_overview_app::i18n::{Catalog, Language};
use common::{hints, ids, name};

/// The one hint of this id.
fn only(id: HintId, (snapshot, now): &(Snapshot, Timestamp)) -> Hint {
    let found: Vec<Hint> = hints(snapshot, *now).into_iter().filter(|hint| hint.id == id).collect();
    assert_eq!(found.len(), 1, "{}: {found:?}", id.as_str());
    found[0].clone()
}

#[test]
fn every_hint_is_there_when_its_rule_fits_and_only_then() {
    for id in HintId::ALL {
        let case = case(*id);
        let hint = only(*id, &case.there);
        assert_eq!(
            hint.server.as_ref().map(ToString::to_string).as_deref(),
            case.server,
            "{hint:?}"
        );
        let (snapshot, now) = &case.not_there;
        assert!(!ids(snapshot, *now).contains(id), "{} is there without a reason", id.as_str());
    }
}

#[test]
fn every_hint_names_its_server_its_evidence_and_its_steps() {
    for id in HintId::ALL {
        let case = case(*id);
        let said = Catalog::for_language(Language::English).hint(&only(*id, &case.there));
        assert!(said.title.contains(case.server.unwrap_or_default()), "{}", said.title);
        let both = format!("{} {}", said.title, said.evidence);
        for says in case.says {
            assert!(both.contains(says), "{}: no \"{says}\" in: {both}", id.as_str());
        }
        assert!(!said.steps.is_empty(), "{}", id.as_str());
        assert!(said.steps.iter().all(|step| !step.is_empty()), "{}", id.as_str());
    }
}

#[test]
fn where_a_restart_would_not_help_the_hint_says_what_to_avoid_and_nowhere_else() {
    for id in HintId::ALL {
        let avoid =
            Catalog::for_language(Language::English).hint(&only(*id, &case(*id).there)).avoid;
        let useless = matches!(
            id,
            HintId::KeyMismatch
                | HintId::VersionSkew
                | HintId::EveryoneSilent
                | HintId::ManySilent
                | HintId::ServiceRestarting
                | HintId::WebRestarting
                | HintId::OverviewBlind
        );
        assert_eq!(avoid.is_some(), useless, "{}", id.as_str());
        assert!(avoid.is_none_or(|avoid| avoid.contains("restart")), "{}", id.as_str());
    }
}

/// The placeholders of every sentence of one hint, read from the message file itself; the heading
/// over many of them has a value of its own.
fn placeholders(id: HintId) -> Vec<&'static str> {
    let own = format!("hint.{}.", id.as_str());
    let is_own = |line: &&str| line.starts_with(&own) && !line.contains(".many");
    include_str!("../../src/i18n/en.txt")
        .lines()
        .filter(is_own)
        .flat_map(|line| line.split('{').skip(1))
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect()
}

#[test]
fn every_placeholder_of_a_hint_has_a_value() {
    for id in HintId::ALL {
        let hint = only(*id, &case(*id).there);
        for name in placeholders(*id) {
            let value = hint.args.iter().find(|(known, _)| *known == name);
            let Some((_, value)) = value else {
                panic!("{}: {{{name}}} has no value", id.as_str())
            };
            assert_ne!(*value, Arg::Text(String::new()), "{}: {{{name}}}", id.as_str());
        }
        let said = Catalog::for_language(Language::English).hint(&hint);
        let all = [said.title, said.evidence].into_iter().chain(said.steps).chain(said.avoid);
        for sentence in all {
            assert!(!sentence.contains(['{', '}']), "{sentence}");
            assert!(!sentence.contains("  "), "{sentence}");
        }
    }
}

#[test]
fn every_hint_keeps_its_name_and_its_severity() {
    let all: Vec<(&str, Severity)> =
        HintId::ALL.iter().map(|id| (id.as_str(), id.severity())).collect();
    let expected = [
        ("overview-blind", Severity::Error),
        ("everyone-silent", Severity::Error),
        ("many-silent", Severity::Error),
        ("certificate-expiring", Severity::Error),
        ("key-mismatch", Severity::Error),
        ("machine-key-mismatch", Severity::Error),
        ("duplicate-name", Severity::Error),
        ("heartbeats-refused", Severity::Error),
        ("probe-failing", Severity::Error),
        ("service-restarting", Severity::Error),
        ("web-restarting", Severity::Error),
        ("service-stale", Severity::Error),
        ("service-late", Severity::Warning),
        ("service-flapping", Severity::Warning),
        ("web-idle", Severity::Warning),
        ("web-stale", Severity::Warning),
        ("key-missing", Severity::Warning),
        ("version-skew", Severity::Warning),
        ("failover-thin", Severity::Warning),
        ("balancing-thin", Severity::Warning),
        ("same-machine", Severity::Warning),
        ("clock-skew", Severity::Warning),
        ("disk-low", Severity::Warning),
        ("channel-failing", Severity::Warning),
        ("token-expiring", Severity::Warning),
        ("servers-full", Severity::Warning),
        ("not-reported-yet", Severity::Warning),
        ("service-stopped", Severity::Warning),
        ("web-stopped", Severity::Warning),
        ("overview-unsteady", Severity::Warning),
        ("web-unused", Severity::Info),
        ("messenger-unreachable", Severity::Info),
        ("timers-tight", Severity::Info),
        ("came-back", Severity::Info),
    ];
    assert_eq!(all, expected);
}

#[test]
fn an_anchor_is_stable_and_safe_as_an_elements_id() {
    let of = |id: HintId, server: Option<&str>, role| {
        let server = server.map(name);
        let severity = id.severity();
        Hint { id, severity, server, role, since: None, notes: Vec::new(), args: Vec::new() }
            .anchor()
    };
    assert_eq!(of(HintId::OverviewBlind, None, None), "hint-overview-blind");
    assert_eq!(of(HintId::KeyMismatch, Some("WEB-1"), None), "hint-key-mismatch-web-1");
    assert_eq!(
        of(HintId::ServiceStale, Some("db.example"), Some(Role::Service)),
        "hint-service-stale-db.example_service"
    );
    assert_eq!(
        of(HintId::ClockSkew, Some("Büro 1_\"<#"), None),
        "hint-clock-skew-b_252_ro_32_1_95__34__60__35_"
    );
    for id in HintId::ALL {
        let anchor = only(*id, &case(*id).there).anchor();
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        assert!(anchor.chars().all(safe), "{anchor}");
    }
}

#[test]
fn the_title_of_a_hint_about_a_server_is_known_before_its_evidence() {
    let catalog = Catalog::for_language(Language::English);
    for id in HintId::ALL {
        let (snapshot, now) = case(*id).there;
        let overview = snapshot.overview(now);
        let hints = snapshot.hints(&overview);
        for (finding, hint) in
            overview.findings.iter().zip(hints).filter(|(_, hint)| hint.server.is_some())
        {
            let title = catalog.title_of_one(finding.id, &finding.title_args(&overview));
            assert_eq!(title, catalog.title(&hint));
        }
    }
}

#[test]
fn every_hint_can_be_kept_and_said_later() {
    for id in HintId::ALL {
        let hint = only(*id, &case(*id).there);
        assert_eq!(Hint::from_kept(&hint.keep()).ok().as_ref(), Some(&hint), "{hint:?}");
    }
    assert!(Hint::from_kept("{}").is_err());
    let unknown = only(HintId::ServiceStale, &case(HintId::ServiceStale).there).keep();
    assert!(Hint::from_kept(&unknown.replace("\"address\"", "\"unheard-of\"")).is_err());
}

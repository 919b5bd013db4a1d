//! Are messages found and formatted as each language needs it?

use std::net::IpAddr;

use super::*;
use crate::cluster::{HintId, RejectedHeartbeat, RejectionReason, Role, ServerName, Timestamp};
use crate::i18n::PluralCategory;
use crate::i18n::message_file::{MessageFile, placeholders};

fn catalogs() -> impl Iterator<Item = &'static Catalog> {
    Language::ALL.into_iter().map(Catalog::for_language)
}

fn english() -> &'static Catalog {
    Catalog::english()
}

fn format(catalog: &Catalog, sentence: &str, args: Args<'_>) -> String {
    catalog.fill(sentence, args)
}

#[test]
fn every_hint_whose_title_names_a_server_has_a_heading_for_many() {
    for id in HintId::ALL {
        let server = [("server", Arg::Text("web-1".into()))];
        let names_a_server = english().title_of_one(*id, &server).contains("web-1");
        let many = english().title_of_many(*id, 6);
        assert_eq!(many.contains('6'), names_a_server, "{}: {many}", id.as_str());
    }
}

#[test]
fn every_reason_for_a_rejection_is_said_with_its_moment_and_its_address() {
    let probe = |role| RejectionReason::Probe { role, reason: "10.0.0.9 is away.".into() };
    for why in [
        RejectionReason::Token,
        RejectionReason::Revoked,
        RejectionReason::Expired,
        RejectionReason::Foreign,
        RejectionReason::NotEnrolled,
        probe(Role::Web),
        probe(Role::Service),
    ] {
        let (since, server) = (Timestamp::default(), ServerName::parse("a").unwrap());
        let from = Some(IpAddr::from([10, 0, 0, 9]).into());
        let rejected = RejectedHeartbeat { server, since, until: since, why, from };
        for catalog in catalogs() {
            let text = catalog.rejected(&rejected);
            assert!(text.contains("00:00:00Z") && text.contains("10.0.0.9"), "{text}");
            assert!(text.ends_with('.') && !text.ends_with(".."), "{text}");
        }
    }
}

#[test]
fn a_value_with_braces_is_not_taken_for_a_placeholder() {
    let args = [("server", Arg::Text("{since}".into())), ("since", Arg::Text("noon".into()))];
    assert_eq!(format(english(), "{server} at {since}", &args), "{since} at noon");
    let names = Arg::List(vec!["{name}".to_owned(), "{names}".to_owned()].into());
    assert_eq!(format(english(), "{all}", &[("all", names)]), "{name} and {names}");
}

#[test]
fn a_list_has_commas_and_a_last_and() {
    let list = |catalog: &Catalog, names: &[&str]| {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        format(catalog, "{list}", &[("list", Arg::List(names.into()))])
    };
    assert_eq!(list(english(), &[]), "none");
    assert_eq!(list(english(), &["a"]), "a");
    assert_eq!(list(english(), &["a", "b"]), "a and b");
    assert_eq!(list(english(), &["a", "b", "c"]), "a, b and c");
    let many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    assert_eq!(list(english(), &many[..8]), "a, b, c, d, e, f, g and h");
    assert_eq!(list(english(), &many), "a, b, c, d, e, f and 3 more");
    let german = Catalog::for_language(Language::German);
    assert_eq!(list(german, &many), "a, b, c, d, e, f und 3 weitere");
}

#[test]
fn a_name_from_right_to_left_does_not_turn_the_sentence_round() {
    let args = [("server", Arg::Text("שרת".into()))];
    let text = format(english(), "{server} is late", &args);
    assert_eq!(text, "\u{2068}שרת\u{2069} is late");
    let args = [("server", Arg::Text("Büro".into()))];
    assert_eq!(format(english(), "{server}", &args), "Büro");
}

#[test]
fn a_count_chooses_the_plural_form() {
    let count = |catalog: &Catalog, count| {
        catalog.format(MessageKey::HintsCount, &[("count", Arg::Number(count))])
    };
    assert_eq!([0, 1, 2].map(|n| count(english(), n)), ["0 hints", "1 hint", "2 hints"]);
    let german = Catalog::for_language(Language::German);
    assert_eq!([0, 1, 2].map(|n| count(german, n)), ["0 Hinweise", "1 Hinweis", "2 Hinweise"]);
}

#[test]
fn every_form_of_a_language_is_one_that_its_rule_chooses() {
    let files = [include_str!("../en.txt"), include_str!("../de.txt")];
    for (language, file) in Language::ALL.into_iter().zip(files) {
        let signs: Vec<usize> = (0..200)
            .filter_map(|number| language.plural_rule()(number).sign().to_digit(10))
            .map(|sign| sign as usize)
            .collect();
        for message in MessageFile::parse(file).unwrap().messages {
            for sentence in &message.sentences {
                let known = sentence.forms.keys().all(|category| signs.contains(category));
                assert!(known, "{language:?}: {}", message.key);
            }
        }
    }
}

/// One, few and many: <https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html>
fn polish(number: usize) -> PluralCategory {
    match (number, number % 10, number % 100) {
        (1, ..) => PluralCategory::One,
        (_, 2..=4, 0..=11 | 15..) => PluralCategory::Few,
        _ => PluralCategory::Many,
    }
}

/// A message file of a third language: what is left untranslated here is empty.
fn third_language(file: &str) -> Catalog {
    let english = MessageFile::parse(include_str!("../en.txt")).unwrap();
    let translated = MessageFile::parse(file).unwrap();
    let known = |message: &&_| english.messages.iter().any(|known| same_key(known, message));
    assert_eq!(translated.messages.iter().filter(known).count(), translated.messages.len());
    let packed = translated.pack();
    let mut lines = translated.messages.iter().zip(packed.lines()).peekable();
    let packed: Vec<&str> = english
        .messages
        .iter()
        .map(|message| {
            let line = lines.next_if(|(translated, _)| same_key(message, translated));
            line.map_or("", |(_, line)| line)
        })
        .collect();
    Catalog::with_plural_rule(Language::English, polish, packed.join("\n").leak())
}

fn same_key(
    one: &crate::i18n::message_file::Message,
    other: &crate::i18n::message_file::Message,
) -> bool {
    one.key == other.key
}

#[test]
fn a_language_with_other_plural_forms_needs_only_its_file_and_its_rule() {
    let catalog = third_language(
        "hints.count[one] = {count} wskazówka\n\
         hints.count[few] = {count} wskazówki\n\
         hints.count[many] = {count} wskazówek\n\
         hints.count[other] = {count} wskazówki\n\
         names.more[one] = jeszcze {count}\n\
         names.more[other] = {count} innych\n\
         names.next = {names}, {name}\n\
         names.last = {names} i {name}\n\
         hint.service-stale.many[one] = {count} usługa nie odpowiada\n\
         hint.service-stale.many[few] = {count} usługi nie odpowiadają\n\
         hint.service-stale.many[other] = {count} usług nie odpowiada\n",
    );
    let hints = |count| catalog.format(MessageKey::HintsCount, &[("count", Arg::Number(count))]);
    assert_eq!(hints(1), "1 wskazówka");
    assert_eq!([2, 4, 22, 104].map(hints).map(|text| text.ends_with("wskazówki")), [true; 4]);
    assert_eq!([0, 5, 12, 21, 112].map(hints).map(|text| text.ends_with("wskazówek")), [true; 5]);
    assert_eq!(catalog.title_of_many(HintId::ServiceStale, 23), "23 usługi nie odpowiadają");
    assert_eq!(catalog.title_of_many(HintId::ServiceStale, 12), "12 usług nie odpowiada");
    let names: Vec<String> = (0..9).map(|name| name.to_string()).collect();
    assert_eq!(
        format(&catalog, "{all}", &[("all", Arg::List(names.into()))]),
        "0, 1, 2, 3, 4, 5 i 3 innych"
    );
}

#[test]
fn a_message_file_with_a_mistake_is_rejected_with_its_line() {
    for (file, error) in [
        ("a.b = x\nhello", "line 2: not `key = sentence`: hello"),
        ("A = x", "line 1: a key is lower-case words, joined by `-` and `.`: A = x"),
        ("a = {b", "line 1: a `{` without a `}`: a = {b"),
        ("a = b}", "line 1: a `}` without a `{`: a = b}"),
        ("a = {B}", "line 1: a placeholder is `{name}`: a = {B}"),
        ("a[one] = x", "a has plural forms, but no a[other]"),
        ("a[some] = x", "line 1: a form is zero, one, two, few, many or other: a[some] = x"),
        ("a[other] = x\na[other] = y", "line 2: this form is there already: a[other] = y"),
        ("a[one] = x\na = y", "line 2: a key has either plural forms or several sentences: a = y"),
    ] {
        assert_eq!(MessageFile::parse(file).unwrap_err(), error);
    }
    assert_eq!(placeholders("{a} and {b_c}"), Ok(vec!["a", "b_c"]));
}

#[test]
fn the_browsers_messages_are_packed_first() {
    let file =
        "# For people.\n\nb = 2\nb = 1\npages.top = C\na = pages. = B\nc[one] = x\nc[other] = y\n";
    let file = MessageFile::parse(file).unwrap();
    assert_eq!(file.pack_for_browser(), "pages. = B\n2\t1\ny\u{1f}1x");
    assert_eq!(file.pack(), "pages. = B\n2\t1\ny\u{1f}1x\nC");
}

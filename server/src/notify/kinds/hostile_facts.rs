//! Whatever the texts of an incident are, a message has the same form as with harmless ones.

use app::cluster::server_name::is_unprintable;
use app::i18n::Language;
use proptest::prelude::*;
use serde_json::Value;

use super::{email, ntfy, pagerduty, slack, teams};
use crate::notify::message::tests::{heading, incident};
use crate::notify::{Incident, MAX_MESSAGE_BYTES, Message};

/// Pieces that do harm in one of the kinds, and any other characters.
fn text() -> impl Strategy<Value = String> {
    let harmful = prop::sample::select(vec![
        "\r\n",
        "\n\n",
        "\0",
        "\u{1b}[31m",
        "\u{202e}",
        "\u{2066}",
        "\u{2068}",
        "\u{2069}",
        "\u{feff}",
        "<",
        ">",
        "&",
        "\"",
        "'",
        "</p>",
        "<script>",
        "<!channel>",
        "<@U1>",
        "<https://evil.example|x>",
        "@here",
        ":fire:",
        "*b*",
        "[x](https://evil.example)",
        "![](x)",
        "`",
        "~",
        "\\",
        "|",
        "#",
        "{\"a\":",
        "${x}",
        "{title}",
        "=?utf-8?q?x?=",
        "Bcc: x@evil.example",
        ".\r\n",
        "שלום",
        "語",
    ]);
    let piece = prop_oneof![harmful.prop_map(str::to_owned), "\\PC{0,20}", any::<String>()];
    // An empty text would leave out its paragraph.
    prop::collection::vec(piece, 0..8).prop_map(|pieces| format!("x{}", pieces.concat()))
}

fn hostile(text: &str) -> Incident {
    let text = text.to_owned();
    Incident {
        id: text.clone(),
        title: text.clone(),
        evidence: text.clone(),
        steps: vec![text.clone(), text.clone()],
        avoid: Some(text.clone()),
        servers: vec![text.clone()],
        ..incident(1)
    }
}

/// A JSON value with its texts left out, apart from those with these keys.
fn form(value: &Value) -> Value {
    const FIXED: [&str; 3] = ["type", "emoji", "event_action"];
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| {
                    let is_fixed = FIXED.contains(&key.as_str());
                    (key.clone(), if is_fixed { value.clone() } else { form(value) })
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.iter().map(form).collect()),
        Value::String(_) => Value::Null,
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The names of the elements of a document.
fn elements(html: &str) -> Vec<&str> {
    html.split('<').skip(1).filter_map(|part| part.split([' ', '>', '\n']).next()).collect()
}

/// The names of the headers of an e-mail.
fn headers(email: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(email).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    head.lines().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
}

proptest! {
    #[test]
    fn no_text_of_an_incident_changes_the_form_of_a_message(text in text()) {
        let message = |incident| Message::new(heading(Language::English), vec![incident]);
        let (plain, hostile) = (message(hostile("x")), message(hostile(&text)));

        let json = serde_json::to_string(&hostile).unwrap();
        prop_assert!(json.len() <= MAX_MESSAGE_BYTES);
        let is_isolate = |c: char| matches!(c, '\u{2068}' | '\u{2069}');
        prop_assert!(!json.chars().any(|c| is_unprintable(c) && !is_isolate(c)), "{json:?}");

        let email = email::tests::email();
        let composed = [&plain, &hostile].map(|message| email.compose(message).unwrap());
        prop_assert!(composed[1].is_ascii());
        prop_assert_eq!(headers(&composed[0]), headers(&composed[1]));
        let html = [&plain, &hostile].map(email::html::document);
        prop_assert_eq!(elements(&html[0]), elements(&html[1]));

        let slack = [&plain, &hostile].map(slack::body);
        prop_assert_eq!(form(&slack[0]), form(&slack[1]));
        let shown = slack[1]["text"].as_str().unwrap();
        prop_assert!(!shown.contains(['<', '>']), "{shown}");
        let teams = [&plain, &hostile].map(teams::body);
        prop_assert_eq!(form(&teams[0]), form(&teams[1]));
        let ntfy = [&plain, &hostile].map(ntfy::body);
        prop_assert_eq!(form(&ntfy[0]), form(&ntfy[1]));
        let pagerduty = [&plain, &hostile].map(|message| Value::Array(pagerduty::events(message)));
        prop_assert_eq!(form(&pagerduty[0]), form(&pagerduty[1]));
    }
}

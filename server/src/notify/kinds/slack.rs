//! `kind = "slack"`: blocks for an incoming webhook of Slack.

use serde_json::{Value, json};

use crate::notify::address::Address;
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::http_client::{HttpClient, Post};
use crate::notify::message::Message;
use crate::notify::text::{cut_chars, footer, incident_texts, more, open_page, subject};

/// The limits of Slack.
const MAX_HEADER_CHARS: usize = 150;
const MAX_SECTION_CHARS: usize = 3_000;

#[derive(Clone, Debug)]
pub(in crate::notify) struct Slack {
    address: Address,
    http: HttpClient,
}

impl Slack {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (address, http) = (Address::read(fields, false), HttpClient::read(fields));
        Some(Self { address: address?, http })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<Delivered, DeliveryFailure> {
        let (address, body) = (self.address.clone(), body(message));
        self.http.post(move || Ok(Post::json(address.get()?, &body))).await
    }
}

/// Texts with facts are of the type `plain_text`, in which nothing is a mention, a link or an emoji.
pub(super) fn body(message: &Message) -> Value {
    let plain = |text: &str, max_chars| json!({ "type": "plain_text", "text": cut_chars(text, max_chars), "emoji": false });
    let section = |text: &str| {
        let text = plain(text, MAX_SECTION_CHARS);
        json!({ "type": "section", "text": text })
    };
    let mut blocks = Vec::new();
    for text in incident_texts(message) {
        blocks.push(json!({ "type": "header", "text": plain(&text.headline, MAX_HEADER_CHARS) }));
        let mut block = section(&text.paragraphs().join("\n\n"));
        if let Some(link) = link(text.url, open_page(message)) {
            block["fields"] = json!([link]);
        }
        blocks.push(block);
    }
    blocks.extend(more(message, 0).map(|text| section(&text)));
    blocks.push(json!({
        "type": "context",
        "elements": [plain(&footer(message), MAX_SECTION_CHARS)],
    }));
    json!({
        // Slack shows it in notifications. It is Markdown, unless `mrkdwn` is off.
        "text": escaped(&subject(message)),
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
        "blocks": blocks,
    })
}

/// The three characters that Slack's Markdown takes as control characters: mentions and links begin with `<`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link with a label. `None` if the address could end the link.
fn link(url: &str, label: &str) -> Option<Value> {
    let is_plain = !url.contains(['<', '>', '|', ' ']);
    let text = format!("<{}|{}>", escaped(url), escaped(label));
    is_plain.then(|| json!({ "type": "mrkdwn", "text": text, "verbatim": true }))
}

#[cfg(test)]
mod tests {
    use app::i18n::Language;

    use super::*;
    use crate::notify::message::tests::{heading, hostile_incident, incident};

    #[test]
    fn nothing_in_a_fact_is_a_mention_a_link_or_a_format() {
        let message = Message::new(heading(Language::English), vec![hostile_incident()]);
        let body = body(&message);
        let text = body["text"].as_str().unwrap();
        assert!(text.contains("&lt;!channel&gt;") && !text.contains('<'), "{text}");
        let blocks = body["blocks"].as_array().unwrap();
        for block in blocks {
            let mut texts = vec![&block["text"]];
            texts.extend(block["elements"].as_array().into_iter().flatten());
            for text in texts.into_iter().filter(|text| !text.is_null()) {
                assert_eq!(text["type"], "plain_text", "{block}");
                assert_eq!(text["emoji"], false, "{block}");
            }
        }
        // The only Markdown is the link to the page.
        assert_eq!(
            blocks[1]["fields"][0]["text"],
            "<https://overview.example/?at=2026-11-22T11:52:00.000Z#1|Open the page>"
        );
    }

    #[test]
    fn blocks_are_within_the_limits_of_slack() {
        let long = |number| {
            let steps = vec!["语".repeat(900); 4];
            let title = "t".repeat(400);
            crate::notify::Incident { title, steps, ..incident(number) }
        };
        for make in [incident, long] {
            let incidents = (1..=30).map(make).collect();
            let body = body(&Message::new(heading(Language::German), incidents));
            let blocks = body["blocks"].as_array().unwrap();
            assert!(blocks.len() <= 50, "{}", blocks.len());
            for block in blocks {
                let max = if block["type"] == "header" { 150 } else { 3_000 };
                let text = block["text"]["text"].as_str().unwrap_or_default();
                assert!(text.chars().count() <= max, "{block}");
            }
        }
    }

    #[test]
    fn an_address_that_could_end_its_link_is_no_link() {
        assert!(link("https://a.example/?x=1&y=2", "x").is_some());
        for url in ["https://a.example/|x", "https://a.example/>", "https://a.example/ <!here>"] {
            assert_eq!(link(url, "x"), None, "{url}");
        }
    }
}

//! `kind = "teams"`: an Adaptive Card for a webhook of the Workflows app in Microsoft Teams.

use serde_json::{Value, json};

use crate::notify::address::Address;
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::http_client::{HttpClient, Post};
use crate::notify::incident::IncidentState;
use crate::notify::message::Message;
use crate::notify::text::{
    IncidentText, cut_chars, footer, incident_texts, more, open_page, subject,
};

/// Teams refuses messages of more than 28 kB.
const MAX_BODY_BYTES: usize = 26_000;
const MAX_TEXT_CHARS: usize = 4_000;

#[derive(Clone, Debug)]
pub(in crate::notify) struct Teams {
    address: Address,
    http: HttpClient,
}

impl Teams {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let (address, http) = (Address::read(fields, false), HttpClient::read(fields));
        Some(Self { address: address?, http })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<Delivered, DeliveryFailure> {
        let (address, body) = (self.address.clone(), body(message));
        self.http.post(move || Ok(Post::json(address.get()?, &body))).await
    }
}

/// The card, with as many incidents as Teams takes.
pub(super) fn body(message: &Message) -> Value {
    let texts = incident_texts(message);
    let mut shown = texts.len();
    loop {
        let card = card(message, &texts[..shown], texts.len() - shown);
        if shown <= 1 || card.to_string().len() <= MAX_BODY_BYTES {
            return card;
        }
        shown -= 1;
    }
}

fn card(message: &Message, texts: &[IncidentText<'_>], left_out: usize) -> Value {
    let mut blocks = Vec::new();
    for (incident, text) in message.incidents().iter().zip(texts) {
        let color = match incident.state {
            IncidentState::Ended => "Good",
            IncidentState::Open => match incident.severity {
                app::cluster::Severity::Error => "Attention",
                app::cluster::Severity::Warning => "Warning",
                app::cluster::Severity::Info => "Accent",
            },
        };
        let headline = json!({
            "type": "TextRun", "text": cut_chars(&text.headline, MAX_TEXT_CHARS),
            "weight": "Bolder", "size": "Medium", "color": color,
        });
        blocks.push(json!({
            "type": "RichTextBlock", "inlines": [headline], "separator": !blocks.is_empty(),
        }));
        let lines = text.paragraphs();
        blocks.extend(lines.iter().flat_map(|lines| lines.lines()).map(block));
        if texts.len() > 1 {
            let link = json!({
                "type": "TextRun", "text": open_page(message),
                "selectAction": { "type": "Action.OpenUrl", "url": text.url },
            });
            blocks.push(json!({ "type": "RichTextBlock", "inlines": [link] }));
        }
    }
    blocks.extend(more(message, left_out).map(|text| block(&text)));
    blocks.push(block(&footer(message)));
    let target = match texts {
        [only] => only.url,
        _ => message.page(),
    };
    json!({
        "type": "message",
        "summary": subject(message),
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": subject(message),
                "msteams": { "width": "Full" },
                "body": blocks,
                "actions": [{ "type": "Action.OpenUrl", "title": open_page(message), "url": target }],
            },
        }],
    })
}

/// A line of text. Unlike a `TextBlock`, a `TextRun` is no Markdown, so there is nothing to escape.
fn block(text: &str) -> Value {
    let run = json!({ "type": "TextRun", "text": cut_chars(text, MAX_TEXT_CHARS) });
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

#[cfg(test)]
mod tests {
    use app::i18n::Language;

    use super::*;
    use crate::notify::Incident;
    use crate::notify::message::tests::{heading, hostile_incident, incident};

    fn texts_of(body: &Value) -> Vec<String> {
        let blocks = body["attachments"][0]["content"]["body"].as_array().unwrap();
        blocks
            .iter()
            .map(|block| {
                assert_eq!(block["type"], "RichTextBlock", "{block}");
                let runs = block["inlines"].as_array().unwrap();
                assert!(runs.iter().all(|run| run["type"] == "TextRun"), "{block}");
                runs[0]["text"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    #[test]
    fn nothing_in_a_fact_is_markdown() {
        let message = Message::new(heading(Language::English), vec![hostile_incident()]);
        let body = body(&message);
        // No text is in a `TextBlock`, the only element whose text is Markdown.
        assert!(texts_of(&body).iter().any(|text| text.contains("[click](https://evil.example)")));
        let actions = &body["attachments"][0]["content"]["actions"];
        assert_eq!(actions[0]["url"], "https://overview.example/?at=2026-11-22T11:52:00.000Z#1");
    }

    #[test]
    fn a_card_is_small_enough_for_teams_and_counts_what_it_leaves_out() {
        let long = |number| {
            let steps = vec!["Look at the log of the service.".to_owned(); 10];
            Incident { steps, ..incident(number) }
        };
        let message = Message::new(heading(Language::English), (1..=30).map(long).collect());
        let body = body(&message);
        assert!(body.to_string().len() <= MAX_BODY_BYTES);
        let texts = texts_of(&body);
        let shown = texts.iter().filter(|text| text.starts_with("Error: ")).count();
        assert!(shown < message.incidents().len(), "{shown}");
        assert!(texts.contains(&format!("and {} more", 30 - shown)), "{texts:?}");
    }
}

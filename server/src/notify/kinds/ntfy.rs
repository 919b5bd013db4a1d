//! `kind = "ntfy"`: a message as JSON for ntfy.sh or a server of one's own.

use app::cluster::Severity;
use serde_json::{Value, json};

use crate::notify::address::{Address, Url};
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::http_client::{HttpClient, Post};
use crate::notify::incident::IncidentState;
use crate::notify::message::Message;
use crate::notify::secret_file::SecretFile;
use crate::notify::text::{cut_bytes, incident_texts, more, plain_text, subject};

/// ntfy makes an attachment of a longer text.
const MAX_TEXT_BYTES: usize = 4_000;
const MAX_TITLE_BYTES: usize = 240;

#[derive(Clone, Debug)]
pub(in crate::notify) struct Ntfy {
    /// The server and the topic.
    address: Address,
    token: Option<SecretFile>,
    http: HttpClient,
}

impl Ntfy {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let address = Address::read(fields, true);
        let token = fields.secret_file("secret_file");
        let http = HttpClient::read(fields);
        let address = address?;
        if let Some(Err(error)) = address.get().ok().map(|url| server_and_topic(&url)) {
            let field = if fields.has("url") { "url" } else { "url_file" };
            fields.problem(field, &error.to_string());
            return None;
        }
        Some(Self { address, token, http })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<Delivered, DeliveryFailure> {
        let Self { address, token, http } = self.clone();
        let mut body = body(message);
        let make = move || {
            let (server, topic) = server_and_topic(&address.get()?)?;
            body["topic"] = topic.into();
            let mut post = Post::json(server, &body);
            if let Some(token) = token {
                let token =
                    token.reveal().map_err(|error| DeliveryFailure::new(error.to_string()))?;
                post.headers.push(("authorization", format!("Bearer {token}")));
            }
            Ok(post)
        };
        http.post(make).await
    }
}

/// The address to which JSON is posted, and the topic: the last part of the path.
fn server_and_topic(url: &Url) -> Result<(Url, String), DeliveryFailure> {
    let path = url.path().trim_end_matches('/');
    let is_topic = |topic: &str| {
        (1..=64).contains(&topic.len())
            && topic.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
    };
    let (folder, topic) = path.rsplit_once('/').unwrap_or_default();
    if !is_topic(topic) {
        return Err(DeliveryFailure::new(
            "must end with the topic: 1 to 64 letters, digits, - and _, as in https://ntfy.example/topic",
        ));
    }
    // It had this scheme before, so it is permitted.
    let server = Url::parse(&format!("{url}{folder}/"), true)
        .map_err(|why| DeliveryFailure::new(format!("the address of the server {why}")))?;
    Ok((server, topic.to_owned()))
}

pub(super) fn body(message: &Message) -> Value {
    let is_over = message.incidents().iter().all(|incident| incident.state == IncidentState::Ended);
    let (priority, tag) = match message.severity() {
        _ if message.is_test() => (3, "information_source"),
        _ if is_over => (3, "white_check_mark"),
        Severity::Error => (5, "rotating_light"),
        Severity::Warning => (4, "warning"),
        Severity::Info => (3, "information_source"),
    };
    let click = match message.incidents() {
        [only] if message.more() == 0 => &only.url,
        _ => message.page(),
    };
    let whole = plain_text(message);
    let text = if whole.len() <= MAX_TEXT_BYTES { whole } else { headlines(message) };
    json!({
        "title": cut_bytes(&subject(message), MAX_TITLE_BYTES),
        "message": cut_bytes(&text, MAX_TEXT_BYTES),
        "priority": priority,
        "tags": [tag],
        "click": click,
    })
}

/// What is wrong, a line each.
fn headlines(message: &Message) -> String {
    let texts = incident_texts(message);
    let lines: Vec<String> =
        texts.into_iter().map(|text| text.headline).chain(more(message, 0)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use app::i18n::Language;

    use super::*;
    use crate::notify::Incident;
    use crate::notify::message::tests::{ended, heading, hostile_incident, incident};

    #[test]
    fn the_topic_is_the_last_part_of_the_address() {
        let parts = |url: &str| {
            let url = Url::parse(url, false).unwrap();
            server_and_topic(&url)
                .map(|(server, topic)| (server.as_uri().to_string(), topic))
                .map_err(|error| error.to_string())
        };
        let expected = |server: &str, topic: &str| Ok((server.to_owned(), topic.to_owned()));
        assert_eq!(parts("https://ntfy.sh/ops"), expected("https://ntfy.sh/", "ops"));
        assert_eq!(
            parts("https://a.example/ntfy/ops/"),
            expected("https://a.example/ntfy/", "ops")
        );
        for url in ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a.b"] {
            assert!(parts(url).unwrap_err().contains("topic"), "{url}");
        }
    }

    #[test]
    fn the_priority_follows_the_severity() {
        let warning = Incident { severity: Severity::Warning, ..incident(1) };
        for (incident, priority, tag) in [
            (incident(1), 5, "rotating_light"),
            (warning, 4, "warning"),
            (ended(1), 3, "white_check_mark"),
        ] {
            let body = body(&Message::new(heading(Language::English), vec![incident]));
            assert_eq!(body["priority"], priority, "{body}");
            assert_eq!(body["tags"][0], tag, "{body}");
            assert!(body["click"].as_str().unwrap().contains("?at="), "{body}");
        }
    }

    #[test]
    fn a_message_is_plain_text_that_ntfy_does_not_turn_into_an_attachment() {
        let hostile = |number: u32| Incident { id: number.to_string(), ..hostile_incident() };
        for count in [1, 2, 20, 60_u32] {
            let incidents: Vec<Incident> = (0..count).map(hostile).collect();
            let body = body(&Message::new(heading(Language::English), incidents));
            assert!(body["message"].as_str().unwrap().len() <= MAX_TEXT_BYTES);
            assert!(body["title"].as_str().unwrap().len() <= MAX_TITLE_BYTES);
            // Without it, and without actions, facts are text.
            assert!(body.get("markdown").is_none() && body.get("actions").is_none());
        }
    }
}

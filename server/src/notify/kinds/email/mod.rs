//! `kind = "email"`: a message as plain text and as HTML, sent through an SMTP server.

mod bounded_stream;
pub(super) mod html;
mod smtp;

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use self::smtp::SmtpServer;
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::incident::IncidentState;
use crate::notify::message::Message;
use crate::notify::text::{plain_text, subject};

const MAX_RECIPIENTS: usize = 50;
const MAX_ID_CHARS: usize = 100;

#[derive(Clone, Debug)]
pub(in crate::notify) struct Email {
    server: SmtpServer,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let server = SmtpServer::read(fields);
        let from =
            fields.required_text("mail_from", "the sender, such as \"overview@example.com\"");
        let from = from.and_then(|from| mailbox(fields, "mail_from", &from));
        let to = fields.texts("mail_to", "a list of recipients, such as [\"ops@example.com\"]");
        if to.len() > MAX_RECIPIENTS {
            fields.problem("mail_to", &format!("has more than {MAX_RECIPIENTS} recipients"));
        }
        let to: Vec<Mailbox> = to.iter().filter_map(|to| mailbox(fields, "mail_to", to)).collect();
        Some(Self { server: server?, from: from?, to })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<Delivered, DeliveryFailure> {
        let email = self.compose(message).map_err(|error| {
            DeliveryFailure::new(format!("the e-mail cannot be written: {error}"))
        })?;
        self.server.send(&self.from.email, &self.to, &email).await
    }

    /// The e-mail, as it is sent.
    pub(super) fn compose(&self, message: &Message) -> Result<Vec<u8>, lettre::error::Error> {
        let sent_at = u64::try_from(message.sent_at().0).unwrap_or_default();
        let thread = self.id(&format!("incident-{}", thread(message)));
        let subject = format!("[{}] {}", message.cluster(), subject(message));
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .date(UNIX_EPOCH + Duration::from_millis(sent_at))
            .message_id(Some(self.id(message.id())))
            // Nobody has sent an e-mail with this ID: mail programs show all that refer to it as one thread.
            .in_reply_to(thread.clone())
            .references(thread)
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let parts = MultiPart::alternative_plain_html(plain_text(message), html::document(message));
        Ok(builder.multipart(parts)?.formatted())
    }

    /// An ID in the form of e-mails. Whatever it is made of, it contains no other header.
    fn id(&self, of: &str) -> String {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let id: String = of.chars().filter(|c| is_plain(*c)).take(MAX_ID_CHARS).collect();
        format!("<{id}@{}>", self.from.email.domain())
    }
}

/// The incident whose thread a message belongs to: the first that is open, or else the first.
fn thread(message: &Message) -> &str {
    let incidents = message.incidents();
    let open = incidents.iter().find(|incident| incident.state == IncidentState::Open);
    open.or(incidents.first()).map_or(message.id(), |incident| incident.id.as_str())
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn mailbox(fields: &mut Fields<'_>, field: &'static str, text: &str) -> Option<Mailbox> {
    let parsed = text.parse::<Mailbox>().ok();
    // Others need an extension that few servers have.
    let parsed = parsed.filter(|mailbox| AsRef::<str>::as_ref(&mailbox.email).is_ascii());
    if parsed.is_none() {
        fields.problem(
            field,
            "must contain addresses such as \"ops@example.com\" or \"Operations <ops@example.com>\"",
        );
    }
    parsed
}

#[cfg(test)]
pub(super) mod tests {
    use app::i18n::Language;
    use std::path::Path;

    use super::*;
    use crate::notify::Incident;
    use crate::notify::message::tests::{ended, heading, hostile_incident, incident};

    pub(in crate::notify) fn email() -> Email {
        let table = toml::from_str(
            "smtp_host = 'mail.example.com'\nmail_from = 'Overview <overview@example.com>'\n\
             mail_to = ['ops@example.com', 'Ann Ä <ann@example.com>']",
        )
        .unwrap();
        let mut fields = Fields::new(&table, Path::new(""));
        let email = Email::read(&mut fields);
        assert_eq!(fields.finish(None), []);
        email.unwrap()
    }

    /// The head of an e-mail, its folded lines joined.
    fn head(incidents: Vec<Incident>) -> String {
        let message = Message::new(heading(Language::English), incidents);
        let text = String::from_utf8(email().compose(&message).unwrap()).unwrap();
        assert!(text.is_ascii());
        text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ")
    }

    #[test]
    fn an_email_says_that_a_program_wrote_it_and_belongs_to_the_thread_of_its_incident() {
        let head = head(vec![ended(1), incident(2)]);
        for line in [
            "From: Overview <overview@example.com>",
            "Subject: [prod] 1 problem, 1 over",
            "Date: Sun, 22 Nov 2026 12:00:00 +0000",
            "Message-ID: <msg_1@example.com>",
            "In-Reply-To: <incident-inc_2@example.com>",
            "References: <incident-inc_2@example.com>",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}\n{head}");
        }
    }

    #[test]
    fn no_fact_adds_a_header_or_a_recipient() {
        let hostile = Incident { id: "a>\r\nBcc: x@evil.example".to_owned(), ..hostile_incident() };
        let head = head(vec![hostile]);
        let names: Vec<&str> =
            head.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "From",
                "Subject",
                "Date",
                "Message-ID",
                "In-Reply-To",
                "References",
                "Auto-Submitted",
                "X-Auto-Response-Suppress",
                "To",
                "MIME-Version",
                "Content-Type"
            ],
            "{head}"
        );
        assert!(head.contains("<incident-aBccxevil.example@example.com>"), "{head}");
    }
}

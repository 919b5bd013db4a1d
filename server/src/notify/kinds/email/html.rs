//! The HTML of an e-mail: text and one link for each incident; no scripts, no images, nothing that is fetched.

use std::fmt::Write as _;

use app::cluster::Severity;

use crate::notify::incident::IncidentState;
use crate::notify::message::Message;
use crate::notify::text::{footer, incident_texts, more, open_page, subject};

const BODY_STYLE: &str = "font-family: system-ui, sans-serif; line-height: 1.5; max-width: 45em";
const NOTE_STYLE: &str = "color: #666";

pub(in crate::notify) fn document(message: &Message) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = write_document(&mut html, message);
    html
}

fn write_document(html: &mut String, message: &Message) -> std::fmt::Result {
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{}</title></head>\n\
         <body style=\"{BODY_STYLE}\">\n",
        message.language().as_str(),
        escaped(&subject(message)),
    )?;
    for (incident, text) in message.incidents().iter().zip(incident_texts(message)) {
        let color = match (incident.state, incident.severity) {
            (IncidentState::Ended, _) => "#1a7f37",
            (IncidentState::Open, Severity::Error) => "#c62828",
            (IncidentState::Open, Severity::Warning) => "#9a6700",
            (IncidentState::Open, Severity::Info) => "#0b5cad",
        };
        let headline = escaped(&text.headline);
        writeln!(html, "<h2 style=\"font-size: 1.2em; color: {color}\">{headline}</h2>")?;
        if !text.facts.is_empty() {
            let facts = escaped(&text.facts.join(" "));
            writeln!(html, "<p style=\"{NOTE_STYLE}\">{facts}</p>")?;
        }
        writeln!(html, "<p>{}</p>", escaped(text.evidence))?;
        if !incident.steps.is_empty() {
            writeln!(html, "<p>{}</p>\n<ol>", escaped(text.steps_heading))?;
            for step in &incident.steps {
                writeln!(html, "<li>{}</li>", escaped(step))?;
            }
            writeln!(html, "</ol>")?;
        }
        if let Some(avoid) = &text.avoid {
            writeln!(html, "<p><strong>{}</strong></p>", escaped(avoid))?;
        }
        write_link(html, text.url, open_page(message))?;
    }
    if let Some(more) = more(message, 0) {
        writeln!(html, "<p>{}</p>", escaped(&more))?;
    }
    writeln!(html, "<hr>\n<p style=\"{NOTE_STYLE}\">{}</p>", escaped(&footer(message)))?;
    writeln!(html, "</body>\n</html>")
}

/// An address with another scheme is no link.
fn write_link(html: &mut String, url: &str, label: &str) -> std::fmt::Result {
    if url.starts_with("https://") || url.starts_with("http://") {
        writeln!(html, "<p><a href=\"{}\">{}</a></p>", escaped(url), escaped(label))?;
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use app::i18n::Language;

    use super::*;
    use crate::notify::Incident;
    use crate::notify::message::tests::{heading, hostile_incident, incident};

    #[test]
    fn no_fact_adds_an_element_to_the_html() {
        let elements = |incident: Incident| {
            let html = document(&Message::new(heading(Language::English), vec![incident]));
            let names = html
                .split('<')
                .skip(1)
                .map(|part| part.split([' ', '>', '\n']).next().unwrap_or_default().to_owned());
            names.collect::<Vec<_>>()
        };
        let harmless = Incident { steps: vec!["Start it.".to_owned()], ..incident(1) };
        let hostile = hostile_incident();
        assert_eq!(elements(hostile), elements(harmless));
    }

    #[test]
    fn an_address_with_another_scheme_is_no_link() {
        let incident = Incident { url: "javascript:alert(1)".to_owned(), ..incident(1) };
        let html = document(&Message::new(heading(Language::German), vec![incident]));
        assert!(!html.contains("javascript:") && html.contains("lang=\"de\""), "{html}");
    }
}

//! What people read in a message: its subject, and lines of text for each incident. No kind of channel has its own words.

use app::cluster::hints::Arg;
use app::cluster::{Severity, Span};
use app::i18n::{Catalog, MessageKey};

use super::incident::{Incident, IncidentState};
use super::message::Message;

/// An error that has been open for so long says whether somebody has acknowledged it.
const OPEN_FOR_LONG: Span = Span::minutes(60);

/// One incident in words. All texts are plain: each kind of channel escapes them in its own way.
#[derive(Clone, Debug)]
pub(super) struct IncidentText<'a> {
    /// What is wrong, and how urgent it is.
    pub(super) headline: String,
    /// When, how often, who has acknowledged it, and whether it is sent late.
    pub(super) facts: Vec<String>,
    /// How we know.
    pub(super) evidence: &'a str,
    /// "What to do:", or what was while it lasted.
    pub(super) steps_heading: &'static str,
    pub(super) steps: Vec<String>,
    pub(super) avoid: Option<String>,
    pub(super) url: &'a str,
}

/// The subject: the one incident by its title, several by their number.
pub(super) fn subject(message: &Message) -> String {
    let catalog = Catalog::for_language(message.language());
    let title = |incident: &Incident| Arg::Text(incident.title.clone());
    match (message.incidents(), message.more()) {
        ([only], 0) if only.state == IncidentState::Open || message.is_test() => only.title.clone(),
        ([only], 0) => {
            let args = [("title", title(only)), ("lasted", Arg::Span(only.lasted))];
            catalog.format(MessageKey::PagesNotifySubjectEnded, &args)
        }
        _ => {
            let [open, over] = message.counts();
            let count = |key, count| catalog.format(key, &[("count", Arg::Number(count))]);
            let all_open = count(MessageKey::PagesNotifySubjectOpen, open);
            let all_over = count(MessageKey::PagesNotifySubjectOver, over);
            match (open, over) {
                (_, 0) => all_open,
                (0, _) => all_over,
                _ => {
                    let args = [("open", Arg::Text(all_open)), ("over", Arg::Text(all_over))];
                    catalog.format(MessageKey::PagesNotifySubjectBoth, &args)
                }
            }
        }
    }
}

/// The incidents of a message in words, the most urgent first.
pub(super) fn incident_texts(message: &Message) -> Vec<IncidentText<'_>> {
    let catalog = Catalog::for_language(message.language());
    message.incidents().iter().map(|incident| incident_text(message, incident, catalog)).collect()
}

fn incident_text<'a>(
    message: &Message,
    incident: &'a Incident,
    catalog: &'static Catalog,
) -> IncidentText<'a> {
    let headline = match incident.state {
        _ if message.is_test() => incident.title.clone(),
        IncidentState::Open => format!("{}: {}", severity(incident, catalog), incident.title),
        IncidentState::Ended => {
            let args = [("title", Arg::Text(incident.title.clone()))];
            catalog.format(MessageKey::PagesNotifyEnded, &args)
        }
    };
    let avoid = incident.avoid.as_ref().map(|avoid| {
        catalog.format(MessageKey::PagesNotifyAvoid, &[("avoid", Arg::Text(avoid.clone()))])
    });
    IncidentText {
        headline,
        facts: if message.is_test() { Vec::new() } else { facts(incident, catalog) },
        evidence: &incident.evidence,
        steps_heading: catalog.text(match incident.state {
            IncidentState::Open => MessageKey::PagesNotifySteps,
            IncidentState::Ended => MessageKey::PagesNotifyStepsThen,
        }),
        steps: numbered(&incident.steps),
        avoid,
        url: &incident.url,
    }
}

fn numbered(steps: &[String]) -> Vec<String> {
    (1..).zip(steps).map(|(number, step)| format!("{number}. {step}")).collect()
}

/// The steps of an incident, a line each.
pub(super) fn plain_steps(incident: &Incident) -> String {
    numbered(&incident.steps).join("\n")
}

fn severity(incident: &Incident, catalog: &Catalog) -> &'static str {
    catalog.text(match incident.severity {
        Severity::Error => MessageKey::StatusError,
        Severity::Warning => MessageKey::StatusWarning,
        Severity::Info => MessageKey::StatusInfo,
    })
}

fn facts(incident: &Incident, catalog: &Catalog) -> Vec<String> {
    let since = ("since", Arg::Date(incident.since));
    let lasted = ("lasted", Arg::Span(incident.lasted));
    let mut facts = vec![match incident.ended_at {
        None => catalog.format(MessageKey::PagesNotifySince, &[since, lasted.clone()]),
        Some(ended) => {
            let ended = ("ended", Arg::Date(ended));
            let lasted = lasted.clone();
            if incident.blind > Span::ZERO {
                let blind = ("blind", Arg::Span(incident.blind));
                let args = [since, ended, lasted, blind];
                catalog.format(MessageKey::PagesNotifyFromToBlind, &args)
            } else {
                catalog.format(MessageKey::PagesNotifyFromTo, &[since, ended, lasted])
            }
        }
    }];
    if incident.turns > 1 {
        let count = usize::try_from(incident.turns).unwrap_or(usize::MAX);
        let args = [("count", Arg::Number(count)), lasted];
        facts.push(catalog.format(MessageKey::PagesNotifyTurns, &args));
    }
    if let Some((from, to)) = incident.unanswered {
        let args = [("from", Arg::Date(from)), ("to", Arg::Date(to))];
        facts.push(catalog.format(MessageKey::PagesNotifyLate, &args));
    }
    if let Some(name) = &incident.acknowledged_by {
        let args = [("name", Arg::Text(name.clone()))];
        facts.push(catalog.format(MessageKey::PagesNotifyAcknowledged, &args));
    } else if is_open_for_long(incident) {
        facts.push(catalog.text(MessageKey::PagesNotifyUnacknowledged).to_owned());
    }
    facts
}

/// An error that a reminder may be about.
fn is_open_for_long(incident: &Incident) -> bool {
    incident.state == IncidentState::Open
        && incident.severity == Severity::Error
        && incident.lasted >= OPEN_FOR_LONG
}

impl IncidentText<'_> {
    /// Everything but the headline and the link: a paragraph each.
    pub(super) fn paragraphs(&self) -> Vec<String> {
        let mut paragraphs = Vec::new();
        if !self.facts.is_empty() {
            paragraphs.push(self.facts.join(" "));
        }
        if !self.evidence.is_empty() {
            paragraphs.push(self.evidence.to_owned());
        }
        if !self.steps.is_empty() {
            paragraphs.push(format!("{}\n{}", self.steps_heading, self.steps.join("\n")));
        }
        paragraphs.extend(self.avoid.clone());
        paragraphs
    }
}

/// "Open the page"
pub(super) fn open_page(message: &Message) -> &'static str {
    Catalog::for_language(message.language()).text(MessageKey::PagesNotifyOpenPage)
}

/// "and 37 more", for incidents of which a message has only the number. `left_out`: those that this kind of channel had to
/// leave out besides.
pub(super) fn more(message: &Message, left_out: usize) -> Option<String> {
    let count = message.more() + left_out;
    let catalog = Catalog::for_language(message.language());
    let args = [("count", Arg::Number(count))];
    (count > 0).then(|| catalog.format(MessageKey::PagesNotifyMore, &args))
}

/// Which cluster it is about, and where its page is.
pub(super) fn footer(message: &Message) -> String {
    let args = [
        ("cluster", Arg::Text(message.cluster().to_owned())),
        ("page", Arg::Text(message.page().to_owned())),
    ];
    Catalog::for_language(message.language()).format(MessageKey::PagesNotifyFooter, &args)
}

/// All of it as plain text.
pub(super) fn plain_text(message: &Message) -> String {
    let mut parts = Vec::new();
    for text in incident_texts(message) {
        let mut lines = vec![text.headline.clone()];
        lines.extend(text.paragraphs());
        lines.push(text.url.to_owned());
        parts.push(lines.join("\n\n"));
    }
    parts.extend(more(message, 0));
    parts.push(footer(message));
    parts.join("\n\n\n")
}

/// At most so many characters; `…` at the end: it was longer.
pub(super) fn cut_chars(text: &str, max_chars: usize) -> String {
    if text.chars().count() <= max_chars {
        return text.to_owned();
    }
    text.chars().take(max_chars.saturating_sub(1)).chain(['…']).collect()
}

/// At most so many bytes; `…` at the end: it was longer.
pub(super) fn cut_bytes(text: &str, max_bytes: usize) -> String {
    const ELLIPSIS: char = '…';
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(max_bytes.saturating_sub(ELLIPSIS.len_utf8()));
    format!("{}{ELLIPSIS}", &text[..end])
}

#[cfg(test)]
mod tests {
    use app::cluster::Timestamp;
    use app::i18n::Language;

    use super::*;
    use crate::notify::message::tests::{ended, heading, incident};

    fn subject_of(language: Language, incidents: Vec<Incident>) -> String {
        subject(&Message::new(heading(language), incidents))
    }

    #[test]
    fn the_subject_names_one_incident_and_counts_several() {
        let (english, german) = (Language::English, Language::German);
        assert_eq!(subject_of(english, vec![incident(2)]), "The service of web-2 does not respond");
        assert_eq!(
            subject_of(english, vec![ended(2)]),
            "Over: The service of web-2 does not respond, lasted 8 min"
        );
        let several = || vec![incident(1), incident(2), incident(3), ended(4)];
        assert_eq!(subject_of(english, several()), "3 problems, 1 over");
        assert_eq!(subject_of(german, several()), "3 Probleme, 1 vorbei");
        assert_eq!(subject_of(english, vec![incident(1), ended(4)]), "1 problem, 1 over");
        assert_eq!(subject_of(english, vec![ended(1), ended(4)]), "2 over");
        assert_eq!(subject_of(german, (1..=40).map(incident).collect()), "40 Probleme");
        let test = Message::test(heading(english), "ops");
        assert_eq!(subject(&test), "Test of the channel ops");
    }

    #[test]
    fn a_plain_text_says_when_why_what_to_do_and_where() {
        let late = Some((Timestamp(1_795_348_320_000), Timestamp(1_795_348_800_000)));
        let ended = Incident {
            blind: Span::minutes(2),
            turns: 3,
            unanswered: late,
            acknowledged_by: Some("ann".to_owned()),
            ..ended(1)
        };
        let message = Message::new(heading(Language::English), vec![ended]);
        assert_eq!(
            plain_text(&message),
            "Over: The service of web-1 does not respond\n\n\
             From 2026-11-22 11:52:00Z to 2026-11-22 12:00:00Z: 8 min, 2 min of them not observed. \
             It has started 3 times in 8 min. \
             Sent late: this channel did not answer from 2026-11-22 11:52:00Z to 2026-11-22 12:00:00Z. \
             Acknowledged by ann.\n\n\
             The last heartbeat came at 11:47:00Z from 10.0.0.7.\n\n\
             What was to do while it lasted:\n1. Start the service.\n2. Look at its log.\n\n\
             Avoid: Do not remove the server.\n\n\
             https://overview.example/?at=2026-11-22T11:52:00.000Z#1\n\n\n\
             Cluster prod: https://overview.example/"
        );
        let long = Incident { lasted: Span::minutes(240), ..incident(1) };
        let message = Message::new(heading(Language::English), vec![long]);
        let facts = "Since 2026-11-22 11:52:00Z (4 h). Nobody has acknowledged it yet.";
        assert!(plain_text(&message).contains(facts), "{}", plain_text(&message));
        let many = Message::new(heading(Language::English), (1..=25).map(incident).collect());
        assert!(plain_text(&many).contains(&format!("and {} more", many.more())));
    }
}

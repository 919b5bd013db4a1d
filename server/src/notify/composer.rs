//! What does a message say at the moment at which it is sent?

use app::cluster::news::LEAST_TOLD;
use app::cluster::{self, Hint, IncidentId, Snapshot, Span, Timestamp};
use app::i18n::{Catalog, HintText, Language};

use super::incident::{Incident, IncidentState};
use super::message::{Heading, MAX_INCIDENTS, Message};
use super::public_url::PublicUrl;
use crate::live::IncidentReport;
use crate::store::IncidentRecord;

/// A message that arrives so much later than it was due says so.
const LATE: Span = Span::seconds(20);

/// Makes the texts of incidents, in one language and at one moment.
pub(super) struct Composer<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) page: &'a PublicUrl,
    pub(super) language: Language,
    pub(super) now: Timestamp,
    /// Since when the channel has accepted no message.
    pub(super) failing_since: Option<Timestamp>,
    /// Whether each incident must be in a message: see [`Message::split`].
    pub(super) needs_each_incident: bool,
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) messages: Vec<Message>,
    /// The incidents of which it says that they are over.
    pub(super) over: Vec<IncidentId>,
}

impl Composer<'_> {
    /// The incidents as they are now: what is due with its evidence of this moment, what is over with what was advised then.
    pub(super) fn compose(&self, heading: Heading, mut records: Vec<IncidentRecord>) -> Composed {
        let is_over = |record: &IncidentRecord| record.incident.is_over(self.now);
        let over: Vec<IncidentId> = records
            .iter()
            .filter(|record| is_over(record))
            .map(|record| record.incident.id.clone())
            .collect();
        if self.needs_each_incident {
            return Composed { messages: Message::split(&heading, self.incidents(records)), over };
        }
        // Of the others nobody needs the texts.
        records.sort_by_key(|record| {
            let incident = &record.incident;
            (is_over(record), incident.urgency(), incident.began)
        });
        let others = records.split_off(MAX_INCIDENTS.min(records.len()));
        let over_of_others = others.iter().filter(|record| is_over(record)).count();
        let others = [others.len() - over_of_others, over_of_others];
        let message = Message::new(heading, self.incidents(records)).with_others(others);
        Composed { messages: vec![message], over }
    }

    fn incidents(&self, records: Vec<IncidentRecord>) -> Vec<Incident> {
        let reports = IncidentReport::judge(self.snapshot, self.now, records);
        reports.into_iter().map(|report| self.incident(report)).collect()
    }

    fn incident(&self, report: IncidentReport) -> Incident {
        let text = report.text(Catalog::for_language(self.language));
        let HintText { title, evidence, steps, avoid } = text;
        let IncidentReport { incident, hint, servers, lasted, unobserved } = report;
        // One that only rests may go on: nobody is told that it has ended.
        let is_over = incident.is_over(self.now);
        Incident {
            id: incident.id.to_string(),
            hint: incident.hint.as_str().to_owned(),
            severity: incident.urgency(),
            state: if is_over { IncidentState::Ended } else { IncidentState::Open },
            since: incident.began,
            ended_at: incident.ended.filter(|_| is_over),
            lasted,
            blind: unobserved,
            turns: incident.turns,
            unanswered: self.unanswered(&incident),
            title,
            evidence,
            steps,
            avoid,
            servers,
            url: self.url(&incident, hint.as_ref()),
            acknowledged_by: incident.acknowledged.map(|by| by.by),
        }
    }

    /// Since when and until when the channel did not take the news about this incident, if that makes the message late.
    fn unanswered(&self, incident: &cluster::Incident) -> Option<(Timestamp, Timestamp)> {
        let since = self.failing_since?.max(incident.advised_since + LEAST_TOLD);
        (self.now - since > LATE).then_some((since, self.now))
    }

    /// The page at that moment: now, or just before it was over.
    fn url(&self, incident: &cluster::Incident, hint: Option<&Hint>) -> String {
        let moment = incident.last_moment().unwrap_or(self.now);
        let anchor = hint.map(|hint| format!("#{}", hint.anchor())).unwrap_or_default();
        format!("{}?at={}{anchor}", self.page, moment.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use app::cluster::{HintId, Role, ServerName, Severity};

    use super::*;
    use crate::notify::message::tests::heading;

    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    fn record(number: usize, ended: Option<Timestamp>) -> IncidentRecord {
        let server = ServerName::parse(&format!("web-{number:02}")).unwrap();
        let (hint, role) = (HintId::ServiceStale, Some(Role::Service));
        let began = NOW - Span::minutes(10);
        let incident = cluster::Incident::begin(hint, Severity::Error, Some(server), role, began);
        IncidentRecord { incident: cluster::Incident { ended, ..incident }, hint: None }
    }

    fn compose(records: Vec<IncidentRecord>, needs_each_incident: bool) -> Composed {
        let page = PublicUrl::parse("https://overview.example/").unwrap();
        let language = Language::English;
        let composer = Composer {
            snapshot: &Snapshot::default(),
            page: &page,
            language,
            now: NOW,
            failing_since: Some(NOW - Span::minutes(60)),
            needs_each_incident,
        };
        composer.compose(heading(language), records)
    }

    #[test]
    fn one_that_has_been_calm_for_a_moment_is_told_as_open_and_only_a_certain_end_as_one() {
        let rests = record(1, Some(NOW - Span::seconds(59)));
        let over = record(2, Some(NOW - Span::seconds(60)));
        let composed = compose(vec![over.clone(), rests], false);
        assert_eq!(composed.over, [over.incident.id]);
        let told = composed.messages[0].incidents();
        let states: Vec<_> = told.iter().map(|one| (one.state, one.ended_at.is_some())).collect();
        assert_eq!(states, [(IncidentState::Open, false), (IncidentState::Ended, true)]);
        let late = Some((NOW - Span::minutes(10) + LEAST_TOLD, NOW));
        assert_eq!(told[0].unanswered, late, "not since before there was anything to tell");
        assert_eq!(told[0].title, "The service of web-01 does not respond");
    }

    #[test]
    fn of_many_the_most_urgent_are_told_and_the_others_counted_unless_each_is_an_event() {
        let over = |number| (number % 3 == 0).then_some(NOW - Span::minutes(5));
        let records: Vec<_> = (1..=60).map(|number| record(number, over(number))).collect();
        let one = compose(records.clone(), false);
        let [message] = &one.messages[..] else { panic!("{:?}", one.messages) };
        assert_eq!((message.incidents().len(), message.more()), (MAX_INCIDENTS, 40));
        assert!(message.incidents().iter().all(|told| told.state == IncidentState::Open));
        assert_eq!(message.counts(), [40, 20]);
        assert_eq!(one.over.len(), 20);
        let all = compose(records, true);
        assert_eq!(all.messages.iter().map(|message| message.incidents().len()).sum::<usize>(), 60);
    }
}

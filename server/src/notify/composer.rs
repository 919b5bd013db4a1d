//! What does a message say at the moment at which it is sent?

use app::cluster::incidents::Advice;
use app::cluster::observation::unobserved;
use app::cluster::{self, Hint, Snapshot, Timestamp};
use app::i18n::{Catalog, Language};

use super::incident::{Incident, IncidentState};
use super::public_url::PublicUrl;
use crate::store::IncidentRecord;

/// Makes the texts of incidents, in one language and at one moment.
pub(super) struct Composer<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) page: &'a PublicUrl,
    pub(super) language: Language,
    pub(super) now: Timestamp,
    /// Since when and until when the channel did not accept a message, if this one is late.
    pub(super) unanswered: Option<(Timestamp, Timestamp)>,
}

impl Composer<'_> {
    /// The incidents as they are now: what is due with its evidence of this moment, what is over with what was advised then.
    pub(super) fn compose(&self, records: &[IncidentRecord]) -> Vec<Incident> {
        let incidents: Vec<&cluster::Incident> =
            records.iter().map(|record| &record.incident).collect();
        let advice = self.snapshot.advice(&incidents, self.now);
        let compose = |(record, advice): (&IncidentRecord, Option<Advice>)| {
            let (hint, servers) = match advice {
                Some(Advice { hint, servers }) => {
                    (Some(hint), servers.iter().map(ToString::to_string).collect())
                }
                None => (record.hint.clone(), named_servers(record)),
            };
            self.incident(&record.incident, hint.as_ref(), servers)
        };
        records.iter().zip(advice).map(compose).collect()
    }

    /// An incident and what is advised about it, if that is known.
    fn incident(
        &self,
        incident: &cluster::Incident,
        hint: Option<&Hint>,
        servers: Vec<String>,
    ) -> Incident {
        let catalog = Catalog::for_language(self.language);
        let text = hint.map(|hint| catalog.hint(hint));
        let (title, evidence, steps, avoid) = match text {
            Some(text) => (text.title, text.evidence, text.steps, text.avoid),
            None => (incident.hint.as_str().to_owned(), String::new(), Vec::new(), None),
        };
        let until = incident.ended.unwrap_or(self.now);
        let is_open = incident.is_open();
        Incident {
            id: incident.id.to_string(),
            hint: incident.hint.as_str().to_owned(),
            severity: incident.urgency(),
            state: if is_open { IncidentState::Open } else { IncidentState::Ended },
            since: incident.began,
            ended_at: incident.ended,
            lasted: incident.lasted(self.now),
            blind: unobserved(incident.began, until, &self.snapshot.blind_periods),
            turns: incident.turns,
            unanswered: self.unanswered,
            title,
            evidence,
            steps,
            avoid,
            servers,
            acknowledged_by: incident.acknowledged.as_ref().map(|by| by.by.clone()),
            url: self.url(incident, hint),
        }
    }

    /// The page at that moment: now, or just before it was over.
    fn url(&self, incident: &cluster::Incident, hint: Option<&Hint>) -> String {
        let moment = incident.last_moment().unwrap_or(self.now);
        let anchor = hint.map(|hint| format!("#{}", hint.anchor())).unwrap_or_default();
        format!("{}?at={}{anchor}", self.page, moment.rfc3339())
    }
}

/// Of an incident about which nothing is due any more.
fn named_servers(record: &IncidentRecord) -> Vec<String> {
    let own = || record.incident.server.iter().map(ToString::to_string).collect();
    record.hint.as_ref().map_or_else(own, Hint::named_servers)
}

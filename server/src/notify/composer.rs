//! What does a message say at the moment at which it is sent?

use app::cluster::hints::{DueHints, Hint};
use app::cluster::observation::silence;
use app::cluster::{self, BlindPeriod, Overview, Snapshot, Span, Timestamp};
use app::i18n::{Catalog, Language};

use super::incident::{Incident, IncidentState};
use super::public_url::PublicUrl;
use crate::store::IncidentRecord;

/// Makes the texts of incidents, in one language and at one moment.
pub(super) struct Composer<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// The snapshot's own.
    pub(super) overview: &'a Overview,
    pub(super) page: &'a PublicUrl,
    pub(super) language: Language,
    pub(super) now: Timestamp,
    /// Since when and until when the channel did not accept a message, if this one is late.
    pub(super) unanswered: Option<(Timestamp, Timestamp)>,
}

impl Composer<'_> {
    /// The incidents as they are now: what is due with its evidence of this moment, what is over with what was advised then.
    pub(super) fn compose(&self, records: &[IncidentRecord]) -> Vec<Incident> {
        let due = DueHints::new(self.snapshot, self.overview);
        let compose = |record: &IncidentRecord| {
            let shown = record.incident.is_open() && record.incident.replaced_by.is_none();
            let current = due.hint_about(&record.incident).filter(|_| shown);
            self.incident(&record.incident, current.as_ref().or(record.hint.as_ref()))
        };
        records.iter().map(compose).collect()
    }

    /// An incident and what is advised about it, if that is known.
    pub(super) fn incident(&self, incident: &cluster::Incident, hint: Option<&Hint>) -> Incident {
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
            severity: if is_open { incident.severity } else { incident.worst },
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
            servers: incident.server.iter().map(ToString::to_string).collect(),
            acknowledged_by: incident.acknowledged.as_ref().map(|by| by.by.clone()),
            url: self.url(incident, hint),
        }
    }

    /// The page at that moment: now, or just before it was over.
    fn url(&self, incident: &cluster::Incident, hint: Option<&Hint>) -> String {
        let moment = incident.ended.map_or(self.now, |ended| ended - Span::TICK);
        let anchor = hint.map(|hint| format!("#{}", hint.anchor())).unwrap_or_default();
        format!("{}?at={}{anchor}", self.page, moment.rfc3339())
    }
}

/// How much of this time nobody could observe.
fn unobserved(since: Timestamp, until: Timestamp, blind_periods: &[BlindPeriod]) -> Span {
    until - since - silence(since, until, blind_periods)
}

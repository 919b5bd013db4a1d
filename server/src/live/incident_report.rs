//! What is there to say about an incident at a moment? The same for the page, the API and the messages.

use app::cluster::observation::unobserved;
use app::cluster::{Advice, BlindPeriod, Hint, Incident, ServerName, Snapshot, Span, Timestamp};
use app::i18n::{Catalog, HintText};

use crate::store::IncidentRecord;

/// An incident with all there is to say about it.
#[derive(Clone, Debug)]
pub(crate) struct IncidentReport {
    /// With the advice that is due now, if one is.
    pub(crate) incident: Incident,
    /// That advice. Of an incident that ended, or that another hint explains, the last that was due. `None` if that cannot be
    /// read.
    pub(crate) hint: Option<Hint>,
    /// The servers it is about: all, if its advice is due now, else those that the advice names.
    pub(crate) servers: Vec<String>,
    /// How long it lasted, until now or its end.
    pub(crate) lasted: Span,
    /// For how much of that time nobody could observe.
    pub(crate) unobserved: Span,
}

impl IncidentReport {
    /// Adds to each incident what is due about it now. Judging a large cluster takes long: not on a thread of the runtime.
    pub(crate) fn judge(
        snapshot: &Snapshot,
        now: Timestamp,
        records: Vec<IncidentRecord>,
    ) -> Vec<Self> {
        let incidents: Vec<&Incident> = records.iter().map(|record| &record.incident).collect();
        let advice = snapshot.advice(&incidents, now);
        let mut blind_periods = snapshot.blind_periods.clone();
        let present =
            snapshot.blind_since.map(|start| BlindPeriod { start, end: now, clock_set: false });
        blind_periods.extend(present);
        let report = |(record, advice)| Self::new(record, advice, now, &blind_periods);
        records.into_iter().zip(advice).map(report).collect()
    }

    fn new(
        IncidentRecord { incident, hint }: IncidentRecord,
        advice: Option<Advice>,
        now: Timestamp,
        blind_periods: &[BlindPeriod],
    ) -> Self {
        let lasted = incident.lasted(now).max(Span::ZERO);
        let unobserved = unobserved(incident.began, incident.ended.unwrap_or(now), blind_periods);
        let Some(Advice { hint, servers }) = advice else {
            let own = || incident.server.iter().map(ServerName::to_string).collect();
            let servers = hint.as_ref().map_or_else(own, Hint::named_servers);
            return Self { incident, hint, servers, lasted, unobserved };
        };
        Self {
            incident: Incident { hint: hint.id, severity: hint.severity, ..incident },
            hint: Some(hint),
            servers: servers.iter().map(ServerName::to_string).collect(),
            lasted,
            unobserved,
        }
    }

    /// What is wrong, how we know, and what to do. Without its advice only what is wrong.
    pub(crate) fn text(&self, catalog: &Catalog) -> HintText {
        if let Some(hint) = &self.hint {
            return catalog.hint(hint);
        }
        let Incident { hint, server, .. } = &self.incident;
        HintText {
            title: catalog.title_about(*hint, server.as_ref()),
            evidence: String::new(),
            steps: Vec::new(),
            avoid: None,
        }
    }
}

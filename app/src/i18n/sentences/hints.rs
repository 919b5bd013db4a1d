//! What does a hint say?

use crate::cluster::HintId;
#[cfg(feature = "ssr")]
use crate::cluster::ServerName;
use crate::cluster::hints::{Arg, Hint, Note};
use crate::cluster::{DatabaseOutage, KeyKind, MessengerFailure};
use crate::i18n::message_key::hint_messages;
use crate::i18n::{Catalog, MessageKey};

/// A hint in sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HintText {
    /// What is wrong, naming the server.
    pub title: String,
    /// How we know, with moments and limits.
    pub evidence: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What not to do, where that matters.
    pub avoid: Option<String>,
}

impl Catalog {
    /// The sentences of a hint.
    pub fn hint(&self, hint: &Hint) -> HintText {
        if let Some(count) = hint.summed() {
            return self.summary(hint, count);
        }
        let messages = hint_messages(hint.id);
        let all = |key| self.format_all(key, &hint.args);
        let mut evidence: Vec<String> =
            hint.notes.iter().filter_map(|note| evidence(*note)).flat_map(all).collect();
        evidence.extend(all(messages.evidence));
        let mut steps: Vec<String> =
            hint.notes.iter().filter_map(|note| steps(*note)).flat_map(all).collect();
        if steps.is_empty() {
            steps = all(messages.step);
        }
        HintText {
            title: self.title(hint),
            evidence: evidence.join(" "),
            steps,
            avoid: messages.avoid.map(|key| self.format(key, &hint.args)),
        }
    }

    /// What hints of one cause say together, once for all their servers.
    pub fn hints_together(&self, hints: &[&Hint]) -> Option<HintText> {
        let first = *hints.first()?;
        let count = hints.iter().map(|hint| hint.weight()).sum();
        let mut about_all = first.clone();
        let these = Arg::Text(self.text(MessageKey::SummaryTheseServers).to_owned());
        about_all.args.retain(|(name, _)| *name != "server");
        about_all.args.push(("server", these));
        let text = self.hint(&about_all);
        let own: Vec<String> = hints
            .iter()
            .filter(|hint| hint.summed().is_none())
            .map(|hint| self.hint(hint).evidence)
            .collect();
        let evidence = match (own.first(), &first.server) {
            (Some(evidence), Some(server)) if own.iter().any(|other| other != evidence) => {
                format!("{server}: {evidence}")
            }
            _ => text.evidence,
        };
        let is_summed = hints.iter().any(|hint| hint.summed().is_some());
        let shared = self.format_all(MessageKey::SummaryStep, &[]).into_iter();
        let steps = shared.take(usize::from(is_summed)).chain(text.steps).collect();
        Some(HintText { title: self.title_of_many(first.id, count), evidence, steps, ..text })
    }

    /// One hint in place of `count` hints.
    fn summary(&self, hint: &Hint, count: usize) -> HintText {
        let these = self.text(MessageKey::SummaryTheseServers).to_owned();
        let avoid_args = [("server", Arg::Text(these))];
        let avoid = hint_messages(hint.id).avoid;
        HintText {
            title: self.summary_title(hint.id, count),
            evidence: self.format(MessageKey::SummaryEvidence, &hint.args),
            steps: self.format_all(MessageKey::SummaryStep, &hint.args),
            avoid: avoid.map(|key| self.format(key, &avoid_args)),
        }
    }

    /// What is wrong, naming the server.
    pub fn title(&self, hint: &Hint) -> String {
        match hint.summed() {
            Some(count) => self.summary_title(hint.id, count),
            None => self.title_of_one(hint.id, &hint.args),
        }
    }

    fn summary_title(&self, id: HintId, count: usize) -> String {
        let many = self.title_of_many(id, count);
        self.format(MessageKey::SummaryTitle, &[("many", Arg::Text(many))])
    }

    /// The title of a hint about one server, or about the cluster.
    pub fn title_of_one(&self, id: HintId, args: &[(&'static str, Arg)]) -> String {
        self.format(hint_messages(id).title, args)
    }

    /// What is wrong with a server, or the name of the advice about the cluster, where no evidence is known.
    #[cfg(feature = "ssr")]
    pub fn title_about(&self, id: HintId, server: Option<&ServerName>) -> String {
        match server {
            Some(server) => self.title_of_one(id, &[("server", Arg::Text(server.to_string()))]),
            None => id.as_str().to_owned(),
        }
    }

    /// The heading over several hints of one id; empty where there is at most one.
    pub fn title_of_many(&self, id: HintId, count: usize) -> String {
        let many = hint_messages(id).many;
        many.map(|key| self.format(key, &[("count", Arg::Number(count))])).unwrap_or_default()
    }
}

/// What a note adds to the evidence, before the rest of it.
const fn evidence(note: Note) -> Option<MessageKey> {
    Some(match note {
        Note::Summary | Note::Failure(_) => return None,
        Note::Outage(outage) => match outage {
            DatabaseOutage::Locked => MessageKey::HintOverviewBlindEvidenceLocked,
            DatabaseOutage::Full => MessageKey::HintOverviewBlindEvidenceFull,
            DatabaseOutage::ReadOnly => MessageKey::HintOverviewBlindEvidenceReadOnly,
            DatabaseOutage::Corrupt => MessageKey::HintOverviewBlindEvidenceCorrupt,
            DatabaseOutage::Missing => MessageKey::HintOverviewBlindEvidenceMissing,
            DatabaseOutage::Replaced => MessageKey::HintOverviewBlindEvidenceReplaced,
            DatabaseOutage::Pooled => MessageKey::HintOverviewBlindEvidencePooled,
            DatabaseOutage::Unreachable => MessageKey::HintOverviewBlindEvidenceUnreachable,
        },
        Note::MostDiffer(KeyKind::Encryption) => MessageKey::HintKeyMismatchEvidenceMostDiffer,
        Note::MostDiffer(KeyKind::Machine) => MessageKey::HintMachineKeyMismatchEvidenceMostDiffer,
        Note::ReferenceUnused(KeyKind::Encryption) => {
            MessageKey::HintKeyMismatchEvidenceReferenceUnused
        }
        Note::ReferenceUnused(KeyKind::Machine) => {
            MessageKey::HintMachineKeyMismatchEvidenceReferenceUnused
        }
        Note::ReferenceUsed(KeyKind::Encryption) => {
            MessageKey::HintKeyMismatchEvidenceReferenceUsed
        }
        Note::ReferenceUsed(KeyKind::Machine) => {
            MessageKey::HintMachineKeyMismatchEvidenceReferenceUsed
        }
        Note::Renamed => MessageKey::RenamedEvidence,
        Note::SharedAddress => MessageKey::HintMessengerUnreachableEvidenceSharedAddress,
        Note::OlderVersions => MessageKey::HintVersionSkewEvidenceOlder,
        Note::NewerVersions => MessageKey::HintVersionSkewEvidenceNewer,
        Note::NearlyFull => MessageKey::HintServersFullEvidenceNearly,
        Note::Full => MessageKey::HintServersFullEvidenceFull,
        Note::CommonAddress => MessageKey::HintManySilentEvidenceAddress,
        Note::CommonNetwork => MessageKey::HintManySilentEvidenceNetwork,
        Note::CommonVersion => MessageKey::HintManySilentEvidenceVersion,
        Note::CommonOs => MessageKey::HintManySilentEvidenceOs,
        Note::CommonProduct => MessageKey::HintManySilentEvidenceProduct,
        Note::CommonNamePrefix => MessageKey::HintManySilentEvidenceNames,
        Note::CommonStart => MessageKey::HintManySilentEvidenceStarted,
        Note::Replaced => MessageKey::HintManySilentEvidenceReplaced,
        Note::UnknownToken => MessageKey::HintHeartbeatsRefusedEvidenceToken,
        Note::RevokedToken => MessageKey::HintHeartbeatsRefusedEvidenceRevoked,
        Note::ExpiredToken => MessageKey::HintHeartbeatsRefusedEvidenceExpired,
        Note::ForeignCredential => MessageKey::HintHeartbeatsRefusedEvidenceForeign,
        Note::NotEnrolled => MessageKey::HintHeartbeatsRefusedEvidenceNotEnrolled,
        Note::RejectedAddress => MessageKey::HintHeartbeatsRefusedEvidenceAddress,
        Note::AfterCrashes => MessageKey::RestartingEvidenceCrashes,
        Note::AfterSomeCrashes => MessageKey::RestartingEvidenceMixed,
        Note::AfterStops => MessageKey::RestartingEvidenceClean,
        Note::NewVersion => MessageKey::RestartingEvidenceVersion,
        Note::CertificateValid => MessageKey::HintCertificateExpiringEvidenceValid,
        Note::CertificateExpired => MessageKey::HintCertificateExpiringEvidenceExpired,
        Note::ClockFarOff => MessageKey::HintClockSkewEvidenceBadly,
        Note::ClockAhead => MessageKey::HintClockSkewEvidenceAhead,
        Note::ClockBehind => MessageKey::HintClockSkewEvidenceBehind,
    })
}

/// The steps of a note, which replace the usual ones.
const fn steps(note: Note) -> Option<MessageKey> {
    match note {
        Note::Renamed => Some(MessageKey::RenamedStep),
        Note::Replaced => Some(MessageKey::HintManySilentStepReplaced),
        Note::UnknownToken | Note::RevokedToken | Note::ExpiredToken => {
            Some(MessageKey::HintHeartbeatsRefusedStepToken)
        }
        Note::ForeignCredential => Some(MessageKey::HintHeartbeatsRefusedStepForeign),
        Note::NotEnrolled => Some(MessageKey::HintHeartbeatsRefusedStepNotEnrolled),
        Note::AfterCrashes | Note::AfterSomeCrashes => Some(MessageKey::RestartingStepCrashes),
        Note::AfterStops => Some(MessageKey::RestartingStepClean),
        Note::NewVersion => Some(MessageKey::RestartingStepVersion),
        Note::SharedAddress => Some(MessageKey::HintMessengerUnreachableStepSharedAddress),
        Note::Failure(failure) => match failure {
            MessengerFailure::NotAMessenger => {
                Some(MessageKey::HintMessengerUnreachableStepNotAMessenger)
            }
            MessengerFailure::WrongKey => Some(MessageKey::HintMessengerUnreachableStepWrongKey),
            MessengerFailure::Protocol => Some(MessageKey::HintMessengerUnreachableStepProtocol),
            MessengerFailure::Refused => Some(MessageKey::HintMessengerUnreachableStepRefused),
            MessengerFailure::Connecting
            | MessengerFailure::Lost
            | MessengerFailure::TimedOut
            | MessengerFailure::Unreachable => None,
        },
        Note::Summary
        | Note::Outage(_)
        | Note::MostDiffer(_)
        | Note::ReferenceUnused(_)
        | Note::ReferenceUsed(_)
        | Note::OlderVersions
        | Note::NewerVersions
        | Note::NearlyFull
        | Note::Full
        | Note::CommonAddress
        | Note::CommonNetwork
        | Note::CommonVersion
        | Note::CommonOs
        | Note::CommonProduct
        | Note::CommonNamePrefix
        | Note::CommonStart
        | Note::RejectedAddress
        | Note::CertificateValid
        | Note::CertificateExpired
        | Note::ClockFarOff
        | Note::ClockAhead
        | Note::ClockBehind => None,
    }
}

//! What the hints about the overview itself say: its certificate, its disk, the tokens in use, its channels.

use super::hint::{Arg, Hint, Names};
use super::note::Note;
use super::rules::RuleContext;
use crate::cluster::finding::{Finding, HintId};
use crate::cluster::upkeep::DiskSpace;

impl RuleContext<'_> {
    /// What is due about what the overview itself needs.
    pub(super) fn about_upkeep(self) -> impl Iterator<Item = Finding> {
        let upkeep = &self.snapshot.upkeep;
        let certificate = upkeep.certificate.as_ref();
        let certificate = certificate.and_then(|certificate| certificate.urgency(self.now));
        let certificate = certificate.map(|severity| Finding {
            severity,
            ..Finding::for_cluster(HintId::CertificateExpiring)
        });
        let others = [
            (HintId::DiskLow, upkeep.disk.as_ref().is_some_and(DiskSpace::is_low)),
            (HintId::ChannelFailing, upkeep.failing_channels(self.now).next().is_some()),
            (HintId::TokenExpiring, upkeep.expiring_tokens(self.now).next().is_some()),
        ];
        let others = others.into_iter().filter(|(_, applies)| *applies);
        certificate.into_iter().chain(others.map(|(id, _)| Finding::for_cluster(id)))
    }

    pub(super) fn certificate_expiring(self) -> Option<Hint> {
        let certificate = self.snapshot.upkeep.certificate.as_ref()?;
        let has_expired = certificate.expires_at <= self.now;
        Some(
            Hint::for_cluster(HintId::CertificateExpiring)
                .with_note(Note::CertificateExpired, has_expired)
                .with_note(Note::CertificateValid, !has_expired)
                .with("file", Arg::Text(certificate.file.clone()))
                .with("expires_at", Arg::Date(certificate.expires_at)),
        )
    }

    pub(super) fn disk_low(self) -> Option<Hint> {
        let disk = self.snapshot.upkeep.disk.as_ref()?;
        Some(
            Hint::for_cluster(HintId::DiskLow)
                .with("free", Arg::Text(format!("{} MB", disk.free / 1_000_000)))
                .with("percent", Arg::Number(disk.percent_left()))
                .with("folder", Arg::Text(disk.folder.clone())),
        )
    }

    pub(super) fn channel_failing(self) -> Option<Hint> {
        let mut channels = Names::default();
        let first = self.snapshot.upkeep.failing_channels(self.now).next()?;
        for channel in self.snapshot.upkeep.failing_channels(self.now) {
            channels.push(&|| channel.name.clone());
        }
        Some(
            Hint::for_cluster(HintId::ChannelFailing)
                .with("count", Arg::Number(channels.total()))
                .with("channels", Arg::List(channels))
                .with("channel", Arg::Text(first.name.clone()))
                .with("failing_since", Arg::Moment(first.since))
                .with("reason", Arg::Text(first.error.clone())),
        )
    }

    pub(super) fn token_expiring(self) -> Option<Hint> {
        let mut tokens = Names::default();
        let first = self.snapshot.upkeep.expiring_tokens(self.now).next()?;
        for token in self.snapshot.upkeep.expiring_tokens(self.now) {
            tokens.push(&|| format!("{} ({})", token.name, token.role));
        }
        Some(
            Hint::for_cluster(HintId::TokenExpiring)
                .with("count", Arg::Number(tokens.total()))
                .with("tokens", Arg::List(tokens))
                .with("token", Arg::Text(first.name.clone()))
                .with("token_role", Arg::Text(first.role.clone()))
                .with("used_at", Arg::Date(first.used_at))
                .with("expires_at", Arg::Date(first.expires_at)),
        )
    }
}

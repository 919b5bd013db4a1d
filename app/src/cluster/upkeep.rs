//! What the overview itself needs, and when that runs out or fails: its certificate, its disk, the tokens in use, its
//! channels.

use serde::{Deserialize, Serialize};

use super::finding::Severity;
use super::time::{Span, Timestamp};

const DAY: Span = Span::minutes(24 * 60);
/// A certificate that ends within this time is worth a warning.
const CERTIFICATE_WARNING: Span = Span::minutes(30 * 24 * 60);
/// And within this time an error.
const CERTIFICATE_ERROR: Span = Span::minutes(7 * 24 * 60);
/// A token in use that expires within this time is worth a hint.
pub const TOKEN_WARNING: Span = Span::minutes(14 * 24 * 60);
/// A token that was not used for longer is no longer in use.
pub const TOKEN_IN_USE: Span = DAY;
/// A channel that has failed for so long is worth a hint.
const CHANNEL_FAILS: Span = Span::minutes(10);
/// A disk with at least this part of it left is not low,
const LOW_DISK_PERCENT: u64 = 5;
/// nor one with so much left: one gigabyte, in bytes.
const LOW_DISK_BYTES: u64 = 1_000_000_000;

/// What one web server knows about what the overview needs. The certificate may differ from that of other web servers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// The certificate that it presents, if it speaks TLS.
    #[serde(default)]
    pub certificate: Option<Certificate>,
    /// The disk of its SQLite database, if that is low.
    #[serde(default)]
    pub disk: Option<DiskSpace>,
    /// Tokens that were used lately and expire soon, the first to expire first.
    #[serde(default)]
    pub tokens: Vec<ExpiringToken>,
    /// Channels that do not accept messages, the one that fails for longest first.
    #[serde(default)]
    pub channels: Vec<FailingChannel>,
}

/// A channel that has not accepted a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailingChannel {
    pub name: String,
    pub since: Timestamp,
    /// What went wrong last.
    pub error: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The path of its file.
    pub file: String,
    pub expires_at: Timestamp,
}

/// In bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSpace {
    /// The folder of the database.
    pub folder: String,
    /// What this program can still write.
    pub free: u64,
    pub total: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiringToken {
    pub name: String,
    /// The word on the command line.
    pub role: String,
    pub expires_at: Timestamp,
    pub used_at: Timestamp,
}

impl DiskSpace {
    /// Less than 5 % and less than 1 GB are left.
    pub fn is_low(&self) -> bool {
        self.free.saturating_mul(100) < self.total.saturating_mul(LOW_DISK_PERCENT)
            && self.free < LOW_DISK_BYTES
    }

    /// How many percent are left, cut.
    pub(super) fn percent_left(&self) -> usize {
        let percent = self.free.saturating_mul(100) / self.total.max(1);
        usize::try_from(percent).unwrap_or(usize::MAX)
    }
}

impl Certificate {
    /// How urgent it is to renew it, if it ends soon or has ended.
    pub(super) fn urgency(&self, now: Timestamp) -> Option<Severity> {
        let left = self.expires_at - now;
        if left < CERTIFICATE_ERROR {
            Some(Severity::Error)
        } else {
            (left < CERTIFICATE_WARNING).then_some(Severity::Warning)
        }
    }
}

impl ExpiringToken {
    /// Whether it is in use, valid, and expires soon. Once it has expired, those who use it are rejected.
    pub(super) fn expires_soon(&self, now: Timestamp) -> bool {
        now < self.expires_at
            && self.expires_at - now < TOKEN_WARNING
            && now - self.used_at <= TOKEN_IN_USE
    }
}

impl Upkeep {
    /// The tokens that expire soon at `now`.
    pub(super) fn expiring_tokens(&self, now: Timestamp) -> impl Iterator<Item = &ExpiringToken> {
        self.tokens.iter().filter(move |token| token.expires_soon(now))
    }

    /// The channels that have been failing for long.
    pub(super) fn failing_channels(&self, now: Timestamp) -> impl Iterator<Item = &FailingChannel> {
        self.channels.iter().filter(move |channel| now - channel.since >= CHANNEL_FAILS)
    }

    /// Every moment at which time alone changes a hint.
    pub(super) fn each_turn(&self, turn: &mut dyn FnMut(Timestamp)) {
        if let Some(certificate) = &self.certificate {
            let end = certificate.expires_at;
            turn(end - CERTIFICATE_WARNING + Span::TICK);
            turn(end - CERTIFICATE_ERROR + Span::TICK);
            turn(end);
        }
        for channel in &self.channels {
            turn(channel.since + CHANNEL_FAILS);
        }
        for token in &self.tokens {
            turn(token.expires_at - TOKEN_WARNING + Span::TICK);
            turn(token.expires_at);
            turn(token.used_at + TOKEN_IN_USE + Span::TICK);
        }
    }
}

//! Which optional sentences of a hint apply?

use serde::{Deserialize, Serialize};

use crate::cluster::keys::KeyKind;
use crate::cluster::messenger::MessengerFailure;
use crate::cluster::observation::DatabaseOutage;

/// A circumstance that adds to a hint's evidence, or replaces its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// The hint is the summary of many.
    Summary,
    /// Why the database cannot be read or written.
    Outage(DatabaseOutage),
    /// Most live servers report another key than the reference key.
    MostDiffer(KeyKind),
    /// No server reports the reference key.
    ReferenceUnused(KeyKind),
    /// Servers report the reference key.
    ReferenceUsed(KeyKind),
    /// Another server reports from the same address, and this one no longer does: probably it was renamed.
    Renamed,
    /// Another server reports from the same address, too.
    SharedAddress,
    /// Why the messenger cannot be reached.
    Failure(MessengerFailure),
    OlderVersions,
    NewerVersions,
    /// There are nearly as many servers as the limit.
    NearlyFull,
    /// There are as many servers as the limit.
    Full,
    /// What all silent services have in common, and nothing that reports has.
    CommonAddress,
    CommonNetwork,
    CommonVersion,
    CommonOs,
    CommonProduct,
    CommonNamePrefix,
    CommonStart,
    /// New servers with the same beginning of their names report.
    Replaced,
    UnknownToken,
    RevokedToken,
    ExpiredToken,
    ForeignCredential,
    NotEnrolled,
    /// Where rejected heartbeats come from is known.
    RejectedAddress,
    /// No process said that it was stopping.
    AfterCrashes,
    /// Some processes did not say that they were stopping.
    AfterSomeCrashes,
    /// Every process said that it was stopping.
    AfterStops,
    /// The restarts began with another version.
    NewVersion,
    CertificateValid,
    CertificateExpired,
    ClockFarOff,
    ClockAhead,
    ClockBehind,
}

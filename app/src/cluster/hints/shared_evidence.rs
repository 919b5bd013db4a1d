//! What the hints of one id have in common: computed once for all of them.

use super::hint::Names;
use crate::cluster::keys::KeyCheck;
use crate::cluster::shared_addresses::SharedAddresses;

/// What the hints of one id have in common: counted once for all of them.
pub(super) enum SharedEvidence<'a> {
    /// They have nothing in common.
    Nothing,
    /// Who shares which key.
    Keys(Sharing),
    /// How many servers report a key.
    Keyed(usize),
    /// Who reports from which address.
    SharedAddresses(SharedAddresses<'a>),
    /// Which servers are probably one machine, in pairs of their places.
    SameMachines(Vec<(usize, usize)>),
}

impl<'a> SharedEvidence<'a> {
    pub(super) fn addresses(&self) -> Option<&SharedAddresses<'a>> {
        if let Self::SharedAddresses(addresses) = self { Some(addresses) } else { None }
    }
}

/// Who reports which key: the servers with the reference, and those with each key that is asked for.
pub(super) struct Sharing {
    pub(super) reference: KeyCheck,
    pub(super) most: bool,
    pub(super) servers: Vec<(KeyCheck, Names)>,
}

impl Sharing {
    pub(super) fn with(&self, check: KeyCheck) -> Names {
        let place = self.servers.binary_search_by_key(&check, |(known, _)| *known);
        let names = place.ok().and_then(|place| self.servers.get(place));
        names.map(|(_, names)| names.clone()).unwrap_or_default()
    }
}

//! Which keys the cluster has agreed on.

use serde::{Deserialize, Serialize};

use super::component::Component;
use super::keys::{KeyCheck, KeyKind};
use super::order::sorted_indices;

/// Why no check was found by its first digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLookupError {
    /// Nobody reports such a check; these are reported.
    Unknown {
        /// Every check reported, in the order of their digits.
        reported: Vec<KeyCheck>,
    },
    /// More than one begins so.
    Ambiguous,
}

/// The check that all others are compared with, and whether servers agreed on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceKey {
    /// The check itself.
    pub check: KeyCheck,
    /// Two servers agreed on it, or an admin accepted it: it stays until an admin accepts another.
    /// Otherwise it is the first one that was reported.
    pub agreed: bool,
}

/// The reference of each kind of key. A fact in the store: it survives the removal of every server
/// that reported it, for what is stored was encrypted under it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceKeys {
    /// The encryption key's.
    pub encryption: Option<ReferenceKey>,
    /// The machine key's.
    pub machine: Option<ReferenceKey>,
}

impl ReferenceKeys {
    /// The reference of this kind.
    pub fn get(&self, kind: KeyKind) -> Option<ReferenceKey> {
        match kind {
            KeyKind::Encryption => self.encryption,
            KeyKind::Machine => self.machine,
        }
    }

    fn get_mut(&mut self, kind: KeyKind) -> &mut Option<ReferenceKey> {
        match kind {
            KeyKind::Encryption => &mut self.encryption,
            KeyKind::Machine => &mut self.machine,
        }
    }

    /// An admin accepts this check.
    pub fn accept(&mut self, kind: KeyKind, check: KeyCheck) {
        *self.get_mut(kind) = Some(ReferenceKey { check, agreed: true });
    }

    /// Learns from what `component` just reported, given all components (itself among them): the
    /// first check reported becomes the reference; the first that two servers agree on replaces it
    /// for good. Observer rows are ignored.
    pub fn learn<'a>(
        &mut self,
        component: &Component,
        others: impl Iterator<Item = &'a Component> + Clone,
    ) {
        if component.is_observer() {
            return;
        }
        for kind in KeyKind::ALL {
            let Some(check) = component.check(kind) else { continue };
            let reference = self.get_mut(kind);
            if reference.is_some_and(|known| known.agreed) {
                continue;
            }
            let agreed = others.clone().any(|other| {
                !other.is_observer()
                    && other.server != component.server
                    && other.check(kind) == Some(check)
            });
            if agreed || reference.is_none() {
                *reference = Some(ReferenceKey { check, agreed });
            }
        }
    }
}

impl KeyKind {
    /// The one check that begins with these digits among those reported. Observer rows do not
    /// count.
    ///
    /// # Errors
    /// Nobody reports such a check, or the digits fit several.
    pub fn find_by_prefix<'a>(
        self,
        digits: &str,
        components: impl Iterator<Item = &'a Component>,
    ) -> Result<KeyCheck, KeyLookupError> {
        let compared = components.filter(|component| !component.is_observer());
        let all: Vec<KeyCheck> = compared.filter_map(|component| component.check(self)).collect();
        let order = sorted_indices(all.len(), &|a, b| all[a].cmp(&all[b]));
        let mut reported: Vec<KeyCheck> = order.into_iter().map(|place| all[place]).collect();
        reported.dedup();
        let mut fitting = reported.iter().filter(|check| check.digits().starts_with(digits));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(*only),
            (Some(_), Some(_)) => Err(KeyLookupError::Ambiguous),
            (None, _) => Err(KeyLookupError::Unknown { reported }),
        }
    }
}

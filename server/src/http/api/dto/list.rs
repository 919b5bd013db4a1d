//! A list in a DTO that may be too long to be in memory as a whole.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Items that were read, or that are made one after the other while they are written: the servers of a large cluster as
/// values would take ten times as much memory as their JSON.
pub(crate) enum List<'a, T> {
    Read(Vec<T>),
    Lazy(&'a dyn Fn() -> Box<dyn Iterator<Item = T> + 'a>),
}

impl<T> List<'_, T> {
    /// The items that were read.
    pub(crate) fn items(&self) -> &[T] {
        match self {
            Self::Read(items) => items,
            Self::Lazy(_) => &[],
        }
    }
}

impl<T: Serialize> Serialize for List<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(items) => serializer.collect_seq(items),
            Self::Lazy(make) => serializer.collect_seq(make()),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::Read)
    }
}

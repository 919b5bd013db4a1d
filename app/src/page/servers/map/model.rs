//! The servers of the map, and their outlines: a path for each state.

use std::fmt::Write as _;
use std::ops::Range;

use crate::cluster::{Health, Overview, ServerName};

/// A shorter list can be seen as a whole.
const MIN_SERVERS: usize = 30;

/// How many times wider than high it is.
const ASPECT: usize = 6;

/// The side of a cell, in units of the picture: its greatest side on the screen in pixels, too.
pub(crate) const CELL: usize = 16;

/// The servers of the list in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    /// Empty if the list is short.
    pub(crate) servers: Vec<(ServerName, Health)>,
    pub(crate) columns: usize,
}

impl Map {
    /// `order`: positions in the overview.
    pub(crate) fn new(overview: &Overview, order: &[usize]) -> Self {
        if order.len() < MIN_SERVERS {
            return Self::default();
        }
        let servers = order.iter().filter_map(|at| overview.servers.get(*at));
        let servers: Vec<_> = servers.map(|server| (server.name.clone(), server.health)).collect();
        let columns = (servers.len() * ASPECT).isqrt() + 1;
        Self { servers, columns }
    }

    /// In cells.
    pub(crate) fn rows(&self) -> usize {
        self.servers.len().div_ceil(self.columns)
    }

    /// The outline of all servers with this health.
    pub(crate) fn path(&self, health: Health) -> String {
        let mut path = String::new();
        let mut place = 0;
        for same in self.servers.chunk_by(|a, b| a.1 == b.1) {
            let end = place + same.len();
            if same.first().is_some_and(|(_, first)| *first == health) {
                self.add_run(&mut path, place..end, health);
            }
            place = end;
        }
        path
    }

    /// Adds neighbours of equal health. Those that are well or unknown are the dots of a dotted line, one for each row: so
    /// ten thousand servers that are well are a short path.
    fn add_run(&self, path: &mut String, places: Range<usize>, health: Health) {
        let mut place = places.start;
        while place < places.end {
            let (x, y) = (place % self.columns * CELL, place / self.columns * CELL);
            let in_row = (self.columns - place % self.columns).min(places.end - place);
            // Writing to a string cannot fail.
            let _ = match health {
                Health::Ok | Health::Unknown => {
                    place += in_row;
                    write!(path, "M{} {}h{}", x + CELL / 2, y + CELL / 2, (in_row - 1) * CELL)
                }
                Health::Warning => {
                    place += 1;
                    write!(path, "M{} {}l7 13h-14z", x + 8, y + 1)
                }
                Health::Error => {
                    place += 1;
                    write!(path, "M{} {}h6l4 4v6l-4 4h-6l-4-4v-6z", x + 5, y + 1)
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(healths: &[Health]) -> Map {
        let server = |(number, health): (usize, &Health)| {
            (ServerName::parse(&format!("server-{number}")).unwrap(), *health)
        };
        Map { servers: healths.iter().enumerate().map(server).collect(), columns: 4 }
    }

    #[test]
    fn servers_that_are_well_are_one_line_in_each_row() {
        let six = map(&[Health::Ok; 6]);
        assert_eq!(six.path(Health::Ok), "M8 8h48M8 24h16");
        assert_eq!(six.path(Health::Error), "");
    }

    #[test]
    fn each_ill_server_has_a_shape_of_its_own_where_it_is() {
        use Health::{Error, Ok, Warning};
        let mixed = map(&[Error, Warning, Ok, Ok, Ok, Warning]);
        assert_eq!(mixed.path(Ok), "M40 8h16M8 24h0");
        assert_eq!(mixed.path(Error), "M5 1h6l4 4v6l-4 4h-6l-4-4v-6z");
        assert_eq!(mixed.path(Warning), "M24 1l7 13h-14zM24 17l7 13h-14z");
    }
}

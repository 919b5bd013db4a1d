//! Which rejected heartbeats are kept, and for how long: shown on the server's row, to explain its silence. A server
//! that has no row yet, because its agent's probe has failed from the start, is named by a hint.

use super::boot::Address;
use super::component_key::{ComponentKey, Role};
use super::rejected::{RejectedHeartbeat, RejectionReason};
use super::server_name::ServerName;
use super::snapshot::Snapshot;
use super::time::{Span, Timestamp};

/// How long after the last one it is shown.
const SHOWN_FOR: Span = Span::minutes(10);
/// Others within this time change nothing: a rejected sender can keep neither the page nor its readers
/// busy.
const MIN_UPDATE_INTERVAL: Span = Span::seconds(10);

/// How many are kept at once.
pub const MAX_REJECTED: usize = 1_000;
/// How many of them may be about servers that have not reported yet: a token lets its owner invent names.
pub const MAX_UNREPORTED: usize = 100;

impl Snapshot {
    /// What keeps this server's heartbeats from being accepted: those that were rejected, and failing
    /// probes by component.
    pub fn rejected_of(
        &self,
        server: &ServerName,
        now: Timestamp,
    ) -> impl Iterator<Item = &RejectedHeartbeat> {
        let first = self.rejected.partition_point(|rejected| rejected.server < *server);
        let same = self.rejected.iter().skip(first);
        let same = same.take_while(move |rejected| rejected.server == *server);
        same.filter(move |rejected| now < rejected.until)
    }

    /// Where a rejected is, or belongs.
    fn position_of_rejected(
        &self,
        server: &ServerName,
        probed: Option<Role>,
    ) -> Result<usize, usize> {
        self.rejected.binary_search_by(|rejected| rejected.key().cmp(&(server, probed)))
    }

    /// Failing probes of servers that have not reported yet.
    pub(super) fn unreported(&self, now: Timestamp) -> impl Iterator<Item = &RejectedHeartbeat> {
        let probes = self.rejected.iter().filter(|rejected| rejected.why.probed().is_some());
        probes.filter(move |rejected| now < rejected.until && !self.has_server(&rejected.server))
    }

    /// Whether one more server that has not reported yet may be remembered.
    fn has_room_for_unreported(&self, now: Timestamp) -> bool {
        let is_full = self.max_servers.is_some_and(|most| self.count_servers() >= most);
        !is_full && self.unreported(now).count() < MAX_UNREPORTED
    }

    /// A component sends a heartbeat again, or is removed: its failing probe is over. True if there was one.
    pub fn answered(&mut self, key: &ComponentKey, now: Timestamp) -> bool {
        let Ok(place) = self.position_of_rejected(&key.server, Some(key.role)) else {
            return false;
        };
        self.rejected.remove(place);
        self.changed_at = self.changed_at.max(now);
        true
    }

    /// Takes one in that was refused at `now`. False if it is no news: nobody knows the server, and its agent does not
    /// say that a probe fails; or as much was known a moment ago.
    pub fn refuse(
        &mut self,
        server: &ServerName,
        why: RejectionReason,
        from: Option<Address>,
        now: Timestamp,
    ) -> bool {
        let probed = why.probed();
        let known = self.position_of_rejected(server, probed).ok();
        let known =
            known.and_then(|place| self.rejected.get(place)).filter(|known| now < known.until);
        let is_old = known.is_some_and(|known| {
            let before = now - (known.until - SHOWN_FOR);
            let same = known.why == why && known.from == from;
            before < if same { SHOWN_FOR.half() } else { MIN_UPDATE_INTERVAL }
        });
        // Servers are counted only for one that is new.
        let may_be_new = || known.is_some() || self.has_room_for_unreported(now);
        if is_old || !(self.has_server(server) || (probed.is_some() && may_be_new())) {
            return false;
        }
        let since = known.map_or(now, |known| known.since);
        let until = now + SHOWN_FOR;
        self.rejected.retain(|rejected| now < rejected.until);
        let rejected = RejectedHeartbeat { server: server.clone(), since, until, why, from };
        match self.position_of_rejected(server, probed) {
            Ok(place) => self.rejected[place] = rejected,
            // Rejected heartbeats for very many servers must not fill the memory or hide earlier ones.
            Err(_) if self.rejected.len() >= MAX_REJECTED => return false,
            Err(place) => self.rejected.insert(place, rejected),
        }
        self.changed_at = self.changed_at.max(now);
        true
    }
}

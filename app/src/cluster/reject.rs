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
/// Others within this time change nothing: a rejected sender can keep neither the database nor the page busy.
const MIN_UPDATE_INTERVAL: Span = Span::minutes(1);

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

    /// Failing probes of servers that have not reported yet.
    pub(super) fn unreported(&self, now: Timestamp) -> impl Iterator<Item = &RejectedHeartbeat> {
        let probes = self.rejected.iter().filter(|rejected| rejected.why.probed().is_some());
        probes.filter(move |rejected| now < rejected.until && !self.has_server(&rejected.server))
    }

    /// Whether these rejected heartbeats explain why the server's service is silent: their token was valid once, or
    /// they come from where its last accepted heartbeat came from. Any others may be a stranger's.
    pub fn explains_silence(&self, rejected: &RejectedHeartbeat) -> bool {
        let service = ComponentKey { server: rejected.server.clone(), role: Role::Service };
        let comes_from_service = || {
            let known = self.components.get(&service).map(|component| &component.facts.ip);
            known.is_some_and(|address| rejected.from.as_ref() == Some(address))
        };
        rejected.why.was_accepted_before() || comes_from_service()
    }

    /// What a heartbeat that was rejected at `now` changes: the server's run of rejected heartbeats with it. `None` if
    /// it is no news: nobody knows the server, and its agent does not say that a probe fails; as much was known a
    /// moment ago; or what is known explains the server's silence and this does not.
    pub fn reject(
        &self,
        server: &ServerName,
        why: RejectionReason,
        from: Option<Address>,
        now: Timestamp,
    ) -> Option<RejectedHeartbeat> {
        let probed = why.probed();
        let known = self.rejected_of(server, now).find(|known| known.why.probed() == probed);
        let since = known.map_or(now, |known| known.since);
        let next =
            RejectedHeartbeat { server: server.clone(), since, until: now + SHOWN_FOR, why, from };
        let is_news = if let Some(known) = known {
            self.is_news(known, &next, now)
        } else {
            // Servers are counted only for one that is new.
            let is_reported = self.has_server(server);
            self.has_room(now)
                && (is_reported || probed.is_some() && self.has_room_for_unreported(now))
        };
        is_news.then_some(next)
    }

    /// Whether a run changes so much with its latest heartbeat that readers should know.
    fn is_news(&self, known: &RejectedHeartbeat, next: &RejectedHeartbeat, now: Timestamp) -> bool {
        let (explained, explains) = (self.explains_silence(known), self.explains_silence(next));
        if next.why.probed().is_none() && explained != explains {
            return explains;
        }
        let since_known = now - (known.until - SHOWN_FOR);
        let same = known.why == next.why && known.from == next.from;
        since_known >= if same { SHOWN_FOR.half() } else { MIN_UPDATE_INTERVAL }
    }

    /// Whether one more may be kept. Many of them must not hide earlier ones.
    fn has_room(&self, now: Timestamp) -> bool {
        self.rejected.len() < MAX_REJECTED
            || self.rejected.iter().filter(|rejected| now < rejected.until).count() < MAX_REJECTED
    }

    /// Whether one more server that has not reported yet may be remembered.
    fn has_room_for_unreported(&self, now: Timestamp) -> bool {
        let is_full = self.max_servers.is_some_and(|most| self.count_servers() >= most);
        !is_full && self.unreported(now).count() < MAX_UNREPORTED
    }
}

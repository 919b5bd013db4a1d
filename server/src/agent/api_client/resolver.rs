//! Looks an overview's name up, and remembers the addresses that were found.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Uri;
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::clock::Stopwatch;

/// How long addresses are used without another look-up, unless a request fails.
const MAX_AGE: Duration = Duration::from_mins(1);
/// How long a look-up may take. If it takes longer or fails, the addresses of the last one are used.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The addresses of one overview, shared by all requests to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<Option<Found>>>);

#[derive(Debug)]
struct Found {
    /// Host and port that were looked up: those of the overview, or of a proxy on the way.
    authority: String,
    /// At least one; the first is where requests go.
    addresses: Vec<SocketAddr>,
    age: Stopwatch,
    /// Whether a request failed since then.
    is_doubtful: bool,
}

impl Addresses {
    /// Where requests go, as far as that is known.
    pub(super) fn first(&self) -> Option<SocketAddr> {
        self.lock().as_ref().and_then(|found| found.addresses.first().copied())
    }

    /// Looks the name up before the next request.
    pub(super) fn doubt(&self) {
        if let Some(found) = self.lock().as_mut() {
            found.is_doubtful = true;
        }
    }

    /// What the last look-up of this authority found, if it is young enough.
    fn known(&self, authority: &str, wanted: impl Fn(&Found) -> bool) -> Option<Vec<SocketAddr>> {
        let found = self.lock();
        let found = found.as_ref().filter(|found| found.authority == authority && wanted(found));
        found.map(|found| found.addresses.clone())
    }

    /// Remembers what was found. Names with several addresses give them in changing order: the one in use stays the
    /// first as long as it is among them.
    fn remember(&self, authority: String, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        if let Some(first) = self.first()
            && let Some(place) = addresses.iter().position(|address| *address == first)
        {
            addresses[..=place].rotate_right(1);
        }
        let age = Stopwatch::start();
        let found = Found { authority, addresses: addresses.clone(), age, is_doubtful: false };
        *self.lock() = Some(found);
        addresses
    }

    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let is_young = |found: &Found| !found.is_doubtful && found.age.elapsed() < MAX_AGE;
        let addresses = if let Some(known) = self.known(&authority, is_young) {
            known
        } else {
            let after = (*timeout.after).min(LOOKUP_TIMEOUT).into();
            let looked_up = DefaultResolver::default()
                .resolve(uri, config, NextTimeout { after, ..timeout })
                .map(|found| self.remember(authority.clone(), found.to_vec()));
            // A kept connection needs no name, and a new one goes where the last one went.
            looked_up.or_else(|error| self.known(&authority, |_| true).ok_or(error))?
        };
        let mut resolved = self.empty();
        for address in addresses {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(of: &[&str]) -> Vec<SocketAddr> {
        of.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn of_several_addresses_in_changing_order_the_one_in_use_stays_the_first() {
        let known = Addresses::default();
        assert_eq!(known.first(), None);
        let (a, b, c) = ("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
        let remember = |of: &[&str]| known.remember("overview:80".to_owned(), addresses(of));
        assert_eq!(remember(&[a, b, c]), addresses(&[a, b, c]));
        assert_eq!(remember(&[c, b, a]), addresses(&[a, c, b]));
        assert_eq!(remember(&[b, c]), addresses(&[b, c]));
        assert_eq!(known.first(), b.parse().ok());
    }

    #[test]
    fn a_name_that_is_not_found_any_more_has_the_addresses_of_the_last_time() {
        let known = Addresses::default();
        let uri: Uri = "http://no-such-host.invalid:80/".parse().unwrap();
        let config = ureq::Agent::config_builder().build();
        let resolve = || known.resolve(&uri, &config, NextTimeout::default());
        assert!(resolve().is_err());
        known.remember("no-such-host.invalid:80".to_owned(), addresses(&["10.0.0.1:80"]));
        assert_eq!(resolve().unwrap().to_vec(), addresses(&["10.0.0.1:80"]));
        known.doubt();
        assert_eq!(resolve().unwrap().to_vec(), addresses(&["10.0.0.1:80"]));
    }
}

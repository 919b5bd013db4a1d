//! Resolves the overview's host name, and caches the addresses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Uri;
use ureq::Error;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::clock::Stopwatch;

/// How long addresses are used without resolving the name again, unless a request fails.
const MAX_CACHE_AGE: Duration = Duration::from_mins(1);
/// If resolving takes longer or fails, the cached addresses are used.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);

/// The cached addresses of one overview. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Arc<Mutex<Option<CachedAddresses>>>);

#[derive(Debug)]
struct CachedAddresses {
    /// Host and port: of the overview, or of an HTTP proxy.
    authority: String,
    /// At least one. Requests go to the first.
    addresses: Vec<SocketAddr>,
    age: Stopwatch,
    /// Whether a request has failed since.
    is_doubtful: bool,
}

impl Addresses {
    /// The address to which requests go, if it is known.
    pub(super) fn first(&self) -> Option<SocketAddr> {
        self.lock().as_ref().and_then(|found| found.addresses.first().copied())
    }

    /// Resolves the name again before the next request.
    pub(super) fn mark_doubtful(&self) {
        if let Some(found) = self.lock().as_mut() {
            found.is_doubtful = true;
        }
    }

    /// The cached addresses of this authority, if they meet the condition.
    fn cached(
        &self,
        authority: &str,
        condition: impl Fn(&CachedAddresses) -> bool,
    ) -> Option<Vec<SocketAddr>> {
        let found = self.lock();
        let found = found.as_ref().filter(|found| found.authority == authority && condition(found));
        found.map(|found| found.addresses.clone())
    }

    /// Caches addresses. Name servers return several addresses in changing order: the one in use stays the first as long as it
    /// is among them.
    fn remember(&self, authority: String, mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        if let Some(first) = self.first()
            && let Some(place) = addresses.iter().position(|address| *address == first)
        {
            addresses[..=place].rotate_right(1);
        }
        let age = Stopwatch::start();
        let found =
            CachedAddresses { authority, addresses: addresses.clone(), age, is_doubtful: false };
        *self.lock() = Some(found);
        addresses
    }

    fn lock(&self) -> MutexGuard<'_, Option<CachedAddresses>> {
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
        let is_young =
            |found: &CachedAddresses| !found.is_doubtful && found.age.elapsed() < MAX_CACHE_AGE;
        let addresses = if let Some(known) = self.cached(&authority, is_young) {
            known
        } else {
            let after = (*timeout.after).min(RESOLVE_TIMEOUT).into();
            let resolved = DefaultResolver::default()
                .resolve(uri, config, NextTimeout { after, ..timeout })
                .map(|found| self.remember(authority.clone(), found.to_vec()));
            // While the name server fails, requests go where the last ones went.
            resolved.or_else(|error| self.cached(&authority, |_| true).ok_or(error))?
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

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn the_address_in_use_stays_the_first_while_their_order_changes() {
        let known = Addresses::default();
        assert_eq!(known.first(), None);
        let (a, b, c) = ("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
        let remember = |texts: &[&str]| known.remember("overview:80".to_owned(), addresses(texts));
        assert_eq!(remember(&[a, b, c]), addresses(&[a, b, c]));
        assert_eq!(remember(&[c, b, a]), addresses(&[a, c, b]));
        assert_eq!(remember(&[b, c]), addresses(&[b, c]));
        assert_eq!(known.first(), b.parse().ok());
    }

    #[test]
    fn a_name_that_cannot_be_resolved_any_more_keeps_its_last_addresses() {
        let known = Addresses::default();
        let uri: Uri = "http://no-such-host.invalid:80/".parse().unwrap();
        let config = ureq::Agent::config_builder().build();
        let resolve = || known.resolve(&uri, &config, NextTimeout::default());
        assert!(resolve().is_err());
        known.remember("no-such-host.invalid:80".to_owned(), addresses(&["10.0.0.1:80"]));
        assert_eq!(resolve().unwrap().to_vec(), addresses(&["10.0.0.1:80"]));
        known.mark_doubtful();
        assert_eq!(resolve().unwrap().to_vec(), addresses(&["10.0.0.1:80"]));
    }
}

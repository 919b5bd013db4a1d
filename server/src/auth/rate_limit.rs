//! The rate limiter for sign-ins and embed codes: by name and by address. Nobody is locked out for good.
//!
//! The algorithm is GCRA: for each key it keeps one time, at which the whole allowance is available again.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use app::cluster::{Span, Timestamp};

use crate::auth::origin::RequestOrigin;
use crate::auth::secret::SecretHash;

/// How many keys are tracked. Beyond it, those that are closest to their whole allowance are forgotten.
const MAX_TRACKED_KEYS: usize = 20_000;

/// What attempts are counted by. Names are kept as hashes, which all have the same size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum RateKey {
    /// A name, from addresses where it is not known.
    Name(SecretHash),
    /// A name from an address where it has signed in before: the attempts of strangers do not count here.
    KnownName(SecretHash, IpAddr),
    /// An IPv4 address, or the /64 network of an IPv6 address.
    Address(IpAddr),
    /// The address of a proxy that is not trusted: many users share it.
    UnnamedProxy(IpAddr),
    /// The token of a product that creates embed codes.
    ProductToken(SecretHash),
}

/// How many attempts are allowed.
struct Allowance {
    /// At once.
    burst: i64,
    /// How long it takes until one more attempt is allowed.
    interval: Span,
}

impl RateKey {
    const fn allowance(&self) -> Allowance {
        let (burst, interval) = match self {
            Self::Name(_) | Self::KnownName(..) => (10, Span::seconds(30)),
            Self::Address(_) => (30, Span::seconds(10)),
            // The limit of each name decides; this one only bounds the work.
            Self::UnnamedProxy(_) => (1_000, Span(100)),
            Self::ProductToken(_) => (600, Span(500)),
        };
        Allowance { burst, interval }
    }

    /// How long until one more attempt is allowed, given when the whole allowance is available again.
    fn wait(&self, full_at: Option<&Timestamp>, now: Timestamp) -> Span {
        let Allowance { burst, interval } = self.allowance();
        let missing = full_at.map_or(Span::ZERO, |full_at| *full_at - now);
        missing - interval.times(burst - 1)
    }
}

/// Where an attempt to sign in comes from.
#[derive(Clone, Copy, Debug)]
pub struct AttemptOrigin {
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// Whether the address seems to be a proxy that `--trusted-proxies` does not name.
    pub unnamed_proxy: bool,
    /// Whether the name has signed in from this address before.
    pub known: bool,
}

impl AttemptOrigin {
    pub(crate) fn new(origin: &RequestOrigin, known: bool) -> Self {
        let unnamed_proxy = origin.untrusted_header.is_some();
        Self { address: origin.client, unnamed_proxy, known }
    }
}

/// Attempts are in memory only: a restart forgets them.
#[derive(Debug, Default)]
pub struct RateLimiter {
    /// When each key has its whole allowance again.
    full_at: Mutex<HashMap<RateKey, Timestamp>>,
}

impl RateLimiter {
    /// Counts an attempt to sign in. The caller has checked the length of the name.
    ///
    /// # Errors
    /// How long to wait for the next attempt.
    pub fn check(&self, name: &str, origin: AttemptOrigin, now: Timestamp) -> Result<(), Span> {
        self.check_all(sign_in_keys(name, origin), now)
    }

    /// Counts a request for an embed code.
    ///
    /// # Errors
    /// How long to wait for the next one.
    pub fn check_embed(&self, token: SecretHash, now: Timestamp) -> Result<(), Span> {
        self.check_all(vec![RateKey::ProductToken(token)], now)
    }

    fn check_all(&self, keys: Vec<RateKey>, now: Timestamp) -> Result<(), Span> {
        let mut full_at = self.lock();
        let wait = keys.iter().map(|key| key.wait(full_at.get(key), now)).max();
        if let Some(wait) = wait.filter(|wait| *wait > Span::ZERO) {
            return Err(wait);
        }
        for key in keys {
            let interval = key.allowance().interval;
            let at = full_at.entry(key).or_insert(now);
            *at = (*at).max(now) + interval;
        }
        if full_at.len() > MAX_TRACKED_KEYS {
            forget_lightest(&mut full_at, now);
        }
        Ok(())
    }

    /// After a successful sign-in: forgets the attempts with this name. The address only gets back this one attempt;
    /// otherwise somebody could reset the failures under other names with an account of their own.
    pub fn reset(&self, name: &str, origin: AttemptOrigin) {
        let mut full_at = self.lock();
        for key in sign_in_keys(name, origin) {
            match key {
                RateKey::Name(_) | RateKey::KnownName(..) => {
                    full_at.remove(&key);
                }
                RateKey::Address(_) | RateKey::UnnamedProxy(_) | RateKey::ProductToken(_) => {
                    if let Some(at) = full_at.get_mut(&key) {
                        *at = *at - key.allowance().interval;
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RateKey, Timestamp>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sign_in_keys(name: &str, origin: AttemptOrigin) -> Vec<RateKey> {
    let (name, address) = (SecretHash::new(name), origin.address.map(client_network));
    let Some(address) = address else { return vec![RateKey::Name(name)] };
    match (origin.known, origin.unnamed_proxy) {
        // Strangers behind the same proxy must not keep out who has signed in from there before.
        (true, true) => vec![RateKey::KnownName(name, address)],
        (true, false) => vec![RateKey::KnownName(name, address), RateKey::Address(address)],
        (false, true) => vec![RateKey::Name(name), RateKey::UnnamedProxy(address)],
        (false, false) => vec![RateKey::Name(name), RateKey::Address(address)],
    }
}

/// Forgets the keys that have their whole allowance; if that is not enough, the half that would have it soonest.
fn forget_lightest(full_at: &mut HashMap<RateKey, Timestamp>, now: Timestamp) {
    full_at.retain(|_, at| *at > now);
    if full_at.len() > MAX_TRACKED_KEYS {
        let mut times: Vec<Timestamp> = full_at.values().copied().collect();
        times.sort_unstable();
        let median = times[times.len() / 2];
        full_at.retain(|_, at| *at > median);
    }
}

/// What counts as one client: somebody with one IPv6 address usually has its whole /64 network.
pub(crate) fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: AttemptOrigin = from(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));
    const KNOWN: AttemptOrigin = AttemptOrigin { known: true, ..HERE };
    const BEHIND_A_PROXY: AttemptOrigin = AttemptOrigin { unnamed_proxy: true, ..HERE };
    const START: Timestamp = Timestamp(1_000_000);

    const fn from(address: IpAddr) -> AttemptOrigin {
        AttemptOrigin { address: Some(address), unnamed_proxy: false, known: false }
    }

    #[test]
    fn a_product_gets_600_codes_at_once_and_then_two_a_second() {
        let limiter = RateLimiter::default();
        let token = SecretHash::new("a product's token");
        let code = |now| limiter.check_embed(token, now).is_ok();
        assert_eq!((0..1_000).filter(|_| code(START)).count(), 600);
        assert!(code(START + Span(500)) && !code(START + Span(500)));
        assert!(limiter.check_embed(SecretHash::new("another product's"), START).is_ok());
    }

    #[test]
    fn ten_attempts_are_allowed_at_once_and_one_more_every_half_minute() {
        let limiter = RateLimiter::default();
        for _ in 0..10 {
            assert_eq!(limiter.check("ann", HERE, START), Ok(()));
        }
        let wait = limiter.check("ann", HERE, START).unwrap_err();
        assert_eq!(wait, Span::seconds(30));
        assert_eq!(limiter.check("ann", HERE, START + wait), Ok(()));
        assert!(limiter.check("ann", HERE, START + wait).is_err());
    }

    #[test]
    fn attempts_of_strangers_with_a_name_do_not_keep_its_owner_out() {
        let limiter = RateLimiter::default();
        for n in 0..200 {
            let _ = limiter.check("ann", from([10, 0, 1, n].into()), START);
        }
        assert!(
            limiter.check("ann", from([10, 0, 1, 250].into()), START).is_err(),
            "strangers wait"
        );
        assert_eq!(
            limiter.check("ann", KNOWN, START),
            Ok(()),
            "she signs in from where she was before"
        );
    }

    #[test]
    fn one_address_cannot_try_many_names() {
        let limiter = RateLimiter::default();
        let tried = (0..100).filter(|n| limiter.check(&format!("n{n}"), HERE, START).is_ok());
        assert_eq!(tried.count(), 30);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let limiter = RateLimiter::default();
        let tried = (0..100_u128).filter(|n| {
            let address = IpAddr::V6((0x2001_0db8_u128 << 96 | n).into());
            limiter.check(&format!("n{n}"), from(address), START).is_ok()
        });
        assert_eq!(tried.count(), 30);
    }

    #[test]
    fn success_clears_the_name() {
        let limiter = RateLimiter::default();
        for _ in 0..9 {
            limiter.check("ann", HERE, START).unwrap();
        }
        limiter.reset("ann", HERE);
        for _ in 0..10 {
            limiter.check("ann", HERE, START).unwrap();
        }
    }

    #[test]
    fn success_with_one_name_clears_no_failures_of_its_address() {
        let limiter = RateLimiter::default();
        let mut failures = 0;
        for n in 0..100 {
            if limiter.check("ann", HERE, START).is_ok() {
                limiter.reset("ann", HERE);
            }
            failures += usize::from(limiter.check(&format!("n{n}"), HERE, START).is_ok());
        }
        assert_eq!(failures, 30);
    }

    #[test]
    fn a_successful_sign_in_uses_up_nothing_of_the_address() {
        let limiter = RateLimiter::default();
        for n in 0..100 {
            let name = format!("n{n}");
            limiter.check(&name, HERE, START).unwrap();
            limiter.reset(&name, HERE);
        }
    }

    #[test]
    fn behind_an_unnamed_proxy_the_limit_of_each_name_decides() {
        let limiter = RateLimiter::default();
        let tried = (0..200).filter(|_| limiter.check("ann", BEHIND_A_PROXY, START).is_ok());
        assert_eq!(tried.count(), 10);
        for n in 0..200 {
            limiter.check(&format!("n{n}"), BEHIND_A_PROXY, START).unwrap();
        }
    }

    #[test]
    fn memory_for_attempts_is_bounded() {
        let limiter = RateLimiter::default();
        for n in 0..60_000_u32 {
            let address = IpAddr::V4(n.into());
            let _ = limiter.check(&format!("n{n}"), from(address), START);
        }
        assert!(limiter.full_at.lock().unwrap().len() <= MAX_TRACKED_KEYS + 2);
    }
}

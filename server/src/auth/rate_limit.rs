//! How often somebody may try to sign in: per name and per address, and nobody is locked out for good.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use app::cluster::{Span, Timestamp};

use crate::auth::secret::Hash;

/// How many trials are remembered: beyond it the ones that count least are forgotten.
const MOST: usize = 20_000;

/// Whose trials are counted together. Names are kept as hashes: all of one size.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// A name, from wherever it has not been used with success.
    Name(Hash),
    /// A name from an address where it has: strangers' trials elsewhere do not count here.
    Known(Hash, IpAddr),
    /// An address, or the /64 an IPv6 address is in.
    Address(IpAddr),
    /// The address of a proxy that is not trusted: many people share it.
    UnnamedProxy(IpAddr),
    /// The token of a product that lets people into a frame.
    Product(Hash),
}

/// Where a trial comes from.
#[derive(Clone, Copy, Debug)]
pub struct TrialOrigin {
    /// The client's address, where it is known.
    pub address: Option<IpAddr>,
    /// Whether the address seems to be a proxy's that nobody named.
    pub unnamed_proxy: bool,
    /// Whether this name was used with success from this address before.
    pub known: bool,
}

impl Who {
    /// How many trials there are at once, and how long one takes to come back.
    const fn allowance(&self) -> (i64, Span) {
        match self {
            Self::Name(_) | Self::Known(..) => (10, Span::seconds(30)),
            Self::Address(_) => (30, Span::seconds(10)),
            // The limit of each name decides; this one only bounds the work.
            Self::UnnamedProxy(_) => (1_000, Span(100)),
            Self::Product(_) => (600, Span(500)),
        }
    }
}

/// Trials that failed, in memory: a restart forgives.
#[derive(Debug, Default)]
pub struct Limits {
    /// When each is forgiven everything.
    forgiven: Mutex<HashMap<Who, Timestamp>>,
}

impl Limits {
    /// Takes one trial, or says how long to wait for the next. The caller has checked the name's length.
    pub fn take(&self, name: &str, origin: TrialOrigin, now: Timestamp) -> Result<(), Span> {
        self.take_each(counted(name, origin), now)
    }

    /// Takes one invitation of a product into a frame, or says how long to wait for the next.
    pub fn take_invitation(&self, token: Hash, now: Timestamp) -> Result<(), Span> {
        self.take_each(vec![Who::Product(token)], now)
    }

    fn take_each(&self, all: Vec<Who>, now: Timestamp) -> Result<(), Span> {
        let mut forgiven = self.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = all.iter().map(|who| wait(forgiven.get(who), who, now)).max();
        if let Some(wait) = wait.filter(|wait| *wait > Span::ZERO) {
            return Err(wait);
        }
        for who in all {
            let (_, back) = who.allowance();
            let until = forgiven.entry(who).or_insert(now);
            *until = (*until).max(now) + back;
        }
        if forgiven.len() > MOST {
            forgive_most(&mut forgiven, now);
        }
        Ok(())
    }

    /// The trial succeeded: the name's failures are cleared. The address only gets this trial back, so
    /// that nobody clears failures under other names with an account of their own.
    pub fn forgive(&self, name: &str, origin: TrialOrigin) {
        let mut forgiven = self.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        for who in counted(name, origin) {
            match who {
                Who::Name(_) | Who::Known(..) => {
                    forgiven.remove(&who);
                }
                Who::Address(_) | Who::UnnamedProxy(_) | Who::Product(_) => {
                    let (_, back) = who.allowance();
                    if let Some(until) = forgiven.get_mut(&who) {
                        *until = *until - back;
                    }
                }
            }
        }
    }
}

fn counted(name: &str, origin: TrialOrigin) -> Vec<Who> {
    let (name, address) = (Hash::of(name), origin.address.map(network));
    let Some(address) = address else { return vec![Who::Name(name)] };
    match (origin.known, origin.unnamed_proxy) {
        // Strangers behind the same proxy do not keep out who was here before.
        (true, true) => vec![Who::Known(name, address)],
        (true, false) => vec![Who::Known(name, address), Who::Address(address)],
        (false, true) => vec![Who::Name(name), Who::UnnamedProxy(address)],
        (false, false) => vec![Who::Name(name), Who::Address(address)],
    }
}

/// How long until one more trial is there.
fn wait(until: Option<&Timestamp>, who: &Who, now: Timestamp) -> Span {
    let (most, back) = who.allowance();
    let owed = until.map_or(Span::ZERO, |until| *until - now);
    owed - back.times(most - 1)
}

/// Forgets whoever is forgiven already; if that is not enough, those who would be soonest.
fn forgive_most(forgiven: &mut HashMap<Who, Timestamp>, now: Timestamp) {
    forgiven.retain(|_, until| *until > now);
    if forgiven.len() > MOST {
        let mut moments: Vec<Timestamp> = forgiven.values().copied().collect();
        moments.sort_unstable();
        let middle = moments[moments.len() / 2];
        forgiven.retain(|_, until| *until > middle);
    }
}

/// Whoever has one IPv6 address has a /64 of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
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

    const HERE: TrialOrigin = from(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));
    const KNOWN: TrialOrigin = TrialOrigin { known: true, ..HERE };
    const BEHIND_A_PROXY: TrialOrigin = TrialOrigin { unnamed_proxy: true, ..HERE };
    const START: Timestamp = Timestamp(1_000_000);

    const fn from(address: IpAddr) -> TrialOrigin {
        TrialOrigin { address: Some(address), unnamed_proxy: false, known: false }
    }

    #[test]
    fn a_product_invites_600_at_once_and_then_two_a_second() {
        let limits = Limits::default();
        let token = Hash::of("a product's token");
        let invite = |now| limits.take_invitation(token, now).is_ok();
        assert_eq!((0..1_000).filter(|_| invite(START)).count(), 600);
        assert!(invite(START + Span(500)) && !invite(START + Span(500)));
        assert!(limits.take_invitation(Hash::of("another product's"), START).is_ok());
    }

    #[test]
    fn ten_trials_are_there_at_once_and_one_comes_back_every_half_minute() {
        let limits = Limits::default();
        for _ in 0..10 {
            assert_eq!(limits.take("ann", HERE, START), Ok(()));
        }
        let wait = limits.take("ann", HERE, START).unwrap_err();
        assert_eq!(wait, Span::seconds(30));
        assert_eq!(limits.take("ann", HERE, START + wait), Ok(()));
        assert!(limits.take("ann", HERE, START + wait).is_err());
    }

    #[test]
    fn strangers_who_try_a_name_for_ever_do_not_keep_its_owner_out() {
        let limits = Limits::default();
        for n in 0..200 {
            let _ = limits.take("ann", from([10, 0, 1, n].into()), START);
        }
        assert!(limits.take("ann", from([10, 0, 1, 250].into()), START).is_err(), "strangers wait");
        assert_eq!(limits.take("ann", KNOWN, START), Ok(()), "where she was before she enters");
    }

    #[test]
    fn one_address_cannot_try_many_names() {
        let limits = Limits::default();
        let tried = (0..100).filter(|n| limits.take(&format!("n{n}"), HERE, START).is_ok());
        assert_eq!(tried.count(), 30);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let limits = Limits::default();
        let tried = (0..100_u128).filter(|n| {
            let address = IpAddr::V6((0x2001_0db8_u128 << 96 | n).into());
            limits.take(&format!("n{n}"), from(address), START).is_ok()
        });
        assert_eq!(tried.count(), 30);
    }

    #[test]
    fn success_clears_the_name() {
        let limits = Limits::default();
        for _ in 0..9 {
            limits.take("ann", HERE, START).unwrap();
        }
        limits.forgive("ann", HERE);
        for _ in 0..10 {
            limits.take("ann", HERE, START).unwrap();
        }
    }

    #[test]
    fn success_under_one_name_clears_no_failures_of_its_address() {
        let limits = Limits::default();
        let mut failures = 0;
        for n in 0..100 {
            if limits.take("ann", HERE, START).is_ok() {
                limits.forgive("ann", HERE);
            }
            failures += usize::from(limits.take(&format!("n{n}"), HERE, START).is_ok());
        }
        assert_eq!(failures, 30);
    }

    #[test]
    fn whoever_signs_in_with_success_uses_up_nothing_of_the_address() {
        let limits = Limits::default();
        for n in 0..100 {
            let name = format!("n{n}");
            limits.take(&name, HERE, START).unwrap();
            limits.forgive(&name, HERE);
        }
    }

    #[test]
    fn behind_a_proxy_that_nobody_named_the_limit_of_each_name_decides() {
        let limits = Limits::default();
        let tried = (0..200).filter(|_| limits.take("ann", BEHIND_A_PROXY, START).is_ok());
        assert_eq!(tried.count(), 10);
        for n in 0..200 {
            limits.take(&format!("n{n}"), BEHIND_A_PROXY, START).unwrap();
        }
    }

    #[test]
    fn memory_for_trials_is_bounded() {
        let limits = Limits::default();
        for n in 0..60_000_u32 {
            let address = IpAddr::V4(n.into());
            let _ = limits.take(&format!("n{n}"), from(address), START);
        }
        assert!(limits.forgiven.lock().unwrap().len() <= MOST + 2);
    }
}

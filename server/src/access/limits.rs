//! How often somebody may try to sign in: per name and per address, and nobody is locked out for good.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use app::cluster::{Span, Timestamp};

/// How many trials are remembered: beyond it the ones that count least are forgotten.
const MOST: usize = 20_000;

/// Whose trials are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// A name, from wherever it has not been used with success.
    Name(String),
    /// A name from an address where it has: strangers' trials elsewhere do not count here.
    Known(String, IpAddr),
    /// An address, or the /64 an IPv6 address is in.
    Address(IpAddr),
}

impl Who {
    /// How many trials there are at once, and how long one takes to come back.
    const fn allowance(&self) -> (i64, Span) {
        match self {
            Self::Name(_) | Self::Known(..) => (10, Span::seconds(30)),
            Self::Address(_) => (30, Span::seconds(10)),
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
    /// Takes one trial, or says how long to wait for the next. `known`: this name was used with
    /// success from this address before.
    pub fn take(
        &self,
        name: &str,
        address: Option<IpAddr>,
        known: bool,
        now: Timestamp,
    ) -> Result<(), Span> {
        let mut forgiven = self.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        let all = counted(name, address, known);
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

    /// The trial succeeded: it and those before it count no more.
    pub fn forgive(&self, name: &str, address: Option<IpAddr>, known: bool) {
        let mut forgiven = self.forgiven.lock().unwrap_or_else(PoisonError::into_inner);
        for who in counted(name, address, known) {
            forgiven.remove(&who);
        }
    }
}

fn counted(name: &str, address: Option<IpAddr>, known: bool) -> Vec<Who> {
    let address = address.map(network);
    let name = match address {
        Some(address) if known => Who::Known(name.to_owned(), address),
        _ => Who::Name(name.to_owned()),
    };
    std::iter::once(name).chain(address.map(Who::Address)).collect()
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
fn network(address: IpAddr) -> IpAddr {
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

    const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)));
    const START: Timestamp = Timestamp(1_000_000);

    #[test]
    fn ten_trials_are_there_at_once_and_one_comes_back_every_half_minute() {
        let limits = Limits::default();
        for _ in 0..10 {
            assert_eq!(limits.take("ann", HERE, false, START), Ok(()));
        }
        let wait = limits.take("ann", HERE, false, START).unwrap_err();
        assert_eq!(wait, Span::seconds(30));
        assert_eq!(limits.take("ann", HERE, false, START + wait), Ok(()));
        assert!(limits.take("ann", HERE, false, START + wait).is_err());
    }

    #[test]
    fn strangers_who_try_a_name_for_ever_do_not_keep_its_owner_out() {
        let limits = Limits::default();
        for n in 0..200 {
            let _ = limits.take("ann", Some([10, 0, 1, n].into()), false, START);
        }
        assert!(
            limits.take("ann", Some([10, 0, 1, 250].into()), false, START).is_err(),
            "strangers wait"
        );
        assert_eq!(
            limits.take("ann", HERE, true, START),
            Ok(()),
            "where she was before she enters"
        );
    }

    #[test]
    fn one_address_cannot_try_many_names() {
        let limits = Limits::default();
        let tried = (0..100).filter(|n| limits.take(&format!("n{n}"), HERE, false, START).is_ok());
        assert_eq!(tried.count(), 30);
    }

    #[test]
    fn a_whole_ipv6_network_is_one_address() {
        let limits = Limits::default();
        let tried = (0..100_u128).filter(|n| {
            let address = IpAddr::V6((0x2001_0db8_u128 << 96 | n).into());
            limits.take(&format!("n{n}"), Some(address), false, START).is_ok()
        });
        assert_eq!(tried.count(), 30);
    }

    #[test]
    fn success_forgives() {
        let limits = Limits::default();
        for _ in 0..9 {
            limits.take("ann", HERE, false, START).unwrap();
        }
        limits.forgive("ann", HERE, false);
        for _ in 0..10 {
            limits.take("ann", HERE, false, START).unwrap();
        }
    }

    #[test]
    fn memory_for_trials_is_bounded() {
        let limits = Limits::default();
        for n in 0..60_000_u32 {
            let address = IpAddr::V4(n.into());
            let _ = limits.take(&format!("n{n}"), Some(address), false, START);
        }
        assert!(limits.forgiven.lock().unwrap().len() <= MOST + 2);
    }
}

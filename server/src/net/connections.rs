//! Which connections are open: at most so many at once. When all are in use, the one that has been idle longest
//! is closed for the next, so that connections that ask for nothing keep out nobody who asks. One that sends a
//! body without a proof counts as idle, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::listener::Limits;
use crate::auth::proxy::trusted::Proxies;
use crate::auth::rate_limit::network;

/// How many connections one address, or the /64 an IPv6 address is in, may keep open without a request. Loopback
/// addresses and trusted proxies may keep more: they speak for many.
const MAX_IDLE_PER_ADDRESS: usize = 500;
/// How many places are kept free by closing idle connections ahead: whoever comes next need not wait for that.
const MAX_SPARE_PLACES: usize = 64;
/// How soon to look again for an idle connection when all are in use.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct Connections {
    places: Arc<Semaphore>,
    /// How many places are kept free.
    spare: usize,
    proxies: Proxies,
    idle: Mutex<IdleList>,
}

/// The connections that wait for a request, in the order in which they began to.
#[derive(Debug, Default)]
struct IdleList {
    next: u64,
    by_age: BTreeMap<u64, Idle>,
    by_address: HashMap<IpAddr, BTreeSet<u64>>,
}

#[derive(Debug)]
struct Idle {
    address: IpAddr,
    close: Arc<Notify>,
}

impl IdleList {
    fn add(&mut self, address: IpAddr, close: Arc<Notify>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.by_age.insert(number, Idle { address, close });
        self.by_address.entry(address).or_default().insert(number);
        number
    }

    fn remove(&mut self, number: u64) -> Option<Idle> {
        let idle = self.by_age.remove(&number)?;
        if let Some(numbers) = self.by_address.get_mut(&idle.address) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_address.remove(&idle.address);
            }
        }
        Some(idle)
    }

    fn close(&mut self, number: u64) {
        if let Some(idle) = self.remove(number) {
            idle.close.notify_one();
        }
    }

    /// Closes the oldest connection of an address that has more than `most`.
    fn close_beyond(&mut self, address: IpAddr, most: usize) {
        let numbers = self.by_address.get(&address).filter(|numbers| numbers.len() > most);
        if let Some(oldest) = numbers.and_then(|numbers| numbers.first().copied()) {
            self.close(oldest);
        }
    }
}

impl Connections {
    pub(super) fn new(Limits { connections, proxies }: Limits) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(connections));
        let spare = MAX_SPARE_PLACES.min(connections / 8);
        Arc::new(Self { places, spare, proxies, idle: Mutex::default() })
    }

    fn list(&self) -> MutexGuard<'_, IdleList> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection from this address, which is idle at first. `None` never happens while the
    /// listener is there.
    pub(super) async fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                break permit;
            }
            self.close_oldest();
            let freed = Arc::clone(&self.places).acquire_owned();
            // Those that are busy now may be idle by then.
            if let Ok(permit) = tokio::time::timeout(LOOK_AGAIN, freed).await {
                break permit.ok()?;
            }
        };
        if self.places.available_permits() < self.spare {
            self.close_oldest();
        }
        let address = address.to_canonical();
        let may_have_many = address.is_loopback() || self.proxies.trust(address);
        let place = Place {
            connections: Arc::clone(self),
            address: network(address),
            most_idle: if may_have_many { usize::MAX } else { MAX_IDLE_PER_ADDRESS },
            close: Arc::default(),
            state: Mutex::new(State { requests: 0, idle: None }),
            _permit: permit,
        };
        place.become_idle(&mut place.state());
        Some(place)
    }

    /// Closes the connection that has been idle longest, if one is.
    pub(super) fn close_oldest(&self) {
        let mut list = self.list();
        if let Some(oldest) = list.by_age.keys().next().copied() {
            list.close(oldest);
        }
    }
}

/// The place of one connection: free again when this value goes.
#[derive(Debug)]
pub(super) struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
    most_idle: usize,
    close: Arc<Notify>,
    state: Mutex<State>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct State {
    /// How many requests are being answered.
    requests: usize,
    /// Its number in the list of idle connections.
    idle: Option<u64>,
}

impl Place {
    /// Resolves when the connection must make room for another.
    pub(super) async fn closed(&self) {
        self.close.notified().await;
    }

    /// A request came: the connection is not idle until the returned value goes.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        let mut state = self.state();
        state.requests += 1;
        if let Some(number) = state.idle.take() {
            self.connections.list().remove(number);
        }
        Busy(Arc::clone(self))
    }

    fn become_idle(&self, state: &mut State) {
        let mut list = self.connections.list();
        state.idle = Some(list.add(self.address, Arc::clone(&self.close)));
        list.close_beyond(self.address, self.most_idle);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(number) = self.state().idle.take() {
            self.connections.list().remove(number);
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy(Arc<Place>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        if state.requests == 0 {
            self.0.become_idle(&mut state);
        }
    }
}

/// An extension of each request: lets its connection be closed for another while the body of a sender who has
/// proved nothing is read.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Place>);

/// A connection that may be closed for another until this value goes.
#[derive(Debug)]
pub(crate) struct Offered(Arc<Place>);

impl Room {
    pub(super) fn new(place: &Arc<Place>) -> Self {
        Self(Arc::clone(place))
    }

    /// Counts the connection as idle until the returned value goes.
    pub(crate) fn offer(&self) -> Offered {
        let mut state = self.0.state();
        if state.idle.is_none() {
            self.0.become_idle(&mut state);
        }
        Offered(Arc::clone(&self.0))
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Some(number) = state.idle.take() {
            self.0.connections.list().remove(number);
        }
    }
}

/// The body of an answer: its connection is busy until it has gone.
#[derive(Debug)]
pub(super) struct Answered {
    body: Body,
    _busy: Busy,
}

impl Answered {
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl HttpBody for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

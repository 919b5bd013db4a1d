//! Limits how many connections are open at once. When all are in use, the one that has been idle longest is closed for the
//! next, so that idle connections never keep new clients out. A connection on which an unauthenticated client sends a body
//! counts as idle, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use super::listener::ConnectionLimits;
use crate::auth::proxy::trusted::TrustedProxies;
use crate::auth::rate_limit::client_network;

/// How many idle connections one IPv4 address, or one /64 network of IPv6, may have. Loopback addresses and trusted proxies
/// have no such limit, because their connections are from many clients.
const MAX_IDLE_PER_ADDRESS: usize = 500;
/// How many slots are kept free by closing idle connections early, so that new clients need not wait.
const MAX_SPARE_SLOTS: usize = 64;
/// How soon to search again for an idle connection when all are busy.
const IDLE_SEARCH_PERIOD: Duration = Duration::from_millis(50);
/// How often to check whether the client still reads its responses.
const STALL_CHECK_PERIOD: Duration = Duration::from_secs(2);

/// All connections of one listener.
#[derive(Debug)]
pub(super) struct Connections {
    slots: Arc<Semaphore>,
    spare_slots: usize,
    proxies: TrustedProxies,
    idle: Mutex<IdleList>,
}

/// The idle connections, the oldest first.
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

    /// Closes the oldest idle connection of an address that has more than `max`.
    fn limit_address(&mut self, address: IpAddr, max: usize) {
        let numbers = self.by_address.get(&address).filter(|numbers| numbers.len() > max);
        if let Some(oldest) = numbers.and_then(|numbers| numbers.first().copied()) {
            self.close(oldest);
        }
    }
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let ConnectionLimits { max_connections, proxies } = limits;
        let slots = Arc::new(Semaphore::new(max_connections));
        let spare_slots = MAX_SPARE_SLOTS.min(max_connections / 8);
        Arc::new(Self { slots, spare_slots, proxies, idle: Mutex::default() })
    }

    fn list(&self) -> MutexGuard<'_, IdleList> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot for a new connection from this address. The connection is idle at first. Never `None` while the
    /// listener exists.
    pub(super) async fn acquire_slot(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        let permit = loop {
            if let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() {
                break permit;
            }
            self.close_oldest();
            let freed = Arc::clone(&self.slots).acquire_owned();
            // Connections that are busy now may be idle later.
            if let Ok(permit) = tokio::time::timeout(IDLE_SEARCH_PERIOD, freed).await {
                break permit.ok()?;
            }
        };
        if self.slots.available_permits() < self.spare_slots {
            self.close_oldest();
        }
        let address = address.to_canonical();
        let has_many_clients = address.is_loopback() || self.proxies.contains(address);
        let slot = ConnectionSlot {
            connections: Arc::clone(self),
            address: client_network(address),
            max_idle: if has_many_clients { usize::MAX } else { MAX_IDLE_PER_ADDRESS },
            close: Arc::default(),
            state: Mutex::new(State::new()),
            _permit: permit,
        };
        slot.become_idle(&mut slot.state());
        Some(slot)
    }

    /// Closes the connection that has been idle longest, if there is one.
    pub(super) fn close_oldest(&self) {
        let mut list = self.list();
        if let Some(oldest) = list.by_age.keys().next().copied() {
            list.close(oldest);
        }
    }
}

/// The slot of one connection. Dropping it frees the slot.
#[derive(Debug)]
pub(super) struct ConnectionSlot {
    connections: Arc<Connections>,
    address: IpAddr,
    max_idle: usize,
    close: Arc<Notify>,
    state: Mutex<State>,
    _permit: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct State {
    /// How many requests are being answered: with HTTP/2 several at a time.
    requests: usize,
    /// How many of them wait for the body of an unauthenticated client.
    anonymous: usize,
    /// Its number in the list of idle connections.
    idle: Option<u64>,
    was_used: bool,
    /// When the last request was answered, if none is being answered.
    unused_since: Option<Instant>,
    /// By the number of the response: since when its last part waits for the client to read.
    unread: BTreeMap<u64, Instant>,
    next_response: u64,
}

impl State {
    fn new() -> Self {
        Self {
            requests: 0,
            anonymous: 0,
            idle: None,
            was_used: false,
            unused_since: Some(Instant::now()),
            unread: BTreeMap::new(),
            next_response: 0,
        }
    }

    /// Whether nothing is being done for an authenticated client.
    fn is_idle(&self) -> bool {
        self.anonymous >= self.requests
    }
}

impl ConnectionSlot {
    /// Resolves when the connection must be closed to make room for another.
    pub(super) async fn close_requested(&self) {
        self.close.notified().await;
    }

    /// The connection is not idle until the guard is dropped.
    pub(super) fn begin_request(self: &Arc<Self>) -> BusyGuard {
        let mut state = self.state();
        state.requests += 1;
        state.was_used = true;
        state.unused_since = None;
        if let Some(number) = state.idle.take() {
            self.connections.list().remove(number);
        }
        BusyGuard(Arc::clone(self))
    }

    /// Whether there was a request.
    pub(super) fn was_used(&self) -> bool {
        self.state().was_used
    }

    /// Resolves when no request has been answered for this time.
    pub(super) async fn unused_for(&self, time: Duration) {
        loop {
            let since = self.state().unused_since;
            match since {
                Some(since) if since.elapsed() >= time => return,
                Some(since) => sleep_until(since + time).await,
                None => sleep(time).await,
            }
        }
    }

    /// Resolves when the client has not read a part of a response for this time.
    pub(super) async fn stalled_for(&self, time: Duration) {
        while !self.state().unread.values().any(|since| since.elapsed() >= time) {
            sleep(STALL_CHECK_PERIOD).await;
        }
    }

    fn become_idle(&self, state: &mut State) {
        let mut list = self.connections.list();
        state.idle = Some(list.add(self.address, Arc::clone(&self.close)));
        list.limit_address(self.address, self.max_idle);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        if let Some(number) = self.state().idle.take() {
            self.connections.list().remove(number);
        }
    }
}

/// Held while a request is being answered.
#[derive(Debug)]
pub(super) struct BusyGuard(Arc<ConnectionSlot>);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.requests -= 1;
        if state.requests == 0 {
            state.unused_since = Some(Instant::now());
        }
        if state.is_idle() && state.idle.is_none() {
            self.0.become_idle(&mut state);
        }
    }
}

/// An extension of each request. A handler can let the connection be closed for another client while it reads the body of an
/// unauthenticated one.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionControl(Arc<ConnectionSlot>);

/// While this is held, and nothing else is being done for the client, the connection counts as idle.
#[derive(Debug)]
pub(crate) struct IdleGuard(Arc<ConnectionSlot>);

impl ConnectionControl {
    pub(super) fn new(slot: &Arc<ConnectionSlot>) -> Self {
        Self(Arc::clone(slot))
    }

    /// Counts the request as idle until the guard is dropped.
    pub(crate) fn count_as_idle(&self) -> IdleGuard {
        let mut state = self.0.state();
        state.anonymous += 1;
        if state.is_idle() && state.idle.is_none() {
            self.0.become_idle(&mut state);
        }
        IdleGuard(Arc::clone(&self.0))
    }
}

impl Drop for IdleGuard {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.anonymous -= 1;
        if !state.is_idle()
            && let Some(number) = state.idle.take()
        {
            self.0.connections.list().remove(number);
        }
    }
}

/// A response body. Its connection is busy until the body has been sent.
#[derive(Debug)]
pub(super) struct BusyBody {
    body: Body,
    busy: BusyGuard,
    /// The number of the response, if it is noted whether the client reads it. With HTTP/1.1 a timeout of the connection is
    /// enough; with HTTP/2 a client can read one response and not another.
    number: Option<u64>,
}

impl BusyBody {
    pub(super) fn new(body: Body, busy: BusyGuard) -> Self {
        Self { body, busy, number: None }
    }

    /// Notes whether the client reads the response.
    pub(super) fn watched(body: Body, busy: BusyGuard) -> Self {
        let number = {
            let mut state = busy.0.state();
            state.next_response += 1;
            state.next_response
        };
        Self { body, busy, number: Some(number) }
    }

    /// The next part is only asked for when the client has room for more.
    fn note_unread(&self, is_unread: bool) {
        let Some(number) = self.number else { return };
        let mut state = self.busy.0.state();
        if is_unread {
            state.unread.insert(number, Instant::now());
        } else {
            state.unread.remove(&number);
        }
    }
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.note_unread(false);
        let part = Pin::new(&mut self.body).poll_frame(context);
        if matches!(part, Poll::Ready(Some(Ok(_)))) {
            self.note_unread(true);
        }
        part
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for BusyBody {
    fn drop(&mut self) {
        self.note_unread(false);
    }
}

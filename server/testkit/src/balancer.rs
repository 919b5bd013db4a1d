//! A balancer of TCP connections that can be as bad as a network is.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It arrives.
    None,
    /// It arrives later.
    Delay(Duration),
    /// Nothing arrives, and nobody says so; what was on its way arrives when the hole is closed.
    Hole,
    /// New connections are dropped.
    Drop,
}

/// Listens, and hands each connection to the next of its targets.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens.
    pub port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    targets: Mutex<Vec<u16>>,
    next: AtomicUsize,
    fault: Mutex<Fault>,
    open: Mutex<Vec<Weak<TcpStream>>>,
}

impl Balancer {
    /// One in front of these ports of this machine.
    pub fn before(targets: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            targets: Mutex::new(targets),
            next: AtomicUsize::new(0),
            fault: Mutex::new(Fault::None),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&state);
        // It ends with the process of the stories.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&accepting);
                thread::spawn(move || state.hand_on(&Arc::new(client)));
            }
        });
        Self { port, state }
    }

    /// From now on this becomes of what is sent.
    pub fn be(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
    }

    /// New connections go to these ports; the ones there are stay where they are.
    pub fn hand_new_ones_to(&self, targets: Vec<u16>) {
        *self.state.targets.lock().unwrap() = targets;
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        for stream in self.state.open.lock().unwrap().drain(..).filter_map(|open| open.upgrade()) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    /// The next target that takes a connection: one that does not is left out, as a balancer does.
    fn target(&self) -> Option<TcpStream> {
        let targets = self.targets.lock().unwrap().clone();
        (0..targets.len()).find_map(|_| {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % targets.len();
            TcpStream::connect(("127.0.0.1", targets[next])).ok()
        })
    }

    fn hand_on(self: &Arc<Self>, client: &Arc<TcpStream>) {
        if self.fault() == Fault::Drop {
            return;
        }
        let Some(target) = self.target().map(Arc::new) else { return };
        let mut open = self.open.lock().unwrap();
        open.retain(|stream| stream.strong_count() > 0);
        for stream in [client, &target] {
            let _ = stream.set_nodelay(true);
            open.push(Arc::downgrade(stream));
        }
        drop(open);
        let (state, from, to) = (Arc::clone(self), Arc::clone(client), Arc::clone(&target));
        let there = thread::spawn(move || state.copy(&from, &to));
        self.copy(&target, client);
        let _ = there.join();
    }

    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            match self.fault() {
                Fault::None | Fault::Drop => {}
                Fault::Delay(delay) => thread::sleep(delay),
                Fault::Hole => {
                    while self.fault() == Fault::Hole {
                        thread::sleep(Duration::from_millis(10));
                    }
                }
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}

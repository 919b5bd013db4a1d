//! A TCP load balancer that can simulate network faults.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

/// What happens to the bytes that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// They arrive.
    None,
    /// They arrive later.
    Delay(Duration),
    /// Nothing arrives and no connection is closed; the bytes arrive once the fault ends.
    Blackhole,
    /// New connections are dropped.
    Drop,
}

/// Forwards each connection to the next of its targets.
#[derive(Debug)]
pub struct Balancer {
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
    /// Starts one in front of these ports of this machine.
    pub fn start(targets: Vec<u16>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            targets: Mutex::new(targets),
            next: AtomicUsize::new(0),
            fault: Mutex::new(Fault::None),
            open: Mutex::default(),
        });
        let accepting = Arc::clone(&state);
        // The thread ends with the tests' process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&accepting);
                thread::spawn(move || state.forward(&Arc::new(client)));
            }
        });
        Self { port, state }
    }

    pub fn set_fault(&self, fault: Fault) {
        *self.state.fault.lock().unwrap() = fault;
    }

    /// Forwards new connections to these ports; open ones stay where they are.
    pub fn set_targets(&self, targets: Vec<u16>) {
        *self.state.targets.lock().unwrap() = targets;
    }

    pub fn cut_connections(&self) {
        for stream in self.state.open.lock().unwrap().drain(..).filter_map(|open| open.upgrade()) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    /// Connects to the next target that accepts; targets that do not are skipped.
    fn connect_to_target(&self) -> Option<TcpStream> {
        let targets = self.targets.lock().unwrap().clone();
        (0..targets.len()).find_map(|_| {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % targets.len();
            TcpStream::connect(("127.0.0.1", targets[next])).ok()
        })
    }

    fn forward(self: &Arc<Self>, client: &Arc<TcpStream>) {
        if self.fault() == Fault::Drop {
            return;
        }
        let Some(target) = self.connect_to_target().map(Arc::new) else { return };
        let mut open = self.open.lock().unwrap();
        open.retain(|stream| stream.strong_count() > 0);
        for stream in [client, &target] {
            let _ = stream.set_nodelay(true);
            open.push(Arc::downgrade(stream));
        }
        drop(open);
        let (state, from, to) = (Arc::clone(self), Arc::clone(client), Arc::clone(&target));
        let upstream = thread::spawn(move || state.copy(&from, &to));
        self.copy(&target, client);
        let _ = upstream.join();
    }

    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream) {
        let mut buffer = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            match self.fault() {
                Fault::None | Fault::Drop => {}
                Fault::Delay(delay) => thread::sleep(delay),
                Fault::Blackhole => {
                    while self.fault() == Fault::Blackhole {
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

//! How `serve` and `demo` listen, announce their address, and learn that they should stop.

use std::io::Write as _;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::Failure;
use crate::net::listener::{self, Listener};

pub(super) fn require_loopback(address: SocketAddr) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(format!(
        "refusing to listen on {address}: with --auth none nobody signs in, so everybody who reaches this address could change the cluster's settings; listen on 127.0.0.1 or [::1], or use --auth password"
    )
    .into())
}

pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    Ok(listener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?)
}

/// Prints the address of the page. Connections are accepted from then on.
pub(super) fn announce(listener: &Listener, base: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "Cluster Overview at {}/", address(listener, base)?)?;
    out.flush()
}

/// The address of the page without its last slash.
pub(super) fn address(listener: &Listener, base: &str) -> std::io::Result<String> {
    let scheme = if listener.tls.is_some() { "https" } else { "http" };
    Ok(format!("{scheme}://{}{base}", listener.socket.local_addr()?))
}

/// Resolves when the process gets SIGTERM, or SIGINT from a terminal. Listens for both from the call on.
pub(super) fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

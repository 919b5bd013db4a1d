//! Requests as raw bytes, for what an HTTP client would not send.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects, with timeouts for reading and writing.
pub fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
    stream.set_write_timeout(Some(IDLE_TIMEOUT))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends a request and reads until the connection is closed.
pub fn exchange(address: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(address)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

//! The connection to an SMTP server, guarded against what the server answers.

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// All answers of the server together.
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// A connection that ends when the server answers without end.
#[derive(Debug)]
pub(super) struct BoundedStream<S> {
    stream: S,
    peer: SocketAddr,
    left: usize,
    /// Before STARTTLS. Otherwise text that somebody on the way adds to an answer would be read in advance, and then be taken
    /// for an answer that came encrypted.
    by_byte: bool,
}

impl<S> BoundedStream<S> {
    /// `by_byte`: before STARTTLS.
    pub(super) fn new(stream: S, peer: SocketAddr, by_byte: bool) -> Self {
        Self { stream, peer, left: MAX_ANSWER_BYTES, by_byte }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for BoundedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.by_byte && buffer.remaining() > 0 {
            let mut byte = [0];
            let mut one = ReadBuf::new(&mut byte);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut one))?;
            buffer.put_slice(one.filled());
        } else {
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        }
        let read = buffer.filled().len() - before;
        let Some(left) = self.left.checked_sub(read) else {
            let why = format!("it answered more than {} kB", MAX_ANSWER_BYTES >> 10);
            return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, why)));
        };
        self.left = left;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for BoundedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug> AsyncTokioStream
    for BoundedStream<S>
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

//! The messenger's protocol: greeting, handshake, encrypted messages.
//!
//! The web server dials. Both sides begin with the greeting, [`MAGIC`] and [`VERSION`]. After that come frames: a length
//! of two bytes, big-endian, and as many bytes, at most [`MAX_FRAME_BYTES`].
//!
//! 1. dialer: greeting, frame with the first message of `Noise_NNpsk0_25519_ChaChaPoly_SHA256`, whose
//!    prologue is the greeting;
//! 2. listener: greeting, one byte of [`Reply`], and after [`Reply::Welcome`] a frame with the second
//!    message;
//! 3. both: encrypted frames, each a JSON object with a `type`, see [`Message`]. Unknown types are ignored.
//!
//! The key is [`shared_key`]. A listener sends nothing before the dialer's greeting.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hkdf::Hkdf;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;
use snow::{Builder, HandshakeState, TransportState};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::agent::host::Process;
use crate::auth::secret::SecretHash;

pub const MAGIC: [u8; 6] = *b"COMSGR";
/// The version of the protocol after the greeting.
pub const VERSION: u8 = 1;
/// [`MAGIC`] and [`VERSION`].
pub const GREETING: [u8; 7] = *b"COMSGR\x01";
/// Without the two bytes of the length.
pub const MAX_FRAME_BYTES: usize = 4 << 10;
/// For the connection, for the handshake and for sending one frame. An admin who asks for a reconnect waits for the
/// first two.
pub const IO_TIMEOUT: Duration = Duration::from_secs(4);
/// How often a service sends that it is alive.
pub const SERVICE_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// A service that has sent nothing for this time is gone.
pub const MAX_SERVICE_SILENCE: Duration = Duration::from_secs(12);
/// How often a web server sends that it is alive. Less often than a service: nobody waits for it.
pub const WEB_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// A web server that has sent nothing for this time is gone.
pub const MAX_WEB_SILENCE: Duration = Duration::from_secs(25);

const NOISE_PROTOCOL: &str = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";
/// How much the authentication adds to a message.
const AUTH_TAG_BYTES: usize = 16;
const KEY_INFO_PREFIX: &str = "cluster-overview/messenger/v1/";

/// The key that a web server and a service share: 32 bytes of HKDF-SHA256. The input is the hash of the service's token
/// or credential; the info ends with the server's name in lower case.
pub fn shared_key(secret: &SecretHash, server: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let info = [KEY_INFO_PREFIX.as_bytes(), server.to_ascii_lowercase().as_bytes()].concat();
    // It only fails for keys of more than 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(None, secret.as_bytes()).expand(&info, &mut key);
    key
}

/// A listener's answer to the greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reply {
    /// The handshake continues.
    Welcome = 0,
    /// The service has no secret that matches the dialer's key.
    WrongKey = 1,
    /// The listener has another version, which its greeting names.
    OtherVersion = 2,
}

/// A message after the handshake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// A heartbeat, which the service also sends over HTTP.
    Beat {
        /// The same object as in `POST /api/v1/heartbeats`.
        heartbeat: Value,
    },
    /// The sender is alive.
    Alive {
        /// The service's process.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<Process>,
    },
    /// A type of a later version.
    #[serde(other)]
    Unknown,
}

/// Why there is no connection, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// Also if it has sent nothing for too long.
    #[error("the other side closed the connection, or no longer answers")]
    Gone,
    #[error("no answer within {} s", IO_TIMEOUT.as_secs())]
    TimedOut,
    #[error("another program listens there, not a messenger")]
    NotAMessenger,
    #[error("the other side has version {0} of the messenger, this one version {VERSION}")]
    Version(u8),
    #[error("the two sides have no key in common")]
    WrongKey,
    #[error("protocol error: {0}")]
    Protocol(&'static str),
}

impl From<snow::Error> for WireError {
    fn from(_: snow::Error) -> Self {
        Self::Protocol("a message that does not decrypt")
    }
}

/// One side of a connection.
pub trait Peer: Send {
    /// The connection ends if the other side sends nothing for this time.
    const MAX_SILENCE: Duration;
    /// Waits for the next message to send. Cancel safe.
    fn next_message(&mut self) -> impl Future<Output = Message> + Send;
    /// Handles a message of the other side.
    fn handle(&mut self, message: Message) -> impl Future<Output = ()> + Send;
}

/// A connection after the handshake.
#[derive(Debug)]
pub struct Channel<S> {
    frames: Framed<S, LengthDelimitedCodec>,
    noise: Box<TransportState>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    /// The dialer's side of the handshake.
    pub async fn dial(stream: S, key: &[u8; 32]) -> Result<Self, WireError> {
        with_timeout(Self::initiate(stream, key)).await
    }

    /// The listener's side of the handshake. One of the keys has to be the dialer's.
    pub async fn answer(stream: S, keys: &[[u8; 32]]) -> Result<Self, WireError> {
        with_timeout(Self::respond(stream, keys)).await
    }

    async fn initiate(mut stream: S, key: &[u8; 32]) -> Result<Self, WireError> {
        let mut noise = builder()?.psk(0, key)?.build_initiator()?;
        let mut hello = [0; 128];
        let length = noise.write_message(&[], &mut hello)?;
        let hello = Bytes::copy_from_slice(hello.get(..length).unwrap_or_default());
        let mut magic = [0; MAGIC.len()];
        let greeted = async {
            stream.write_all(&GREETING).await?;
            let mut frames = framed(stream);
            frames.send(hello).await?;
            frames.get_mut().read_exact(&mut magic).await?;
            Ok::<_, io::Error>(frames)
        };
        // A messenger does not close the connection before its greeting.
        let mut frames = greeted.await.map_err(|_| WireError::NotAMessenger)?;
        let stream = frames.get_mut();
        if magic != MAGIC {
            return Err(WireError::NotAMessenger);
        }
        let version = stream.read_u8().await?;
        match stream.read_u8().await? {
            reply if reply == Reply::OtherVersion as u8 || version != VERSION => {
                return Err(WireError::Version(version));
            }
            reply if reply == Reply::WrongKey as u8 => return Err(WireError::WrongKey),
            reply if reply == Reply::Welcome as u8 => {}
            _ => return Err(WireError::Protocol("an unknown reply to the greeting")),
        }
        let answer = next(&mut frames).await?;
        noise.read_message(&answer, &mut [0; 128])?;
        Self::from_handshake(frames, noise)
    }

    async fn respond(mut stream: S, keys: &[[u8; 32]]) -> Result<Self, WireError> {
        let mut magic = [0; MAGIC.len()];
        stream.read_exact(&mut magic).await?;
        if magic != MAGIC {
            return Err(WireError::NotAMessenger);
        }
        let version = stream.read_u8().await?;
        if version != VERSION {
            reply(&mut stream, Reply::OtherVersion).await?;
            return Err(WireError::Version(version));
        }
        let mut frames = framed(stream);
        let hello = next(&mut frames).await?;
        let fits = |key: &[u8; 32]| {
            let mut noise = builder().ok()?.psk(0, key).ok()?.build_responder().ok()?;
            noise.read_message(&hello, &mut [0; 128]).ok()?;
            Some(noise)
        };
        let Some(mut noise) = keys.iter().find_map(fits) else {
            reply(frames.get_mut(), Reply::WrongKey).await?;
            return Err(WireError::WrongKey);
        };
        reply(frames.get_mut(), Reply::Welcome).await?;
        let mut answer = [0; 128];
        let length = noise.write_message(&[], &mut answer)?;
        let answer = answer.get(..length).unwrap_or_default();
        frames.send(Bytes::copy_from_slice(answer)).await?;
        Self::from_handshake(frames, noise)
    }

    fn from_handshake(
        frames: Framed<S, LengthDelimitedCodec>,
        noise: HandshakeState,
    ) -> Result<Self, WireError> {
        Ok(Self { frames, noise: Box::new(noise.into_transport_mode()?) })
    }

    pub async fn send(&mut self, message: &Message) -> Result<(), WireError> {
        let text = serde_json::to_vec(message)
            .map_err(|_| WireError::Protocol("a message that cannot be written as JSON"))?;
        if text.len() + AUTH_TAG_BYTES > MAX_FRAME_BYTES {
            return Err(WireError::Protocol("a message that is too long"));
        }
        let mut frame = BytesMut::zeroed(text.len() + AUTH_TAG_BYTES);
        self.noise.write_message(&text, &mut frame)?;
        tokio::time::timeout(IO_TIMEOUT, self.frames.send(frame.freeze()))
            .await
            .map_err(|_| WireError::TimedOut)??;
        Ok(())
    }

    /// Exchanges messages until the connection ends. Returns why it ended.
    pub async fn run<T: Peer>(mut self, mut peer: T) -> WireError {
        let mut silence = std::pin::pin!(tokio::time::sleep(T::MAX_SILENCE));
        loop {
            let done = tokio::select! {
                message = peer.next_message() => self.send(&message).await,
                message = self.receive() => match message {
                    Ok(message) => {
                        silence.set(tokio::time::sleep(T::MAX_SILENCE));
                        peer.handle(message).await;
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                () = &mut silence => Err(WireError::Gone),
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    /// The next message. Cancel safe.
    pub async fn receive(&mut self) -> Result<Message, WireError> {
        let frame = next(&mut self.frames).await?;
        let mut text = vec![0; frame.len()];
        let length = self.noise.read_message(&frame, &mut text)?;
        serde_json::from_slice(text.get(..length).unwrap_or_default())
            .map_err(|_| WireError::Protocol("a message that is not a JSON object with a type"))
    }
}

fn builder() -> Result<Builder<'static>, snow::Error> {
    Builder::new(NOISE_PROTOCOL.parse()?).prologue(&GREETING)
}

fn framed<S: AsyncRead + AsyncWrite>(stream: S) -> Framed<S, LengthDelimitedCodec> {
    LengthDelimitedCodec::builder()
        .length_field_length(2)
        .max_frame_length(MAX_FRAME_BYTES)
        .new_framed(stream)
}

async fn reply<S: AsyncWrite + Unpin>(stream: &mut S, reply: Reply) -> io::Result<()> {
    stream.write_all(&[&GREETING[..], &[reply as u8]].concat()).await?;
    stream.flush().await
}

async fn next<S: AsyncRead + Unpin>(
    frames: &mut Framed<S, LengthDelimitedCodec>,
) -> Result<BytesMut, WireError> {
    match frames.next().await {
        None => Err(WireError::Gone),
        Some(Ok(frame)) => Ok(frame),
        Some(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            Err(WireError::Protocol("a frame that is too long"))
        }
        Some(Err(error)) => Err(error.into()),
    }
}

async fn with_timeout<T>(
    handshake: impl Future<Output = Result<T, WireError>>,
) -> Result<T, WireError> {
    tokio::time::timeout(IO_TIMEOUT, handshake).await.unwrap_or(Err(WireError::TimedOut))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    type Ends =
        (Result<Channel<DuplexStream>, WireError>, Result<Channel<DuplexStream>, WireError>);

    async fn meet(dials: [u8; 32], listens: &[[u8; 32]]) -> Ends {
        let (near, far) = duplex(64 << 10);
        tokio::join!(Channel::dial(near, &dials), Channel::answer(far, listens))
    }

    /// The dialer's error after this answer.
    async fn dialling(answer: &[u8]) -> WireError {
        let (near, mut far) = duplex(64 << 10);
        far.write_all(answer).await.unwrap();
        let dialled = Channel::dial(near, &[7; 32]);
        let (dialled, ()) = tokio::join!(dialled, async move { far.shutdown().await.unwrap() });
        dialled.err().unwrap()
    }

    #[test]
    fn the_shared_key_is_derived_from_the_secrets_hash_and_the_name_in_lower_case() {
        // HKDF-SHA256 without salt, of SHA-256("tok-tok-tok"),
        // for "cluster-overview/messenger/v1/web-1".
        let expected = "2f2b840e1548f85387f25785f977d48489bcf5bed06ce1952205ffc0f92431b4";
        let key = shared_key(&SecretHash::new("tok-tok-tok"), "WEB-1");
        assert_eq!(key, *SecretHash::from_hex(expected).unwrap().as_bytes());
    }

    #[tokio::test]
    async fn two_sides_with_a_key_in_common_exchange_messages_also_with_the_former_key() {
        for listens in [vec![[7; 32]], vec![[8; 32], [7; 32]]] {
            let (near, far) = meet([7; 32], &listens).await;
            let (mut near, mut far) = (near.unwrap(), far.unwrap());
            let beat = Message::Beat { heartbeat: serde_json::json!({"server": "a"}) };
            near.send(&Message::Alive { process: None }).await.unwrap();
            far.send(&beat).await.unwrap();
            assert_eq!(far.receive().await.unwrap(), Message::Alive { process: None });
            assert_eq!(near.receive().await.unwrap(), beat);
            drop(far);
            assert!(matches!(near.receive().await, Err(WireError::Gone)));
        }
    }

    #[tokio::test]
    async fn a_dialer_without_the_key_learns_only_that() {
        let (near, far) = meet([7; 32], &[[8; 32]]).await;
        assert!(matches!(near, Err(WireError::WrongKey)));
        assert!(matches!(far, Err(WireError::WrongKey)));
        let (near, _) = meet([7; 32], &[]).await;
        assert!(matches!(near, Err(WireError::WrongKey)));
    }

    #[tokio::test]
    async fn another_program_another_version_and_a_broken_handshake_are_different_errors() {
        assert!(matches!(dialling(b"").await, WireError::NotAMessenger));
        assert!(matches!(dialling(b"HTTP/1.1 400 Bad Request").await, WireError::NotAMessenger));
        assert!(matches!(dialling(b"COMSGR\x02\x02").await, WireError::Version(2)));
        assert!(matches!(dialling(b"COMSGR\x01\x09").await, WireError::Protocol(_)));
        assert!(matches!(dialling(b"COMSGR\x01\x00").await, WireError::Gone));
        assert!(matches!(dialling(b"COMSGR\x01\x00\xff\xff").await, WireError::Protocol(_)));
        assert!(matches!(dialling(b"COMSGR\x01\x00\x00\x02ab").await, WireError::Protocol(_)));
    }

    #[tokio::test]
    async fn a_message_that_is_too_long_for_a_frame_is_not_sent() {
        let (near, _far) = meet([7; 32], &[[7; 32]]).await;
        let long = Message::Beat { heartbeat: Value::String("x".repeat(MAX_FRAME_BYTES)) };
        assert!(matches!(near.unwrap().send(&long).await, Err(WireError::Protocol(_))));
    }

    #[tokio::test]
    async fn an_unknown_type_is_ignored_and_an_invalid_message_is_an_error() {
        let known: Message = serde_json::from_str(r#"{"type":"weather","sun":true}"#).unwrap();
        assert_eq!(known, Message::Unknown);
        assert!(serde_json::from_str::<Message>("[]").is_err());
    }
}

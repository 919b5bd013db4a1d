//! What web server and service say to each other: greeting, handshake, frames.
//!
//! The web server dials. Both sides begin with the greeting [`MAGIC`] and [`VERSION`]; then frames of a
//! length (two bytes, big-endian) and so many bytes, at most [`LARGEST_FRAME`]:
//!
//! 1. dialer: greeting, frame with the first message of `Noise_NNpsk0_25519_ChaChaPoly_SHA256`, whose
//!    prologue is the greeting;
//! 2. listener: greeting, one byte of [`Reply`], and after [`Reply::Welcome`] a frame with the second
//!    message;
//! 3. both: encrypted frames, each a JSON object with `type`: see [`Message`]. A type that one does not
//!    know is passed over.
//!
//! The key is [`shared_key`]. A listener that is not greeted says nothing.

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
use crate::auth::secret::Hash;

/// What both sides begin with, before the version.
pub const MAGIC: [u8; 6] = *b"COMSGR";
/// The version of all that follows.
pub const VERSION: u8 = 1;
/// Both, as they are sent.
pub const GREETING: [u8; 7] = *b"COMSGR\x01";
/// How long one frame may be, its two bytes of length left out.
pub const LARGEST_FRAME: usize = 4 << 10;
/// How long a connection, the handshake, or the sending of one frame may take: a person who waits for
/// both of the former is answered in time.
pub const PATIENCE: Duration = Duration::from_secs(4);
/// How often a service says that it lives, and how its process is.
pub const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// A service that said nothing for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(12);
/// How often a web server says that it lives. It is not waited for: a service only wants to be rid of one
/// that is gone.
pub const WEB_SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// A web server that said nothing for so long is gone.
pub const WEB_SILENCE: Duration = Duration::from_secs(25);

const NOISE: &str = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";
/// What the authentication of a message adds to it.
const TAG: usize = 16;
const INFO: &str = "cluster-overview/messenger/v1/";

/// The key that a web server and a service share: 32 bytes by HKDF-SHA256 of the hash of the token or
/// credential that the service bears, for the server's name in lower case.
pub fn shared_key(bears: &Hash, server: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let info = [INFO.as_bytes(), server.to_ascii_lowercase().as_bytes()].concat();
    // It fails only for keys of more than 8,160 bytes.
    let _ = Hkdf::<Sha256>::new(None, bears.bytes()).expand(&info, &mut key);
    key
}

/// What a listener answers to a greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reply {
    /// The handshake goes on.
    Welcome = 0,
    /// It bears nothing that fits the dialer's key.
    WrongKey = 1,
    /// It speaks another version: the one it greets with.
    OtherVersion = 2,
}

/// What is said once both know each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// A heartbeat, as the service also posts it.
    Beat {
        /// The same object as in `POST /api/v1/heartbeats`.
        heartbeat: Value,
    },
    /// One is still there.
    Alive {
        /// How the service's process is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<Process>,
    },
    /// Something of a later version.
    #[serde(other)]
    Unknown,
}

/// Why two sides do not, or no longer, speak.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The other side closed it, or has not been heard.
    #[error("the other side is gone")]
    Gone,
    /// Nothing was said in time.
    #[error("no answer in time")]
    TimedOut,
    /// It does not greet as a messenger does.
    #[error("something else than a messenger")]
    NotAMessenger,
    /// It speaks another version.
    #[error("version {0} of the messenger, where this one speaks {VERSION}")]
    Version(u8),
    /// The two sides share no key.
    #[error("the two sides share no key")]
    WrongKey,
    /// What it says cannot be read.
    #[error("broke the protocol: {0}")]
    Protocol(&'static str),
}

impl From<snow::Error> for WireError {
    fn from(_: snow::Error) -> Self {
        Self::Protocol("a message that does not decrypt")
    }
}

/// One of the two who talk.
pub trait Peer: Send {
    /// How long it waits for a word of the other.
    const PATIENCE: Duration;
    /// Waits until there is something to say. What is given up waiting for is not lost.
    fn say(&mut self) -> impl Future<Output = Message> + Send;
    /// Hears what the other says.
    fn hear(&mut self, message: Message) -> impl Future<Output = ()> + Send;
}

/// A connection whose two sides know each other.
#[derive(Debug)]
pub struct Channel<S> {
    frames: Framed<S, LengthDelimitedCodec>,
    noise: Box<TransportState>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    /// Greets whoever listens at the other end, with this key.
    pub async fn dial(stream: S, key: &[u8; 32]) -> Result<Self, WireError> {
        in_time(Self::greet(stream, key)).await
    }

    /// Answers whoever dialled, if one of these keys is the dialer's.
    pub async fn answer(stream: S, keys: &[[u8; 32]]) -> Result<Self, WireError> {
        in_time(Self::be_greeted(stream, keys)).await
    }

    async fn greet(mut stream: S, key: &[u8; 32]) -> Result<Self, WireError> {
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
        // Whoever closes or breaks the connection before it has said anything is none.
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
            _ => return Err(WireError::Protocol("a reply of no meaning")),
        }
        let answer = next(&mut frames).await?;
        noise.read_message(&answer, &mut [0; 128])?;
        Self::of(frames, noise)
    }

    async fn be_greeted(mut stream: S, keys: &[[u8; 32]]) -> Result<Self, WireError> {
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
        Self::of(frames, noise)
    }

    fn of(
        frames: Framed<S, LengthDelimitedCodec>,
        noise: HandshakeState,
    ) -> Result<Self, WireError> {
        Ok(Self { frames, noise: Box::new(noise.into_transport_mode()?) })
    }

    /// Says something.
    pub async fn send(&mut self, message: &Message) -> Result<(), WireError> {
        let text = serde_json::to_vec(message)
            .map_err(|_| WireError::Protocol("a message that cannot be written"))?;
        if text.len() + TAG > LARGEST_FRAME {
            return Err(WireError::Protocol("a message that is too long"));
        }
        let mut frame = BytesMut::zeroed(text.len() + TAG);
        self.noise.write_message(&text, &mut frame)?;
        tokio::time::timeout(PATIENCE, self.frames.send(frame.freeze()))
            .await
            .map_err(|_| WireError::TimedOut)??;
        Ok(())
    }

    /// Talks for as long as both sides live. Whatever ends it is the answer.
    pub async fn talk<T: Peer>(mut self, mut side: T) -> WireError {
        let mut silence = std::pin::pin!(tokio::time::sleep(T::PATIENCE));
        loop {
            let done = tokio::select! {
                message = side.say() => self.send(&message).await,
                message = self.receive() => match message {
                    Ok(message) => {
                        silence.set(tokio::time::sleep(T::PATIENCE));
                        side.hear(message).await;
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

    /// The next that is said. What is given up waiting for is not lost.
    pub async fn receive(&mut self) -> Result<Message, WireError> {
        let frame = next(&mut self.frames).await?;
        let mut text = vec![0; frame.len()];
        let length = self.noise.read_message(&frame, &mut text)?;
        serde_json::from_slice(text.get(..length).unwrap_or_default())
            .map_err(|_| WireError::Protocol("a message that is no JSON object with a type"))
    }
}

fn builder() -> Result<Builder<'static>, snow::Error> {
    Builder::new(NOISE.parse()?).prologue(&GREETING)
}

fn framed<S: AsyncRead + AsyncWrite>(stream: S) -> Framed<S, LengthDelimitedCodec> {
    LengthDelimitedCodec::builder()
        .length_field_length(2)
        .max_frame_length(LARGEST_FRAME)
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

async fn in_time<T>(what: impl Future<Output = Result<T, WireError>>) -> Result<T, WireError> {
    tokio::time::timeout(PATIENCE, what).await.unwrap_or(Err(WireError::TimedOut))
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

    /// What a dialer makes of an answer.
    async fn dialling(answer: &[u8]) -> WireError {
        let (near, mut far) = duplex(64 << 10);
        far.write_all(answer).await.unwrap();
        let dialled = Channel::dial(near, &[7; 32]);
        let (dialled, ()) = tokio::join!(dialled, async move { far.shutdown().await.unwrap() });
        dialled.err().unwrap()
    }

    #[test]
    fn the_shared_key_is_made_of_the_secrets_hash_and_the_name_in_lower_case() {
        // HKDF-SHA256 without salt, of SHA-256("tok-tok-tok"),
        // for "cluster-overview/messenger/v1/web-1".
        let expected = "2f2b840e1548f85387f25785f977d48489bcf5bed06ce1952205ffc0f92431b4";
        let key = shared_key(&Hash::of("tok-tok-tok"), "WEB-1");
        assert_eq!(key, *Hash::from_hex(expected).unwrap().bytes());
    }

    #[tokio::test]
    async fn two_who_share_a_key_understand_each_other_also_by_the_former_one() {
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
    async fn whoever_has_another_key_or_none_learns_only_that() {
        let (near, far) = meet([7; 32], &[[8; 32]]).await;
        assert!(matches!(near, Err(WireError::WrongKey)));
        assert!(matches!(far, Err(WireError::WrongKey)));
        let (near, _) = meet([7; 32], &[]).await;
        assert!(matches!(near, Err(WireError::WrongKey)));
    }

    #[tokio::test]
    async fn what_is_no_messenger_or_another_version_or_breaks_off_is_told_apart() {
        assert!(matches!(dialling(b"").await, WireError::NotAMessenger));
        assert!(matches!(dialling(b"HTTP/1.1 400 Bad Request").await, WireError::NotAMessenger));
        assert!(matches!(dialling(b"COMSGR\x02\x02").await, WireError::Version(2)));
        assert!(matches!(dialling(b"COMSGR\x01\x09").await, WireError::Protocol(_)));
        assert!(matches!(dialling(b"COMSGR\x01\x00").await, WireError::Gone));
        assert!(matches!(dialling(b"COMSGR\x01\x00\xff\xff").await, WireError::Protocol(_)));
        assert!(matches!(dialling(b"COMSGR\x01\x00\x00\x02ab").await, WireError::Protocol(_)));
    }

    #[tokio::test]
    async fn a_message_that_does_not_fit_a_frame_is_not_sent() {
        let (near, _far) = meet([7; 32], &[[7; 32]]).await;
        let long = Message::Beat { heartbeat: Value::String("x".repeat(LARGEST_FRAME)) };
        assert!(matches!(near.unwrap().send(&long).await, Err(WireError::Protocol(_))));
    }

    #[tokio::test]
    async fn a_type_that_is_not_known_is_passed_over_and_what_is_no_message_is_not() {
        let known: Message = serde_json::from_str(r#"{"type":"weather","sun":true}"#).unwrap();
        assert_eq!(known, Message::Unknown);
        assert!(serde_json::from_str::<Message>("[]").is_err());
    }
}

//! No input on the messenger's wire causes a panic or a hang: neither what is in `corpus`, nor, for
//! some seconds, random changes of it.
//!
//! Input that once caused a failure is added to the corpus as a file.

#![allow(clippy::unwrap_used, reason = "what fails in a helper fails the story")]
#![allow(clippy::disallowed_methods, reason = "the stories go on for a while")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use arbtest::arbitrary::{self, Unstructured};
use cluster_overview::messenger::wire::{Channel, GREETING, MAX_FRAME_BYTES, WireError};
use snow::Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Runtime;

/// The key that both sides have; the greetings in the corpus are made with it.
const KEY: [u8; 32] = [7; 32];
/// How long each receiver is tested.
const ANNOYED: Duration = Duration::from_secs(4);
/// The least number of inputs, and how long a slow machine may take for them.
const MIN_TRIALS: u32 = 100;
const TRIALS_WITHIN: Duration = Duration::from_mins(2);

/// Who receives the input.
#[derive(Clone, Copy, Debug)]
enum Ear {
    /// A service that listens, before authentication.
    Listener,
    /// A web server that dials, before authentication.
    Dialer,
    /// A web server whose peer is authenticated.
    Friend,
}

/// The corpus of a receiver.
fn corpus(ear: Ear) -> Vec<Vec<u8>> {
    let folder = match ear {
        Ear::Listener => "dialer",
        Ear::Dialer => "listener",
        Ear::Friend => "talk",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/corpus").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Sends this and closes the connection. Returns the error with which the receiver ended.
async fn say(ear: Ear, what: &[u8]) -> WireError {
    let (near, mut far) = duplex(64 << 10);
    let hears = async {
        let channel = match ear {
            Ear::Listener => Channel::answer(near, &[[8; 32], KEY]).await,
            Ear::Dialer | Ear::Friend => Channel::dial(near, &KEY).await,
        };
        let mut channel = match channel {
            Ok(channel) => channel,
            Err(error) => return error,
        };
        loop {
            if let Err(error) = channel.receive().await {
                return error;
            }
        }
    };
    let says = async {
        match ear {
            Ear::Listener | Ear::Dialer => {
                // The receiver may have closed the connection already.
                let _ = far.write_all(what).await;
            }
            Ear::Friend => befriend(&mut far, what).await,
        }
        let _ = far.shutdown().await;
        let _ = far.read_to_end(&mut Vec::new()).await;
    };
    tokio::join!(hears, says).0
}

/// Answers as an authenticated listener, and sends each line as a message.
async fn befriend(stream: &mut DuplexStream, lines: &[u8]) {
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting).await.unwrap();
    let mut hello = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut hello).await.unwrap();
    let pattern = "Noise_NNpsk0_25519_ChaChaPoly_SHA256".parse().unwrap();
    let builder = Builder::new(pattern).prologue(&GREETING).unwrap().psk(0, &KEY).unwrap();
    let mut noise = builder.build_responder().unwrap();
    let mut buffer = vec![0; 65_535];
    noise.read_message(&hello, &mut buffer).unwrap();
    let length = noise.write_message(&[], &mut buffer).unwrap();
    let mut sent = [&GREETING[..], &[0]].concat();
    frame(&mut sent, &buffer[..length]);
    let mut noise = noise.into_transport_mode().unwrap();
    for line in lines.split(|byte| *byte == b'\n') {
        let line = &line[..line.len().min(MAX_FRAME_BYTES * 2)];
        let length = noise.write_message(line, &mut buffer).unwrap();
        frame(&mut sent, &buffer[..length]);
    }
    let _ = stream.write_all(&sent).await;
}

fn frame(sent: &mut Vec<u8>, message: &[u8]) {
    sent.extend(u16::try_from(message.len()).unwrap().to_be_bytes());
    sent.extend(message);
}

/// Randomly changed input from the corpus.
fn like(kept: &[Vec<u8>], u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let mut bytes = u.choose(kept)?.clone();
    for _ in 0..u.int_in_range(0..=6)? {
        let from = u.int_in_range(0..=bytes.len())?;
        let to = u.int_in_range(from..=bytes.len())?;
        let other = match u.int_in_range(0..=4)? {
            0 => Vec::new(),
            1 => u.arbitrary()?,
            2 => u.choose(kept)?.clone(),
            3 => bytes[from..to].repeat(u.int_in_range(1..=300)?),
            _ => bytes[from..to].iter().map(|byte| byte ^ 0x80).collect(),
        };
        bytes.splice(from..to, other);
        bytes.truncate(32 << 10);
    }
    Ok(bytes)
}

/// Sends the corpus and random changes of it to one receiver.
fn nobody_falls(ear: Ear) {
    let runtime = Runtime::new().unwrap();
    let kept = corpus(ear);
    for bytes in &kept {
        let _: WireError = runtime.block_on(say(ear, bytes));
    }
    let (mut said, since) = (0, Instant::now());
    // A busy machine needs more time for the same number.
    while said <= MIN_TRIALS {
        assert!(since.elapsed() < TRIALS_WITHIN, "only {said} trials in {:?}", since.elapsed());
        arbtest::arbtest(|u| {
            let bytes = like(&kept, u)?;
            let _: WireError = runtime.block_on(say(ear, &bytes));
            said += 1;
            Ok(())
        })
        .size_min(64)
        .size_max(4 << 10)
        .budget(ANNOYED);
    }
}

#[test]
fn a_listener_survives_any_input_from_a_dialer() {
    nobody_falls(Ear::Listener);
}

#[test]
fn a_dialer_survives_any_input_from_a_listener() {
    nobody_falls(Ear::Dialer);
}

#[test]
fn a_web_server_survives_any_messages_of_an_authenticated_service() {
    nobody_falls(Ear::Friend);
}

#[test]
fn the_corpus_still_reaches_the_code_that_it_was_kept_for() {
    let runtime = Runtime::new().unwrap();
    let ends = |ear| {
        let kept = corpus(ear).into_iter();
        kept.map(|bytes| runtime.block_on(say(ear, &bytes)).to_string()).collect::<Vec<_>>()
    };
    let (broke, gone) = ("protocol error", "the other side closed the connection");
    for (ear, wanted) in [
        (Ear::Listener, ["no key in common", gone, broke, "version 2"].as_slice()),
        (Ear::Dialer, &["no key in common", "another program", broke, "version 2"]),
        (Ear::Friend, &[gone, broke]),
    ] {
        let ends = ends(ear);
        for wanted in wanted {
            assert!(ends.iter().any(|end| end.contains(wanted)), "{ear:?}: {wanted} in {ends:?}");
        }
    }
}

//! How does the server write what its page reads? Field after field without names, in a third of the code and of the time that
//! JSON takes.
//!
//! A value is written by `postcard`, and its bytes as text, which a document and an event of the stream can hold: printable
//! ASCII stands for itself, so that texts are compressed as well as ever, and any other byte is the character 256 places
//! after it.

use leptos::server_fn::codec::Post;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Begins every text, so that a page notices if another build wrote it. Raise it when a type that travels changes:
/// `tests/packed.rs` tells when.
pub const FORMAT: u8 = 3;

/// The text of a value.
pub fn pack<T: Serialize>(value: &T) -> Result<String, postcard::Error> {
    let bytes = postcard::to_allocvec(&(FORMAT, value))?;
    Ok(bytes.into_iter().map(to_char).collect())
}

/// Why a text has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Another build of the overview wrote it.
    OtherFormat,
    /// No overview wrote it.
    Foreign,
}

/// The value of a text.
pub fn unpack<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    let first = text.chars().next().ok_or(Unreadable::Foreign)?;
    let bytes: Vec<u8> = text.chars().map(from_char).collect();
    match bytes.split_first() {
        Some((&FORMAT, value)) => postcard::from_bytes(value).map_err(|_| Unreadable::Foreign),
        // Formats have small numbers, which are no printable characters.
        Some(_) if first > '\u{ff}' => Err(Unreadable::OtherFormat),
        _ => Err(Unreadable::Foreign),
    }
}

/// A `<` could end the element of the document that has the text.
fn to_char(byte: u8) -> char {
    match byte {
        b'<' | b'&' | ..b' ' | 0x7f.. => {
            char::from_u32(0x100 + u32::from(byte)).unwrap_or_default()
        }
        _ => char::from(byte),
    }
}

/// The character's number modulo 256.
fn from_char(character: char) -> u8 {
    let [lowest, ..] = u32::from(character).to_le_bytes();
    lowest
}

/// The encoding of the server functions' answers.
#[derive(Debug)]
pub struct PackedEncoding;

pub type Packed = Post<PackedEncoding>;

impl ContentType for PackedEncoding {
    const CONTENT_TYPE: &'static str = "text/plain; charset=utf-8";
}

impl FormatType for PackedEncoding {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for PackedEncoding {
    type Error = postcard::Error;

    fn encode(value: &T) -> Result<Bytes, Self::Error> {
        pack(value).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for PackedEncoding {
    type Error = &'static str;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let text = str::from_utf8(&bytes).map_err(|_| "the answer is not UTF-8")?;
        unpack(text).map_err(|_| "the answer is not of this build")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_and_none_can_end_an_element_or_an_event() {
        let all: Vec<u8> = (0..=255).collect();
        let text = pack(&all).unwrap();
        assert_eq!(unpack(&text), Ok(all));
        assert!(!text.contains(|c: char| c.is_control() || c == '<' || c == '&'), "{text}");
        assert!(pack(&"server-1").unwrap().ends_with("server-1"), "text stays text");
    }

    #[test]
    fn what_another_build_wrote_is_told_from_what_no_overview_wrote() {
        let text = pack(&7).unwrap();
        let other = text.replacen(to_char(FORMAT), "\u{163}", 1);
        assert_eq!(unpack::<i32>(&other), Err(Unreadable::OtherFormat));
        for foreign in ["", "<h1>Bad Gateway</h1>", "{}", &String::from(to_char(FORMAT))] {
            assert_eq!(unpack::<i32>(foreign), Err(Unreadable::Foreign), "{foreign}");
        }
    }
}

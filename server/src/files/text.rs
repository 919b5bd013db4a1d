//! Decodes text files, whichever editor or shell wrote them: on Windows editors write a byte order mark, and shells UTF-16.

use std::io::{self, BufRead, Read as _};

/// The byte order mark of UTF-8.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Removes a byte order mark, and converts UTF-16 to UTF-8 if the mark says UTF-16.
///
/// # Errors
/// The mark says UTF-16, but the bytes are not.
pub fn without_mark(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    match bytes.as_slice() {
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        other => match other.strip_prefix(UTF8_MARK) {
            Some(text) => Ok(text.to_vec()),
            None => Ok(bytes),
        },
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> io::Result<Vec<u8>> {
    let error = || invalid("its byte order mark says UTF-16, but it is not; save it as UTF-8");
    let (units, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(error());
    }
    let text: Result<String, _> =
        char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect();
    text.map(String::into_bytes).map_err(|_| error())
}

/// The bytes as text, without a byte order mark.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(without_mark(bytes)?).map_err(|error| {
        let NotUtf8 { byte, position } = NotUtf8::new(error.as_bytes(), error.utf8_error());
        invalid(format!(
            "it is not UTF-8: byte 0x{byte:02x} at position {position}; save it as UTF-8"
        ))
    })?;
    if text.contains('\0') {
        return Err(invalid(
            "it contains zero bytes, like UTF-16 without a byte order mark; save it as UTF-8",
        ));
    }
    Ok(text)
}

/// The first line, without its line break.
///
/// # Errors
/// It cannot be read, is longer than `max_bytes`, or is not text.
pub fn first_line(source: impl BufRead, max_bytes: u64) -> io::Result<String> {
    let mut line = Vec::new();
    for byte in source.take(max_bytes.saturating_add(1)).bytes() {
        line.push(byte?);
        if is_whole_line(&line) {
            break;
        }
    }
    if line.len() as u64 > max_bytes {
        let why = format!("its first line is longer than {} KiB", max_bytes >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(text(line)?.trim_end_matches(['\r', '\n']).to_owned())
}

fn is_whole_line(line: &[u8]) -> bool {
    let is_aligned = line.len().is_multiple_of(2);
    match line {
        [0xff, 0xfe, ..] => is_aligned && line.ends_with(b"\n\0"),
        [0xfe, 0xff, ..] => is_aligned && line.ends_with(b"\0\n"),
        _ => line.ends_with(b"\n"),
    }
}

/// The first byte that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not UTF-8 (byte 0x{byte:02x} at position {position})")]
pub struct NotUtf8 {
    byte: u8,
    /// Counted from 1.
    position: usize,
}

impl NotUtf8 {
    fn new(bytes: &[u8], error: std::str::Utf8Error) -> Self {
        let place = error.valid_up_to();
        Self { byte: bytes.get(place).copied().unwrap_or_default(), position: place + 1 }
    }
}

/// Decodes text from another program: UTF-8, with or without a byte order mark.
pub fn utf8(bytes: &[u8]) -> Result<&str, NotUtf8> {
    let text = std::str::from_utf8(bytes).map_err(|error| NotUtf8::new(bytes, error))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn text_is_read_as_editors_and_shells_on_windows_write_it() {
        for (bytes, read) in [
            (&b"a token\r\n"[..], Some("a token\r\n")),
            (b"\xef\xbb\xbfa token", Some("a token")),
            (b"\xff\xfea\0b\0", Some("ab")),
            (b"\xfe\xff\0a\0b", Some("ab")),
            (b"\xff\xfe", Some("")),
            (b"", Some("")),
            (b"\xff\xfea\0b", None),
            (b"\xff\xfe\0\xd8", None),
            (b"B\xfcro", None),
            (b"a\0b\0", None),
        ] {
            assert_eq!(text(bytes.to_vec()).ok().as_deref(), read, "{bytes:?}");
        }
        let error = text(b"B\xfcro".to_vec()).unwrap_err().to_string();
        assert_eq!(error, "it is not UTF-8: byte 0xfc at position 2; save it as UTF-8");
    }

    #[test]
    fn a_line_ends_at_the_line_break_of_its_encoding() {
        // U+0A0A and U+0A00 contain the byte of a line break.
        for line in ["correct horse", "Kühlschrank im Moor", "\u{a0a}\u{a00} x", ""] {
            for end in ["\r\n", "\n", "\r\nanother line\r\n", ""] {
                let whole = format!("{line}{end}");
                for bytes in [
                    whole.clone().into_bytes(),
                    format!("\u{feff}{whole}").into_bytes(),
                    as_utf16(&whole, u16::to_le_bytes),
                    as_utf16(&whole, u16::to_be_bytes),
                ] {
                    assert_eq!(first_line(&bytes[..], 1 << 10).unwrap(), line, "{bytes:?}");
                }
            }
        }
        assert!(first_line(&[b'x'; 1_025][..], 1 << 10).is_err());
        assert_eq!(first_line(&[b'x'; 1_024][..], 1 << 10).unwrap().len(), 1_024);
    }

    #[test]
    fn text_from_a_program_may_have_a_byte_order_mark_and_must_be_utf_8() {
        assert_eq!(utf8(b"\xef\xbb\xbf{}"), Ok("{}"));
        assert_eq!(utf8("Büro".as_bytes()), Ok("Büro"));
        let error = utf8(b"{\"B\xfcro\": 1}").unwrap_err();
        assert_eq!(error.to_string(), "not UTF-8 (byte 0xfc at position 4)");
    }
}

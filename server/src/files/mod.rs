//! Reads the files that people make: tokens, keys, certificates, options, a branding.
//!
//! A path may be mistyped, and `/dev/zero` has no end: so no more is read than such a file ever has.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The largest file that is read.
pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// What of a mode lets everybody read.
const READABLE_BY_EVERYBODY: u32 = 0o004;

/// What is in the file.
///
/// # Errors
/// That it cannot be read, or is larger than [`MAX_FILE_BYTES`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_at_most(File::open(path)?, MAX_FILE_BYTES)
}

/// What is in the file, as text. Editors on Windows begin it with a byte order mark, which is left out, and
/// may write UTF-16.
///
/// # Errors
/// That it cannot be read, is larger than [`MAX_FILE_BYTES`], or is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-8");
    let bytes = read(path)?;
    match bytes.as_slice() {
        [0xff, 0xfe, text @ ..] => utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => utf16(text, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8(text.to_vec()).map_err(no_text),
        _ => String::from_utf8(bytes).map_err(no_text),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> io::Result<String> {
    let no_text = || io::Error::new(io::ErrorKind::InvalidData, "it is not text in UTF-16");
    let (units, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(no_text());
    }
    char::decode_utf16(units.iter().map(|bytes| unit(*bytes)))
        .collect::<Result<_, _>>()
        .map_err(|_| no_text())
}

/// All that a source has, unless that is more than so many bytes.
///
/// # Errors
/// That it cannot be read, or has more.
pub fn read_at_most(source: impl io::Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("it is larger than {} KiB", most >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// The mode of a file that every account of the machine can read; `None` for any other, and for one that is
/// not there.
pub fn mode_if_everybody_reads(path: &Path) -> Option<u32> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & READABLE_BY_EVERYBODY != 0).then_some(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_given_up_on() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1024 KiB");
        assert!(read_text(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn a_source_may_have_just_as_much_as_is_allowed() {
        assert_eq!(read_at_most(&[7; 10][..], 10).unwrap(), [7; 10]);
        assert!(read_at_most(&[7; 11][..], 10).is_err());
    }

    #[test]
    fn text_is_read_as_editors_on_windows_write_it() {
        let path = std::env::temp_dir().join(format!("text-{}", std::process::id()));
        for (bytes, text) in [
            (&b"a token\r\n"[..], Some("a token\r\n")),
            (b"\xef\xbb\xbfa token", Some("a token")),
            (b"\xff\xfea\0b\0", Some("ab")),
            (b"\xfe\xff\0a\0b", Some("ab")),
            (b"\xff\xfea\0b", None),
            (b"\xff\xfe\0\xd8", None),
            (b"B\xfcro", None),
        ] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(read_text(&path).ok().as_deref(), text, "{bytes:?}");
        }
        fs::remove_file(path).unwrap();
    }
}

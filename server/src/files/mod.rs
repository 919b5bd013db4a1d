//! Reads the files that people make: tokens, keys, certificates, options, a branding.
//!
//! A path may be mistyped, and `/dev/zero` has no end: so no more is read than such a file ever has.

pub mod kept;
pub mod key;
pub mod owner;
pub mod text;

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
    let file = File::open(path).map_err(|error| owner::explained(path, error))?;
    read_at_most(file, MAX_FILE_BYTES)
}

/// What is in the file, as text: see [`text`].
///
/// # Errors
/// That it cannot be read, is larger than [`MAX_FILE_BYTES`], or is no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    text::text(read(path)?)
}

/// What is in a file of certificates or keys in PEM. A byte order mark would hide the first of them.
///
/// # Errors
/// That it cannot be read, is larger than [`MAX_FILE_BYTES`], or is not in UTF-16 though it says so.
pub fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    text::without_mark(read(path)?)
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
}

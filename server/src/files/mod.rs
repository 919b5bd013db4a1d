//! Reads the files of administrators: tokens, keys, certificates, options, a branding.
//!
//! Every read has a limit, because a mistyped path may lead to something without an end, such as `/dev/zero`.

pub mod key;
pub mod owner;
pub mod reloaded;
pub mod text;

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

pub const MAX_FILE_BYTES: u64 = 1 << 20;
/// The bit of a file mode that lets every account read.
const WORLD_READABLE: u32 = 0o004;
/// The bits of a file mode that let every account do something.
const OPEN_TO_ALL: u32 = 0o007;

/// # Errors
/// It cannot be read, or is larger than [`MAX_FILE_BYTES`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| owner::explain(path, error))?;
    read_at_most(file, MAX_FILE_BYTES)
}

/// # Errors
/// It cannot be read, is larger than [`MAX_FILE_BYTES`], or is not text: see [`text`].
pub fn read_text(path: &Path) -> io::Result<String> {
    text::text(read(path)?)
}

/// Reads certificates or keys in PEM. A byte order mark is removed, because it would hide the first of them.
///
/// # Errors
/// It cannot be read, is larger than [`MAX_FILE_BYTES`], or is not UTF-16 although its byte order mark says so.
pub fn read_pem(path: &Path) -> io::Result<Vec<u8>> {
    text::without_mark(read(path)?)
}

/// # Errors
/// It cannot be read, or has more than `max_bytes`.
pub fn read_at_most(source: impl io::Read, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let why = format!("it is larger than {} KiB", max_bytes >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// The mode of a file if every account of the machine can read it.
pub fn mode_if_world_readable(path: &Path) -> Option<u32> {
    mode(path).filter(|mode| mode & WORLD_READABLE != 0)
}

/// The mode of a file if every account of the machine can read, change or run it.
pub(crate) fn mode_if_open_to_all(path: &Path) -> Option<u32> {
    mode(path).filter(|mode| mode & OPEN_TO_ALL != 0)
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|file| file.permissions().mode() & 0o777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_a_file_without_an_end_fails() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 1024 KiB");
        assert!(read_text(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn a_source_may_have_exactly_the_limit() {
        assert_eq!(read_at_most(&[7; 10][..], 10).unwrap(), [7; 10]);
        assert!(read_at_most(&[7; 11][..], 10).is_err());
    }
}

//! The encryption key in a file, and its key check. Only the check is ever sent or stored.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use app::cluster::KeyCheck;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::reloaded::ReloadedFile;
use super::{read, text};

/// The key check is the HMAC of this message with the encryption key.
const KEY_CHECK_MESSAGE: &[u8] = b"cluster-overview/key-check/v1";

pub type KeyFile = Arc<ReloadedFile<KeyCheck, KeyFileError>>;

/// Where a process has its key check from.
#[derive(Clone, Debug)]
pub enum KeySource {
    File(KeyFile),
    /// The product that nests the overview has computed it.
    Product(KeyCheck),
}

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("cannot read the encryption key file {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the encryption key file {} is empty, apart from blanks or a byte order mark; put the product's encryption key into it, the same one on all servers", .0.display())]
    Empty(PathBuf),
}

/// Opens a key file. It must contain a key.
pub fn key_file(path: &Path) -> Result<KeyFile, KeyFileError> {
    ReloadedFile::open(path, key_check_of_file).map(Arc::new)
}

/// The key itself never leaves this function.
fn key_check_of_file(path: &Path) -> Result<KeyCheck, KeyFileError> {
    let unreadable = |source| KeyFileError::Unreadable { path: path.to_owned(), source };
    let configured = text::without_mark(read(path).map_err(unreadable)?).map_err(unreadable)?;
    key_check(&configured).ok_or_else(|| KeyFileError::Empty(path.to_owned()))
}

/// The key check of a key as it is configured, in UTF-8 or as bytes. A byte order mark and surrounding white space do not count,
/// and the case of a key that has only hex digits does not either. `None` if the key is empty.
pub fn key_check(configured: &[u8]) -> Option<KeyCheck> {
    let key = match std::str::from_utf8(configured) {
        Ok(text) => text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').as_bytes(),
        Err(_) => configured.trim_ascii(),
    };
    if key.is_empty() {
        None
    } else if key.iter().all(u8::is_ascii_hexdigit) {
        Some(check_of(&key.to_ascii_lowercase()))
    } else {
        Some(check_of(key))
    }
}

/// `HMAC-SHA256(key, message)` with exactly these bytes as key.
pub(crate) fn check_of(key: &[u8]) -> KeyCheck {
    let mut bytes = [0; 32];
    // HMAC accepts keys of any length.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        mac.update(KEY_CHECK_MESSAGE);
        bytes.copy_from_slice(&mac.finalize().into_bytes());
    }
    KeyCheck::from_bytes(bytes)
}

pub fn is_of_empty_key(check: KeyCheck) -> bool {
    static EMPTY: LazyLock<KeyCheck> = LazyLock::new(|| check_of(b""));
    *EMPTY == check
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_key_check_is_the_hmac_of_the_key_as_configured() {
        let plain = key_check(b"Correct horse").unwrap();
        assert_eq!(
            plain.digits(),
            // printf '%s' cluster-overview/key-check/v1 | openssl dgst -sha256 -hmac 'Correct horse'
            "cb2b0b81b1fa0734b28ba7fe718608834c04b3684da1969aebd6a1dc1294c3ec"
        );
        assert_eq!(key_check(b"\xef\xbb\xbf  Correct horse\r\n"), Some(plain));
        assert_ne!(key_check(b"correct horse"), Some(plain));
    }

    #[test]
    fn the_case_of_a_key_of_hex_digits_does_not_matter() {
        assert_eq!(key_check(b"00AAff"), key_check(b"00aaFF"));
        assert_ne!(key_check(b"00AAfg"), key_check(b"00aafg"));
    }

    #[test]
    fn an_empty_key_has_no_check_and_the_hmac_of_nothing_is_recognized() {
        let empty = check_of(b"");
        assert_eq!(
            empty.digits(),
            // python3 -c "import hmac; print(hmac.digest(b'', b'cluster-overview/key-check/v1', 'sha256').hex())"
            "b6e484e0d04b697fb75d9b87349f8b2b4aa792a9ce4fd138846d3dc91256b695"
        );
        assert!(is_of_empty_key(empty));
        assert!(!is_of_empty_key(key_check(b"a key").unwrap()));
        for nothing in ["", " ", "\r\n\t", "\u{feff}", "\u{feff}\r\n", "\u{a0}\u{3000}"] {
            assert_eq!(key_check(nothing.as_bytes()), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_key_file_is_read_in_every_encoding_that_an_editor_writes() {
        let path = std::env::temp_dir().join(format!("key-{}", std::process::id()));
        let key = "Schlüssel für 🔑";
        let units = || format!("\u{feff}{key}\r\n").encode_utf16().collect::<Vec<u16>>();
        let expected = key_check(key.as_bytes());
        for bytes in [
            key.as_bytes().to_vec(),
            format!("\u{feff}{key}\r\n").into_bytes(),
            units().into_iter().flat_map(u16::to_le_bytes).collect(),
            units().into_iter().flat_map(u16::to_be_bytes).collect(),
        ] {
            fs::write(&path, &bytes).unwrap();
            assert_eq!(key_check_of_file(&path).ok(), expected, "{bytes:?}");
        }
        for (bytes, why) in [
            (&b""[..], "is empty"),
            (b" \r\n", "is empty"),
            (b"\xef\xbb\xbf", "is empty"),
            (b"\xff\xfe", "is empty"),
            (b"\xfe\xff", "is empty"),
            (b"\xff\xfe\r\0\n\0", "is empty"),
            (b"\xff\xfea", "says UTF-16, but it is not"),
        ] {
            fs::write(&path, bytes).unwrap();
            let error = key_check_of_file(&path).unwrap_err().to_string();
            assert!(error.contains(why), "{bytes:?}: {error}");
            assert!(error.contains(path.to_str().unwrap()), "{error}");
        }
        // A key that is not text, such as 32 random bytes, is used as it is.
        fs::write(&path, b"\x80\x81\xff").unwrap();
        assert_eq!(key_check_of_file(&path).ok(), Some(check_of(b"\x80\x81\xff")));
        fs::remove_file(path).unwrap();
    }
}

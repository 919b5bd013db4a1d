//! How does the page read the JSON of its server?

use serde::de::DeserializeOwned;

/// What a text of JSON holds, or `None` if it holds something else.
///
/// `serde_json` says what is wrong and where, in words that nobody reads here. Without them it is a smaller file.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    // No string is longer after its escapes are resolved.
    let mut unescaped = vec![0; text.len()];
    let (value, _) = serde_json_core::from_slice_escaped(text.as_bytes(), &mut unescaped).ok()?;
    Some(value)
}

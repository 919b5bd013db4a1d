//! Reads `Accept` and `Accept-Encoding`: lists of what a client accepts, each with a quality.

use axum::http::{HeaderMap, header};

/// How many entries of a list are read; the rest is ignored.
const MAX_ENTRIES: usize = 40;

/// A quality value in thousandths; 0 means that the client does not accept it.
pub(crate) type Quality = u16;

/// The entries of a list, in lower case and without parameters, and the quality of each.
pub(crate) fn entries(list: &str) -> impl Iterator<Item = (String, Quality)> + '_ {
    list.split(',').take(MAX_ENTRIES).filter_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        Some((name.to_ascii_lowercase(), quality.map_or(Some(1_000), thousandths)?))
    })
}

/// The quality of the first of these names that the list contains.
pub(crate) fn quality_of(list: &str, names: &[&str]) -> Option<Quality> {
    names.iter().find_map(|name| {
        entries(list).find_map(|(known, quality)| (known == *name).then_some(quality))
    })
}

/// Whether the client would rather have a table as CSV than as JSON.
pub(crate) fn prefers_csv(headers: &HeaderMap) -> bool {
    let list = headers.get(header::ACCEPT).and_then(|list| list.to_str().ok()).unwrap_or_default();
    let quality = |name| quality_of(list, &[name]).unwrap_or_default();
    quality("text/csv") > quality("application/json")
}

fn thousandths(quality: &str) -> Option<Quality> {
    let quality: f32 = quality.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    Some((quality * 1_000.0).round() as Quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_of_a_list_has_its_quality() {
        let list =
            "text/html, Application/JSON;charset=utf-8;q=0.5, br;q=0, x;q=2, ;q=1, *;q=0.001";
        let parsed: Vec<(String, Quality)> = entries(list).collect();
        let named: Vec<(&str, Quality)> = parsed.iter().map(|(n, q)| (n.as_str(), *q)).collect();
        let expected = [("text/html", 1_000), ("application/json", 500), ("br", 0), ("*", 1)];
        assert_eq!(named, expected);
        assert_eq!(quality_of(list, &["gzip", "*"]), Some(1));
        assert_eq!(quality_of(list, &["br", "*"]), Some(0));
        assert_eq!(quality_of("", &["br"]), None);
    }
}

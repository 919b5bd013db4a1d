//! Below which path of its host does an overview live?

/// The longest base path.
const MAX_BASE_PATH_CHARS: usize = 200;

/// The first segment of every route. A proxy that strips the base path requests them at the root, so no base path may begin
/// with one of them. A test in `http` compares this list with the route table.
pub(crate) const RESERVED_SEGMENTS: [&str; 17] = [
    "acceptance",
    "access",
    "api",
    "assets",
    "audit",
    "branding",
    "embed",
    "embed.js",
    "fn",
    "healthz",
    "metrics",
    "readyz",
    "reconnection",
    "removal",
    "settings",
    "sign-in",
    "sign-out",
];

/// Why something is no base path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the base path {given:?} {why}; give it as the browser sees it, such as /admin/cluster")]
pub struct BasePathError {
    /// What was given, or its beginning.
    given: String,
    why: &'static str,
}

/// A base path without its last slash: empty at the root.
///
/// It begins with `/`, and its parts hold letters, digits and `-_.~` only: what needs no other spelling
/// in an address, a cookie or a header.
pub fn parse(given: &str) -> Result<String, BasePathError> {
    let refuse = |why| Err(BasePathError { given: given.chars().take(60).collect(), why });
    let base = given.strip_suffix('/').unwrap_or(given);
    if base.is_empty() {
        return Ok(String::new());
    }
    let Some(parts) = base.strip_prefix('/') else { return refuse("does not begin with /") };
    if base.len() > MAX_BASE_PATH_CHARS {
        return refuse("is longer than 200 characters");
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    for part in parts.split('/') {
        if part.is_empty() {
            return refuse("has an empty part: // or a second slash at its end");
        }
        if matches!(part, "." | "..") {
            return refuse("has a part of dots, which browsers take away");
        }
        if !part.chars().all(fits) {
            return refuse("holds something else than letters, digits and -_.~");
        }
    }
    let first = parts.split('/').next().unwrap_or_default();
    if RESERVED_SEGMENTS.contains(&first) {
        return refuse("begins like one of the overview's own addresses");
    }
    Ok(base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_taken_with_and_without_its_last_slash() {
        for (given, base) in [
            ("", ""),
            ("/", ""),
            ("/admin/cluster", "/admin/cluster"),
            ("/admin/cluster/", "/admin/cluster"),
            ("/v1.2/~ann/a-b_c", "/v1.2/~ann/a-b_c"),
        ] {
            assert_eq!(parse(given).as_deref(), Ok(base));
        }
    }

    #[test]
    fn what_is_no_base_path_is_refused_and_told_why() {
        let long = format!("/{}", "a".repeat(1_000));
        for (given, why) in [
            ("admin", "does not begin with /"),
            ("https://product.example/admin", "does not begin with /"),
            ("//", "empty part"),
            ("//evil.example", "empty part"),
            ("/admin//cluster", "empty part"),
            ("/admin/../cluster", "dots"),
            ("/./admin", "dots"),
            ("/..", "dots"),
            ("/ad min", "something else"),
            ("/admin?x", "something else"),
            ("/admin#x", "something else"),
            ("/%61dmin", "something else"),
            ("/{admin}", "something else"),
            ("/admin\n", "something else"),
            ("/ädmin", "something else"),
            (long.as_str(), "longer than 200"),
            ("/api/cluster", "own addresses"),
            ("/assets", "own addresses"),
            ("/embed", "own addresses"),
            ("/embed.js", "own addresses"),
            ("/branding/", "own addresses"),
            ("/fn", "own addresses"),
            ("/healthz", "own addresses"),
            ("/metrics", "own addresses"),
            ("/sign-in", "own addresses"),
            ("/settings/cluster", "own addresses"),
        ] {
            let said = parse(given).unwrap_err().to_string();
            assert!(said.contains(why) && said.len() < 250, "{given}: {said}");
        }
    }
}

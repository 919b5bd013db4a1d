//! The base path: the URL path below which an overview is served.

/// The longest base path.
const MAX_BASE_PATH_CHARS: usize = 200;

/// The first segment of every route. A proxy that strips the base path requests them at the root, so no base path may begin
/// with one of them. A test in `http` compares this list with the route table.
pub(crate) const RESERVED_SEGMENTS: [&str; 27] = [
    "acceptance",
    "access",
    "account",
    "add-server",
    "api",
    "assets",
    "audit",
    "audit.csv",
    "branding",
    "embed",
    "embed.js",
    "export.csv",
    "export.json",
    "fn",
    "healthz",
    "history",
    "incidents",
    "invitation",
    "metrics",
    "notifications",
    "readyz",
    "reconnection",
    "removal",
    "removals",
    "settings",
    "sign-in",
    "sign-out",
];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the base path {given:?} {why}; give it as the browser sees it, such as /admin/cluster")]
pub struct BasePathError {
    /// At most its first 60 characters.
    given: String,
    why: &'static str,
}

/// Returns the path without its last slash; the root is empty.
///
/// Only letters, digits and `-_.~` are allowed, because they need no encoding in a URL, a cookie or a header.
pub fn parse(given: &str) -> Result<String, BasePathError> {
    let reject = |why| Err(BasePathError { given: given.chars().take(60).collect(), why });
    let base = given.strip_suffix('/').unwrap_or(given);
    if base.is_empty() {
        return Ok(String::new());
    }
    let Some(parts) = base.strip_prefix('/') else { return reject("does not begin with /") };
    if base.len() > MAX_BASE_PATH_CHARS {
        return reject("is longer than 200 characters");
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    for part in parts.split('/') {
        if part.is_empty() {
            return reject("has an empty part: // or a second slash at its end");
        }
        if matches!(part, "." | "..") {
            return reject("contains . or .., which browsers remove");
        }
        if !part.chars().all(is_allowed) {
            return reject("contains other characters than letters, digits and -_.~");
        }
    }
    let first = parts.split('/').next().unwrap_or_default();
    if RESERVED_SEGMENTS.contains(&first) {
        return reject("begins with a path that the overview itself uses");
    }
    Ok(base.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_accepted_with_and_without_its_last_slash() {
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
    fn an_invalid_base_path_is_rejected_with_the_reason() {
        let long = format!("/{}", "a".repeat(1_000));
        for (given, why) in [
            ("admin", "does not begin with /"),
            ("https://product.example/admin", "does not begin with /"),
            ("//", "empty part"),
            ("//evil.example", "empty part"),
            ("/admin//cluster", "empty part"),
            ("/admin/../cluster", "contains . or .."),
            ("/./admin", "contains . or .."),
            ("/..", "contains . or .."),
            ("/ad min", "other characters"),
            ("/admin?x", "other characters"),
            ("/admin#x", "other characters"),
            ("/%61dmin", "other characters"),
            ("/{admin}", "other characters"),
            ("/admin\n", "other characters"),
            ("/ädmin", "other characters"),
            (long.as_str(), "longer than 200"),
            ("/api/cluster", "itself uses"),
            ("/assets", "itself uses"),
            ("/embed", "itself uses"),
            ("/embed.js", "itself uses"),
            ("/branding/", "itself uses"),
            ("/fn", "itself uses"),
            ("/healthz", "itself uses"),
            ("/metrics", "itself uses"),
            ("/sign-in", "itself uses"),
            ("/settings/cluster", "itself uses"),
        ] {
            let said = parse(given).unwrap_err().to_string();
            assert!(said.contains(why) && said.len() < 250, "{given}: {said}");
        }
    }
}

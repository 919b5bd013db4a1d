//! How is the address of a database shown without its password?

pub(crate) fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let rest = match rest.split_once('?') {
        Some((place, query)) => format!("{place}?{}", query_without_password(query)),
        None => rest.to_owned(),
    };
    let user = rest.rsplit_once('@');
    match user.and_then(|(user, host)| Some((user.split_once(':')?.0, host))) {
        Some((name, host)) => format!("{scheme}://{name}:…@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}

/// A PostgreSQL address may contain the password as a query parameter.
fn query_without_password(query: &str) -> String {
    let hide = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("password") && !value.is_empty() => {
            format!("{name}=…")
        }
        _ => part.to_owned(),
    };
    query.split('&').map(hide).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (address, shown) in [
            ("sqlite:overview.db", "sqlite:overview.db"),
            ("postgres://ann@db/overview", "postgres://ann@db/overview"),
            ("postgres://ann:secret@db/overview", "postgres://ann:…@db/overview"),
            ("postgres://ann:s@cr:et@db:5432/overview", "postgres://ann:…@db:5432/overview"),
            ("mysql://ann:secret@db", "mysql://ann:…@db"),
            ("postgres://db/o?password=secret", "postgres://db/o?password=…"),
            ("postgres://ann@db:5432/o?password=s@:e", "postgres://ann@db:5432/o?password=…"),
            (
                "postgres:///o?host=/run&password=secret&user=ann",
                "postgres:///o?host=/run&password=…&user=ann",
            ),
            ("postgres://ann:a@db/o?Password=b", "postgres://ann:…@db/o?Password=…"),
            ("postgres://ann@db/o?password=", "postgres://ann@db/o?password="),
            ("mysql://db/o?password=secret", "mysql://db/o?password=…"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }
}

//! Reads and writes the query of an address.

/// Writes parameters as a query, without the `?`.
pub(crate) fn to_query(pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The parameters of a query.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query, with or without its `?`.
    pub fn parse(query: &str) -> Self {
        let query = query.trim_start_matches('?').as_bytes();
        Self(form_urlencoded::parse(query).into_owned().collect())
    }

    /// The first parameter of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

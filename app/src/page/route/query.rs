//! Reads and writes query strings.

/// Without `?`.
pub fn to_query(pairs: impl IntoIterator<Item = (&'static str, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub struct Params(Vec<(String, String)>);

impl Params {
    /// With or without `?`.
    pub fn parse(query: &str) -> Self {
        let query = query.trim_start_matches('?').as_bytes();
        Self(form_urlencoded::parse(query).into_owned().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

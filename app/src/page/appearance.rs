//! The language, theme and chrome that the query asks for, mostly for a page in a frame. Every link within the
//! page keeps them.

use crate::i18n::Language;
use crate::page::route::query::to_query;

/// The default is what the browser and the host say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearance {
    /// `lang=en` or `lang=de`
    pub language: Option<Language>,
    /// `theme=light` or `theme=dark`
    pub theme: Option<Theme>,
    /// `chrome=none`: without breadcrumb and menus, for a frame.
    pub hide_chrome: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Light, Self::Dark].into_iter().find(|theme| theme.as_str() == word)
    }
}

impl Appearance {
    /// Ignores what it does not know.
    pub fn parse(query: &str) -> Self {
        let mut appearance = Self::default();
        for (name, value) in form_urlencoded::parse(query.trim_start_matches('?').as_bytes()) {
            match name.as_ref() {
                "lang" => appearance.language = Language::parse(&value),
                "theme" => appearance.theme = Theme::parse(&value),
                "chrome" => appearance.hide_chrome = value == "none",
                _ => {}
            }
        }
        appearance
    }

    /// Its query parameters.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { language, theme, hide_chrome } = self;
        let mut pairs = Vec::new();
        pairs.extend(language.map(|language| ("lang", language.as_str().to_owned())));
        pairs.extend(theme.map(|theme| ("theme", theme.as_str().to_owned())));
        pairs.extend(hide_chrome.then(|| ("chrome", "none".to_owned())));
        pairs
    }

    /// The query of an address that keeps it, with `?`; empty if it is the default.
    pub fn query(&self) -> String {
        let query = to_query(self.pairs());
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appearance_is_read_back_from_its_query() {
        for query in ["", "?lang=de", "?theme=dark", "?lang=en&theme=light&chrome=none"] {
            assert_eq!(Appearance::parse(query).query(), query);
        }
    }

    #[test]
    fn unknown_values_change_nothing() {
        let hostile = "?lang=xx&theme=%22%3E%3Cscript%3E&chrome=%00&theme2=dark";
        assert_eq!(Appearance::parse(hostile), Appearance::default());
    }
}

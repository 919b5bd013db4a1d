//! The language, the theme and the chrome that an address asks for, mostly for a page in a frame. Every link within
//! the page keeps them.

use crate::i18n::Language;
use crate::page::route::query::to_query;

/// What an address says of how the page appears. What it does not say the browser and the host do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appearance {
    /// `lang`: the language.
    pub language: Option<Language>,
    /// `theme`: light or dark.
    pub theme: Option<Theme>,
    /// `chrome=none`: without breadcrumb, menus and whatever else is around it, for a frame.
    pub hide_chrome: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark letters.
    Light,
    /// Light letters.
    Dark,
}

impl Theme {
    /// The word in an address and in the document.
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
    /// What a query says of it. What it does not understand it leaves out.
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

    /// As it stands in an address.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { language, theme, hide_chrome } = self;
        let mut pairs = Vec::new();
        pairs.extend(language.map(|language| ("lang", language.as_str().to_owned())));
        pairs.extend(theme.map(|theme| ("theme", theme.as_str().to_owned())));
        pairs.extend(hide_chrome.then(|| ("chrome", "none".to_owned())));
        pairs
    }

    /// What follows the path of an address that keeps it: nothing, or `?` and what it says.
    pub fn query(&self) -> String {
        let query = to_query(self.pairs());
        if query.is_empty() { query } else { format!("?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_address_says_of_the_dress_is_found_again() {
        for query in ["", "?lang=de", "?theme=dark", "?lang=en&theme=light&chrome=none"] {
            assert_eq!(Appearance::parse(query).query(), query);
        }
    }

    #[test]
    fn what_means_nothing_leaves_the_page_as_it_is() {
        let hostile = "?lang=xx&theme=%22%3E%3Cscript%3E&chrome=%00&theme2=dark";
        assert_eq!(Appearance::parse(hostile), Appearance::default());
    }
}

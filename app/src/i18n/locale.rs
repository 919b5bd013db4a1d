//! Which language is spoken, and who chooses it.

/// A language the page is said in.
///
/// To add one: a line here and in [`Language::ALL`], and its message file beside the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English; what is said where nobody chose.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language there is.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag, as BCP 47 has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language of this tag, whatever its region: `de`, `de-AT`, `DE_ch`.
    pub fn parse(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(primary))
    }

    /// What a browser would rather read, by its `Accept-Language`; `None` if it names no language we
    /// speak.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn preferred(accept_language: &str) -> Option<Self> {
        let mut best = None;
        for range in accept_language.split(',').take(MOST_RANGES) {
            let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
            let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            let weight = weight.filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0);
            let language = if tag.trim() == "*" { Some(Self::default()) } else { Self::parse(tag) };
            // Of equals the first is meant.
            if let Some(language) = language.filter(|_| weight > 0.0)
                && best.is_none_or(|(known, _)| weight > known)
            {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// More ranges than this nobody means.
#[cfg(not(target_arch = "wasm32"))]
const MOST_RANGES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_tag_whatever_the_region() {
        for (tag, language) in [
            ("en", Some(Language::English)),
            ("de", Some(Language::German)),
            ("de-AT", Some(Language::German)),
            ("DE_ch", Some(Language::German)),
            (" en-GB ", Some(Language::English)),
            ("den", None),
            ("fr", None),
            ("", None),
            ("<script>", None),
        ] {
            assert_eq!(Language::parse(tag), language, "{tag}");
        }
    }

    #[test]
    fn a_browser_is_spoken_to_in_what_it_would_rather_read() {
        for (header, language) in [
            ("de-DE,de;q=0.9,en;q=0.8", Some(Language::German)),
            ("fr-FR,fr;q=0.9,en;q=0.8,de;q=0.7", Some(Language::English)),
            ("en;q=0.5, de;q=0.8", Some(Language::German)),
            ("en,de", Some(Language::English)),
            ("de;q=0,en;q=0.1", Some(Language::English)),
            ("fr, *;q=0.5", Some(Language::English)),
            ("fr,it", None),
            ("de;q=2", None),
            ("de;q=NaN", None),
            ("", None),
            (";;;,,,=", None),
        ] {
            assert_eq!(Language::preferred(header), language, "{header}");
        }
    }
}

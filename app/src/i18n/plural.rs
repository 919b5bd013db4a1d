//! Which plural form does a number need in a language?

use crate::i18n::Language;

/// The plural categories of the Unicode CLDR: each language uses some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluralCategory {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

impl PluralCategory {
    /// What stands before a form in a packed message file; a form without a sign is `other`.
    pub(super) const fn sign(self) -> char {
        match self {
            Self::Zero => '0',
            Self::One => '1',
            Self::Two => '2',
            Self::Few => '3',
            Self::Many => '4',
            Self::Other => '5',
        }
    }
}

/// Chooses the category of a whole number.
pub(super) type PluralRule = fn(usize) -> PluralCategory;

impl Language {
    /// The language's rule, after
    /// <https://www.unicode.org/cldr/charts/latest/supplemental/language_plural_rules.html>.
    pub(super) const fn plural_rule(self) -> PluralRule {
        match self {
            Self::English | Self::German => one_or_other,
        }
    }
}

fn one_or_other(number: usize) -> PluralCategory {
    if number == 1 { PluralCategory::One } else { PluralCategory::Other }
}

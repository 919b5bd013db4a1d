//! Unicode normalization: names and passwords are compared in one form, because macOS writes `é` as two characters and
//! other systems as one.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// The text in Unicode's composed form, NFC.
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

/// Every form in which a password may have been hashed, the composed one first: former versions hashed it as it was
/// typed.
pub(super) fn forms(typed: &str) -> Vec<String> {
    let mut forms = vec![composed(typed).into_owned()];
    for form in [typed.to_owned(), typed.nfd().collect()] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_composed_form_however_it_was_typed() {
        for typed in ["Ju\u{308}rgen", "J\u{fc}rgen"] {
            assert_eq!(composed(typed), "J\u{fc}rgen");
            assert_eq!(forms(typed), ["J\u{fc}rgen", "Ju\u{308}rgen"]);
        }
        assert_eq!(composed("\u{212b}"), "\u{c5}", "the sign for an angstrom");
        assert_eq!(forms("\u{212b}"), ["\u{c5}", "\u{212b}", "A\u{30a}"]);
        assert_eq!(forms("plain"), ["plain"]);
    }
}

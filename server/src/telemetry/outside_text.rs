//! Text from outside that people read in a log, a terminal or the audit: answers of other programs, names,
//! reasons.
//!
//! A line break in it would forge a line of a log, and an escape sequence would command a terminal. So such
//! text is shown as one line of bounded length, with a mark in place of every character that is not printed.

use std::fmt::Write as _;

use app::cluster::server_name::is_unprintable;

/// How many characters of a text from outside are shown in a log, the audit or a message.
pub const MAX_LINE_CHARS: usize = 300;
/// How many of one that is the answer itself, such as a hint's evidence.
pub const MAX_ANSWER_LINE_CHARS: usize = 4_000;
/// How many of one that names many servers.
pub const MAX_LIST_LINE_CHARS: usize = 32_000;
/// What stands in place of a character that is not printed.
const MARK: char = '\u{fffd}';

/// The text as one line of at most [`MAX_LINE_CHARS`] characters; `…` says that it was longer.
pub fn one_line(text: &str) -> String {
    line_of_at_most(MAX_LINE_CHARS, text)
}

/// The same, of at most [`MAX_ANSWER_LINE_CHARS`] characters.
pub fn answer_line(text: &str) -> String {
    line_of_at_most(MAX_ANSWER_LINE_CHARS, text)
}

/// The same, of at most [`MAX_LIST_LINE_CHARS`] characters.
pub fn list_line(text: &str) -> String {
    line_of_at_most(MAX_LIST_LINE_CHARS, text)
}

fn line_of_at_most(most_chars: usize, text: &str) -> String {
    let shown = |c: char| if is_unprintable(c) { MARK } else { c };
    let mut line: String = text.chars().take(most_chars).map(shown).collect();
    if text.chars().nth(most_chars).is_some() {
        line.push('…');
    }
    line
}

/// JSON as it is written with line breaks between its values, for a terminal: within its texts every
/// character that is not printed is escaped, which changes nothing of what they mean.
pub fn json_for_terminal(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_unprintable(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_forges_a_line_or_commands_a_terminal() {
        assert_eq!(one_line("ann\r\n2026 bob"), "ann\u{fffd}\u{fffd}2026 bob");
        assert_eq!(one_line("a\u{202e}b\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(one_line(&"x".repeat(400)).chars().count(), MAX_LINE_CHARS + 1);
        for hidden in
            ['\u{9b}', '\u{ad}', '\u{61c}', '\u{2060}', '\u{2064}', '\u{fff9}', '\u{e0041}']
        {
            assert_eq!(
                one_line(&format!("a{hidden}b")),
                "a\u{fffd}b",
                "U+{:04X}",
                u32::from(hidden)
            );
        }
        assert_eq!(one_line("Büro 1 – ✓"), "Büro 1 – ✓");
    }

    #[test]
    fn json_says_the_same_to_a_terminal() {
        let said = serde_json::json!({"title": "a\u{9b}31m\u{202e}\u{e0041}\n\u{7f}é"});
        let shown = json_for_terminal(&format!("{said:#}"));
        assert!(!shown.replace('\n', "").chars().any(is_unprintable), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), said);
    }
}

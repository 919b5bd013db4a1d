//! Makes text from outside safe for logs, terminals and the audit log: responses of other programs, names, reasons.
//!
//! A line break could forge a log line, and an escape sequence could control a terminal. So such text becomes one line of bounded
//! length, with U+FFFD instead of every character that cannot be printed.

use std::fmt::Write as _;

use app::cluster::server_name::is_unprintable;

pub const MAX_LINE_CHARS: usize = 300;
/// For text that is itself the result, such as the evidence of a hint.
pub const MAX_ANSWER_LINE_CHARS: usize = 4_000;
/// For text that names many servers.
pub const MAX_LIST_LINE_CHARS: usize = 32_000;
const REPLACEMENT: char = '\u{fffd}';

/// One line of at most [`MAX_LINE_CHARS`] characters. `…` at its end: the text was longer.
pub fn one_line(text: &str) -> String {
    bounded_line(MAX_LINE_CHARS, text)
}

/// One line of at most [`MAX_ANSWER_LINE_CHARS`] characters.
pub fn answer_line(text: &str) -> String {
    bounded_line(MAX_ANSWER_LINE_CHARS, text)
}

/// One line of at most [`MAX_LIST_LINE_CHARS`] characters.
pub fn list_line(text: &str) -> String {
    bounded_line(MAX_LIST_LINE_CHARS, text)
}

fn bounded_line(max_chars: usize, text: &str) -> String {
    let shown = |c: char| if is_unprintable(c) { REPLACEMENT } else { c };
    let mut line: String = text.chars().take(max_chars).map(shown).collect();
    if text.chars().nth(max_chars).is_some() {
        line.push('…');
    }
    line
}

/// Formatted JSON for a terminal: characters that cannot be printed are escaped, so that it still has the same values.
/// Whether a text is one line of 1 to `max_chars` characters, all of them printable.
pub fn is_line(text: &str, max_chars: usize) -> bool {
    (1..=max_chars).contains(&text.chars().count()) && !text.chars().any(is_unprintable)
}

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
    fn nothing_from_outside_forges_a_line_or_controls_a_terminal() {
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
    fn json_for_a_terminal_has_the_same_values() {
        let said = serde_json::json!({"title": "a\u{9b}31m\u{202e}\u{e0041}\n\u{7f}é"});
        let shown = json_for_terminal(&format!("{said:#}"));
        assert!(!shown.replace('\n', "").chars().any(is_unprintable), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), said);
    }
}

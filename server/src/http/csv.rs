//! Writes tables as CSV (RFC 4180), so that no cell is a formula for the spreadsheet that opens it.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use app::cluster::Timestamp;

/// A spreadsheet takes a cell that begins with one of these for a formula, which can send data away (OWASP, "CSV injection").
/// Some spreadsheets also read the full-width forms.
const FORMULA_STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A table under construction.
#[derive(Debug)]
pub(crate) struct Csv(String);

impl Csv {
    /// A table with these headings.
    pub(crate) fn new<const COLUMNS: usize>(headings: [&str; COLUMNS]) -> Self {
        let mut csv = Self(String::new());
        csv.push(headings);
        csv
    }

    /// Adds a line.
    pub(crate) fn push<const COLUMNS: usize>(&mut self, cells: [impl AsRef<str>; COLUMNS]) {
        for (place, cell) in cells.iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            push_cell(&mut self.0, cell.as_ref());
        }
        self.0.push_str("\r\n");
    }

    /// The table as a file that the browser saves. `name` is the file's name without date and extension.
    pub(crate) fn into_response(self, name: &str, now: Timestamp) -> Response {
        download(self.0, "text/csv; charset=utf-8; header=present", name, "csv", now)
    }
}

/// A body that the browser saves as a file, such as `name-2026-11-28.csv`.
pub(crate) fn download(
    body: String,
    content_type: &'static str,
    name: &str,
    extension: &str,
    now: Timestamp,
) -> Response {
    let content_type = HeaderValue::from_static(content_type);
    let mut response = ([(header::CONTENT_TYPE, content_type)], body).into_response();
    let moment = now.rfc3339();
    let day = moment.split('T').next().unwrap_or_default();
    let disposition = format!("attachment; filename=\"{name}-{day}.{extension}\"");
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// A cell that would be a formula gets an apostrophe before it: spreadsheets then show it as text.
fn push_cell(table: &mut String, cell: &str) {
    let is_formula = cell.starts_with(FORMULA_STARTS);
    let is_quoted = is_formula || cell.contains([',', '"', '\r', '\n']) || cell.trim() != cell;
    if !is_quoted {
        table.push_str(cell);
        return;
    }
    table.push('"');
    if is_formula {
        table.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            table.push('"');
        }
        table.push(c);
    }
    table.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut table = String::new();
        push_cell(&mut table, text);
        table
    }

    #[test]
    fn a_cell_is_quoted_only_where_it_must_be() {
        assert_eq!(cell("web-1"), "web-1");
        assert_eq!(cell(""), "");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(cell("two\nlines"), "\"two\nlines\"");
        assert_eq!(cell(" blank"), "\" blank\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for start in FORMULA_STARTS {
            let text = format!("{start}cmd|' /C calc'!A0");
            assert_eq!(cell(&text), format!("\"'{text}\""));
        }
        assert_eq!(cell("a=1"), "a=1");
    }

    #[test]
    fn lines_end_as_rfc_4180_says() {
        let mut csv = Csv::new(["a", "b"]);
        csv.push(["1", "2"]);
        assert_eq!(csv.0, "a,b\r\n1,2\r\n");
    }
}

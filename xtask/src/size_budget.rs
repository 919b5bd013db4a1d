//! How many bytes does a browser fetch before the page can be read, and before it works?

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};

/// The files that a browser fetches at the first load, besides the HTML.
const FIRST_LOAD: [&str; 10] = [
    "app.css",
    "header.js",
    "start.js",
    "locale.js",
    "stream.js",
    "app.js",
    "app_bg.wasm",
    "messages-en.txt",
    "copy.js",
    "page.js",
];

/// The parts that a browser needs before any script has run.
const READABLE: [&str; 2] = ["html", "app.css"];

/// The maximum of a total, and its last recorded value. The total may grow by 5 % over that; for more, record the new
/// value here and give the reason.
struct Budget {
    name: &'static str,
    max: u64,
    last_recorded: u64,
}

// The branding's density, corners and font, and the labelled theme switch, take 400 bytes of CSS and HTML. The
// watchdog and its sentences take 1,600 bytes of HTML: they are in the document, so that they work when no other file
// of the page can be loaded.
// The skip links and the help about the shortcuts take 500 bytes of HTML, the menus of the rows 300. `media.css` is not
// counted: it waits for a printer.
const BUDGETS: [Budget; 2] = [
    Budget { name: "readable", max: 20_000, last_recorded: 10_300 },
    Budget { name: "first load", max: 250_000, last_recorded: 229_000 },
];

/// The length of one file, in bytes, compressed with brotli.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    brotli: u64,
}

pub(crate) struct Sizes(Vec<Part>);

impl Sizes {
    pub(crate) fn measure(site: &Path, html: u64) -> Result<Self> {
        let mut parts = vec![Part { name: "html", brotli: html }];
        for name in FIRST_LOAD {
            let brotli = std::fs::metadata(site.join(format!("{name}.br")))?.len();
            parts.push(Part { name, brotli });
        }
        Ok(Self(parts))
    }

    fn totals(&self) -> [u64; 2] {
        let readable = self.0.iter().filter(|part| READABLE.contains(&part.name));
        [readable.map(|part| part.brotli).sum(), self.0.iter().map(|part| part.brotli).sum()]
    }

    /// Each part, then the totals with their limits.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("  part               brotli\n");
        for Part { name, brotli } in &self.0 {
            let _ = writeln!(text, "  {name:<12}{:>13}", kilobytes(*brotli));
        }
        for (budget, total) in BUDGETS.iter().zip(self.totals()) {
            let _ = writeln!(
                text,
                "  {:<12}{:>13}   of at most {}",
                budget.name,
                kilobytes(total),
                kilobytes(budget.limit())
            );
        }
        text
    }

    /// Fails if a total is over its limit.
    pub(crate) fn check(&self) -> Result<()> {
        for (budget, total) in BUDGETS.iter().zip(self.totals()) {
            ensure!(
                total <= budget.limit(),
                "{}: {} of brotli, but at most {} are allowed; find out what grew, or record the new size in {} with the reason",
                budget.name,
                kilobytes(total),
                kilobytes(budget.limit()),
                file!()
            );
        }
        Ok(())
    }
}

impl Budget {
    const fn limit(&self) -> u64 {
        let grown = self.last_recorded + self.last_recorded / 20;
        if grown < self.max { grown } else { self.max }
    }
}

fn kilobytes(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(wasm: u64) -> Sizes {
        let part = |name, brotli| Part { name, brotli };
        Sizes(vec![part("html", 4_000), part("app.css", 3_000), part("app_bg.wasm", wasm)])
    }

    #[test]
    fn the_readable_total_does_not_count_scripts() {
        assert_eq!(sizes(200_000).totals(), [7_000, 207_000]);
    }

    #[test]
    fn a_page_over_its_budget_fails_with_the_name_of_the_total() {
        assert!(sizes(200_000).check().is_ok());
        let error = sizes(400_000).check().unwrap_err().to_string();
        assert!(error.starts_with("first load: 407.0 kB"), "{error}");
    }

    #[test]
    fn a_total_may_grow_by_a_twentieth_but_never_over_its_maximum() {
        let budget = |last_recorded| Budget { name: "", max: 1_000, last_recorded };
        assert_eq!(budget(400).limit(), 420);
        assert_eq!(budget(990).limit(), 1_000);
    }
}

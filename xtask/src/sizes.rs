//! How many bytes does a browser fetch before the page can be read, and before it works?

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};

/// What the page asks for at its first load, beside its own HTML.
const FIRST_LOAD: [&str; 7] =
    ["app.css", "theme.js", "start.js", "locale.js", "app.js", "app_bg.wasm", "messages-en.txt"];

/// What stands on the screen before any script has run.
const READABLE: [&str; 2] = ["html", "app.css"];

/// A sum of files, how large it may ever be, and how large it was when it last landed. It may grow
/// by a twentieth unnoticed; whoever needs more writes the new figure here, and says why.
struct Budget {
    name: &'static str,
    most: u64,
    landed: u64,
}

// A product's density, corners and font, and the theme's switch in words, are 400 bytes of style and HTML. The
// watchdog and its sentences are 1,600 bytes of HTML: they stand in the document, so that they are there where no
// file of the page arrives.
const BUDGETS: [Budget; 2] = [
    Budget { name: "readable", most: 20_000, landed: 9_300 },
    Budget { name: "first load", most: 225_000, landed: 221_200 },
];

/// The length of one file, in bytes, compressed with brotli.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    brotli: u64,
}

/// The parts of the page in this folder, with its HTML of that length.
pub(crate) struct Sizes(Vec<Part>);

impl Sizes {
    /// Looks at the files.
    pub(crate) fn of(site: &Path, html: u64) -> Result<Self> {
        let mut parts = vec![Part { name: "html", brotli: html }];
        for name in FIRST_LOAD {
            let brotli = std::fs::metadata(site.join(format!("{name}.br")))?.len();
            parts.push(Part { name, brotli });
        }
        Ok(Self(parts))
    }

    fn sums(&self) -> [u64; 2] {
        let readable = self.0.iter().filter(|part| READABLE.contains(&part.name));
        [readable.map(|part| part.brotli).sum(), self.0.iter().map(|part| part.brotli).sum()]
    }

    /// Each part, and the sums beside what they may be.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from("  part               brotli\n");
        for Part { name, brotli } in &self.0 {
            let _ = writeln!(text, "  {name:<12}{:>13}", kilobytes(*brotli));
        }
        for (budget, sum) in BUDGETS.iter().zip(self.sums()) {
            let _ = writeln!(
                text,
                "  {:<12}{:>13}   of at most {}",
                budget.name,
                kilobytes(sum),
                kilobytes(budget.limit())
            );
        }
        text
    }

    /// Fails where a sum is larger than it may be.
    pub(crate) fn hold(&self) -> Result<()> {
        for (budget, sum) in BUDGETS.iter().zip(self.sums()) {
            ensure!(
                sum <= budget.limit(),
                "{}: {} of brotli, and at most {} are allowed; find what grew, or raise the figure in {} and say why",
                budget.name,
                kilobytes(sum),
                kilobytes(budget.limit()),
                file!()
            );
        }
        Ok(())
    }
}

impl Budget {
    const fn limit(&self) -> u64 {
        let grown = self.landed + self.landed / 20;
        if grown < self.most { grown } else { self.most }
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
    fn the_page_is_readable_before_its_scripts_are_counted() {
        assert_eq!(sizes(200_000).sums(), [7_000, 207_000]);
    }

    #[test]
    fn a_page_that_outgrew_its_budget_is_refused_by_name() {
        assert!(sizes(200_000).hold().is_ok());
        let refused = sizes(400_000).hold().unwrap_err().to_string();
        assert!(refused.starts_with("first load: 407.0 kB"), "{refused}");
    }

    #[test]
    fn what_landed_may_grow_by_a_twentieth_and_never_over_its_budget() {
        let budget = |landed| Budget { name: "", most: 1_000, landed };
        assert_eq!(budget(400).limit(), 420);
        assert_eq!(budget(990).limit(), 1_000);
    }
}

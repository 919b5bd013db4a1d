//! How many bytes does a browser fetch before the page works?

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

/// What the page asks for at its first load, beside its own HTML.
const FIRST_LOAD: [&str; 4] = ["app.css", "start.js", "app.js", "app_bg.wasm"];

/// The length of one file, in bytes.
struct Part {
    name: &'static str,
    raw: u64,
    brotli: u64,
}

/// Prints the first load of the site in this folder, part by part.
pub(crate) fn print(site: &Path) -> Result<()> {
    let length = |name: &str| std::fs::metadata(site.join(name)).map(|file| file.len());
    let mut parts = Vec::new();
    for name in FIRST_LOAD {
        if site.join(name).exists() {
            let brotli = length(&format!("{name}.br"))?;
            parts.push(Part { name, raw: length(name)?, brotli });
        }
    }
    print!("{}", table(&parts));
    Ok(())
}

fn table(parts: &[Part]) -> String {
    let mut text = format!("  {:<12}{:>12}{:>12}\n", "first load", "raw", "brotli");
    let sum = Part {
        name: "sum",
        raw: parts.iter().map(|part| part.raw).sum(),
        brotli: parts.iter().map(|part| part.brotli).sum(),
    };
    for Part { name, raw, brotli } in parts.iter().chain([&sum]) {
        let _ = writeln!(text, "  {name:<12}{:>12}{:>12}", kilobytes(*raw), kilobytes(*brotli));
    }
    text
}

fn kilobytes(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ends_with_the_sum() {
        let parts = [
            Part { name: "app.css", raw: 6_049, brotli: 1_800 },
            Part { name: "app_bg.wasm", raw: 889_000, brotli: 209_950 },
        ];
        let expected = "  \
  first load           raw      brotli
  app.css           6.0 kB      1.8 kB
  app_bg.wasm     889.0 kB    210.0 kB
  sum             895.0 kB    211.8 kB
";
        assert_eq!(table(&parts), expected);
    }
}

//! What the page borrows from the product it lives in: name, logo, menu, colours, letters. One file says it.

mod css;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use app::protocol::{MenuEntry, PageBranding};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Value;

use crate::auth::audit::is_name;
use crate::files;

/// The largest logo, in bytes.
const LARGEST_LOGO: usize = 64 << 10;
/// The longest name, in characters.
const LONGEST_NAME: usize = 60;
/// The most entries of a menu.
const MOST_ENTRIES: usize = 20;

/// What the page borrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    name: Option<String>,
    home: Option<String>,
    menu: Vec<MenuEntry>,
    logo: Option<Logo>,
    style: Option<String>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Logo {
    kind: &'static str,
    bytes: Vec<u8>,
}

/// Why a branding is none.
#[derive(Debug, thiserror::Error)]
pub enum BrandingError {
    /// The file, or the logo it names, cannot be read.
    #[error("{path} cannot be read: {error}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// It is no branding: where and why.
    #[error("{path}: {error}")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Where and why, by the reader of the format.
        error: Box<toml::de::Error>,
    },
    /// A value that is none.
    #[error("{path}: {key} {why}")]
    BadValue {
        /// Which file.
        path: PathBuf,
        /// Which value.
        key: String,
        /// Why it is none.
        why: String,
    },
}

/// The file, as it is written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    home: Option<String>,
    logo: Option<PathBuf>,
    #[serde(default)]
    menu: Vec<WrittenEntry>,
    #[serde(default)]
    look: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    text: String,
    href: String,
}

/// A key and why its value is none.
type BadValue = (String, String);

impl Branding {
    /// Reads a branding and the logo it names, which lies beside it.
    ///
    /// # Errors
    /// Says which file, which key, and what would be right. Nothing is guessed.
    pub fn read(path: &Path) -> Result<Self, BrandingError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error| BrandingError::Unreadable { path, error }
        };
        let text = files::read_text(path).map_err(unreadable(path))?;
        let written: Written = toml::from_str(&text).map_err(|error| BrandingError::Malformed {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        let logo = match &written.logo {
            Some(name) => {
                let beside = path.with_file_name(name);
                Some(files::read(&beside).map_err(unreadable(&beside))?)
            }
            None => None,
        };
        Self::of(written, logo).map_err(|(key, why)| BrandingError::BadValue {
            path: path.to_owned(),
            key,
            why,
        })
    }

    /// The product's name, if it is borrowed.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn of(written: Written, logo: Option<Vec<u8>>) -> Result<Self, BadValue> {
        let Written { name, home, menu, look, .. } = written;
        let name = name.map(|name| label("name", name)).transpose()?;
        let home = home.map(|home| address("home", home)).transpose()?;
        if menu.len() > MOST_ENTRIES {
            return Err(unfit("menu", format!("has more than {MOST_ENTRIES} entries")));
        }
        let entry = |WrittenEntry { text, href }| {
            Ok(MenuEntry { text: label("menu: text", text)?, href: address("menu: href", href)? })
        };
        let menu = menu.into_iter().map(entry).collect::<Result<_, BadValue>>()?;
        let logo = logo.map(picture).transpose()?;
        let style = (!look.is_empty()).then(|| css::style(&look)).transpose()?;
        Ok(Self { name, home, menu, logo, style })
    }

    /// What stands around the page that lives below `base`.
    pub(crate) fn for_page(&self, base: &str) -> PageBranding {
        let file = |name: &str| format!("{base}/branding/{}/{name}", self.hash());
        PageBranding {
            name: self.name.clone(),
            home: self.home.clone(),
            menu: self.menu.clone(),
            logo: self.logo.as_ref().map(|_| file("logo")),
            style: self.style.as_ref().map(|_| file("look.css")),
        }
    }

    /// A file of this name in the folder of this hash, and its type.
    pub(crate) fn file(&self, hash: &str, name: &str) -> Option<(&'static str, Vec<u8>)> {
        if hash != self.hash() {
            return None;
        }
        match name {
            "logo" => self.logo.as_ref().map(|logo| (logo.kind, logo.bytes.clone())),
            "look.css" => {
                let style = self.style.as_ref()?;
                Some(("text/css; charset=utf-8", style.clone().into_bytes()))
            }
            _ => None,
        }
    }

    /// What changes when a file does: a browser may keep what it has for ever.
    fn hash(&self) -> String {
        let style = self.style.as_deref().unwrap_or_default();
        let logo = self.logo.as_ref().map_or(&[][..], |logo| &logo.bytes);
        let digest = Sha256::digest([style.as_bytes(), b"\0", logo].concat());
        hex::encode(&digest[..8])
    }
}

fn unfit(key: impl Into<String>, why: impl Into<String>) -> BadValue {
    (key.into(), why.into())
}

/// A name that people read.
fn label(key: &str, text: String) -> Result<String, BadValue> {
    if is_name(&text, LONGEST_NAME) && text.trim() == text {
        return Ok(text);
    }
    Err(unfit(key, format!("must be one line of 1 to {LONGEST_NAME} characters")))
}

/// Where a link leads: a path of this host, or an address of the web.
fn address(key: &str, href: String) -> Result<String, BadValue> {
    let path = href.starts_with('/') && !href.starts_with("//");
    let web = href.starts_with("https://") || href.starts_with("http://");
    let plain = href.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    if (path || web) && plain && href.len() <= 2_000 {
        return Ok(href);
    }
    Err(unfit(
        key,
        "must be a path such as /feeds, or an address that begins with https:// or http://",
    ))
}

fn picture(bytes: Vec<u8>) -> Result<Logo, BadValue> {
    if bytes.len() > LARGEST_LOGO {
        return Err(unfit("logo", format!("is larger than {} kB", LARGEST_LOGO >> 10)));
    }
    let begins = bytes.get(..1_000).unwrap_or(&bytes);
    let kind = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if String::from_utf8_lossy(begins).contains("<svg") {
        "image/svg+xml; charset=utf-8"
    } else {
        return Err(unfit("logo", "must be a PNG or SVG file"));
    };
    Ok(Logo { kind, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Branding, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.to_string())?;
        Branding::of(written, None).map_err(|(key, why)| format!("{key} {why}"))
    }

    #[test]
    fn a_look_sets_the_pages_own_custom_properties() {
        let branding = parsed(
            "name = 'ProGet'\nhome = '/'\nmenu = [{ text = 'Feeds', href = '/feeds' }]\n\
             [look]\naccent = { light = '#0a7d55', dark = 'oklch(0.8 0.1 165)' }\nline = '#ccc'\n\
             font = 'Inter, Segoe UI'\nradius = 2\ndensity = 'compact'",
        )
        .unwrap();
        assert_eq!(
            branding.style.as_deref(),
            Some(
                ":root{--accent:light-dark(#0a7d55, oklch(0.8 0.1 165));--density:0.6;\
                 --font:'Inter', 'Segoe UI', system-ui, sans-serif;--line:#ccc;--radius:2px;}"
            )
        );
        let around = branding.for_page("/admin/cluster");
        assert_eq!(around.name.as_deref(), Some("ProGet"));
        let style = around.style.unwrap();
        let hash = style.strip_prefix("/admin/cluster/branding/").unwrap();
        let hash = hash.strip_suffix("/look.css").unwrap();
        assert!(branding.file(hash, "look.css").is_some());
        assert_eq!(branding.file(hash, "logo"), None);
        assert_eq!(branding.file("0123456789abcdef", "look.css"), None, "another's");
    }

    #[test]
    fn nothing_borrowed_is_nothing_around() {
        assert_eq!(parsed("").unwrap().for_page(""), PageBranding::default());
    }

    #[test]
    fn hostile_and_mistaken_values_are_refused_and_told_why() {
        for (text, why) in [
            ("[look]\naccent = 'red; } body { display: none'", "no colour"),
            ("[look]\naccent = 'url(https://evil.example/)'", "no colour"),
            ("[look]\naccent = 'expression(alert(1))'", "no colour"),
            ("[look]\naccent = 'var(--x)'", "no colour"),
            ("[look]\naccent = '#12345'", "no colour"),
            ("[look]\naccent = 'rgb(1,2,3) } *{'", "no colour"),
            ("[look]\naccent = 'rgb(0);}'", "no colour"),
            ("[look]\naccent = 7", "must be a colour in quotes"),
            ("[look]\naccent = { light = '#fff' }", "look.accent.dark must be a colour"),
            (
                "[look]\naccent = { light = '#fff', dark = '#000', dim = '#777' }",
                "neither light nor dark",
            ),
            ("[look]\nfont = 'x\"; } @import url(//evil.example)'", "names of fonts"),
            ("[look]\nfont = \"It's\"", "names of fonts"),
            ("[look]\nfont = ''", "names of fonts"),
            ("[look]\nradius = '8px'", "without quotes"),
            ("[look]\nradius = -1", "0 to 24"),
            ("[look]\nradius = 9999", "0 to 24"),
            ("[look]\ndensity = 'tight'", "compact"),
            ("[look]\ncolour = '#fff'", "is none of"),
            ("[look]\n'accent:red;--x' = '#fff'", "is none of"),
            ("nmae = 'ProGet'", "unknown field"),
            ("name = 7", "invalid type"),
            ("name = ''", "1 to 60"),
            ("name = \"a\\nb\"", "one line"),
            ("home = 'javascript:alert(1)'", "must be a path"),
            ("home = '//evil.example'", "must be a path"),
            ("menu = [{ text = 'x', href = 'data:text/html,x' }]", "menu: href must be a path"),
            ("menu = [{ text = 'x' }]", "missing field"),
            ("menu = 'x'", "invalid type"),
            ("[look", "unclosed table"),
        ] {
            let said = parsed(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn a_logo_is_a_small_png_or_svg() {
        assert!(picture(b"\x89PNG\r\n\x1a\n....".to_vec()).is_ok());
        assert!(picture(b"<?xml version='1.0'?><svg/>".to_vec()).is_ok());
        assert!(picture(b"<html>".to_vec()).is_err());
        assert!(picture(b"GIF89a".to_vec()).is_err());
        let large = [b"<svg>".to_vec(), vec![b' '; LARGEST_LOGO]].concat();
        assert_eq!(picture(large).unwrap_err().1, "is larger than 64 kB");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let missing = Path::new("nowhere/branding.toml");
        assert!(
            Branding::read(missing).unwrap_err().to_string().starts_with("nowhere/branding.toml")
        );
    }
}

//! The branding file: name, logo, menu, colours and fonts of the product around the page.

mod css;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use app::protocol::{MenuEntry, PageBranding};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Value;

use crate::files;
use crate::telemetry::outside_text::is_line;

const MAX_LOGO_BYTES: usize = 64 << 10;
const MAX_LABEL_CHARS: usize = 60;
const MAX_HREF_BYTES: usize = 2_000;
const MAX_MENU_ENTRIES: usize = 20;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    name: Option<String>,
    home: Option<String>,
    menu: Vec<MenuEntry>,
    logo: Option<Logo>,
    style: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Logo {
    content_type: &'static str,
    bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum BrandingError {
    /// The branding file, or the logo that it names.
    #[error("{path} cannot be read: {error}")]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path}: {error}")]
    Malformed { path: PathBuf, error: Box<toml::de::Error> },
    #[error("{path}: {key} {why}")]
    BadValue { path: PathBuf, key: String, why: String },
}

/// The content of the file, before its values are checked.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandingToml {
    name: Option<String>,
    home: Option<String>,
    logo: Option<PathBuf>,
    #[serde(default)]
    menu: Vec<MenuEntryToml>,
    #[serde(default)]
    look: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MenuEntryToml {
    text: String,
    href: String,
}

/// A key, and what is wrong with its value.
type BadValue = (String, String);

impl Branding {
    /// Reads a branding file, and the logo that it names, in the same folder.
    pub fn read(path: &Path) -> Result<Self, BrandingError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error| BrandingError::Unreadable { path, error }
        };
        let text = files::read_text(path).map_err(unreadable(path))?;
        let parsed: BrandingToml = toml::from_str(&text).map_err(|error| {
            BrandingError::Malformed { path: path.to_owned(), error: Box::new(error) }
        })?;
        let logo = match &parsed.logo {
            Some(name) => {
                let logo_path = path.with_file_name(name);
                Some(files::read(&logo_path).map_err(unreadable(&logo_path))?)
            }
            None => None,
        };
        Self::check(parsed, logo).map_err(|(key, why)| BrandingError::BadValue {
            path: path.to_owned(),
            key,
            why,
        })
    }

    /// The product's name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn check(parsed: BrandingToml, logo: Option<Vec<u8>>) -> Result<Self, BadValue> {
        let BrandingToml { name, home, menu, look, .. } = parsed;
        let name = name.map(|name| label("name", name)).transpose()?;
        let home = home.map(|home| link_target("home", home)).transpose()?;
        if menu.len() > MAX_MENU_ENTRIES {
            return Err(bad_value("menu", format!("has more than {MAX_MENU_ENTRIES} entries")));
        }
        let entry = |MenuEntryToml { text, href }| {
            Ok(MenuEntry {
                text: label("menu: text", text)?,
                href: link_target("menu: href", href)?,
            })
        };
        let menu = menu.into_iter().map(entry).collect::<Result<_, BadValue>>()?;
        let logo = logo.map(check_logo).transpose()?;
        let style = (!look.is_empty()).then(|| css::style(&look)).transpose()?;
        Ok(Self { name, home, menu, logo, style })
    }

    /// For the page below this base path.
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

    /// The content type and the bytes of a file, if the hash is the current one.
    pub(crate) fn file(&self, hash: &str, name: &str) -> Option<(&'static str, Vec<u8>)> {
        if hash != self.hash() {
            return None;
        }
        match name {
            "logo" => self.logo.as_ref().map(|logo| (logo.content_type, logo.bytes.clone())),
            "look.css" => {
                let style = self.style.as_ref()?;
                Some(("text/css; charset=utf-8", style.clone().into_bytes()))
            }
            _ => None,
        }
    }

    /// It is part of the files' paths, so that browsers can cache them for ever.
    fn hash(&self) -> String {
        let style = self.style.as_deref().unwrap_or_default();
        let logo = self.logo.as_ref().map_or(&[][..], |logo| &logo.bytes);
        let digest = Sha256::digest([style.as_bytes(), b"\0", logo].concat());
        hex::encode(&digest[..8])
    }
}

fn bad_value(key: impl Into<String>, why: impl Into<String>) -> BadValue {
    (key.into(), why.into())
}

fn label(key: &str, text: String) -> Result<String, BadValue> {
    if is_line(&text, MAX_LABEL_CHARS) && text.trim() == text {
        return Ok(text);
    }
    Err(bad_value(key, format!("must be one line of 1 to {MAX_LABEL_CHARS} characters")))
}

/// The target of a link: a path of this host, or an HTTP URL.
fn link_target(key: &str, href: String) -> Result<String, BadValue> {
    let is_path = href.starts_with('/') && !href.starts_with("//");
    let is_url = href.starts_with("https://") || href.starts_with("http://");
    let is_plain =
        href.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
    if (is_path || is_url) && is_plain && href.len() <= MAX_HREF_BYTES {
        return Ok(href);
    }
    Err(bad_value(
        key,
        "must be a path such as /feeds, or a URL that begins with https:// or http://",
    ))
}

fn check_logo(bytes: Vec<u8>) -> Result<Logo, BadValue> {
    if bytes.len() > MAX_LOGO_BYTES {
        return Err(bad_value("logo", format!("is larger than {} kB", MAX_LOGO_BYTES >> 10)));
    }
    let beginning = bytes.get(..1_000).unwrap_or(&bytes);
    let content_type = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if String::from_utf8_lossy(beginning).contains("<svg") {
        "image/svg+xml; charset=utf-8"
    } else {
        return Err(bad_value("logo", "must be a PNG or SVG file"));
    };
    Ok(Logo { content_type, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Branding, String> {
        let parsed: BrandingToml = toml::from_str(text).map_err(|error| error.to_string())?;
        Branding::check(parsed, None).map_err(|(key, why)| format!("{key} {why}"))
    }

    #[test]
    fn a_look_sets_the_custom_properties_of_the_page() {
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
        let page = branding.for_page("/admin/cluster");
        assert_eq!(page.name.as_deref(), Some("ProGet"));
        let style = page.style.unwrap();
        let hash = style.strip_prefix("/admin/cluster/branding/").unwrap();
        let hash = hash.strip_suffix("/look.css").unwrap();
        assert!(branding.file(hash, "look.css").is_some());
        assert_eq!(branding.file(hash, "logo"), None);
        assert_eq!(branding.file("0123456789abcdef", "look.css"), None, "another hash");
    }

    #[test]
    fn an_empty_branding_changes_nothing() {
        assert_eq!(parsed("").unwrap().for_page(""), PageBranding::default());
    }

    #[test]
    fn hostile_and_mistaken_values_are_rejected_with_the_reason() {
        for (text, why) in [
            ("[look]\naccent = 'red; } body { display: none'", "not a colour"),
            ("[look]\naccent = 'url(https://evil.example/)'", "not a colour"),
            ("[look]\naccent = 'expression(alert(1))'", "not a colour"),
            ("[look]\naccent = 'var(--x)'", "not a colour"),
            ("[look]\naccent = '#12345'", "not a colour"),
            ("[look]\naccent = 'rgb(1,2,3) } *{'", "not a colour"),
            ("[look]\naccent = 'rgb(0);}'", "not a colour"),
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
            ("[look]\ncolour = '#fff'", "is not one of"),
            ("[look]\n'accent:red;--x' = '#fff'", "is not one of"),
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
        assert!(check_logo(b"\x89PNG\r\n\x1a\n....".to_vec()).is_ok());
        assert!(check_logo(b"<?xml version='1.0'?><svg/>".to_vec()).is_ok());
        assert!(check_logo(b"<html>".to_vec()).is_err());
        assert!(check_logo(b"GIF89a".to_vec()).is_err());
        let large = [b"<svg>".to_vec(), vec![b' '; MAX_LOGO_BYTES]].concat();
        assert_eq!(check_logo(large).unwrap_err().1, "is larger than 64 kB");
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("nowhere/branding.toml");
        assert!(
            Branding::read(missing).unwrap_err().to_string().starts_with("nowhere/branding.toml")
        );
    }
}

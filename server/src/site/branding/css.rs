//! Which colours, fonts and lengths a branding can set, as the style sheet that they make.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Value;

use super::{BadValue, unfit};
use crate::auth::audit::one_line;

/// The largest radius, in pixels.
const MAX_RADIUS_PX: i64 = 24;
/// The longest value of a colour or a list of fonts, in characters.
const MAX_VALUE_CHARS: usize = 200;
/// What may be coloured: the custom properties of the page's style that stand for colours.
const COLOURS: [&str; 12] = [
    "background",
    "surface",
    "line",
    "control",
    "text",
    "muted",
    "accent",
    "ok",
    "warning",
    "error",
    "unknown",
    "code",
];
/// How wide the spaces are, beside those of the page as it comes.
const DENSITIES: [(&str, &str); 3] = [("compact", "0.6"), ("normal", "1"), ("comfortable", "1.4")];

/// The style that says a look: the page's own custom properties, set anew.
pub(super) fn style(look: &BTreeMap<String, Value>) -> Result<String, BadValue> {
    let mut style = String::from(":root{");
    for (name, value) in look {
        let key = format!("look.{name}");
        let said = match name.as_str() {
            "font" => fonts(&key, value)?,
            "radius" => radius(&key, value)?,
            "density" => density(&key, value)?,
            colour if COLOURS.contains(&colour) => both(&key, value)?,
            _ => {
                let known = [&COLOURS[..], &["font", "radius", "density"]].concat().join(", ");
                return Err(unfit(key, format!("is none of {known}")));
            }
        };
        // Writing to a string cannot fail.
        let _ = write!(style, "--{name}:{said};");
    }
    style.push('}');
    Ok(style)
}

/// One colour for both, or one for light and one for dark.
pub(super) fn both(key: &str, value: &Value) -> Result<String, BadValue> {
    if let Some(only) = value.as_str() {
        return colour(key, only);
    }
    let Some(each) = value.as_table() else {
        return Err(unfit(key, "must be a colour in quotes, or { light = \"…\", dark = \"…\" }"));
    };
    if let Some(other) = each.keys().find(|name| !["light", "dark"].contains(&name.as_str())) {
        return Err(unfit(format!("{key}.{other}"), "is neither light nor dark"));
    }
    let one = |name: &str| {
        let key = format!("{key}.{name}");
        let text = each.get(name).and_then(Value::as_str);
        text.ok_or_else(|| unfit(&key, "must be a colour in quotes"))
            .and_then(|text| colour(&key, text))
    };
    Ok(format!("light-dark({}, {})", one("light")?, one("dark")?))
}

/// A colour as CSS writes it, and nothing that could end it.
pub(super) fn colour(key: &str, text: &str) -> Result<String, BadValue> {
    let wrong = || {
        let shown: String = one_line(text).chars().take(40).collect();
        unfit(
            key,
            format!(
                "{shown:?} is no colour; write it as #2456c9, rgb(36 86 201) or oklch(0.5 0.2 265)"
            ),
        )
    };
    let fits = if let Some(digits) = text.strip_prefix('#') {
        [3, 4, 6, 8].contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    } else if let Some(inner) = text.strip_suffix(')') {
        let functions = ["rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch"];
        let plain = |c: char| c.is_ascii_alphanumeric() || " .,%/+-".contains(c);
        inner.split_once('(').is_some_and(|(function, inner)| {
            functions.contains(&function) && !inner.is_empty() && inner.chars().all(plain)
        })
    } else {
        false
    };
    if fits && text.len() <= MAX_VALUE_CHARS { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// Families of fonts that readers have, in quotes: none is fetched.
pub(super) fn fonts(key: &str, value: &Value) -> Result<String, BadValue> {
    let wrong =
        || unfit(key, "must be names of fonts with commas in between, such as \"Inter, Arial\"");
    let Value::String(text) = value else { return Err(wrong()) };
    let plain = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    let mut families = Vec::new();
    for family in text.split(',').map(str::trim) {
        if family.is_empty() || !family.chars().all(plain) {
            return Err(wrong());
        }
        families.push(format!("'{family}'"));
    }
    if text.len() > MAX_VALUE_CHARS {
        return Err(wrong());
    }
    families.push("system-ui".to_owned());
    families.push("sans-serif".to_owned());
    Ok(families.join(", "))
}

pub(super) fn radius(key: &str, value: &Value) -> Result<String, BadValue> {
    let pixels = value.as_integer().filter(|pixels| (0..=MAX_RADIUS_PX).contains(pixels));
    pixels.map(|pixels| format!("{pixels}px")).ok_or_else(|| {
        let why = format!("must be a whole number of pixels, 0 to {MAX_RADIUS_PX}, without quotes");
        unfit(key, why)
    })
}

pub(super) fn density(key: &str, value: &Value) -> Result<String, BadValue> {
    let known = DENSITIES.iter().find(|(name, _)| value.as_str() == Some(name));
    let factor = known.map(|(_, factor)| (*factor).to_owned());
    factor.ok_or_else(|| unfit(key, "must be \"compact\", \"normal\" or \"comfortable\""))
}

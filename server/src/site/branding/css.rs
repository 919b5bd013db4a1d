//! The style sheet that a branding's colours, fonts and lengths make.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Value;

use super::{BadValue, bad_value};
use crate::telemetry::outside_text::one_line;

const MAX_RADIUS_PX: i64 = 24;
/// Of a colour or a list of fonts.
const MAX_VALUE_BYTES: usize = 200;
/// The custom properties of the page's style that are colours.
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
/// The name of each density, and its factor for the page's spaces.
const DENSITIES: [(&str, &str); 3] = [("compact", "0.6"), ("normal", "1"), ("comfortable", "1.4")];

/// A style sheet that sets the custom properties of the page's style.
pub(super) fn style(look: &BTreeMap<String, Value>) -> Result<String, BadValue> {
    let mut style = String::from(":root{");
    for (name, value) in look {
        let key = format!("look.{name}");
        let css = match name.as_str() {
            "font" => fonts(&key, value)?,
            "radius" => radius(&key, value)?,
            "density" => density(&key, value)?,
            colour if COLOURS.contains(&colour) => colours(&key, value)?,
            _ => {
                let known = [&COLOURS[..], &["font", "radius", "density"]].concat().join(", ");
                return Err(bad_value(key, format!("is not one of {known}")));
            }
        };
        // Writing to a string cannot fail.
        let _ = write!(style, "--{name}:{css};");
    }
    style.push('}');
    Ok(style)
}

/// One colour, or one for the light and one for the dark theme.
pub(super) fn colours(key: &str, value: &Value) -> Result<String, BadValue> {
    if let Some(text) = value.as_str() {
        return colour(key, text);
    }
    let Some(each) = value.as_table() else {
        return Err(bad_value(
            key,
            "must be a colour in quotes, or { light = \"…\", dark = \"…\" }",
        ));
    };
    if let Some(other) = each.keys().find(|name| !["light", "dark"].contains(&name.as_str())) {
        return Err(bad_value(format!("{key}.{other}"), "is neither light nor dark"));
    }
    let one = |name: &str| {
        let key = format!("{key}.{name}");
        let text = each.get(name).and_then(Value::as_str);
        text.ok_or_else(|| bad_value(&key, "must be a colour in quotes"))
            .and_then(|text| colour(&key, text))
    };
    Ok(format!("light-dark({}, {})", one("light")?, one("dark")?))
}

/// A CSS colour that cannot contain anything else.
pub(super) fn colour(key: &str, text: &str) -> Result<String, BadValue> {
    let error = || {
        let shown: String = one_line(text).chars().take(40).collect();
        bad_value(
            key,
            format!(
                "{shown:?} is not a colour; write it as #2456c9, rgb(36 86 201) or oklch(0.5 0.2 265)"
            ),
        )
    };
    let is_colour = if let Some(digits) = text.strip_prefix('#') {
        [3, 4, 6, 8].contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    } else if let Some(inner) = text.strip_suffix(')') {
        let functions = ["rgb", "rgba", "hsl", "hsla", "hwb", "lab", "lch", "oklab", "oklch"];
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,%/+-".contains(c);
        inner.split_once('(').is_some_and(|(function, inner)| {
            functions.contains(&function) && !inner.is_empty() && inner.chars().all(is_plain)
        })
    } else {
        false
    };
    if is_colour && text.len() <= MAX_VALUE_BYTES { Ok(text.to_owned()) } else { Err(error()) }
}

/// Font families, each in quotes. No font is loaded: readers need to have them.
pub(super) fn fonts(key: &str, value: &Value) -> Result<String, BadValue> {
    let error =
        || bad_value(key, "must be names of fonts, separated by commas, such as \"Inter, Arial\"");
    let Value::String(text) = value else { return Err(error()) };
    let is_plain = |c: char| c.is_alphanumeric() || " -_.".contains(c);
    let mut families = Vec::new();
    for family in text.split(',').map(str::trim) {
        if family.is_empty() || !family.chars().all(is_plain) {
            return Err(error());
        }
        families.push(format!("'{family}'"));
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(error());
    }
    families.push("system-ui".to_owned());
    families.push("sans-serif".to_owned());
    Ok(families.join(", "))
}

pub(super) fn radius(key: &str, value: &Value) -> Result<String, BadValue> {
    let pixels = value.as_integer().filter(|pixels| (0..=MAX_RADIUS_PX).contains(pixels));
    pixels.map(|pixels| format!("{pixels}px")).ok_or_else(|| {
        let why = format!("must be a whole number of pixels, 0 to {MAX_RADIUS_PX}, without quotes");
        bad_value(key, why)
    })
}

pub(super) fn density(key: &str, value: &Value) -> Result<String, BadValue> {
    let known = DENSITIES.iter().find(|(name, _)| value.as_str() == Some(name));
    let factor = known.map(|(_, factor)| (*factor).to_owned());
    factor.ok_or_else(|| bad_value(key, "must be \"compact\", \"normal\" or \"comfortable\""))
}

//! What must the JSON of a heartbeat be? The error names every invalid field.

use std::net::IpAddr;

use app::cluster::server_name::check_text;
use app::cluster::{
    ComponentFacts, FieldError, Heartbeat, KeyCheck, Os, Role, ServerName, Source, Timestamp,
};
use serde_json::Value;

use super::json_fields::{Fields, boolean, string};
use crate::files::key::is_of_empty_key;

/// 2^53 - 1: the largest integer that a JavaScript number holds exactly.
const MAX_SEQUENCE: i64 = (1 << 53) - 1;

/// The error has one entry for each invalid field.
pub fn parse_heartbeat(value: &Value) -> Result<Heartbeat, Vec<FieldError>> {
    let mut fields = Fields::new(value, "must be a JSON object: one heartbeat")?;
    let os = os(&mut fields);
    let server = text(&mut fields, "server", ServerName::parse);
    let role = text(&mut fields, "role", |word| {
        Role::parse(word).ok_or_else(|| "must be \"web\" or \"service\"".to_owned())
    });
    let product = optional_text(&mut fields, "product", |text| {
        check_text(text, 0, 100).map(|()| text.to_owned())
    })
    .filter(|product| !product.is_empty());
    let version = text(&mut fields, "version", label);
    let ip = text(&mut fields, "ip", |text| {
        text.parse::<IpAddr>().map_err(|_| "must be one IPv4 or IPv6 address".to_owned())
    });
    let boot_id = text(&mut fields, "boot_id", boot_id);
    let sequence = fields.required_not_null("sequence", sequence);
    let sent_at = optional_text(&mut fields, "sent_at", moment);
    let key_check = optional_text(&mut fields, "key_check", parse_key_check);
    let machine_key_check = optional_text(&mut fields, "machine_key_check", parse_key_check);
    let messenger_port = fields.optional("messenger_port", port);
    let leaving = fields.optional("leaving", boolean).unwrap_or_default();
    let probed = fields.optional("probed", boolean).unwrap_or_default();
    let heartbeat = || {
        Some(Heartbeat {
            server: server?,
            role: role?,
            boot_id: boot_id?,
            sequence: sequence?,
            sent_at,
            leaving,
            facts: ComponentFacts {
                product,
                version: version?,
                os: os?,
                ip: ip?.into(),
                key_check,
                machine_key_check,
                messenger_port,
                source: if probed { Source::Probe } else { Source::Node },
            },
        })
    };
    fields.finish(heartbeat())
}

/// Reads a text that is required.
fn text<T>(
    fields: &mut Fields<'_>,
    field: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    fields.required_not_null(field, |value| read(string(value)?))
}

/// Reads an optional text.
fn optional_text<T>(
    fields: &mut Fields<'_>,
    field: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    fields.optional(field, |value| read(string(value)?))
}

fn os(fields: &mut Fields<'_>) -> Option<Os> {
    let value = fields.required_not_null("os", |value| {
        let object = value.is_object().then_some(value);
        object.ok_or("must be an object with name and version")
    })?;
    let mut nested = Fields::from_value(value);
    let name = text(&mut nested, "name", label);
    let version = text(&mut nested, "version", label);
    let read = name.zip(version).map(|(name, version)| Os { name, version });
    nested.finish(read).map_err(|errors| fields.add_nested("os", errors)).ok()
}

fn sequence(value: &Value) -> Result<i64, &'static str> {
    let number = value.as_i64().filter(|number| (0..=MAX_SEQUENCE).contains(number));
    number.ok_or("must be a whole number from 0 to 2^53 - 1")
}

fn port(value: &Value) -> Result<u16, &'static str> {
    let port = value.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    port.ok_or("must be a whole number from 1 to 65535")
}

fn label(text: &str) -> Result<String, String> {
    check_text(text, 1, 100).map(|()| text.to_owned())
}

fn boot_id(text: &str) -> Result<String, String> {
    let hyphenated = text.len() == 36;
    match uuid::Uuid::try_parse(text) {
        Ok(id) if hyphenated => Ok(id.hyphenated().to_string()),
        _ => Err("must be a hyphenated UUID, new at each start of the process".to_owned()),
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    match text.parse::<jiff::Timestamp>() {
        Ok(moment) if is_rfc3339(text) => Ok(Timestamp(moment.as_millisecond())),
        _ => Err("must be a moment in RFC 3339, like 2026-11-22T12:00:00.000Z".to_owned()),
    }
}

/// `jiff` accepts more of ISO 8601, and takes omitted parts for zero.
fn is_rfc3339(text: &str) -> bool {
    let Some((second, rest)) = text.split_at_checked(19) else { return false };
    let digits = |fraction| str::trim_start_matches(fraction, |c: char| c.is_ascii_digit());
    let zone = rest.strip_prefix('.').map_or(rest, digits);
    has_form(second, "0000-00-00T00:00:00")
        && (has_form(zone, "Z") || has_form(zone, "+00:00") || has_form(zone, "-00:00"))
}

/// Whether a text differs from `form` only in its digits and its case.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| {
            if form == b'0' { byte.is_ascii_digit() } else { byte.eq_ignore_ascii_case(&form) }
        })
}

fn parse_key_check(text: &str) -> Result<KeyCheck, String> {
    match KeyCheck::parse(text) {
        None => Err("must be 64 lower-case hex digits".to_owned()),
        Some(check) if is_of_empty_key(check) => {
            Err("is the check of an empty key; check the file or setting that holds the key, or send null"
                .to_owned())
        }
        Some(check) => Ok(check),
    }
}

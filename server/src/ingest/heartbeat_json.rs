//! What a heartbeat must look like on the wire: every bad field is named, nothing is guessed.

use std::net::IpAddr;

use app::cluster::server_name::check_text;
use app::cluster::{
    ComponentFacts, FieldError, Heartbeat, KeyCheck, Os, Role, ServerName, Source, Timestamp,
};
use serde_json::{Map, Value};

use crate::files::key::is_of_empty_key;

/// The highest sequence: 2^53 - 1, which every language's numbers can hold.
const HIGHEST_SEQUENCE: i64 = (1 << 53) - 1;

/// Reads one heartbeat from a JSON object. The error holds one entry per bad field.
pub fn heartbeat(value: &Value) -> Result<Heartbeat, Vec<FieldError>> {
    let Value::Object(object) = value else {
        return Err(vec![FieldError::new("", "must be a JSON object: one heartbeat")]);
    };
    let mut fields = Fields { object, errors: Vec::new() };
    let os = fields.os();
    let server = fields.required("server", ServerName::parse);
    let role = fields.required("role", |word| {
        Role::parse(word).ok_or_else(|| "must be \"web\" or \"service\"".to_owned())
    });
    let product = fields
        .optional("product", |text| check_text(text, 0, 100).map(|()| text.to_owned()))
        .filter(|product| !product.is_empty());
    let version = fields.required("version", label);
    let ip = fields.required("ip", |text| {
        text.parse::<IpAddr>().map_err(|_| "must be one IPv4 or IPv6 address".to_owned())
    });
    let boot_id = fields.required("boot_id", boot_id);
    let sequence = fields.sequence();
    let sent_at = fields.optional("sent_at", moment);
    let key_check = fields.optional("key_check", key_digits);
    let machine_key_check = fields.optional("machine_key_check", key_digits);
    let messenger_port = fields.port();
    let leaving = fields.flag("leaving");
    let probed = fields.flag("probed");
    let errors = fields.errors;
    match (server, role, version, os, ip, boot_id, sequence) {
        (
            Some(server),
            Some(role),
            Some(version),
            Some(os),
            Some(ip),
            Some(boot_id),
            Some(sequence),
        ) if errors.is_empty() => Ok(Heartbeat {
            server,
            role,
            boot_id,
            sequence,
            sent_at,
            leaving,
            facts: ComponentFacts {
                product,
                version,
                os,
                ip: ip.into(),
                key_check,
                machine_key_check,
                messenger_port,
                source: if probed { Source::Probe } else { Source::Node },
            },
        }),
        _ => Err(errors),
    }
}

/// One object's fields, and what was wrong with those read so far.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields<'_> {
    fn wrong<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError::new(field, message));
        None
    }

    fn required<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.object.get(field) {
            None | Some(Value::Null) => self.wrong(field, "is required"),
            Some(value) => self.text(field, value, read),
        }
    }

    fn optional<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.object.get(field) {
            None | Some(Value::Null) => None,
            Some(value) => self.text(field, value, read),
        }
    }

    fn text<T>(
        &mut self,
        field: &str,
        value: &Value,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            return self.wrong(field, "must be a string");
        };
        match read(text) {
            Ok(value) => Some(value),
            Err(message) => self.wrong(field, message),
        }
    }

    fn os(&mut self) -> Option<Os> {
        let object = match self.object.get("os") {
            Some(Value::Object(object)) => object,
            None | Some(Value::Null) => return self.wrong("os", "is required"),
            Some(_) => return self.wrong("os", "must be an object with name and version"),
        };
        let mut within = Fields { object, errors: Vec::new() };
        let name = within.required("name", label);
        let version = within.required("version", label);
        self.errors.extend(
            within
                .errors
                .into_iter()
                .map(|error| FieldError::new(format!("os.{}", error.field), error.message)),
        );
        Some(Os { name: name?, version: version? })
    }

    fn sequence(&mut self) -> Option<i64> {
        match self.object.get("sequence") {
            None | Some(Value::Null) => self.wrong("sequence", "is required"),
            Some(value) => match value.as_i64() {
                Some(number) if (0..=HIGHEST_SEQUENCE).contains(&number) => Some(number),
                _ => self.wrong("sequence", "must be a whole number from 0 to 2^53 - 1"),
            },
        }
    }

    fn port(&mut self) -> Option<u16> {
        match self.object.get("messenger_port") {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_u64().and_then(|port| u16::try_from(port).ok()) {
                Some(port) if port > 0 => Some(port),
                _ => self.wrong("messenger_port", "must be a whole number from 1 to 65535"),
            },
        }
    }

    fn flag(&mut self, field: &str) -> bool {
        match self.object.get(field) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => self.wrong(field, "must be true or false").unwrap_or_default(),
        }
    }
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

/// Whether a moment has RFC 3339's one form. The library reads more of ISO 8601, and takes what is left
/// out for zero.
fn is_rfc3339(text: &str) -> bool {
    let Some((second, rest)) = text.split_at_checked(19) else { return false };
    let digits = |fraction| str::trim_start_matches(fraction, |c: char| c.is_ascii_digit());
    let zone = rest.strip_prefix('.').map_or(rest, digits);
    has_form(second, "0000-00-00T00:00:00")
        && (has_form(zone, "Z") || has_form(zone, "+00:00") || has_form(zone, "-00:00"))
}

/// Whether a text differs from `form` in its digits and its case alone.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| {
            if form == b'0' { byte.is_ascii_digit() } else { byte.eq_ignore_ascii_case(&form) }
        })
}

fn key_digits(text: &str) -> Result<KeyCheck, String> {
    match KeyCheck::parse(text) {
        None => Err("must be 64 lower-case hex digits".to_owned()),
        Some(check) if is_of_empty_key(check) => {
            Err("is the check of an empty key; check the file or setting that holds the key, or send null"
                .to_owned())
        }
        Some(check) => Ok(check),
    }
}

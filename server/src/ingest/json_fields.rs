//! Reads the fields of a JSON object one after the other, and keeps an error for every bad one.

use app::cluster::FieldError;
use serde_json::{Map, Value};

/// One object's fields, and what was wrong with those read so far.
pub(crate) struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// The fields of an object; `message` is for a value that is none.
    pub(crate) fn new(value: &'a Value, message: &str) -> Result<Self, Vec<FieldError>> {
        if value.is_object() {
            Ok(Self::from_value(value))
        } else {
            Err(vec![FieldError::new("", message)])
        }
    }

    /// The fields of a value: none, if it is no object.
    pub(crate) fn from_value(value: &'a Value) -> Self {
        Self { object: value.as_object(), errors: Vec::new() }
    }

    /// Reads a field that may be absent, in a way of its own.
    pub(crate) fn read<T, E: Into<String>>(
        &mut self,
        field: &str,
        read: impl FnOnce(Option<&'a Value>) -> Result<T, E>,
    ) -> Option<T> {
        match read(self.object.and_then(|object| object.get(field))) {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(field, message);
                None
            }
        }
    }

    /// Reads a field that must be there; null is a value like any other.
    pub(crate) fn required<T, E: Into<String>>(
        &mut self,
        field: &str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        self.read(field, |value| match value {
            None => Err("is required".to_owned()),
            Some(value) => read(value).map_err(Into::into),
        })
    }

    /// Reads a field that must be there and not null.
    pub(crate) fn required_not_null<T, E: Into<String>>(
        &mut self,
        field: &str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        self.read(field, |value| match value {
            None | Some(Value::Null) => Err("is required".to_owned()),
            Some(value) => read(value).map_err(Into::into),
        })
    }

    /// Reads a field that may be absent or null.
    pub(crate) fn optional<T, E: Into<String>>(
        &mut self,
        field: &str,
        read: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        let read = |value: Option<&'a Value>| match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some),
        };
        self.read(field, read).flatten()
    }

    /// Adds an error about a field.
    pub(crate) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// Adds the errors about the fields of a nested object.
    pub(crate) fn add_nested(&mut self, field: &str, errors: Vec<FieldError>) {
        let nested =
            |error: FieldError| FieldError::new(format!("{field}.{}", error.field), error.message);
        self.errors.extend(errors.into_iter().map(nested));
    }

    /// Whether anything was wrong so far.
    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Whether anything was wrong with this field so far.
    pub(crate) fn has_error(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }

    /// What was read, if nothing was wrong.
    pub(crate) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<FieldError>> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(self.errors),
        }
    }
}

/// A text.
pub(crate) fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a string".to_owned())
}

/// A boolean.
pub(crate) fn boolean(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("must be true or false")
}

//! How are the fields of a JSON object read, with an error for every invalid one?

use app::cluster::FieldError;
use serde_json::{Map, Value};

/// The fields of an object, and the errors of those that were read so far.
pub(crate) struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// Fails with `message` if the value is not an object.
    pub(crate) fn new(value: &'a Value, message: &str) -> Result<Self, Vec<FieldError>> {
        if value.is_object() {
            Ok(Self::from_value(value))
        } else {
            Err(vec![FieldError::new("", message)])
        }
    }

    /// A value that is not an object has no fields.
    pub(crate) fn from_value(value: &'a Value) -> Self {
        Self { object: value.as_object(), errors: Vec::new() }
    }

    /// Reads a field that may be absent; `read` decides what that means.
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

    /// Reads a required field, which may be null.
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

    /// Reads a required field, which must not be null.
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

    pub(crate) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, message));
    }

    /// Adds the errors about the fields of a nested object.
    pub(crate) fn add_nested(&mut self, field: &str, errors: Vec<FieldError>) {
        let nested =
            |error: FieldError| FieldError::new(format!("{field}.{}", error.field), error.message);
        self.errors.extend(errors.into_iter().map(nested));
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) fn has_error(&self, field: &str) -> bool {
        self.errors.iter().any(|error| error.field == field)
    }

    /// Returns `read`, or all errors if there are any.
    pub(crate) fn finish<T>(self, read: Option<T>) -> Result<T, Vec<FieldError>> {
        match read {
            Some(read) if self.errors.is_empty() => Ok(read),
            _ => Err(self.errors),
        }
    }
}

pub(crate) fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a string".to_owned())
}

pub(crate) fn boolean(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("must be true or false")
}

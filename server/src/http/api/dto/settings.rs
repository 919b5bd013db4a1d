//! The cluster's settings: what they are, and which values they may have, follows from the core's table.

use std::borrow::Cow;

use app::cluster;
use app::cluster::{FieldError, SETTINGS, Setting, SettingErrorKind, SettingValue};
use app::i18n::Catalog;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::json::FromJson;
use crate::ingest::json_fields::{Fields, boolean};

/// The settings of the cluster, in whole seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Settings(pub(crate) cluster::Settings);

impl FromJson for Settings {
    /// All of them, of the right type and in range.
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::new(value, "must be a JSON object with all settings")?;
        let mut read = cluster::Settings::default();
        for setting in &SETTINGS {
            if let Some(value) = fields.required(setting.name, |value| value_of(setting, value)) {
                setting.set(&mut read, value);
            }
        }
        for error in read.check() {
            if !fields.has_error(error.field) {
                fields.add(error.field, api_message(error));
            }
        }
        fields.finish(Some(Self(read)))
    }
}

fn value_of(setting: &Setting, value: &Value) -> Result<SettingValue, &'static str> {
    if setting.range.is_none() {
        return boolean(value).map(SettingValue::Switch);
    }
    let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    seconds.map(SettingValue::Seconds).ok_or("must be a whole number of seconds")
}

/// A setting that does not fit, as a field of a request.
pub(crate) fn field_error(error: cluster::SettingError) -> FieldError {
    FieldError::new(error.field, api_message(error))
}

/// What is wrong, as all messages of the API say it. To the second: a span said in its two largest units may look like its
/// limit.
fn api_message(error: cluster::SettingError) -> String {
    let seconds = |span: cluster::Span| format!("{} s", span.0 / 1_000);
    match error.why {
        SettingErrorKind::NotADuration => "must be a whole number of seconds".to_owned(),
        SettingErrorKind::OutOfRange { min, max, given } => {
            format!("must be {min} to {max}; it is {}", seconds(given))
        }
        SettingErrorKind::TooShort { twice, given } => format!(
            "must be at least twice the heartbeat interval, {}; it is {}",
            seconds(twice),
            seconds(given)
        ),
    }
}

impl PartialSchema for Settings {
    fn schema() -> RefOr<Schema> {
        let object = SETTINGS.iter().fold(ObjectBuilder::new(), |object, setting| {
            object.property(setting.name, field_schema(setting)).required(setting.name)
        });
        object.description(Some("The settings of the cluster, in whole seconds.")).into()
    }
}

impl ToSchema for Settings {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Settings")
    }
}

fn field_schema(setting: &Setting) -> ObjectBuilder {
    let label = Catalog::english().setting_label(setting);
    let object = ObjectBuilder::new().description(Some(label));
    match setting.range {
        None => object.schema_type(Type::Boolean),
        Some(range) => object
            .schema_type(Type::Integer)
            .minimum(Some(range.min.0 / 1_000))
            .maximum(Some(range.max.0 / 1_000)),
    }
}

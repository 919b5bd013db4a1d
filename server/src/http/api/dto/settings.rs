//! The cluster's settings.

use app::cluster;
use app::cluster::FieldError;
use app::i18n::Words;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::json::FromJson;
use crate::ingest::json_fields::{Fields, switch};

/// The settings of the cluster, in whole seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Settings {
    /// Requests are spread over several web components.
    load_balancing: bool,
    /// Another service takes over when one goes stale.
    automatic_failover: bool,
    /// How often a service sends a heartbeat.
    #[schema(minimum = 1, maximum = 3_600)]
    heartbeat_interval_s: u32,
    /// Silence after which a service is stale; at least twice the interval.
    #[schema(minimum = 2, maximum = 86_400)]
    stale_timeout_s: u32,
    /// Silence after which a web component is stale; at least twice the interval.
    #[schema(minimum = 60, maximum = 2_592_000)]
    web_window_s: u32,
}

impl From<cluster::Settings> for Settings {
    fn from(settings: cluster::Settings) -> Self {
        let cluster::Settings {
            load_balancing,
            automatic_failover,
            heartbeat_interval_s,
            stale_timeout_s,
            web_window_s,
        } = settings;
        Self {
            load_balancing,
            automatic_failover,
            heartbeat_interval_s,
            stale_timeout_s,
            web_window_s,
        }
    }
}

impl From<Settings> for cluster::Settings {
    fn from(settings: Settings) -> Self {
        let Settings {
            load_balancing,
            automatic_failover,
            heartbeat_interval_s,
            stale_timeout_s,
            web_window_s,
        } = settings;
        Self {
            load_balancing,
            automatic_failover,
            heartbeat_interval_s,
            stale_timeout_s,
            web_window_s,
        }
    }
}

impl FromJson for Settings {
    /// All five fields, of the right type and in range.
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(value, "must be a JSON object with all five settings")?;
        let read = Self {
            load_balancing: fields.required("load_balancing", switch).unwrap_or_default(),
            automatic_failover: fields.required("automatic_failover", switch).unwrap_or_default(),
            heartbeat_interval_s: fields
                .required("heartbeat_interval_s", seconds)
                .unwrap_or_default(),
            stale_timeout_s: fields.required("stale_timeout_s", seconds).unwrap_or_default(),
            web_window_s: fields.required("web_window_s", seconds).unwrap_or_default(),
        };
        for error in cluster::Settings::from(read).check() {
            if !fields.has_error(error.field) {
                fields.add(error.field, api_message(error));
            }
        }
        fields.finish(Some(read))
    }
}

fn seconds(value: &Value) -> Result<u32, &'static str> {
    let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    seconds.ok_or("must be a whole number of seconds")
}

/// What is wrong, as all messages of the API: it begins in lower case and has no full stop.
fn api_message(error: cluster::SettingError) -> String {
    let sentence = error.why.in_words(Words::for_programs());
    let mut letters = sentence.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

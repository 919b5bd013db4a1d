//! The people who sign in with a password.

use app::cluster::{FieldError, Timestamp};
use app::protocol::UserRole;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::cache::AuthCache;
use crate::auth::model::{self, parse_name};
use crate::http::api::dto::PersonRole;
use crate::http::json::FromJson;
use crate::ingest::json_fields::Fields;

/// Everybody who signs in with a password or is invited to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct People {
    pub(crate) people: Vec<Person>,
}

/// Somebody who signs in with a password or is invited to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) role: PersonRole,
    /// False until an invited person has chosen a password.
    pub(crate) has_password: bool,
    /// How many sessions have not ended.
    #[schema(minimum = 0)]
    pub(crate) sessions: usize,
    /// The last sign-in or change in one of these sessions, to a minute.
    #[schema(format = "date-time", required)]
    pub(crate) last_action_at: Option<String>,
    /// When the open link expires with which the person chooses a password.
    #[schema(format = "date-time", required)]
    pub(crate) invitation_expires_at: Option<String>,
}

impl People {
    /// By name.
    pub(crate) fn at(auth_cache: &AuthCache, now: Timestamp) -> Self {
        let person = |(key, account): (&String, &model::Account)| {
            let moments: Vec<Timestamp> = auth_cache
                .sessions_of(key, now)
                .map(|(_, session)| session.last_change_at)
                .collect();
            let invitation = account.open_invitation(now);
            Person {
                name: account.name.clone(),
                role: account.role.into(),
                has_password: account.has_password(),
                sessions: moments.len(),
                last_action_at: moments.into_iter().max().map(Timestamp::rfc3339),
                invitation_expires_at: invitation.map(|open| open.expires_at.rfc3339()),
            }
        };
        Self { people: auth_cache.accounts.iter().map(person).collect() }
    }
}

/// Whom to invite.
#[derive(Debug, ToSchema)]
pub(crate) struct NewPerson {
    /// One line. Upper and lower case, and the forms in which Unicode can write letters, do not count.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) name: String,
    /// `viewer` or `admin`.
    #[schema(value_type = PersonRole)]
    pub(crate) role: UserRole,
}

impl FromJson for NewPerson {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let name = fields.read("name", |value| {
            let name = value.and_then(Value::as_str).ok_or("is required")?;
            let name = parse_name(name).map_err(|error| error.to_string())?;
            // A client that resolves dots would ask for another address.
            if matches!(name.as_str(), "." | "..") {
                Err("must not be . or ..".into())
            } else {
                Ok::<_, String>(name)
            }
        });
        let role = fields.read("role", role);
        fields.finish(name.zip(role).map(|(name, role)| Self { name, role }))
    }
}

/// Which role a person gets.
#[derive(Debug, ToSchema)]
pub(crate) struct RoleChange {
    /// `viewer` or `admin`.
    #[schema(value_type = PersonRole)]
    pub(crate) role: UserRole,
}

impl FromJson for RoleChange {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let role = fields.read("role", role);
        fields.finish(role.map(|role| Self { role }))
    }
}

fn role(value: Option<&Value>) -> Result<UserRole, &'static str> {
    value.and_then(Value::as_str).and_then(UserRole::parse).ok_or("must be viewer or admin")
}

/// A link with which a person chooses a password, once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Invitation {
    /// It begins with the address that this request was sent to, as a trusted proxy names it. It is shown only here.
    pub(crate) link: String,
    #[schema(format = "date-time")]
    pub(crate) expires_at: String,
}

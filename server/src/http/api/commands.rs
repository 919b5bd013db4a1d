//! Runs admins' commands for the API, and turns their errors into problems.

use app::protocol::{Command, CommandError};
use axum::http::StatusCode;

use crate::auth::identity::User;
use crate::http::problem::Problem;
use crate::site::Site;

/// After how many seconds a messenger can be dialled again.
const REDIAL_AFTER_S: u32 = 5;

/// `subject`: what the command is about, for the problem.
pub(crate) async fn act(
    site: &Site,
    user: &User,
    command: Command,
    subject: &str,
) -> Result<StatusCode, Problem> {
    site.act(command, &user.actor()).await.map_err(|error| command_problem(error, subject))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn command_problem(error: CommandError, subject: &str) -> Problem {
    match error {
        CommandError::Fields => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{subject}: a value is not valid"),
        ),
        CommandError::Absent => Problem::not_found(format!("no component reports {subject}")),
        CommandError::Live => Problem::new(
            StatusCode::CONFLICT,
            format!(
                "{subject} is live and would return with its next heartbeat; stop it first, or repeat the request with ?force=true"
            ),
        ),
        CommandError::Ambiguous => Problem::new(
            StatusCode::CONFLICT,
            format!("there is more than one {subject}; give more digits"),
        ),
        CommandError::NotDialled => Problem::not_found(format!(
            "the service messenger of {subject} is not being dialled: the service announces none, has stopped, or does not report"
        )),
        CommandError::TooSoon => Problem::too_soon(
            REDIAL_AFTER_S,
            format!(
                "the service messenger of {subject} was dialled a moment ago; wait and try again"
            ),
        ),
        // The API returns how dialling ended; only the page's forms get this error.
        CommandError::Unreached => {
            Problem::unavailable(format!("the service messenger of {subject} cannot be reached"))
        }
        CommandError::Blind => Problem::unavailable(
            "the overview cannot write to its database at present; nothing was changed",
        ),
    }
}

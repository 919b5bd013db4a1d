//! Runs an admin's command for the API, and turns its error into a problem.

use app::protocol::{Command, CommandError};
use axum::http::StatusCode;

use crate::auth::identity::User;
use crate::http::problem::Problem;
use crate::site::Site;

/// How many seconds to wait before a messenger is dialled again.
const REDIAL_AFTER_S: u32 = 5;

/// Runs a command. `what`: what it is about, for the problem.
pub(crate) async fn act(
    site: &Site,
    user: &User,
    command: Command,
    what: &str,
) -> Result<StatusCode, Problem> {
    site.act(command, &user.actor()).await.map_err(|refusal| refusal_problem(refusal, what))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A failed command as a problem.
pub(crate) fn refusal_problem(refusal: CommandError, what: &str) -> Problem {
    match refusal {
        CommandError::Fields => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("a value of {what} does not fit"),
        ),
        CommandError::Absent => Problem::not_found(format!("no component reports {what}")),
        CommandError::Live => Problem::new(
            StatusCode::CONFLICT,
            format!(
                "{what} is live and would return with its next heartbeat; stop it first, or repeat the request with ?force=true"
            ),
        ),
        CommandError::Ambiguous => Problem::new(
            StatusCode::CONFLICT,
            format!("there is more than {what}; give more digits"),
        ),
        CommandError::NotDialled => Problem::not_found(format!(
            "the service messenger of {what} is not being dialled: the service announces none, has stopped, or does not report"
        )),
        CommandError::TooSoon => Problem::too_soon(
            REDIAL_AFTER_S,
            format!("the service messenger of {what} was dialled a moment ago; wait and try again"),
        ),
        // Only the page asks without reading the result.
        CommandError::Unreached => {
            Problem::unavailable(format!("the service messenger of {what} cannot be reached"))
        }
        CommandError::Blind => Problem::unavailable(
            "the overview cannot write to its database at present; nothing was changed",
        ),
    }
}

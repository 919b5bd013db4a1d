//! The past of the demo's cluster: the seven days before it starts.
//!
//! [`plan`] says what happened, [`life`] which heartbeats the components sent, and [`simulation`] receives them as the store
//! does. The plan is the same every time, apart from the day on which it ends.

mod life;
mod plan;
mod simulation;

use app::cluster::Timestamp;

use crate::store::ImportedPast;

/// The past until `now`.
///
/// # Errors
/// What is wrong with the name of a server.
pub(super) fn simulate(now: Timestamp) -> Result<ImportedPast, String> {
    simulation::run(plan::until(now))
}

#[cfg(test)]
mod tests;

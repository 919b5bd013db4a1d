//! What an agent writes into its log, and how often.

use crate::agent::AgentError;
use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

/// What the agent says in its log: each thing at most once a minute, whatever the overview answers.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) troubles: LogLimits<Trouble>,
    pub(super) heard: LogLimits<()>,
    pub(super) enrolled: LogLimits<()>,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Trouble {
    Proof,
    Token,
    Probe,
    Overview,
}

impl Log {
    pub(super) fn trouble(&self, error: &AgentError, failures: u32) {
        let kind = match error {
            AgentError::Proof(_) => Trouble::Proof,
            AgentError::Client(_) if error.is_about_proof() => Trouble::Token,
            AgentError::Probe(_) => Trouble::Probe,
            AgentError::Client(_) => Trouble::Overview,
        };
        let Some(left_out) = self.troubles.check(kind) else { return };
        match kind {
            Trouble::Proof => {
                tracing::error!(%error, left_out, "no heartbeat is sent; trying again");
            }
            Trouble::Token => {
                tracing::error!(%error, left_out, "the overview does not accept this token; trying on");
            }
            Trouble::Probe => {
                tracing::warn!(%error, failures, left_out, "no heartbeat is sent; asking on");
            }
            Trouble::Overview => {
                tracing::warn!(%error, failures, left_out, "the heartbeat was not taken; trying on");
            }
        }
    }

    pub(super) fn heard(&self, server: &str) {
        if self.heard.check(()).is_some() {
            tracing::info!(server, "the overview hears this server");
        }
    }

    /// The number is the overview's word.
    pub(super) fn enrolled(&self, server: &str, id: &str, former: Option<&str>) {
        if let Some(left_out) = self.enrolled.check(()) {
            let id = one_line(id);
            tracing::info!(
                server,
                id,
                former,
                left_out,
                "enrolled: this server has its own credential"
            );
        }
    }
}

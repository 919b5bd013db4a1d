//! What the agent writes to its log: each kind of line at most once a minute.

use crate::agent::AgentError;
use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

#[derive(Debug, Default)]
pub(super) struct AgentLog {
    failures: LogLimits<FailureKind>,
    accepted: LogLimits<()>,
    enrolled: LogLimits<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum FailureKind {
    NoToken,
    TokenRejected,
    Unhealthy,
    NotDelivered,
}

impl AgentLog {
    /// `failures`: how many attempts in a row have failed.
    pub(super) fn failed(&self, error: &AgentError, failures: u32) {
        let kind = match error {
            AgentError::Auth(_) => FailureKind::NoToken,
            AgentError::Client(_) if error.is_unauthorized() => FailureKind::TokenRejected,
            AgentError::Probe(_) => FailureKind::Unhealthy,
            AgentError::Client(_) => FailureKind::NotDelivered,
        };
        let Some(left_out) = self.failures.check(kind) else { return };
        match kind {
            FailureKind::NoToken => {
                tracing::error!(%error, left_out, "no heartbeat is sent: there is no usable token; trying again");
            }
            FailureKind::TokenRejected => {
                tracing::error!(%error, left_out, "the overview rejected the token or credential of this server; trying again");
            }
            FailureKind::Unhealthy => {
                tracing::warn!(%error, failures, left_out, "no heartbeat is sent: the product is not healthy; probing again");
            }
            FailureKind::NotDelivered => {
                tracing::warn!(%error, failures, left_out, "cannot deliver the heartbeat; trying again");
            }
        }
    }

    pub(super) fn accepted(&self, server: &str) {
        if self.accepted.check(()).is_some() {
            tracing::info!(server, "the overview accepts the heartbeats of this server");
        }
    }

    /// `id` is text from the overview.
    pub(super) fn enrolled(&self, server: &str, id: &str, former_server: Option<&str>) {
        if let Some(left_out) = self.enrolled.check(()) {
            let id = one_line(id);
            tracing::info!(
                server,
                id,
                former_server,
                left_out,
                "enrolled: this server has a credential of its own now"
            );
        }
    }
}

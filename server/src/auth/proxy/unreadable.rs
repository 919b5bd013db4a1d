//! Warns of trusted proxies that name clients in a form that cannot be read: behind one, everybody has its
//! address.

use axum::http::HeaderMap;

use crate::auth::origin::Origin;
use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

/// One line for each header.
#[derive(Debug, Default)]
pub(crate) struct UnreadableForwardingWarning(LogLimits<&'static str>);

impl UnreadableForwardingWarning {
    /// Logs a warning, with the header's value, if this request comes from such a proxy.
    pub(crate) fn notice(&self, origin: &Origin, headers: &HeaderMap) {
        let (Some(header), Some(peer)) = (origin.unreadable, origin.peer) else { return };
        let Some(left_out) = self.0.check(header) else { return };
        let lines = headers.get_all(header).iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let value = one_line(&lines.join(", "));
        tracing::warn!(
            address = %peer,
            header,
            value,
            left_out,
            "cannot read the client's address in {header}, which the proxy {peer} sends: its last entry that is no \
             trusted proxy must be an address; until then everybody behind {peer} counts as one address"
        );
    }
}

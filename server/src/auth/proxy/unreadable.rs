//! Warns of trusted proxies whose client addresses cannot be read: all clients behind one have its address.

use axum::http::HeaderMap;

use crate::auth::origin::RequestOrigin;
use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

/// Limited by header.
#[derive(Debug, Default)]
pub(crate) struct UnreadableForwardingWarning(LogLimits<&'static str>);

impl UnreadableForwardingWarning {
    /// Logs a warning, with the header's value, if the request comes through such a proxy.
    pub(crate) fn notice(&self, origin: &RequestOrigin, headers: &HeaderMap) {
        let (Some(header), Some(peer)) = (origin.unreadable_header, origin.peer) else { return };
        let Some(left_out) = self.0.check(header) else { return };
        let lines = headers.get_all(header).iter();
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        let value = one_line(&lines.join(", "));
        tracing::warn!(
            address = %peer,
            header,
            value,
            left_out,
            "cannot read the client's address in {header}, which the proxy {peer} sends: the last entry that is not a \
             trusted proxy must be an address; until then all clients behind {peer} count as one address"
        );
    }
}

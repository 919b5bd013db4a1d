//! The outcome of sending a message once.

use std::fmt;

use app::cluster::Span;

use crate::telemetry::outside_text::one_line;

/// No receiver can ask for a longer pause.
const MAX_RETRY_AFTER: Span = Span::minutes(24 * 60);

/// The receiver accepted the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// What it answered, in one line.
    pub answer: String,
}

impl Delivered {
    pub(super) fn new(answer: &str) -> Self {
        Self { answer: one_line(answer) }
    }
}

/// When the same message can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextTry {
    /// After the usual time.
    AsPlanned,
    /// The receiver asked for a pause of at least so long; at most 24 h.
    NotBefore(Span),
    /// The receiver is gone for good: nothing is sent to it until an administrator has looked.
    Never,
}

/// The message did not arrive, or nobody knows whether it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// One line, without anything secret.
    why: String,
    pub next_try: NextTry,
}

impl DeliveryFailure {
    pub(super) fn new(why: impl AsRef<str>) -> Self {
        Self { why: one_line(why.as_ref()), next_try: NextTry::AsPlanned }
    }

    pub(super) fn gone(why: impl AsRef<str>) -> Self {
        Self { next_try: NextTry::Never, ..Self::new(why) }
    }

    /// Whether the receiver is gone for good.
    pub(super) fn is_gone(&self) -> bool {
        self.next_try == NextTry::Never
    }

    /// `pause`: what the receiver asked for.
    pub(super) fn with_pause(self, pause: Option<Span>) -> Self {
        match pause.filter(|pause| *pause > Span::ZERO) {
            Some(pause) => {
                Self { next_try: NextTry::NotBefore(pause.min(MAX_RETRY_AFTER)), ..self }
            }
            None => self,
        }
    }
}

impl fmt::Display for DeliveryFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for DeliveryFailure {}

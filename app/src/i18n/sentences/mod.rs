//! Which message fits a verdict, an event, a hint, a setting, a preview?

mod events;
mod hints;
mod preview;
mod reasons;
mod rehearsal;
mod settings;
mod status;
mod verdict;

pub use self::hints::HintText;
pub(super) use self::reasons::{failure_reason, roles};
pub use self::verdict::{ProblemCount, Verdict};

//! What an admin may do: decided on the live picture, written in turn, told before it is answered.

use app::api::{Command, Outcome, Refusal};
use app::cluster::keys::{Unnamed, check_digits};
use app::cluster::{KeyCheck, KeyKind};

use crate::Site;
use crate::watch::Sight;

impl Site {
    /// Does what an admin wants, whole or not at all.
    pub async fn act(&self, command: Command) -> Outcome {
        // Nothing is written between the look and the deed.
        let _turn = self.watch.turn().await;
        let written = match command {
            Command::Configure(settings) => {
                if !settings.check().is_empty() {
                    return Err(Refusal::Fields);
                }
                self.store.set_settings(settings).await
            }
            Command::Remove { server, role, force } => {
                let Sight { snapshot, now, .. } = self.watch.sight();
                let removal = snapshot.removing(&server, role, now);
                let removal = removal.ok_or(Refusal::Absent)?;
                if removal.live && !force {
                    return Err(Refusal::Live);
                }
                self.store.remove(&removal.keys).await
            }
            Command::Accept { kind, digits } => {
                let check = self.reported(kind, &digits)?;
                self.store.accept_key(kind, check).await
            }
        };
        self.watch.take_in(written).map_err(|error| {
            tracing::error!(%error, "a change could not be written");
            Refusal::Blind
        })
    }

    /// The one check with these first digits that somebody reports.
    fn reported(&self, kind: KeyKind, digits: &str) -> Result<KeyCheck, Refusal> {
        check_digits(digits).map_err(|_| Refusal::Fields)?;
        let snapshot = self.watch.snapshot();
        kind.named(digits, snapshot.components.values().map(AsRef::as_ref)).map_err(|unnamed| {
            match unnamed {
                Unnamed::Nobody { .. } => Refusal::Absent,
                Unnamed::Several => Refusal::Ambiguous,
            }
        })
    }
}

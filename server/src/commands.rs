//! What an admin may do: decided on the live picture, written in turn, told before it is answered.

use std::sync::Arc;

use app::cluster::keys::check_digits;
use app::cluster::reference_keys::KeyLookupError;
use app::cluster::removal::RemovalFilter;
use app::cluster::{
    ComponentKey, KeyCheck, KeyKind, Messenger, Role, ServerName, Settings, Snapshot,
};
use app::i18n::Words;
use app::protocol::{Command, CommandError, CommandResult};

use crate::auth::audit::{Action, Actor, Entry};
use crate::live::{LiveState, LiveView};
use crate::messenger::Dialer;
use crate::store::task::run_to_end;
use crate::store::{Commit, StoreError};

/// How many servers one transaction removes.
const MAX_REMOVED_AT_ONCE: usize = 500;

/// A removal of many servers that stopped before its end.
#[derive(Debug)]
pub(crate) struct StoppedRemoval {
    /// Those that were removed before.
    pub(crate) removed: Vec<ServerName>,
    /// Why it stopped.
    pub(crate) why: CommandError,
}

/// What an admin can do, for the API, the forms and the server function alike.
#[derive(Debug)]
pub(crate) struct Commands {
    live: Arc<LiveState>,
    dialer: Arc<Dialer>,
}

impl Commands {
    pub(crate) fn new(live: Arc<LiveState>, dialer: Arc<Dialer>) -> Self {
        Self { live, dialer }
    }

    /// Does what an admin wants, whole or not at all, and writes down who wanted it.
    pub(crate) async fn act(&self, command: Command, by: &Actor) -> CommandResult {
        match command {
            Command::Configure(settings) => self.configure(settings, by).await,
            Command::Remove { server, role, force } => self.remove(&server, role, force, by).await,
            Command::Accept { kind, digits } => self.accept(kind, &digits, by).await,
            Command::Reconnect { server } => match self.dial(&server, by).await?.failure {
                None => Ok(()),
                Some(_) => Err(CommandError::Unreached),
            },
        }
    }

    async fn configure(&self, settings: Settings, by: &Actor) -> CommandResult {
        if !settings.check().is_empty() {
            return Err(CommandError::Fields);
        }
        let by = by.clone();
        let configure = self.decide(move |live| async move {
            let before = live.snapshot().settings;
            let entry = Entry::done(&by, Action::Configure, differences(&before, &settings));
            done(&live, live.store().set_settings(settings, &entry).await)
        });
        configure.await
    }

    async fn remove(
        &self,
        server: &ServerName,
        role: Option<Role>,
        force: bool,
        by: &Actor,
    ) -> CommandResult {
        let (server, by) = (server.clone(), by.clone());
        let remove = self.decide(move |live| async move {
            let LiveView { snapshot, now, .. } = live.view();
            let removal = snapshot.removing(&server, role, now).ok_or(CommandError::Absent)?;
            if removal.live && !force {
                return Err(CommandError::Live);
            }
            let target = match role {
                Some(role) => format!("{} of {server}", role.as_str()),
                None => server.to_string(),
            };
            let whole = if role.is_none() { vec![server] } else { Vec::new() };
            let entry = Entry::done(&by, Action::Remove, target);
            done(&live, live.store().remove(&removal.keys, &whole, Some(&entry)).await)
        });
        remove.await
    }

    /// Removes all servers that a filter finds, or only finds them. It goes in portions that nobody has to wait for
    /// long. Each has an entry of the audit in its own transaction, so that the audit names exactly those that were
    /// removed, however it ends.
    pub(crate) async fn remove_all(
        &self,
        filter: RemovalFilter,
        dry_run: bool,
        by: &Actor,
    ) -> Result<Vec<ServerName>, StoppedRemoval> {
        if dry_run {
            self.live.refresh().await;
            let LiveView { snapshot, now, .. } = self.live.view();
            let found = snapshot.servers_to_remove(&filter, now);
            return Ok(found.into_iter().map(|server| server.name).collect());
        }
        let live = Arc::clone(&self.live);
        let Ok(place) = live.place() else {
            return Err(StoppedRemoval { removed: Vec::new(), why: CommandError::Blind });
        };
        let by = by.clone();
        // The portions belong together: they go on when the caller goes away.
        run_to_end(async move {
            let _place = place;
            let mut removed = Vec::new();
            loop {
                match remove_portion(&live, &filter, &by).await {
                    Ok((portion, more)) => {
                        removed.extend(portion);
                        if !more {
                            return Ok(removed);
                        }
                    }
                    Err(why) => return Err(StoppedRemoval { removed, why }),
                }
            }
        })
        .await
    }

    async fn accept(&self, kind: KeyKind, digits: &str, by: &Actor) -> CommandResult {
        let (digits, by) = (digits.to_owned(), by.clone());
        let accept = self.decide(move |live| async move {
            let check = reported(&live.snapshot(), kind, &digits)?;
            let target = format!("{} key {}", kind.as_str(), check.short());
            let entry = Entry::done(&by, Action::AcceptKey, target);
            done(&live, live.store().accept_key(kind, check, &entry).await)
        });
        accept.await
    }

    /// Dials a server's service messenger, and says how it is found by that very trial.
    pub(crate) async fn dial(
        &self,
        server: &ServerName,
        by: &Actor,
    ) -> Result<Messenger, CommandError> {
        let messenger = self.dialer.reconnect(server).await?;
        let outcome = messenger
            .failure
            .map_or("connected", |failure| Words::for_programs().label(failure.key()));
        let outcome = outcome.to_owned();
        let entry = Entry { outcome, ..Entry::done(by, Action::Reconnect, server.to_string()) };
        let recorded = self.live.record(entry).await;
        recorded.map(|()| messenger).map_err(|_| CommandError::Blind)
    }

    /// Decides on what is in the database and writes: nobody else writes in between.
    async fn decide<Decided>(
        &self,
        decide: impl FnOnce(Arc<LiveState>) -> Decided + Send + 'static,
    ) -> CommandResult
    where
        Decided: Future<Output = CommandResult> + Send,
    {
        let live = Arc::clone(&self.live);
        let place = live.place().map_err(|_| CommandError::Blind)?;
        let decided = async move {
            let _place = place;
            live.catch_up_with_others().await;
            decide(live).await
        };
        self.live.with_write_lock(decided).await
    }
}

/// Removes the first servers that a filter finds; whether there are more.
async fn remove_portion(
    live: &Arc<LiveState>,
    filter: &RemovalFilter,
    by: &Actor,
) -> Result<(Vec<ServerName>, bool), CommandError> {
    let (filter, by, writer) = (filter.clone(), by.clone(), Arc::clone(live));
    let removed = async move {
        writer.catch_up_with_others().await;
        let LiveView { snapshot, now, .. } = writer.view();
        if snapshot.blind_since.is_some() {
            return Err(CommandError::Blind);
        }
        let mut found = snapshot.servers_to_remove(&filter, now);
        if found.is_empty() {
            return Ok((Vec::new(), false));
        }
        let fit =
            Entry::names_fit(found.iter().map(|server| &server.name)).min(MAX_REMOVED_AT_ONCE);
        let more = found.len() > fit;
        found.truncate(fit);
        let keys: Vec<ComponentKey> =
            found.iter().flat_map(|server| server.keys.iter().cloned()).collect();
        let names: Vec<ServerName> = found.into_iter().map(|server| server.name).collect();
        let entry = Entry::removal(&by, &names);
        done(&writer, writer.store().remove(&keys, &names, Some(&entry)).await)?;
        Ok((names, more))
    };
    live.with_write_lock(removed).await
}

fn done(live: &LiveState, written: Result<Commit, StoreError>) -> CommandResult {
    live.apply_result(written).map_err(|error| {
        tracing::error!(%error, "a change could not be written");
        CommandError::Blind
    })
}

/// The one check with these first digits that somebody reports.
fn reported(snapshot: &Snapshot, kind: KeyKind, digits: &str) -> Result<KeyCheck, CommandError> {
    check_digits(digits).map_err(|_| CommandError::Fields)?;
    kind.find_by_prefix(digits, snapshot.components.values().map(AsRef::as_ref)).map_err(
        |unnamed| match unnamed {
            KeyLookupError::Unknown { .. } => CommandError::Absent,
            KeyLookupError::Ambiguous => CommandError::Ambiguous,
        },
    )
}

/// What a change of the settings changes, in the API's own words.
fn differences(before: &Settings, after: &Settings) -> String {
    let pairs = |settings: &Settings| match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (pairs(before), pairs(after));
    let changed: Vec<String> = after
        .iter()
        .filter(|(name, value)| before.get(*name) != Some(value))
        .map(|(name, value)| {
            let old = before.get(name).map(ToString::to_string).unwrap_or_default();
            format!("{name} {old} to {value}")
        })
        .collect();
    if changed.is_empty() { "nothing changed".to_owned() } else { changed.join(", ") }
}

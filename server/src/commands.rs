//! The commands of admins: checked against the live state, written one at a time, applied before they are answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::cluster::keys::check_digits;
use app::cluster::reference_keys::KeyLookupError;
use app::cluster::removal::{RemovalFilter, RemovedServer};
use app::cluster::{
    ComponentKey, Incident, IncidentId, KeyCheck, KeyKind, Messenger, Role, ServerName, Settings,
    Snapshot, Timestamp,
};
use app::i18n::Catalog;
use app::protocol::{Command, CommandError, CommandResult};

use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::live::{LiveState, LiveView};
use crate::messenger::Dialer;
use crate::notify::{Channel, Courier};
use crate::store::task::run_to_end;
use crate::store::{Commit, Pause, StoreError};

/// More servers are removed in several transactions.
const MAX_SERVERS_PER_TRANSACTION: usize = 500;

/// Which servers to remove together.
#[derive(Clone, Debug)]
pub(crate) struct RemovalSelection {
    pub(crate) filter: RemovalFilter,
    /// Only these, such as those that somebody was shown.
    pub(crate) only: Option<BTreeSet<ServerName>>,
}

impl From<RemovalFilter> for RemovalSelection {
    fn from(filter: RemovalFilter) -> Self {
        Self { filter, only: None }
    }
}

impl RemovalSelection {
    /// The servers that are not live and match.
    fn find(&self, snapshot: &Snapshot, now: Timestamp) -> Vec<RemovedServer> {
        let mut found = snapshot.servers_to_remove(&self.filter, now);
        if let Some(only) = &self.only {
            found.retain(|server| only.contains(&server.name));
        }
        found
    }
}

/// A removal of several servers that failed before its end.
#[derive(Debug)]
pub(crate) struct PartialRemoval {
    /// The servers that were removed.
    pub(crate) removed: Vec<ServerName>,
    pub(crate) error: CommandError,
}

/// Why a command about a channel failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChannelError {
    /// There is no such channel.
    Absent,
    /// The receiver did not accept a test: why.
    NotAccepted(String),
    /// The database cannot be written.
    Blind,
}

/// Why nobody's acknowledgement of an incident was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcknowledgementError {
    /// There is no such incident.
    Absent,
    /// It has ended.
    Ended,
    /// The database cannot be written.
    Blind,
}

/// Runs commands for the API, the forms and the server functions.
#[derive(Debug)]
pub(crate) struct Commands {
    live: Arc<LiveState>,
    dialer: Arc<Dialer>,
    /// One for each channel.
    couriers: Vec<Arc<Courier>>,
}

impl Commands {
    pub(crate) fn new(
        live: Arc<LiveState>,
        dialer: Arc<Dialer>,
        couriers: Vec<Arc<Courier>>,
    ) -> Self {
        Self { live, dialer, couriers }
    }

    /// All channels, in the order of their file.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.couriers.iter().map(|courier| courier.channel())
    }

    /// The name of this channel as its file spells it.
    pub(crate) fn channel_name(&self, name: &str) -> Option<String> {
        self.courier(name).ok().map(|courier| courier.channel().name.clone())
    }

    fn courier(&self, name: &str) -> Result<&Arc<Courier>, ChannelError> {
        let mut couriers = self.couriers.iter();
        let is_it = |courier: &&Arc<Courier>| courier.channel().name.eq_ignore_ascii_case(name);
        couriers.find(is_it).ok_or(ChannelError::Absent)
    }

    /// Sends a test through a channel. Returns what its receiver answered.
    pub(crate) async fn test_channel(
        &self,
        name: &str,
        by: &Actor,
    ) -> Result<String, ChannelError> {
        let courier = Arc::clone(self.courier(name)?);
        let (live, by) = (Arc::clone(&self.live), by.clone());
        run_to_end(async move {
            let sent = courier.test().await.map_err(|_| ChannelError::Blind)?;
            let name = courier.channel().name.clone();
            let entry = AuditEntry::done(&by, Action::TestChannel, name);
            let outcome = match &sent {
                Ok(_) => entry.outcome.clone(),
                Err(failure) => failure.to_string(),
            };
            let recorded = live.record(AuditEntry { outcome, ..entry }).await;
            recorded.map_err(|_| ChannelError::Blind)?;
            sent.map(|delivered| delivered.answer)
                .map_err(|failure| ChannelError::NotAccepted(failure.to_string()))
        })
        .await
    }

    /// Sends nothing through a channel until then; `None`: it goes on.
    pub(crate) async fn pause_channel(
        &self,
        name: &str,
        until: Option<Timestamp>,
        reason: String,
        by: &Actor,
    ) -> Result<(), ChannelError> {
        let courier = Arc::clone(self.courier(name)?);
        let slot = self.live.reserve_change_slot().map_err(|_| ChannelError::Blind)?;
        let (live, by) = (Arc::clone(&self.live), by.clone());
        let change = self.live.with_write_lock(async move {
            let _slot = slot;
            let name = &courier.channel().name;
            let target = match until {
                Some(until) => format!("{name} until {}", until.rfc3339()),
                None => format!("{name} goes on"),
            };
            let entry = AuditEntry::done(&by, Action::PauseChannel, target);
            let pause = until.map(|until| Pause { until, by: by.name.clone(), reason });
            let paused = live.store().pause_channel(name, pause, Some(&entry)).await;
            apply(&live, paused).map_err(|_| ChannelError::Blind)?;
            courier.nudge();
            Ok(())
        });
        change.await
    }

    /// Runs a command, completely or not at all, and records it in the audit log.
    pub(crate) async fn run(&self, command: Command, by: &Actor) -> CommandResult {
        match command {
            Command::Configure(settings) => self.configure(settings, by).await,
            Command::Remove { server, role, force } => self.remove(&server, role, force, by).await,
            Command::Accept { kind, digits } => self.accept(kind, &digits, by).await,
            Command::Reconnect { server } => match self.reconnect(&server, by).await?.failure {
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
        let configure = self.with_write_lock(move |live| async move {
            let before = live.snapshot().settings;
            let entry =
                AuditEntry::done(&by, Action::Configure, describe_changes(&before, &settings));
            apply(&live, live.store().set_settings(settings, &entry).await)
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
        let remove = self.with_write_lock(move |live| async move {
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
            let entry = AuditEntry::done(&by, Action::Remove, target);
            apply(&live, live.store().remove(&removal.keys, &whole, Some(&entry)).await)
        });
        remove.await
    }

    /// Removes all servers of a selection; with `dry_run` only finds them.
    ///
    /// It writes in portions, so that heartbeats do not have to wait. Each transaction has its own audit entry, so that
    /// the audit log names exactly the servers that were removed, even if a later portion fails.
    pub(crate) async fn remove_all(
        &self,
        selection: RemovalSelection,
        dry_run: bool,
        by: &Actor,
    ) -> Result<Vec<ServerName>, PartialRemoval> {
        if dry_run {
            self.live.refresh().await;
            let LiveView { snapshot, now, .. } = self.live.view();
            let found = selection.find(&snapshot, now);
            return Ok(found.into_iter().map(|server| server.name).collect());
        }
        let live = Arc::clone(&self.live);
        let Ok(slot) = live.reserve_change_slot() else {
            return Err(PartialRemoval { removed: Vec::new(), error: CommandError::Blind });
        };
        let by = by.clone();
        // The remaining portions are removed even if the client disconnects.
        run_to_end(async move {
            let _slot = slot;
            let mut removed = Vec::new();
            loop {
                match remove_portion(&live, &selection, &by).await {
                    Ok((portion, more)) => {
                        removed.extend(portion);
                        if !more {
                            return Ok(removed);
                        }
                    }
                    Err(error) => return Err(PartialRemoval { removed, error }),
                }
            }
        })
        .await
    }

    async fn accept(&self, kind: KeyKind, digits: &str, by: &Actor) -> CommandResult {
        let (digits, by) = (digits.to_owned(), by.clone());
        let accept = self.with_write_lock(move |live| async move {
            let check = find_reported_key(&live.snapshot(), kind, &digits)?;
            let target = format!("{} key {}", kind.as_str(), check.short());
            let entry = AuditEntry::done(&by, Action::AcceptKey, target);
            apply(&live, live.store().accept_key(kind, check, &entry).await)
        });
        accept.await
    }

    /// Dials a server's service messenger again and returns its new state.
    pub(crate) async fn reconnect(
        &self,
        server: &ServerName,
        by: &Actor,
    ) -> Result<Messenger, CommandError> {
        let messenger = self.dialer.reconnect(server).await?;
        let outcome = messenger
            .failure
            .map_or("connected", |failure| Catalog::english().messenger_failure(failure));
        let outcome = outcome.to_owned();
        let entry =
            AuditEntry { outcome, ..AuditEntry::done(by, Action::Reconnect, server.to_string()) };
        let recorded = self.live.record(entry).await;
        recorded.map(|()| messenger).map_err(|_| CommandError::Blind)
    }

    /// Notes that somebody takes care of an open incident, with what they add for the others; without a note that nobody does
    /// any more.
    pub(crate) async fn acknowledge(
        &self,
        id: &IncidentId,
        note: Option<String>,
        by: &Actor,
    ) -> Result<(), AcknowledgementError> {
        let (live, id, by) = (Arc::clone(&self.live), id.clone(), by.clone());
        let slot = live.reserve_change_slot().map_err(|_| AcknowledgementError::Blind)?;
        let acknowledge = async move {
            let _slot = slot;
            live.catch_up_with_others().await;
            let failed = |error: StoreError| {
                tracing::error!(%error, "cannot write who takes care of an incident; nothing was changed");
                live.go_blind(&error);
                AcknowledgementError::Blind
            };
            let known = live.store().incident(&id).await.map_err(failed)?;
            let incident = known.ok_or(AcknowledgementError::Absent)?.incident;
            if !incident.is_open() {
                return Err(AcknowledgementError::Ended);
            }
            if note.is_none() && incident.acknowledged.is_none() {
                return Ok(());
            }
            let action =
                if note.is_some() { Action::Acknowledge } else { Action::WithdrawAcknowledgement };
            let entry = AuditEntry::done(&by, action, describe_incident(&incident));
            let acknowledged = note.map(|note| (by.name, note));
            let written = live.store().acknowledge_incident(&id, acknowledged, &entry).await;
            let (_, commit) = written.map_err(failed)?.ok_or(AcknowledgementError::Ended)?;
            live.apply(commit);
            Ok(())
        };
        self.live.with_write_lock(acknowledge).await
    }

    /// Runs a change on the newest state. No other change is written meanwhile.
    async fn with_write_lock<Change>(
        &self,
        change: impl FnOnce(Arc<LiveState>) -> Change + Send + 'static,
    ) -> CommandResult
    where
        Change: Future<Output = CommandResult> + Send,
    {
        let live = Arc::clone(&self.live);
        let slot = live.reserve_change_slot().map_err(|_| CommandError::Blind)?;
        let change = async move {
            let _slot = slot;
            live.catch_up_with_others().await;
            change(live).await
        };
        self.live.with_write_lock(change).await
    }
}

/// Removes the first servers of a selection. Returns their names, and whether there are more.
async fn remove_portion(
    live: &Arc<LiveState>,
    selection: &RemovalSelection,
    by: &Actor,
) -> Result<(Vec<ServerName>, bool), CommandError> {
    let (selection, by, writer) = (selection.clone(), by.clone(), Arc::clone(live));
    let removed = async move {
        writer.catch_up_with_others().await;
        let LiveView { snapshot, now, .. } = writer.view();
        if snapshot.blind_since.is_some() {
            return Err(CommandError::Blind);
        }
        let mut found = selection.find(&snapshot, now);
        if found.is_empty() {
            return Ok((Vec::new(), false));
        }
        let fit = AuditEntry::names_that_fit(found.iter().map(|server| &server.name))
            .min(MAX_SERVERS_PER_TRANSACTION);
        let more = found.len() > fit;
        found.truncate(fit);
        let keys: Vec<ComponentKey> =
            found.iter().flat_map(|server| server.keys.iter().cloned()).collect();
        let names: Vec<ServerName> = found.into_iter().map(|server| server.name).collect();
        let entry = AuditEntry::removal(&by, &names);
        apply(&writer, writer.store().remove(&keys, &names, Some(&entry)).await)?;
        Ok((names, more))
    };
    live.with_write_lock(removed).await
}

fn apply(live: &LiveState, commit: Result<Commit, StoreError>) -> CommandResult {
    live.apply_result(commit).map_err(|error| {
        tracing::error!(%error, "cannot write an admin's change; nothing was changed");
        CommandError::Blind
    })
}

/// What it is about, for the audit log: `service-stale of web-1`, or `many-silent`.
fn describe_incident(incident: &Incident) -> String {
    let hint = incident.hint.as_str();
    incident.server.as_ref().map_or_else(|| hint.to_owned(), |server| format!("{hint} of {server}"))
}

/// The one reported key check that begins with these digits.
fn find_reported_key(
    snapshot: &Snapshot,
    kind: KeyKind,
    digits: &str,
) -> Result<KeyCheck, CommandError> {
    check_digits(digits).map_err(|_| CommandError::Fields)?;
    kind.find_by_prefix(digits, snapshot.components.values().map(AsRef::as_ref)).map_err(|error| {
        match error {
            KeyLookupError::Unknown { .. } => CommandError::Absent,
            KeyLookupError::Ambiguous => CommandError::Ambiguous,
        }
    })
}

/// The settings that change, with the API's names and values.
pub(crate) fn describe_changes(before: &Settings, after: &Settings) -> String {
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

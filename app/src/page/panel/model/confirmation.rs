//! The forms that send a command: the confirmations of a removal and of a key, and dialling a messenger again.

use crate::cluster::hints::Arg;
use crate::cluster::preview::KeyChangePreview;
use crate::cluster::reference_keys::KeyLookupError;
use crate::cluster::{KeyKind, ReferenceKey, Role, ServerName};
use crate::i18n::MessageKey;
use crate::page::panel::model::Panel;
use crate::page::view_context::ViewContext;
use crate::protocol::Command;

/// A form that sends one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// The route that the form is posted to, below the base path.
    pub(crate) action: &'static str,
    /// Its hidden fields.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) button: String,
    /// Has a red button, and can be cancelled.
    pub(crate) is_destructive: bool,
    /// What has to be typed first.
    pub(crate) typed: Option<TypedConfirmation>,
    /// The same command, for a hydrated page.
    pub(crate) command: Command,
}

/// Digits that are typed before a command that would do much harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypedConfirmation {
    pub(crate) label: String,
    pub(crate) digits: String,
}

impl ViewContext<'_> {
    pub(super) fn removal(&self, name: &ServerName, role: Option<Role>, again: bool) -> Panel {
        let args = [("server", Arg::Text(name.to_string()))];
        let title = self.catalog.format(
            match role {
                None => MessageKey::ConfirmRemoveServer,
                Some(Role::Web) => MessageKey::ConfirmRemoveWeb,
                Some(Role::Service) => MessageKey::ConfirmRemoveService,
            },
            &args,
        );
        let Some(removal) = self.snapshot.removing(name, role, self.now) else {
            return self.not_found(name, title);
        };
        let again = again && removal.live;
        let mut paragraphs = Vec::new();
        if again {
            paragraphs.push(self.catalog.format(MessageKey::ConfirmRemoveAnyway, &args));
        } else {
            paragraphs.push(self.catalog.format(MessageKey::ConfirmRemoveEffect, &args));
            if removal.live {
                paragraphs.push(self.catalog.format(MessageKey::ConfirmRemoveRunning, &args));
            }
        }
        let mut fields = vec![("server", name.to_string())];
        fields.extend(role.map(|role| ("role", role.as_str().to_owned())));
        fields.extend(again.then(|| ("force", "true".to_owned())));
        let confirmation = Confirmation {
            action: "removal",
            fields,
            button: self
                .catalog
                .text(if again {
                    MessageKey::ActionRemoveAnyway
                } else {
                    MessageKey::ActionRemoveNow
                })
                .to_owned(),
            is_destructive: true,
            typed: None,
            command: Command::Remove { server: name.clone(), role, force: again },
        };
        Panel { paragraphs, confirmation: Some(confirmation), ..self.new_panel(title) }
    }

    pub(super) fn key_acceptance(&self, kind: KeyKind, digits: &str) -> Panel {
        let (question, mismatch) = match kind {
            KeyKind::Encryption => (
                MessageKey::ConfirmAcceptEncryptionKey,
                MessageKey::ConfirmAcceptMismatchEncryption,
            ),
            KeyKind::Machine => {
                (MessageKey::ConfirmAcceptMachineKey, MessageKey::ConfirmAcceptMismatchMachine)
            }
        };
        let key = [("key", Arg::Text(digits.to_owned()))];
        let new_panel = self.new_panel(self.catalog.format(question, &key));
        let reference = self.snapshot.references.get(kind);
        let components = || self.snapshot.components.values().map(AsRef::as_ref);
        let check = match kind.find_by_prefix(digits, components()) {
            Ok(check) => check,
            Err(failure) => {
                let word = match failure {
                    KeyLookupError::Unknown { .. } => MessageKey::CommandErrorNotFound,
                    KeyLookupError::Ambiguous => MessageKey::CommandErrorAmbiguous,
                };
                return Panel { paragraphs: vec![self.catalog.format(word, &[])], ..new_panel };
            }
        };
        if reference.is_some_and(|known: ReferenceKey| known.check == check) {
            return Panel {
                paragraphs: vec![self.catalog.format(MessageKey::ConfirmAcceptAlready, &[])],
                ..new_panel
            };
        }
        let preview = KeyChangePreview::compute(kind, check, components());
        let wrong = if preview.wrong.is_empty() {
            self.catalog.format(MessageKey::ConfirmAcceptNoMismatch, &[])
        } else {
            let args = [("servers", list_names(&preview.wrong))];
            self.catalog.format(mismatch, &args)
        };
        let right = self
            .catalog
            .format(MessageKey::ConfirmAcceptMatch, &[("servers", list_names(&preview.right))]);
        let mut paragraphs = vec![wrong, right];
        paragraphs.extend(reference.map(|known| {
            self.catalog.format(
                MessageKey::ConfirmAcceptWarning,
                &[("reference", Arg::Text(known.check.short()))],
            )
        }));
        let confirmation = Confirmation {
            action: "acceptance",
            fields: vec![("kind", kind.as_str().to_owned()), ("key_check", digits.to_owned())],
            button: self.catalog.format(MessageKey::ActionAccept, &key),
            is_destructive: true,
            typed: (preview.wrong.len() > preview.right.len()).then(|| TypedConfirmation {
                label: self
                    .catalog
                    .format(MessageKey::ConfirmAcceptDigits, &[("key", Arg::Text(check.short()))]),
                digits: check.short(),
            }),
            command: Command::Accept { kind, digits: digits.to_owned() },
        };
        Panel { paragraphs, confirmation: Some(confirmation), ..new_panel }
    }

    pub(super) fn reconnection(&self, server: ServerName) -> Confirmation {
        Confirmation {
            action: "reconnection",
            fields: vec![("server", server.to_string())],
            button: self.catalog.text(MessageKey::ActionReconnectMessenger).to_owned(),
            is_destructive: false,
            typed: None,
            command: Command::Reconnect { server },
        }
    }
}

/// All names, even if there are many: the user confirms exactly these.
fn list_names(servers: &[ServerName]) -> Arg {
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    Arg::Text(names.join(", "))
}

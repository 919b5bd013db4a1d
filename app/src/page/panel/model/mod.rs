//! The side panel: the details of a server, or the confirmation of a command.

mod confirmation;
mod details;

use crate::cluster::hints::Arg;
use crate::cluster::{Hint, ServerName};
use crate::i18n::MessageKey;
use crate::page::hints::model::DialogLink;
use crate::page::route::dialog::Dialog;
use crate::page::status_style::StatusStyle;
use crate::page::view_context::ViewContext;

pub(crate) use self::confirmation::{Confirmation, TypedConfirmation};
pub(crate) use self::details::{Advice, Item, Section};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// The health of the server that it is about.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) paragraphs: Vec<String>,
    /// What is wrong with the server, and what to do.
    pub(crate) advice: Vec<Advice>,
    pub(crate) sections: Vec<Section>,
    /// Whose history is shown.
    pub(crate) history_of: Option<ServerName>,
    /// Links to further dialogs.
    pub(crate) actions: Vec<DialogLink>,
    pub(crate) confirmation: Option<Confirmation>,
    /// Why the last command was rejected.
    pub(crate) error: Option<String>,
}

/// `hints` are those of the whole cluster.
pub(crate) fn panel(context: &ViewContext<'_>, hints: &[Hint]) -> Option<Panel> {
    match &context.route.dialog {
        Dialog::None | Dialog::Settings(_) => None,
        Dialog::Details(server) => Some(context.details(server, hints)),
        Dialog::Removal { server, role, again } => Some(context.removal(server, *role, *again)),
        Dialog::AcceptKey { kind, digits } => Some(context.key_acceptance(*kind, digits)),
    }
}

impl ViewContext<'_> {
    fn new_panel(&self, title: String) -> Panel {
        Panel {
            title,
            style: None,
            paragraphs: Vec::new(),
            advice: Vec::new(),
            sections: Vec::new(),
            history_of: None,
            actions: Vec::new(),
            confirmation: None,
            error: self.error_in_dialog(),
        }
    }

    fn not_found(&self, name: &ServerName, title: String) -> Panel {
        let args = [("server", Arg::Text(name.to_string()))];
        Panel {
            paragraphs: vec![self.catalog.format(MessageKey::ConfirmServerNotFound, &args)],
            ..self.new_panel(title)
        }
    }
}

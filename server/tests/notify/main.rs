//! Do messages reach their receivers, and what is said if they do not? With real receivers: servers of ours with every
//! fault, Debian's aiosmtpd, and an Alertmanager.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]
#![allow(clippy::disallowed_methods, reason = "the tests measure real connections")]

mod alertmanager;
mod command;
mod email;
mod http_faults;
mod kinds;
mod public_url;
mod receiver;
mod smtp_faults;
mod tls;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use app::cluster::{Severity, Span, Timestamp};
use app::i18n::Language;
use cluster_overview::notify::{
    Channels, Delivered, DeliveryFailure, Heading, Incident, IncidentState, Message,
};
use testkit::{Folder, folder};

pub(crate) const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A folder with channels and their secrets.
pub(crate) struct Setup {
    pub(crate) folder: Folder,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let setup = Self { folder: folder() };
        setup.write("secret", SIGNING_SECRET);
        setup
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Reads a file with one channel, which has the name `ops` and these fields.
    pub(crate) fn channel(&self, fields: &str) -> Channels {
        self.write("channels.toml", &format!("[[channel]]\nname = 'ops'\n{fields}\n"));
        Channels::read(&self.folder.join("channels.toml")).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// Sends a message through the one channel.
pub(crate) fn send(channels: &Channels, message: &Message) -> Result<Delivered, DeliveryFailure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let channel = channels.find("ops").unwrap();
    runtime.block_on(channel.send(message))
}

pub(crate) fn heading() -> Heading {
    Heading {
        id: "msg_1".to_owned(),
        cluster: "prod".to_owned(),
        page: "https://overview.example/".to_owned(),
        sent_at: cluster_overview::clock::wall(),
        language: Language::English,
    }
}

pub(crate) fn test_message() -> Message {
    Message::test(heading(), "ops")
}

/// An error that has been open for 8 min.
pub(crate) fn open_incident() -> Incident {
    let since = cluster_overview::clock::wall() - Span::minutes(8);
    Incident {
        id: "inc_1".to_owned(),
        hint: "service-stale".to_owned(),
        severity: Severity::Error,
        state: IncidentState::Open,
        since,
        ended_at: None,
        lasted: Span::minutes(8),
        blind: Span::ZERO,
        turns: 1,
        unanswered: None,
        title: "The service of web-1 does not respond".to_owned(),
        evidence: "The last heartbeat of wörk came at 11:47:00Z.".to_owned(),
        steps: vec!["Start the service.".to_owned()],
        avoid: Some("Do not remove the server.".to_owned()),
        servers: vec!["web-1".to_owned()],
        acknowledged_by: None,
        url: "https://overview.example/?at=2026-11-22T11:52:00.000Z".to_owned(),
    }
}

pub(crate) fn ended_incident() -> Incident {
    let ended_at: Timestamp = cluster_overview::clock::wall();
    Incident { state: IncidentState::Ended, ended_at: Some(ended_at), ..open_incident() }
}

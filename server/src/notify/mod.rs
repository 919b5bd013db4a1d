//! Notifications: the channels that people are told through when they are not looking at the page.
//!
//! [`Channels::read`] reads the channel file, and [`Channel::send`] sends one message once. When a message is due, and what is
//! done about one that did not arrive, is decided elsewhere.
//!
//! To add a kind of channel: a file in `kinds/` that reads its fields and sends a message, and a case in
//! [`kinds::Kind`](self::kinds).

mod address;
mod channel;
mod channel_file;
mod composer;
mod courier;
mod failure;
mod fields;
mod heart_monitor;
mod http_client;
mod incident;
mod kinds;
mod message;
mod public_url;
mod retries;
mod secret_file;
mod text;

pub use self::channel::Channel;
pub use self::channel_file::{ChannelFileError, Channels};
pub(crate) use self::courier::Courier;
pub use self::failure::{Delivered, DeliveryFailure, NextTry};
pub use self::heart_monitor::MonitorUrl;
pub use self::incident::{Incident, IncidentState};
pub use self::message::{Heading, MAX_INCIDENTS, MAX_MESSAGE_BYTES, Message, new_message_id};
pub(crate) use self::public_url::ClusterPage;
pub use self::public_url::PublicUrl;

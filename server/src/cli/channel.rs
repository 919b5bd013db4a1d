//! The command `channel test`: sends a test message through a channel.

use std::io::Write as _;

use super::{Failure, args};
use crate::clock;
use crate::notify::{
    Channel, Channels, DeliveryFailure, Heading, Message, NextTry, PublicUrl, new_message_id,
};

pub(super) async fn test(options: args::TestChannel) -> Result<(), Failure> {
    let channels = Channels::read(&options.path)?;
    let Some(channel) = channels.find(&options.name) else {
        let names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let (name, file) = (options.name, options.path.display());
        return Err(format!("there is no channel {name:?} in {file}; its channels: {names}").into());
    };
    let page = options.page.public_url.unwrap_or_else(|| PublicUrl::of_this_host(""));
    let message = Message::test(
        Heading {
            id: new_message_id(),
            cluster: page.cluster_name(None),
            page: page.to_string(),
            sent_at: clock::wall(),
            language: channel.language,
        },
        &channel.name,
    );
    let delivered = channel.send(&message).await.map_err(|failure| explain(channel, &failure))?;
    let (name, kind) = (&channel.name, channel.kind());
    let answer = delivered.answer;
    writeln!(
        std::io::stdout(),
        "The channel {name} ({kind}) has accepted the test message. {answer}"
    )?;
    Ok(())
}

fn explain(channel: &Channel, failure: &DeliveryFailure) -> String {
    let (name, kind) = (&channel.name, channel.kind());
    let next = match failure.next_try {
        NextTry::AsPlanned => String::new(),
        NextTry::NotBefore(pause) => format!(". It asks to wait {pause} before the next message"),
        NextTry::Never => {
            ". It says that it is gone for good: change or remove the channel".to_owned()
        }
    };
    format!("the channel {name} ({kind}) has not accepted the test message. {failure}{next}")
}

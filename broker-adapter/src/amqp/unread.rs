//! Settles a message that this process cannot read.

use std::sync::Arc;

use tokio::time::sleep;
use zkwhirl_job::envelope::BodyError;

use super::{
    AmqpClient,
    headers::{UNREAD_SINCE, number},
    held::HeldMessage,
    letter,
    message::{OutgoingMessage, UnreadMessage},
};
use crate::{BrokerError, unread::Unread};

/// Requeues an unreadable message, or buries it: see [`crate::unread`].
///
/// While the broker takes no messages this message stays unacknowledged: a dropped
/// message is redelivered at once, and a long alarm would exceed the delivery limit.
pub(super) async fn settle(
    client: &AmqpClient,
    held: &Arc<HeldMessage>,
    message: UnreadMessage,
    why: &BodyError,
) -> Result<(), BrokerError> {
    let next = next(client, message, why)?;
    loop {
        match held.settle(Some(next.clone())).await {
            Err(BrokerError::Away(why)) => {
                tracing::debug!(
                    "cannot acknowledge an unreadable message: {why}; the message stays unacknowledged"
                );
                sleep(client.config.patience).await;
            }
            settled => return settled.map(|_| ()),
        }
    }
}

fn next(
    client: &AmqpClient,
    message: UnreadMessage,
    why: &BodyError,
) -> Result<OutgoingMessage, BrokerError> {
    let what = message.topic.map_or("result", |topic| topic.name());
    let since_ms = number(&message.properties, UNREAD_SINCE);
    match Unread::decide(since_ms, client.config.unread_limit, why) {
        Unread::HandBack { since_ms } => {
            tracing::warn!(
                queue = what,
                "cannot decode a message: {why}; it waits for a process of another release"
            );
            Ok(OutgoingMessage::unread(message, since_ms))
        }
        Unread::Bury(class, why) => {
            let letter = letter::of_unread(&message.body, &message.properties, class, &why);
            tracing::warn!(
                queue = what,
                "cannot read a message, buried as a dead letter: {}",
                letter.reason
            );
            OutgoingMessage::letter(&letter)
        }
    }
}

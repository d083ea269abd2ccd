//! Checks that the topology exists, and counts the messages of its queues.

use lapin::{
    Channel, Queue,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::{
    AmqpClient,
    error::code,
    names::{CONTROL_QUEUES, EXCHANGES, queues, short},
};
use crate::BrokerError;

/// The exact counts in the answer to a queue's passive declaration.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) ready: usize,
    pub(super) consumers: usize,
}

pub(super) async fn count_queues<const N: usize>(
    client: &AmqpClient,
    queues: [&str; N],
) -> Result<[Counted; N], BrokerError> {
    let config = client.config.clone();
    let channel = client.consuming.channel().await?;
    let mut counted = [Counted::default(); N];
    for (count, queue) in counted.iter_mut().zip(queues) {
        let looking = look_at_queue(&channel, queue);
        let queue = config.call("counting messages", looking).await?;
        count.ready = queue.message_count() as usize;
        count.consumers = queue.consumer_count() as usize;
    }
    // In a task, so that the caller does not wait for the close.
    client.handle.spawn(async move {
        let closing = channel.close(200, "OK".into());
        config.call_or_log("closing a channel", closing).await;
    });
    Ok(counted)
}

/// Reads a queue's counts without declaring the queue.
pub(super) async fn look_at_queue(channel: &Channel, queue: &str) -> lapin::Result<Queue> {
    let options = QueueDeclareOptions::durable().passive();
    let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
    declared.await
}

/// Checks that every exchange and queue exists. An object that the role has no
/// permission to read counts as existing.
pub(super) async fn verify(client: &AmqpClient) -> Result<(), BrokerError> {
    let mut missing = Vec::new();
    for (name, kind) in EXCHANGES {
        let look = async move |channel: Channel| {
            let options = ExchangeDeclareOptions {
                passive: true,
                ..ExchangeDeclareOptions::default()
            };
            let table = FieldTable::default();
            let declared = channel.exchange_declare(name.into(), kind, options, table);
            declared.await
        };
        missing.extend(absent(client, format!("the exchange {name}"), look).await?);
    }
    for name in queues() {
        let look = async move |channel: Channel| look_at_queue(&channel, name).await.map(drop);
        missing.extend(absent(client, format!("the queue {name}"), look).await?);
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(BrokerError::Away(format!(
        "the vhost {} lacks {}: run `zkwhirl provision`",
        client.config.vhost(),
        listed(&missing)
    )))
}

/// Lists at most three names: `a, b, c and 4 more`.
fn listed(what: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = what[..what.len().min(SHOWN)].join(", ");
    if what.len() > SHOWN {
        text.push_str(&format!(" and {} more", what.len() - SHOWN));
    }
    text
}

/// Returns `what` if the object that `look` reads does not exist.
async fn absent(
    client: &AmqpClient,
    what: String,
    look: impl AsyncFnOnce(Channel) -> lapin::Result<()>,
) -> Result<Option<String>, BrokerError> {
    let channel = client.consuming.channel().await?;
    let looking = async {
        match look(channel).await {
            Ok(()) => Ok(false),
            // Refused: the object exists, or this role may not know.
            Err(error) if code(&error) == Some(403) => Ok(false),
            Err(error) if code(&error) == Some(404) => Ok(true),
            Err(error) => Err(error),
        }
    };
    let doing = format!("looking for {what}");
    let absent = client.config.call(&doing, looking).await?;
    Ok(absent.then_some(what))
}

/// Makes the name of a process's own queue for control messages.
pub(super) fn control_queue(process: &str) -> String {
    let unique: u64 = rand::random();
    format!("{CONTROL_QUEUES}{}.{unique:016x}", short(process))
}

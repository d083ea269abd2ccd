//! Whether the topology is there, and what its queues hold.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::{
    AmqpClient,
    error::{away, call, code},
    names::{CONTROL_QUEUES, EXCHANGES, queues, short},
};
use crate::BrokerError;

/// What a queue's passive declaration answers; exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) ready: usize,
    pub(super) consumers: usize,
}

/// Counts the ready messages and the consumers of a queue.
pub(super) async fn count_queue(client: &AmqpClient, queue: &str) -> Result<Counted, BrokerError> {
    let channel = client.consuming.channel().await?;
    let counted = count_on(&channel, client, queue).await?;
    close(client, channel);
    Ok(counted)
}

/// The same for several queues, on one channel.
pub(super) async fn count_queues<const N: usize>(
    client: &AmqpClient,
    queues: [&str; N],
) -> Result<[Counted; N], BrokerError> {
    let channel = client.consuming.channel().await?;
    let mut counted = [Counted {
        ready: 0,
        consumers: 0,
    }; N];
    for (count, queue) in counted.iter_mut().zip(queues) {
        *count = count_on(&channel, client, queue).await?;
    }
    close(client, channel);
    Ok(counted)
}

async fn count_on(
    channel: &Channel,
    client: &AmqpClient,
    queue: &str,
) -> Result<Counted, BrokerError> {
    let options = QueueDeclareOptions::durable().passive();
    let declaring = channel.queue_declare(queue.into(), options, FieldTable::default());
    let queue = call("counting messages", client.config.call_timeout, declaring).await?;
    Ok(Counted {
        ready: queue.message_count() as usize,
        consumers: queue.consumer_count() as usize,
    })
}

/// Closes a channel without waiting for the answer.
fn close(client: &AmqpClient, channel: Channel) {
    let limit = client.config.call_timeout;
    client.handle.spawn(async move {
        let closing = call("closing", limit, channel.close(200, "OK".into()));
        if let Err(error) = closing.await {
            tracing::debug!("{error}");
        }
    });
}

/// Checks that every exchange and queue is there. What the role has no
/// permission to look at counts as there.
pub(super) async fn verify(client: &AmqpClient) -> Result<(), BrokerError> {
    let mut missing = Vec::new();
    for (name, kind) in EXCHANGES {
        if !has_exchange(client, name, kind).await? {
            missing.push(format!("the exchange {name}"));
        }
    }
    for name in queues() {
        if !has_queue(client, name).await? {
            missing.push(format!("the queue {name}"));
        }
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

/// `a, b and c`; a long list is cut.
fn listed(what: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = what[..what.len().min(SHOWN)].join(", ");
    if what.len() > SHOWN {
        text.push_str(&format!(" and {} more", what.len() - SHOWN));
    }
    text
}

async fn has_exchange(
    client: &AmqpClient,
    name: &str,
    kind: ExchangeKind,
) -> Result<bool, BrokerError> {
    let channel = client.consuming.channel().await?;
    let options = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let declaring = channel.exchange_declare(name.into(), kind, options, FieldTable::default());
    present(client, name, declaring).await
}

async fn has_queue(client: &AmqpClient, name: &str) -> Result<bool, BrokerError> {
    let channel = client.consuming.channel().await?;
    let options = QueueDeclareOptions::durable().passive();
    let declaring = channel.queue_declare(name.into(), options, FieldTable::default());
    present(client, name, declaring).await
}

async fn present<T>(
    client: &AmqpClient,
    name: &str,
    declaring: impl Future<Output = lapin::Result<T>>,
) -> Result<bool, BrokerError> {
    let limit = client.config.call_timeout;
    let what = format!("looking for {name}");
    match tokio::time::timeout(limit, declaring).await {
        Ok(Ok(_)) => Ok(true),
        // Refused: it is there, or at least not for us.
        Ok(Err(error)) if code(&error) == Some(403) => Ok(true),
        Ok(Err(error)) if code(&error) == Some(404) => Ok(false),
        Ok(Err(error)) => Err(away(&what, &error)),
        Err(_) => Err(BrokerError::Away(format!(
            "{what}: no answer within {limit:?}"
        ))),
    }
}

/// The name of a process's own queue for control messages.
pub(super) fn control_queue(process: &str) -> String {
    let unique: u64 = rand::random();
    format!("{CONTROL_QUEUES}{}.{unique:016x}", short(process))
}

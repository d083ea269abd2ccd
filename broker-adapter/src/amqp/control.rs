//! Words to all processes at once: cancel a job, quiet a worker.
//!
//! Fan-out to an exclusive queue of each process that listens. Best effort: who
//! is away misses them, and nothing relies on them for correctness.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use lapin::{
    BasicProperties,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use zkwhirl_job::envelope::VERSION;

use super::{
    Shared, error::call, names::CONTROL, publisher::Outgoing, stream::next, topology::control_queue,
};
use crate::{BrokerError, Control, ControlConsumer};
use zkwhirl_job::clock::Backoff;

/// The longest body that is read.
const BODY_BYTES: usize = 4 << 10;

impl Control {
    fn to_bytes(&self) -> Bytes {
        let mut out = vec![VERSION];
        rmp_serde::encode::write_named(&mut out, self)
            .expect("writing plain data to memory cannot fail");
        out.into()
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let (version, rest) = body.split_first()?;
        if *version != VERSION || body.len() > BODY_BYTES {
            return None;
        }
        rmp_serde::from_slice(rest).ok()
    }
}

pub(super) async fn tell(shared: &Shared, message: &Control) -> Result<(), BrokerError> {
    let sent = shared.publisher.send(Outgoing {
        exchange: CONTROL,
        key: String::new(),
        properties: BasicProperties::default().with_type("control".into()),
        body: message.to_bytes(),
        queue: CONTROL,
        limit: 0,
        // Nobody may be listening.
        mandatory: false,
    });
    sent.await
}

/// What processes are told, for one of them.
#[derive(Debug)]
pub struct ControlReceiver {
    shared: Arc<Shared>,
    consumer: Option<lapin::Consumer>,
    backoff: Backoff,
}

impl ControlReceiver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let (first, longest) = (shared.config.patience / 20, shared.config.patience);
        Self {
            shared,
            consumer: None,
            backoff: Backoff::new(first, longest),
        }
    }

    /// Waits until words would reach this process. [`Self::next`] does so too.
    pub async fn joined(&mut self) -> Result<(), BrokerError> {
        if self.consumer.is_none() {
            self.consumer = Some(self.join().await?);
        }
        Ok(())
    }

    /// Waits for the next word, however often the connection is lost. Cancel
    /// safe.
    pub async fn next(&mut self) -> Control {
        loop {
            let Some(consumer) = &mut self.consumer else {
                if let Err(error) = self.joined().await {
                    tracing::debug!("no control messages: {error}");
                    tokio::time::sleep(self.backoff.pause()).await;
                }
                continue;
            };
            match next(consumer).await {
                Some(Ok(message)) => {
                    self.backoff.reset();
                    if let Some(word) = Control::parse(&message.data) {
                        return word;
                    }
                    tracing::warn!(
                        "a control message of {} bytes cannot be read",
                        message.data.len()
                    );
                }
                _ => self.consumer = None,
            }
        }
    }

    async fn join(&self) -> Result<lapin::Consumer, BrokerError> {
        let limit = self.shared.config.call_timeout;
        let name = control_queue(&self.shared.config.name);
        let channel = self.shared.consuming.channel().await?;
        let options = QueueDeclareOptions::exclusive().auto_delete();
        let queue = channel.queue_declare(name.as_str().into(), options, FieldTable::default());
        call("declaring a queue for control messages", limit, queue).await?;
        let binding = channel.queue_bind(
            name.as_str().into(),
            CONTROL.into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        call("binding to the control exchange", limit, binding).await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            exclusive: true,
            ..BasicConsumeOptions::default()
        };
        let consuming = channel.basic_consume(
            name.as_str().into(),
            "".into(),
            options,
            FieldTable::default(),
        );
        call("listening to control messages", limit, consuming).await
    }
}

#[async_trait]
impl ControlConsumer for ControlReceiver {
    async fn next(&mut self) -> Control {
        ControlReceiver::next(self).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_their_journey_and_others_are_ignored() {
        let word = Control::Quiet {
            worker: "worker-1".into(),
            quiet: true,
        };
        assert_eq!(Control::parse(&word.to_bytes()), Some(word));
        assert_eq!(Control::parse(b""), None);
        assert_eq!(Control::parse(&[VERSION, 0xc1]), None);
    }
}

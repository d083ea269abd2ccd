//! Control messages over a fan-out exchange: each process that receives them
//! has an exclusive queue of its own.

use std::sync::Arc;

use async_trait::async_trait;
use lapin::{
    BasicProperties,
    options::{BasicConsumeOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use zkwhirl_job::{
    clock::Backoff,
    envelope::{BodyError, body},
};

use super::{
    AmqpClient, error::next, message::OutgoingMessage, names::CONTROL, topology::control_queue,
};
use crate::{BrokerError, Control, ControlConsumer};

/// The longest body of a control message, in bytes.
const BODY_BYTES: usize = 4 << 10;

fn parse(bytes: &[u8]) -> Result<Control, BodyError> {
    body::decode(bytes, "control message", BODY_BYTES)
}

pub(super) async fn send(client: &AmqpClient, message: &Control) -> Result<(), BrokerError> {
    let sent = client.publisher.send(OutgoingMessage {
        exchange: CONTROL,
        key: String::new(),
        queue: CONTROL,
        properties: BasicProperties::default().with_type("control".into()),
        body: body::encode(message),
    });
    sent.await
}

#[derive(Debug)]
pub(super) struct AmqpControlConsumer {
    client: Arc<AmqpClient>,
    consumer: Option<lapin::Consumer>,
    backoff: Backoff,
    /// Whether a message that this release cannot read was logged.
    warned: bool,
}

impl AmqpControlConsumer {
    pub(super) fn new(client: Arc<AmqpClient>) -> Self {
        let (first, longest) = (client.config.patience / 20, client.config.patience);
        Self {
            client,
            consumer: None,
            backoff: Backoff::new(first, longest),
            warned: false,
        }
    }

    /// Logs the first message that this release cannot read: another release may
    /// send many of them.
    fn ignore(&mut self, why: &BodyError) {
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                "control message ignored, further ones are ignored without a log line: {why}"
            );
        }
    }

    async fn join(&self) -> Result<lapin::Consumer, BrokerError> {
        let config = &self.client.config;
        let name = control_queue(&config.name);
        let (name, table) = (name.as_str(), FieldTable::default);
        let channel = self.client.consuming.channel().await?;
        let options = QueueDeclareOptions::exclusive().auto_delete();
        let queue = channel.queue_declare(name.into(), options, table());
        let what = "declaring a queue for control messages";
        config.call(what, queue).await?;
        let options = QueueBindOptions::default();
        let binding = channel.queue_bind(name.into(), CONTROL.into(), "".into(), options, table());
        let what = "binding to the control exchange";
        config.call(what, binding).await?;
        let options = BasicConsumeOptions {
            no_ack: true,
            exclusive: true,
            ..BasicConsumeOptions::default()
        };
        let consuming = channel.basic_consume(name.into(), "".into(), options, table());
        let what = "consuming control messages";
        config.call(what, consuming).await
    }
}

#[async_trait]
impl ControlConsumer for AmqpControlConsumer {
    async fn joined(&mut self) -> Result<(), BrokerError> {
        if self.consumer.is_none() {
            self.consumer = Some(self.join().await?);
        }
        Ok(())
    }

    async fn next(&mut self) -> Control {
        loop {
            let Some(consumer) = &mut self.consumer else {
                if let Err(error) = self.joined().await {
                    tracing::debug!("cannot consume control messages yet: {error}");
                    tokio::time::sleep(self.backoff.pause()).await;
                }
                continue;
            };
            match next(consumer).await {
                Some(Ok(message)) => {
                    self.backoff.reset();
                    match parse(&message.data) {
                        Ok(control) => return control,
                        Err(why) => self.ignore(&why),
                    }
                }
                _ => self.consumer = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_testkit::wire;

    use super::*;

    fn check(name: &str, message: Control) {
        let bytes = wire::golden(&format!("control.{name}.bin"));
        assert_eq!(parse(&bytes).as_ref(), Ok(&message));
        assert_eq!(body::encode(&message), bytes, "{name}");
    }

    #[test]
    fn messages_of_0_1_0_are_read_and_written_as_they_were() {
        let job = wire::claim_id();
        check("cancel", Control::Cancel { job });
        let worker = "worker-1".to_owned();
        let quiet = true;
        check("quiet", Control::Quiet { worker, quiet });
        let worker = "worker-1/0".to_owned();
        check("drain", Control::Drain { worker });
        check("restart", Control::Restart);
    }

    #[test]
    fn a_message_that_a_later_release_adds_is_no_damage() {
        #[derive(serde::Serialize)]
        enum Later {
            Pause { worker: String },
        }
        let worker = "worker-1".to_owned();
        let mut bytes = body::encode(&Later::Pause { worker }).to_vec();
        assert!(matches!(parse(&bytes), Err(BodyError::Damaged(_))));
        bytes[0] += 1;
        assert!(parse(&bytes).unwrap_err().is_other_release());
    }
}

//! The bridge's place in the queue of results.

use std::sync::Arc;

use async_trait::async_trait;
use lapin::{
    message::Delivery as Message,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use zkwhirl_job::envelope::ResultEnvelope;

use super::{
    Shared, dead,
    error::{away, call},
    message::trace,
    names::RESULTS_QUEUE,
    receipt::{Held, Seat},
    stream::next,
};
use crate::{BrokerError, RESULT_PREFETCH, ResultConsumer, ResultDelivery, ResultReceipt};

#[derive(Debug)]
pub(super) struct Consumer {
    shared: Arc<Shared>,
    joined: Option<(Arc<Seat>, lapin::Consumer)>,
}

impl Consumer {
    /// Joins at once: a caller that comes back after every error must meet the
    /// error here, where it pauses, and not in a loop over the results.
    pub(super) async fn join(shared: &Arc<Shared>) -> Result<Self, BrokerError> {
        let mut this = Self {
            shared: shared.clone(),
            joined: None,
        };
        this.sit_down().await?;
        Ok(this)
    }

    async fn sit_down(&mut self) -> Result<&mut (Arc<Seat>, lapin::Consumer), BrokerError> {
        if self.joined.as_ref().is_some_and(|(seat, _)| !seat.holds()) {
            self.stand_up();
        }
        let joined = match self.joined.take() {
            Some(joined) => joined,
            None => self.consume().await?,
        };
        Ok(self.joined.insert(joined))
    }

    async fn consume(&self) -> Result<(Arc<Seat>, lapin::Consumer), BrokerError> {
        let limit = self.shared.config.call_timeout;
        let channel = self.shared.consuming.channel().await?;
        let prefetch = channel.basic_qos(RESULT_PREFETCH as u16, BasicQosOptions::default());
        call("setting the prefetch", limit, prefetch).await?;
        let consuming = channel.basic_consume(
            RESULTS_QUEUE.into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = call("joining the results", limit, consuming).await?;
        Ok((Arc::new(Seat::new(channel)), consumer))
    }

    fn stand_up(&mut self) {
        if let Some((seat, _)) = self.joined.take() {
            let shared = self.shared.clone();
            self.shared
                .handle
                .spawn(async move { seat.leave(&shared).await });
        }
    }

    /// A body that cannot be read goes to the dead letters. On its own, so that
    /// a caller that stops waiting does not undo it.
    fn bury(&self, held: Arc<Held>, message: Message, why: &str) {
        let letter = dead::unreadable(&message.data, &message.properties, why);
        tracing::warn!("a result: {}", letter.reason);
        let shared = self.shared.clone();
        self.shared.handle.spawn(async move {
            // What cannot be buried now comes again when it is dropped.
            let buried = match shared.mail.letter(&letter) {
                Ok(letter) => held.settle(Some(letter)).await.map(|_| ()),
                Err(error) => Err(error),
            };
            if let Err(error) = buried {
                tracing::debug!("{error}");
            }
        });
    }
}

#[async_trait]
impl ResultConsumer for Consumer {
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError> {
        loop {
            let shared = self.shared.clone();
            let (seat, consumer) = self.sit_down().await?;
            let message = match next(consumer).await {
                Some(Ok(message)) => message,
                ended => {
                    self.stand_up();
                    return Err(match ended {
                        Some(Err(error)) => away("waiting for a result", &error),
                        _ => BrokerError::Away(
                            "the broker ended the consumer: is the queue still there?".into(),
                        ),
                    });
                }
            };
            let held = Held::new(shared, seat.clone(), message.acker.clone());
            match ResultEnvelope::parse(&message.data) {
                Ok(mut result) => {
                    result.trace = trace(&message.properties);
                    return Ok(ResultDelivery::new(result, Box::new(Receipt { held })));
                }
                Err(error) => self.bury(held, message, &error.to_string()),
            }
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.stand_up();
    }
}

#[derive(Debug)]
struct Receipt {
    held: Arc<Held>,
}

#[async_trait]
impl ResultReceipt for Receipt {
    async fn ack(&mut self) -> Result<bool, BrokerError> {
        self.held.settle(None).await
    }
}

//! A worker's consumer of jobs.
//!
//! Each consumer has a channel of its own with a prefetch of 1, and a task that
//! owns the channel. A claim may be dropped at any point: a job that the broker sent
//! meanwhile is kept for the next claim, or requeued at the end. The task starts
//! consuming with a claim and stops just before the delivery is settled, so that
//! the broker sends no job to a worker that does not wait for a job.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll};

use async_trait::async_trait;
use futures_core::Stream;
use lapin::{
    message::Delivery as LapinDelivery,
    options::{BasicConsumeOptions, BasicGetOptions},
    types::FieldTable,
};
use tokio::sync::{mpsc, oneshot};
use zkwhirl_job::Topic;

use super::{
    AmqpClient,
    channel::ConsumerChannel,
    error::{consumer_ended, next, shuts_down},
    incoming::Incoming,
    names::jobs_queue,
    topology::count_queues,
};
use crate::{BrokerError, Delivery, JobConsumer, Settlement};

type ClaimAnswer = Result<Delivery, BrokerError>;

#[derive(Debug)]
pub(super) struct AmqpJobConsumer {
    claims: mpsc::Sender<oneshot::Sender<ClaimAnswer>>,
}

impl AmqpJobConsumer {
    /// Checks that the queues exist: a caller that subscribes again after every error
    /// must meet the error here, where the caller pauses.
    pub(super) async fn join(
        client: &Arc<AmqpClient>,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Self, BrokerError> {
        for topic in topics {
            count_queues(client, [jobs_queue(*topic)]).await?;
        }
        let (claims, requests) = mpsc::channel(1);
        let task = ClaimTask {
            incoming: Incoming::new(client.clone(), worker),
            client: client.clone(),
            topics: topics.to_vec(),
            worker: worker.to_owned(),
            channel: None,
            consumers: Vec::new(),
        };
        client.handle.spawn(task.run(requests));
        Ok(Self { claims })
    }
}

#[async_trait]
impl JobConsumer for AmqpJobConsumer {
    async fn claim(&mut self) -> ClaimAnswer {
        let (claim, answer) = oneshot::channel();
        self.claims.send(claim).await.map_err(|_| shuts_down())?;
        answer.await.map_err(|_| shuts_down())?
    }
}

/// A message for a claim. `None`: the caller stopped waiting.
type Arrival = Result<Option<(LapinDelivery, Arc<ConsumerChannel>)>, BrokerError>;

struct ClaimTask {
    client: Arc<AmqpClient>,
    incoming: Incoming,
    topics: Vec<Topic>,
    worker: String,
    channel: Option<Arc<ConsumerChannel>>,
    /// The present consumers, in the order of `topics`.
    consumers: Vec<lapin::Consumer>,
}

impl ClaimTask {
    async fn run(mut self, mut requests: mpsc::Receiver<oneshot::Sender<ClaimAnswer>>) {
        // A delivery that arrived after its claim was dropped.
        let mut kept: Option<Delivery> = None;
        while let Some(mut claim) = requests.recv().await {
            let answer = match kept.take() {
                Some(kept) => Some(Ok(kept)),
                None => self.claim(&mut claim).await.transpose(),
            };
            if let Some(answer) = answer
                && let Err(Ok(unclaimed)) = claim.send(answer)
            {
                kept = Some(unclaimed);
            }
        }
        self.finish(kept).await;
    }

    /// Waits for a job. `None`: the caller stopped waiting.
    async fn claim(
        &mut self,
        claim: &mut oneshot::Sender<ClaimAnswer>,
    ) -> Result<Option<Delivery>, BrokerError> {
        loop {
            let arrival = self.arrival(claim).await;
            if arrival.is_err() {
                // Whatever happened to the channel, the next claim opens a new channel.
                self.drop_channel();
            }
            let Some((message, channel)) = arrival? else {
                return Ok(None);
            };
            if let Some(delivery) = self.incoming.take(message, &channel).await? {
                return Ok(Some(delivery));
            }
        }
    }

    /// Waits for the next message of the queues. The end of the claim stops only the
    /// waiting: a message requested with `basic.get` would be lost until the channel
    /// closes.
    async fn arrival(&mut self, claim: &mut oneshot::Sender<ClaimAnswer>) -> Arrival {
        let channel = self.open_channel().await?;
        channel.returns_done().await;
        if !channel.is_consuming() {
            self.consumers.clear();
            if let Some(message) = self.get_in_order(&channel).await? {
                return Ok(Some((message, channel)));
            }
            self.consume(&channel).await?;
        }
        let arrived = tokio::select! {
            arrived = first(&mut self.consumers) => arrived,
            () = claim.closed() => return Ok(None),
        };
        let message = match arrived {
            Some(Ok(message)) => message,
            ended => return Err(consumer_ended("waiting for a job", ended)),
        };
        if self.consumers.len() > 1 {
            self.hand_back_the_rest(&channel).await;
        }
        Ok(Some((message, channel)))
    }

    async fn open_channel(&mut self) -> Result<Arc<ConsumerChannel>, BrokerError> {
        if let Some(channel) = &self.channel
            && channel.is_open()
        {
            return Ok(channel.clone());
        }
        self.drop_channel();
        let channel = ConsumerChannel::open(&self.client, 1).await?;
        Ok(self.channel.insert(channel).clone())
    }

    fn drop_channel(&mut self) {
        self.consumers.clear();
        if let Some(channel) = self.channel.take() {
            channel.close_soon();
        }
    }

    /// Takes a ready job of the first topic that has one: consumers have no order, so
    /// the queues are read one by one with `basic.get` before consuming.
    async fn get_in_order(
        &self,
        channel: &ConsumerChannel,
    ) -> Result<Option<LapinDelivery>, BrokerError> {
        if self.topics.len() < 2 {
            return Ok(None);
        }
        for topic in &self.topics {
            let (queue, options) = (jobs_queue(*topic), BasicGetOptions::default());
            let get = channel.channel.basic_get(queue.into(), options);
            if let Some(message) = self.client.config.call("getting a job", get).await? {
                return Ok(Some(message.delivery));
            }
        }
        Ok(None)
    }

    async fn consume(&mut self, channel: &ConsumerChannel) -> Result<(), BrokerError> {
        for topic in &self.topics {
            let tag = channel.new_tag(&self.worker);
            let consuming = channel.channel.basic_consume(
                jobs_queue(*topic).into(),
                tag.as_str().into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            );
            let consumer = self
                .client
                .config
                .call("consuming a queue of jobs", consuming);
            self.consumers.push(consumer.await?);
        }
        Ok(())
    }

    /// Cancels the consumers and requeues their messages. The prefetch counts for
    /// each consumer: when one has a message, the others may have one, too.
    async fn hand_back_the_rest(&mut self, channel: &Arc<ConsumerChannel>) {
        channel.stop_consuming().await;
        for mut consumer in std::mem::take(&mut self.consumers) {
            while let Some(Ok(message)) = next(&mut consumer).await {
                // A dropped job is redelivered and counted: no job is lost.
                if let Err(error) = self.incoming.hand_back(message, channel).await {
                    tracing::debug!(
                        "cannot requeue a job that arrived beside a claimed one, it is redelivered: {error}"
                    );
                }
            }
        }
    }

    async fn finish(mut self, kept: Option<Delivery>) {
        if let Some(mut kept) = kept
            && let Err(error) = kept.settle(&Settlement::HandBack).await
        {
            tracing::debug!(
                "cannot requeue a job after its claim was cancelled: {error}; RabbitMQ redelivers the job"
            );
        }
        if let Some(channel) = self.channel.clone() {
            self.hand_back_the_rest(&channel).await;
            channel.close().await;
        }
    }
}

/// Waits for the first message of several consumers, polled in their order. `None`:
/// one consumer has ended.
async fn first(consumers: &mut [lapin::Consumer]) -> Option<lapin::Result<LapinDelivery>> {
    poll_fn(|context| {
        for consumer in consumers.iter_mut() {
            if let Poll::Ready(item) = Pin::new(consumer).poll_next(context) {
                return Poll::Ready(item);
            }
        }
        Poll::Pending
    })
    .await
}

//! Reads the messages of the job queues, and requeues those that another worker or
//! another release should have.

use std::sync::Arc;

use lapin::message::Delivery as LapinDelivery;
use zkwhirl_job::{Topic, envelope::JobEnvelope};

use super::{
    AmqpClient,
    channel::ConsumerChannel,
    headers::{DELIVERY_COUNT, PASSED_ON, count, trace},
    held::{AmqpJobSettler, HeldMessage},
    message::{OutgoingMessage, UnreadMessage},
    names::{jobs_queue, topic_of},
    topology::count_queues,
    unread,
};
use crate::{BrokerError, Delivery, Rung};

/// How often a job is passed on to workers that have not failed it. The first time the job
/// goes behind the other jobs, then it waits on the shortest rung: 20 s in all by default.
const PASSES: u32 = 3;

pub(super) struct Incoming {
    client: Arc<AmqpClient>,
    worker: String,
}

struct ReadJob {
    delivery: Delivery,
    held: Arc<HeldMessage>,
    passed: u32,
}

impl Incoming {
    pub(super) fn new(client: Arc<AmqpClient>, worker: &str) -> Self {
        Self {
            client,
            worker: worker.to_owned(),
        }
    }

    /// Returns the message's job if this worker may have it. `None`: the message could
    /// not be read, or the job was passed on; either way the message is settled.
    pub(super) async fn take(
        &self,
        message: LapinDelivery,
        channel: &Arc<ConsumerChannel>,
    ) -> Result<Option<Delivery>, BrokerError> {
        let Some(read) = self.read(message, channel).await? else {
            return Ok(None);
        };
        let (passed, job) = (read.passed, &read.delivery.job);
        let back = match passed {
            _ if !self.has_failed(job) => return Ok(Some(read.delivery)),
            0 => OutgoingMessage::hand_back(job)?,
            1..PASSES if self.others_wait(job.topic()).await => {
                OutgoingMessage::retry(job, Rung::Short)?
            }
            _ => return Ok(Some(read.delivery)),
        };
        match read.held.settle(Some(back.passed_on(passed + 1))).await {
            Ok(_) => Ok(None),
            // While the broker takes no messages this worker proves the job: dropping
            // the job would count as a crash, and a long alarm would bury it.
            Err(error) => {
                tracing::debug!(job = %job.id, "cannot requeue the job for another worker, proving it here: {error}");
                Ok(Some(read.delivery))
            }
        }
    }

    /// Requeues a job that arrived after the claim had another job.
    pub(super) async fn hand_back(
        &self,
        message: LapinDelivery,
        channel: &Arc<ConsumerChannel>,
    ) -> Result<(), BrokerError> {
        if let Some(read) = self.read(message, channel).await? {
            let back = OutgoingMessage::hand_back(&read.delivery.job)?;
            read.held.settle(Some(back)).await?;
        }
        Ok(())
    }

    /// Reads the job in a message. `None`: the message cannot be read and is settled.
    async fn read(
        &self,
        message: LapinDelivery,
        channel: &Arc<ConsumerChannel>,
    ) -> Result<Option<ReadJob>, BrokerError> {
        let held = HeldMessage::new(channel.clone(), message.acker.clone());
        let error = match JobEnvelope::parse(&message.data) {
            Ok(mut job) => {
                job.trace = trace(&message.properties);
                let crashes = count(&message.properties, DELIVERY_COUNT);
                let settler = AmqpJobSettler {
                    held: held.clone(),
                    job: job.clone(),
                };
                return Ok(Some(ReadJob {
                    delivery: Delivery {
                        queue: jobs_queue(job.topic()),
                        job,
                        delivery_count: crashes,
                        redelivered: message.redelivered || crashes > 0,
                        settler: Box::new(settler),
                    },
                    held,
                    passed: count(&message.properties, PASSED_ON),
                }));
            }
            Err(error) => error,
        };
        let unread = UnreadMessage::of(message, topic_of);
        unread::settle(&self.client, &held, unread, &error).await?;
        Ok(None)
    }

    async fn others_wait(&self, topic: Topic) -> bool {
        let counted = count_queues(&self.client, [jobs_queue(topic)]).await;
        counted.is_ok_and(|[count]| count.consumers > 1)
    }

    /// Whether this worker failed the job in the current series of attempts: a
    /// replayed job starts a new series.
    fn has_failed(&self, job: &JobEnvelope) -> bool {
        let failed = job.failed_in_series();
        failed.iter().any(|record| record.worker == self.worker)
    }
}

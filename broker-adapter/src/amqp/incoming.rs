//! Messages of the queues of jobs: read, handed back, or passed on to another
//! worker.

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

/// How often a job is passed on to workers that have not failed it. The first
/// time it goes behind the other jobs, then it waits on the shortest rung: half
/// a minute in all.
const PASSES: u32 = 3;

/// Reads messages for one worker.
pub(super) struct Incoming {
    client: Arc<AmqpClient>,
    worker: String,
}

/// A job that was read.
struct ReadJob {
    held: Arc<HeldMessage>,
    job: JobEnvelope,
    /// Deliveries that ended without a settlement.
    crashes: u32,
    /// How often it was passed on.
    passed: u32,
    redelivered: bool,
}

impl Incoming {
    pub(super) fn new(client: Arc<AmqpClient>, worker: &str) -> Self {
        Self {
            client,
            worker: worker.to_owned(),
        }
    }

    /// The job for this worker. `None`: the message cannot be read, or the job
    /// is passed on.
    pub(super) async fn take(
        &self,
        message: LapinDelivery,
        channel: &Arc<ConsumerChannel>,
    ) -> Result<Option<Delivery>, BrokerError> {
        let Some(read) = self.read(message, channel).await? else {
            return Ok(None);
        };
        let passed = read.passed;
        let back = match passed {
            _ if !self.has_failed(&read.job) => return Ok(Some(read.deliver())),
            0 => OutgoingMessage::hand_back(&read.job)?,
            1..PASSES if self.others_wait(read.job.topic()).await => {
                OutgoingMessage::retry(&read.job, Rung::Short)?
            }
            _ => return Ok(Some(read.deliver())),
        };
        match read.held.settle(Some(back.passed_on(passed + 1))).await {
            Ok(_) => Ok(None),
            // While nothing can be published the job is ours: dropping it would
            // count as a crash, and a long alarm would bury it.
            Err(error) => {
                tracing::debug!("a job could not be passed on: {error}");
                Ok(Some(read.deliver()))
            }
        }
    }

    /// Hands a job back that came after the claim had another.
    pub(super) async fn hand_back(
        &self,
        message: LapinDelivery,
        channel: &Arc<ConsumerChannel>,
    ) -> Result<(), BrokerError> {
        if let Some(read) = self.read(message, channel).await? {
            let back = OutgoingMessage::hand_back(&read.job)?;
            read.held.settle(Some(back)).await?;
        }
        Ok(())
    }

    /// The job in a message. `None`: it could not be read, and was dealt with.
    async fn read(
        &self,
        message: LapinDelivery,
        channel: &Arc<ConsumerChannel>,
    ) -> Result<Option<ReadJob>, BrokerError> {
        let held = HeldMessage::new(self.client.clone(), channel.clone(), message.acker.clone());
        let error = match JobEnvelope::parse(&message.data) {
            Ok(mut job) => {
                job.trace = trace(&message.properties);
                let crashes = count(&message.properties, DELIVERY_COUNT);
                return Ok(Some(ReadJob {
                    held,
                    job,
                    crashes,
                    passed: count(&message.properties, PASSED_ON),
                    redelivered: message.redelivered || crashes > 0,
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

    /// Whether this worker failed the job in this series of attempts: a
    /// replayed job starts afresh.
    fn has_failed(&self, job: &JobEnvelope) -> bool {
        let failed = job.failed_in_series();
        failed.iter().any(|record| record.worker == self.worker)
    }
}

impl ReadJob {
    fn deliver(self) -> Delivery {
        Delivery {
            job: self.job.clone(),
            queue: jobs_queue(self.job.topic()),
            delivery_count: self.crashes,
            redelivered: self.redelivered,
            settler: Box::new(AmqpJobSettler {
                held: self.held,
                job: self.job,
            }),
        }
    }
}

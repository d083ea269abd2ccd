use std::fmt::Debug;

use crate::{BrokerError, Control, ControlConsumer, DeadLetter, Depth, Rung, Settlement};
use async_trait::async_trait;
use zkwhirl_job::{
    JobId, Topic,
    envelope::{JobEnvelope, ResultEnvelope},
};

/// How many deliveries of a job, after the first, may end without a settlement. A job
/// whose sixth delivery ends without a settlement becomes a dead letter.
pub const DELIVERY_LIMIT: u32 = 5;
/// How many unacknowledged results a consumer holds, at most.
pub const RESULT_PREFETCH: usize = 64;

/// A broker: a queue of jobs per topic, a queue of results, and dead letters.
///
/// Every method may be called again after an error, and no method loses a message
/// that the broker has confirmed.
#[async_trait]
pub trait Broker: Send + Sync + Debug {
    /// Publishes a job to its topic, behind all present jobs; with a rung, only after
    /// the rung's delay. `Ok` means that the broker has confirmed the job.
    async fn publish(&self, job: &JobEnvelope, after: Option<Rung>) -> Result<(), BrokerError>;

    /// Subscribes to the jobs of `topics` under a worker's name. Jobs of the first
    /// topic in the slice come first.
    ///
    /// The consumer counts as live until it is dropped, which ends the subscription.
    async fn subscribe(
        &self,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Box<dyn JobConsumer>, BrokerError>;

    /// Publishes a result for the bridge.
    async fn publish_result(&self, result: &ResultEnvelope) -> Result<(), BrokerError>;

    /// Starts consuming results; a consumer holds at most [`RESULT_PREFETCH`]
    /// unacknowledged results.
    async fn results(&self) -> Result<Box<dyn ResultConsumer>, BrokerError>;

    /// Adds a dead letter. It replaces an earlier letter of the same job.
    async fn bury(&self, letter: &DeadLetter) -> Result<(), BrokerError>;

    /// Returns at most `limit` dead letters, oldest first.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError>;

    /// Returns the dead letter of a job, if it has one.
    async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetter>, BrokerError>;

    /// Removes the dead letter of a job. False: the job has none.
    async fn remove_dead(&self, job: JobId) -> Result<bool, BrokerError>;

    /// Counts a topic's jobs and consumers.
    async fn depth(&self, topic: Topic) -> Result<Depth, BrokerError>;

    /// Returns those of `jobs` that the broker does not hold: in no queue, on no rung,
    /// in no delivery, as no result and as no dead letter.
    ///
    /// A back-end that cannot list its queues answers by their counts: all of `jobs`
    /// if all queues of the topic and of the results are empty, otherwise no job.
    async fn missing(&self, topic: Topic, jobs: &[JobId]) -> Result<Vec<JobId>, BrokerError>;

    /// Sends a control message to all connected processes. `Ok` does not mean that a
    /// process received the message.
    async fn send_control(&self, message: &Control) -> Result<(), BrokerError>;

    /// Receives the control messages that are sent from now on.
    fn control_messages(&self) -> Box<dyn ControlConsumer>;

    /// Publishes the job of a dead letter again, as attempt 1 with its history, then
    /// removes the letter. False: the job has no letter, or is of no kind that this
    /// release can prove.
    async fn replay(&self, job: JobId) -> Result<bool, BrokerError> {
        let Some(envelope) = self.dead_letter(job).await?.and_then(|dead| dead.revive()) else {
            return Ok(false);
        };
        self.publish(&envelope, None).await?;
        self.remove_dead(job).await?;
        Ok(true)
    }
}

/// A worker's consumer of jobs.
///
/// A consumer has one delivery at a time: the next claim is made after the last
/// delivery was settled or dropped. A job whose history names this worker is passed
/// on to others while other consumers of the topic are live; a back-end that cannot
/// choose (AMQP) settles such a delivery as [`Settlement::HandBack`] itself, a
/// bounded number of times. A job of another release that this release cannot read
/// is never delivered: the job waits for a process that can read it.
#[async_trait]
pub trait JobConsumer: Send + Debug {
    /// Waits for a job. Cancel safe: a claim that is dropped before it returns takes
    /// no job.
    async fn claim(&mut self) -> Result<Delivery, BrokerError>;
}

/// One delivery of a job. Dropping it without a settlement counts as a crash: the job
/// goes back to the head of its queue at once, and the delivery is counted.
#[derive(Debug)]
pub struct Delivery {
    /// The job; `job.attempt` is the number of this attempt.
    pub job: JobEnvelope,
    /// The name of the queue that delivered the job.
    pub queue: &'static str,
    /// How many earlier deliveries of the job ended without a settlement.
    pub delivery_count: u32,
    /// True: the broker delivered the job before. False: the broker does not know of
    /// an earlier delivery.
    pub redelivered: bool,
    pub(crate) settler: Box<dyn Settler>,
}

impl Delivery {
    /// Ends the delivery. `Ok(false)`: the delivery was lost before, another worker
    /// has or will have the job, and the settlement may have been carried out as
    /// well. `Err`: nothing is known about the settlement; call again.
    pub async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError> {
        self.settler.settle(how).await
    }
}

/// The broker's side of a delivery. Dropping it unsettled redelivers the message.
#[async_trait]
pub(crate) trait Settler: Send + Debug {
    /// See [`Delivery::settle`]; a result is only ever acked.
    async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError>;
}

/// The bridge's consumer of results. A result of another release that this release
/// cannot read is never delivered: the result waits for a process that can read it.
#[async_trait]
pub trait ResultConsumer: Send + Debug {
    /// Waits for a result. Cancel safe.
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError>;
}

/// One delivery of a result. Dropping it without [`ResultDelivery::ack`] returns the
/// result to the head of its queue.
#[derive(Debug)]
pub struct ResultDelivery {
    /// The result.
    pub result: ResultEnvelope,
    pub(crate) settler: Box<dyn Settler>,
}

impl ResultDelivery {
    /// Removes the result from the queue. `Ok(false)`: the delivery was lost, and the
    /// result is delivered again.
    pub async fn ack(&mut self) -> Result<bool, BrokerError> {
        self.settler.settle(&Settlement::Ack).await
    }
}

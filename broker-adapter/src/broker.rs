use std::fmt::Debug;

use crate::{BrokerError, Control, ControlConsumer, DeadLetter, Depth, Rung, Settlement};
use async_trait::async_trait;
use zkwhirl_job::{
    JobId, Topic,
    envelope::{JobEnvelope, ResultEnvelope},
};

/// The deliveries of one job that may end without a settlement, beyond the
/// first: the seventh time a job would be handed out it is a dead letter.
pub const DELIVERY_LIMIT: u32 = 5;
/// Results that a consumer holds unacknowledged.
pub const RESULT_PREFETCH: usize = 64;

/// Queues of jobs per topic, a queue of results, and dead letters.
///
/// Every method is safe to call again after an error; none loses a message
/// that it confirmed.
#[async_trait]
pub trait Broker: Send + Sync + Debug {
    /// Publishes a job to its topic, behind all that are there; with a rung,
    /// only after the rung's delay. `Ok` means that the broker has it safely.
    async fn publish(&self, job: &JobEnvelope, after: Option<Rung>) -> Result<(), BrokerError>;

    /// Joins the queues of `topics` under a worker's name. Where several topics
    /// have work, the first in the slice goes first.
    ///
    /// The consumer counts as live until it is dropped: leave the queue by
    /// dropping it.
    async fn subscribe(
        &self,
        topics: &[Topic],
        worker: &str,
    ) -> Result<Box<dyn JobConsumer>, BrokerError>;

    /// Publishes a result for the bridge.
    async fn publish_result(&self, result: &ResultEnvelope) -> Result<(), BrokerError>;

    /// Joins the queue of results; at most [`RESULT_PREFETCH`] are held
    /// unacknowledged by one consumer.
    async fn results(&self) -> Result<Box<dyn ResultConsumer>, BrokerError>;

    /// Puts a letter among the dead ones. A letter of the same job replaces
    /// the one that is there.
    async fn bury(&self, letter: &DeadLetter) -> Result<(), BrokerError>;

    /// At most `limit` dead letters, oldest first.
    async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError>;

    /// The dead letter of a job.
    async fn dead_letter(&self, job: JobId) -> Result<Option<DeadLetter>, BrokerError>;

    /// Removes a dead letter; false: there was none.
    async fn remove_dead(&self, job: JobId) -> Result<bool, BrokerError>;

    /// What stands in a topic's queue and around it.
    async fn depth(&self, topic: Topic) -> Result<Depth, BrokerError>;

    /// Those of `jobs` that the broker does not hold: in no queue, on no rung, in
    /// no delivery, as no result and as no dead letter.
    ///
    /// A back-end that cannot look into its queues answers by their counts:
    /// all of `jobs` when everything of the topic and the results is empty,
    /// none otherwise.
    async fn missing(&self, topic: Topic, jobs: &[JobId]) -> Result<Vec<JobId>, BrokerError>;

    /// Sends a control message to all processes; those that are away miss it.
    /// `Ok` does not mean that a process received it.
    async fn send_control(&self, message: &Control) -> Result<(), BrokerError>;

    /// Receives the control messages that are sent from now on.
    fn control_messages(&self) -> Box<dyn ControlConsumer>;

    /// Publishes the job of a dead letter afresh, as attempt 1 with its
    /// history, then removes the letter. False: there is no letter, or it is of
    /// no kind that could be proved.
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
/// It hands out one delivery at a time: the next claim is made after the last
/// delivery was settled or dropped. A job whose history names this worker is
/// passed on to others while other consumers of the topic are live; a back-end
/// that cannot choose (AMQP) settles such a delivery as [`Settlement::HandBack`]
/// itself, a bounded number of times. A job that another release wrote and this
/// one cannot read is never handed out: it waits for a process that reads it.
#[async_trait]
pub trait JobConsumer: Send + Debug {
    /// Waits for a job. Cancel safe: a claim that is dropped before it returns
    /// took nothing.
    async fn claim(&mut self) -> Result<Delivery, BrokerError>;
}

/// One hand-over of a job. Dropping it without a settlement is a crash: the
/// job goes back to the head of its queue at once and counts one delivery.
#[derive(Debug)]
pub struct Delivery {
    /// The job; `job.attempt` is the attempt that this delivery is.
    pub job: JobEnvelope,
    /// The queue that it came from, by the back-end's name for it.
    pub queue: &'static str,
    /// Deliveries before this one that ended without a settlement.
    pub delivery_count: u32,
    /// True when the broker knows that it handed the job out before. False
    /// proves nothing.
    pub redelivered: bool,
    pub(crate) settler: Box<dyn Settler>,
}

impl Delivery {
    /// Ends the delivery. `Ok(false)`: the lease was lost before, another worker
    /// has or will have the job, and the settlement may or may not have been
    /// done as well. `Err`: nothing is known; ask again.
    pub async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError> {
        self.settler.settle(how).await
    }
}

/// The broker's side of a delivery. Dropped unsettled it redelivers the message.
#[async_trait]
pub(crate) trait Settler: Send + Debug {
    /// See [`Delivery::settle`]; a result is only ever acked.
    async fn settle(&mut self, how: &Settlement) -> Result<bool, BrokerError>;
}

/// The bridge's consumer of results. A result that another release wrote and
/// this one cannot read is never handed out: it waits for a process that reads
/// it.
#[async_trait]
pub trait ResultConsumer: Send + Debug {
    /// Waits for a result; cancel safe.
    async fn next(&mut self) -> Result<ResultDelivery, BrokerError>;
}

/// One hand-over of a result; dropped without [`ResultDelivery::ack`] it goes
/// back to the head of its queue.
#[derive(Debug)]
pub struct ResultDelivery {
    /// The result.
    pub result: ResultEnvelope,
    pub(crate) settler: Box<dyn Settler>,
}

impl ResultDelivery {
    /// Takes the result off the queue. `Ok(false)`: the lease was lost, it
    /// will come again.
    pub async fn ack(&mut self) -> Result<bool, BrokerError> {
        self.settler.settle(&Settlement::Ack).await
    }
}

//! The values of the broker's trait.

use std::time::Duration;

use zkwhirl_job::{envelope::JobEnvelope, named};

use super::DeadLetter;

/// Why a call to the broker failed, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The broker cannot do it now, for example without a connection. Try again.
    #[error("the broker is unavailable: {0}")]
    Away(String),
    /// The queue is at its limit. Try again later.
    #[error("the queue {queue} holds {limit} messages, its limit")]
    Full {
        /// The queue's name.
        queue: &'static str,
        /// How many messages the queue may hold.
        limit: usize,
    },
    /// The message can never be sent: do not try again.
    #[error("the broker refuses the message: {0}")]
    Refused(String),
}

named! {
    /// A step of the retry ladder, shortest first. The back-end's settings give each
    /// rung's delay; the name is the delay in production.
    pub enum Rung {
        /// Ten seconds by default.
        Short = "10s",
        /// One minute by default.
        Medium = "1m",
        /// Ten minutes by default.
        Long = "10m",
    }
}

impl Rung {
    /// How long a job waits on this rung by default.
    pub fn delay(self) -> Duration {
        Duration::from_secs(match self {
            Self::Short => 10,
            Self::Medium => 60,
            Self::Long => 600,
        })
    }
}

/// How a delivery ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// The job is done: the broker has confirmed its result.
    Ack,
    /// The job is queued again for its next attempt, after the rung's delay.
    Retry {
        /// The rung whose delay the job waits.
        rung: Rung,
        /// The job with its next attempt and its history.
        job: JobEnvelope,
    },
    /// The same job goes to the end of its queue, for the next worker that claims a
    /// job. Counts as no attempt and no crash.
    HandBack,
    /// The job becomes this dead letter.
    Bury(DeadLetter),
}

/// The counts of a topic's jobs and consumers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// How many jobs wait for a worker.
    pub ready: usize,
    /// How many jobs workers hold in unsettled deliveries.
    pub in_flight: usize,
    /// How many jobs wait on each rung, in [`Rung::ALL`]'s order.
    pub rungs: [usize; 3],
    /// How many consumers are live.
    pub consumers: usize,
    /// How long the oldest ready job has waited.
    pub oldest: Option<Duration>,
}

impl Depth {
    /// The number of unfinished jobs, which an autoscaler must use: the ready jobs
    /// alone make a busy fleet look idle.
    pub fn unfinished(&self) -> usize {
        self.ready + self.in_flight + self.rungs.iter().sum::<usize>()
    }
}

//! The values of the broker's trait.

use std::time::Duration;

use zkwhirl_job::{envelope::JobEnvelope, named};

use super::DeadLetter;

/// Why the broker did not do what it was asked, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// Not now: the connection is gone, the confirm timed out. Try again.
    #[error("the broker is away: {0}")]
    Away(String),
    /// The queue is at its limit. Try again later.
    #[error("the queue {queue} holds {limit} messages, its limit")]
    Full {
        /// The queue's name.
        queue: &'static str,
        /// Messages that it may hold.
        limit: usize,
    },
    /// The message cannot be sent however often one tries.
    #[error("the broker takes no such message: {0}")]
    Refused(String),
}

named! {
    /// A step of the retry ladder, shortest first; how long each is, is the
    /// back-end's setting. The name is the one in production.
    pub enum Rung {
        /// Ten seconds, unless configured otherwise.
        Short = "10s",
        /// One minute.
        Medium = "1m",
        /// Ten minutes.
        Long = "10m",
    }
}

impl Rung {
    /// How long a job waits on it in production.
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
    /// The job is done; its result was confirmed before.
    Ack,
    /// `job`, with its next attempt and its history, comes back after the
    /// rung's delay.
    Retry {
        /// How long it waits.
        rung: Rung,
        /// What comes back.
        job: JobEnvelope,
    },
    /// The same job goes to the end of its queue, for the next worker that claims
    /// it. Not an attempt and not a crash.
    HandBack,
    /// The job is given up on.
    Bury(DeadLetter),
}

/// What stands in a topic's queue and around it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Jobs that wait for a worker.
    pub ready: usize,
    /// Jobs in deliveries that are not settled.
    pub in_flight: usize,
    /// Jobs on each rung, in [`Rung::ALL`]'s order.
    pub rungs: [usize; 3],
    /// Live consumers.
    pub consumers: usize,
    /// How long the oldest ready job has waited.
    pub oldest: Option<Duration>,
}

impl Depth {
    /// Jobs that are not finished: what scaling must look at. Ready jobs alone
    /// make a busy fleet look idle.
    pub fn unfinished(&self) -> usize {
        self.ready + self.in_flight + self.rungs.iter().sum::<usize>()
    }
}

//! The settings of the ledger on Redis.

use std::time::Duration;

use zkwhirl_redis::RedisAddress;

use crate::OPEN_TICKETS;

/// The address and the limits of a ledger on Redis.
#[derive(Debug, Clone)]
pub struct RedisLedgerConfig {
    /// The Redis and the namespace. Ledgers in different namespaces share no data.
    pub address: RedisAddress,
    /// How long a call may take, with its repetitions; a longer call fails with
    /// [`crate::LedgerError::Away`].
    pub timeout: Duration,
    /// How many tickets may be open at once.
    pub open_tickets: usize,
    /// How long finished jobs, their requests and results are kept. A Falafel that
    /// restarts requests the same proofs again within minutes; a day also covers an
    /// outage of one night.
    pub keep: Duration,
    /// How many finished jobs are kept, at most; the oldest are dropped first.
    pub finished_jobs: usize,
    /// How many bytes of requests and results of finished jobs are kept, at most.
    pub finished_bytes: usize,
    /// How many events the stream keeps, approximately.
    pub events: usize,
    /// How often the ledger checks that Redis still has its data.
    pub watch_every: Duration,
}

impl RedisLedgerConfig {
    /// The default settings for a ledger at `address`.
    pub fn new(address: RedisAddress) -> Self {
        Self {
            address,
            timeout: Duration::from_secs(5),
            open_tickets: OPEN_TICKETS,
            keep: Duration::from_secs(24 * 3600),
            finished_jobs: 4_096,
            finished_bytes: 256 << 20,
            events: 10_000,
            watch_every: Duration::from_secs(1),
        }
    }
}

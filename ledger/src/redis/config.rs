//! What can be set about the ledger on Redis.

use std::time::Duration;

use zkwhirl_redis::RedisAddress;

use crate::OPEN_TICKETS;

/// Where the ledger is kept, and its limits.
#[derive(Debug, Clone)]
pub struct RedisLedgerConfig {
    /// The Redis, and the namespace: ledgers with different ones share nothing.
    pub address: RedisAddress,
    /// How long a call may take, with its repetitions; then it fails with
    /// [`crate::LedgerError::Away`].
    pub timeout: Duration,
    /// Tickets that may be open at once.
    pub open_tickets: usize,
    /// How long finished jobs, their requests and results are kept. A rollup
    /// whose Falafel restarts asks for the same proofs again within minutes; a
    /// day also covers a broken night.
    pub keep: Duration,
    /// Finished jobs that are remembered; the oldest go first.
    pub finished_jobs: usize,
    /// Bytes of requests and results that finished jobs may keep.
    pub finished_bytes: usize,
    /// Events that the stream keeps, approximately.
    pub events: usize,
    /// How often the ledger checks that Redis still has its data.
    pub watch_every: Duration,
}

impl RedisLedgerConfig {
    /// The ledger at `address`.
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

//! Settings of ledgers on Redis for tests.

use std::time::Duration;

use zkwhirl_redis::{RedisAddress, testkit};

use super::RedisLedgerConfig;

/// The settings of a ledger in a new namespace.
pub fn scratch() -> RedisLedgerConfig {
    watchful(testkit::scratch())
}

/// The settings of a ledger at `address` that checks Redis every 50 ms.
pub fn watchful(address: RedisAddress) -> RedisLedgerConfig {
    RedisLedgerConfig {
        watch_every: Duration::from_millis(50),
        ..RedisLedgerConfig::new(address)
    }
}

//! Ledgers of one's own, for tests.

use std::time::Duration;

use zkwhirl_redis::{RedisAddress, testkit};

use super::RedisLedgerConfig;

/// A ledger in a namespace of its own.
pub fn scratch() -> RedisLedgerConfig {
    watchful(testkit::scratch())
}

/// A ledger at `place` that notices things early.
pub fn watchful(address: RedisAddress) -> RedisLedgerConfig {
    RedisLedgerConfig {
        watch_every: Duration::from_millis(50),
        ..RedisLedgerConfig::new(address)
    }
}

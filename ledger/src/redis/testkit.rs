//! Ledgers of one's own, for tests.

use std::time::Duration;

use zkwhirl_redis::{Place, testkit};

use super::RedisConfig;

/// A ledger in a namespace of its own.
pub fn scratch() -> RedisConfig {
    watchful(testkit::scratch())
}

/// A ledger at `place` that notices things early.
pub fn watchful(place: Place) -> RedisConfig {
    RedisConfig {
        watch_every: Duration::from_millis(50),
        ..RedisConfig::new(place)
    }
}

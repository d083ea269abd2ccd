//! The settings of a fleet's keys.

use std::{path::PathBuf, process, time::Duration};

use zkwhirl_redis::RedisAddress;

use crate::{KeyError, blobs::hostname};

/// The places of a fleet's keys, and the time limits of its processes.
#[derive(Debug, Clone)]
pub struct FleetConfig {
    /// The Redis, and the namespace: fleets with different ones share nothing.
    /// Keys there begin with the address's prefix and `keys:`.
    pub address: RedisAddress,
    /// A directory that all machines share, with proving keys by digest: a network
    /// file system, or the mount of an object store. `None`: the keys must reach
    /// every machine's own directory in another way.
    pub shared: Option<PathBuf>,
    /// The name of this process in the messages of processes that wait for it.
    pub who: String,
    /// The time limit of one answer of Redis.
    pub timeout: Duration,
    /// How long a silent generator counts as alive: the longest wait for a dead
    /// one.
    pub lease: Duration,
    /// The interval at which a waiting process looks again.
    pub look_every: Duration,
    /// The longest wait for a living generator. The largest setup that fits a
    /// machine takes minutes.
    pub patience: Duration,
}

impl FleetConfig {
    /// The keys at `address`, without a shared directory.
    pub fn new(address: RedisAddress) -> Self {
        Self {
            address,
            shared: None,
            who: format!("{} pid {}", hostname(), process::id()),
            timeout: Duration::from_secs(5),
            lease: Duration::from_secs(30),
            look_every: Duration::from_millis(500),
            patience: Duration::from_secs(3600),
        }
    }

    pub(super) fn check(&self) -> Result<(), KeyError> {
        for (what, duration) in [
            ("timeout", self.timeout),
            ("lease", self.lease),
            ("look_every", self.look_every),
        ] {
            if duration < Duration::from_millis(1) {
                return Err(KeyError::Config(format!("{what} must not be zero")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let mut config = FleetConfig::new(RedisAddress::new(
            "redis://localhost".parse().unwrap(),
            "main",
        ));
        assert!(config.check().is_ok());
        config.lease = Duration::ZERO;
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error, "lease must not be zero");
    }
}

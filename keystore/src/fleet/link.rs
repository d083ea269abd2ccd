//! The connection to Redis. Every call has a time limit.
//!
//! A call is tried again if its connection broke. This is safe, because every
//! call is idempotent. A call that timed out may still take effect.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

use redis::{Client, RedisError, RedisResult};
use zkwhirl_redis::{RedisAddress, may_pass, why};
use zkwhirl_telemetry::catalogue::keys::{KEYSTORE_REQUESTS, KEYSTORE_SECONDS};

use super::FleetConfig;
use crate::KeyError;

/// The pauses before a call is tried again: the timeout divided by these numbers.
/// With the default timeout, a Redis that restarts is back before the last try.
const PAUSES: [u32; 4] = [250, 50, 12, 5];
const CONNECT: Duration = Duration::from_secs(3);

/// One connection, opened at the first call and reopened after a failure.
pub(super) struct RedisLink {
    client: Client,
    connection: Mutex<Option<redis::Connection>>,
    timeout: Duration,
    address: RedisAddress,
}

impl RedisLink {
    pub(super) fn new(config: &FleetConfig) -> Result<Self, KeyError> {
        let client = config.address.client();
        Ok(Self {
            client: client.map_err(|error| KeyError::Config(error.to_string()))?,
            connection: Mutex::new(None),
            timeout: config.timeout,
            address: config.address.clone(),
        })
    }

    /// Runs `ask` on the connection, and again if the connection broke.
    pub(super) fn ask<T>(
        &self,
        ask: impl Fn(&mut redis::Connection) -> RedisResult<T>,
    ) -> Result<T, KeyError> {
        let mut pauses = PAUSES.iter();
        loop {
            let error = match self.measured(&ask) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // A call that timed out is not tried again: its caller waited enough.
            let again = may_pass(&error) && !error.is_timeout();
            let pause = pauses.next().filter(|_| again);
            let Some(pause) = pause else {
                return Err(self.away(&error));
            };
            // No thread unparks this thread; after a spurious wake-up, the next
            // try only comes earlier.
            thread::park_timeout(self.timeout / *pause);
        }
    }

    fn measured<T>(
        &self,
        ask: impl Fn(&mut redis::Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let started = SystemTime::now();
        let answer = self.once(ask);
        let result = if answer.is_ok() { "ok" } else { "error" };
        KEYSTORE_REQUESTS.one([result]);
        KEYSTORE_SECONDS.record([], started.elapsed().unwrap_or_default());
        answer
    }

    fn once<T>(&self, ask: impl Fn(&mut redis::Connection) -> RedisResult<T>) -> RedisResult<T> {
        let mut held = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut connection = match held.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let answer = ask(&mut connection);
        // After a timeout, the late answer could be read as the next call's answer.
        if !answer.as_ref().is_err_and(RedisError::is_io_error) {
            *held = Some(connection);
        }
        answer
    }

    fn connect(&self) -> RedisResult<redis::Connection> {
        let wait = self.timeout.min(CONNECT);
        let connection = self.client.get_connection_with_timeout(wait)?;
        connection.set_read_timeout(Some(self.timeout))?;
        connection.set_write_timeout(Some(self.timeout))?;
        Ok(connection)
    }

    fn away(&self, error: &RedisError) -> KeyError {
        let why = match error.is_timeout() {
            true => format!("no answer within {:?}", self.timeout),
            false => why(error),
        };
        KeyError::Away {
            place: self.address.to_string(),
            why,
        }
    }
}

impl std::fmt::Debug for RedisLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RedisLink")
            .field(&self.address.to_string())
            .finish()
    }
}

//! The connection: calls that end in time, whatever Redis does.
//!
//! A call whose connection broke is tried again, which is safe because every
//! call may run twice. A call that is given up on may still happen.

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

use redis::{
    Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError, RedisResult,
    ServerErrorKind, TlsCertificates,
};
use zkwhirl_telemetry::catalogue::keys::{KEYSTORE_REQUESTS, KEYSTORE_SECONDS};

use super::FleetConfig;
use crate::KeyError;

/// How long to wait before a call is tried again, each time, in parts of the
/// timeout. With the usual one a Redis that starts anew is back within them.
const PAUSES: [u32; 4] = [250, 50, 12, 5];
const CONNECT: Duration = Duration::from_secs(3);

/// One connection, made at the first call and again when it broke.
pub(super) struct Link {
    client: Client,
    connection: Mutex<Option<redis::Connection>>,
    timeout: Duration,
    place: String,
}

impl Link {
    pub(super) fn new(config: &FleetConfig) -> Result<Self, KeyError> {
        let place = config.place();
        let client = client(config).map_err(|why| {
            KeyError::Config(format!("the redis address {place} cannot be used: {why}"))
        })?;
        Ok(Self {
            client,
            connection: Mutex::new(None),
            timeout: config.timeout,
            place,
        })
    }

    /// Runs `ask`, which may run more than once.
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
            let pause = pauses.next().filter(|_| may_pass(&error));
            let Some(pause) = pause else {
                return Err(self.away(&error));
            };
            // Nothing wakes this thread; a false alarm only asks sooner.
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
        // After a timeout the late answer would pass for the next call's.
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
        let text = error.to_string();
        let why = match error.code() {
            Some("OOM") => "redis has no memory left, and nothing was changed".to_owned(),
            Some("MISCONF") => format!("redis cannot write its disk: {text}"),
            _ if error.is_timeout() => format!("no answer within {:?}", self.timeout),
            _ => text,
        };
        KeyError::Away {
            place: self.place.clone(),
            why,
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Link").field(&self.place).finish()
    }
}

/// Whether the same call may succeed in a moment. One that timed out waited
/// long enough.
fn may_pass(error: &RedisError) -> bool {
    let moment = matches!(
        error.kind(),
        ErrorKind::Io
            | ErrorKind::Server(
                ServerErrorKind::BusyLoading
                    | ServerErrorKind::TryAgain
                    | ServerErrorKind::MasterDown
                    | ServerErrorKind::ClusterDown
                    | ServerErrorKind::ReadOnly
            )
    );
    moment && !error.is_timeout()
}

fn client(config: &FleetConfig) -> Result<Client, String> {
    // Errors of these calls carry no address, so no password.
    let info = config.url.as_str().into_connection_info();
    let info: ConnectionInfo = info.map_err(|error| error.to_string())?;
    if config.url.scheme() != "rediss" {
        return Client::open(info).map_err(|error| error.to_string());
    }
    // Another provider that is installed already serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = &config.tls;
    let client_tls = tls
        .client
        .as_ref()
        .map(|(cert, key)| redis::ClientTlsConfig {
            client_cert: cert.clone(),
            client_key: key.clone(),
        });
    let certificates = TlsCertificates {
        client_tls,
        root_cert: tls.authority.clone(),
    };
    Client::build_with_tls(info, certificates).map_err(|error| error.to_string())
}

//! What can be set about the ledger on Redis.

use std::{fmt, time::Duration};

use url::Url;

use crate::ledger::OPEN_TICKETS;

/// Where the ledger is kept, and its limits.
#[derive(Clone)]
pub struct RedisConfig {
    /// `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. The
    /// password is never shown.
    pub url: Url,
    /// Keys begin with `zkwhirl:{namespace}:`: ledgers with different ones
    /// share a Redis and nothing else. 1 to 64 of `a-z A-Z 0-9 . _ -`.
    pub namespace: String,
    /// For `rediss://`: certificates other than the public ones.
    pub tls: RedisTls,
    /// How long a call may take, with everything it tries again; after that it
    /// is [`crate::LedgerError::Away`].
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
    /// Events that the stream holds, about.
    pub events: usize,
    /// Bytes of requests that this process took and keeps in memory, so that it
    /// need not read them back; for bridges.
    pub recent_bytes: usize,
    /// How often it is looked whether Redis is there and still has its data.
    pub watch_every: Duration,
}

/// Certificates for `rediss://`, in PEM.
#[derive(Clone, Default)]
pub struct RedisTls {
    /// The authority that signed the server's certificate; `None`: the public
    /// ones.
    pub authority: Option<Vec<u8>>,
    /// Our certificate and its key, for a server that asks for one.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

impl RedisConfig {
    /// The ledger at `url` in the namespace `main`.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            namespace: "main".to_owned(),
            tls: RedisTls::default(),
            timeout: Duration::from_secs(5),
            open_tickets: OPEN_TICKETS,
            keep: Duration::from_secs(24 * 3600),
            finished_jobs: 4_096,
            finished_bytes: 256 << 20,
            events: 10_000,
            recent_bytes: 0,
            watch_every: Duration::from_secs(1),
        }
    }

    /// Where it is, without user and password.
    pub(super) fn place(&self) -> String {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or("?"));
        let port = self.url.port().unwrap_or(6379);
        format!("{scheme}://{host}:{port}{}", self.url.path())
    }

    pub(super) fn prefix(&self) -> String {
        // The braces put all keys into one slot of a Redis cluster.
        format!("zkwhirl:{{{}}}:", self.namespace)
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("place", &self.place())
            .field("namespace", &self.namespace)
            .field("tls", &self.tls)
            .field("timeout", &self.timeout)
            .field("open_tickets", &self.open_tickets)
            .field("keep", &self.keep)
            .field("finished_jobs", &self.finished_jobs)
            .field("finished_bytes", &self.finished_bytes)
            .field("events", &self.events)
            .field("recent_bytes", &self.recent_bytes)
            .field("watch_every", &self.watch_every)
            .finish()
    }
}

impl fmt::Debug for RedisTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTls")
            .field("authority", &self.authority.is_some())
            .field("client", &self.client.is_some())
            .finish()
    }
}

/// Settings that no ledger can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedisConfigError {
    /// Not a URL of a Redis, or certificates that cannot be read.
    #[error("the redis address {place} cannot be used: {why}")]
    Url {
        /// The address without user and password.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// A namespace with other characters, none or too many.
    #[error("\"{0}\" is no namespace: 1 to 64 of a-z A-Z 0-9 . _ - are needed")]
    Namespace(String),
    /// There is no tokio runtime around the call.
    #[error("a redis ledger can only be made inside a tokio runtime")]
    NoRuntime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let url = "rediss://me:secret@db.example:7000/3".parse().unwrap();
        let mut config = RedisConfig::new(url);
        config.tls.client = Some((b"cert".to_vec(), b"secret".to_vec()));
        let shown = format!("{config:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("me:"),
            "{shown}"
        );
        assert!(shown.contains("rediss://db.example:7000/3"), "{shown}");
    }
}

//! The ledger on Redis, shared by bridges and workers.
//!
//! * Every change is one script (`lua/`), which Redis runs whole or not at all and
//!   which may be repeated: a caller that lost the answer simply calls again.
//! * Results and attempts carry their length and SHA-256; a request is checked
//!   against the id of its job. A value that does not match is dropped, and reported
//!   once as [`LedgerError::Damaged`] with its key; later the value is made
//!   again.
//! * Keys of open tickets and jobs have no lifetime; keys of finished jobs have a
//!   lifetime ([`RedisLedgerConfig::keep`]) and a budget. So a Redis that evicts keys
//!   with a lifetime costs at most work; a Redis that evicts any key is refused by
//!   [`RedisLedger::check`].

mod bridges;
mod config;
mod events;
mod frame;
#[cfg(test)]
mod golden;
mod health;
mod keep;
mod link;
mod listing;
mod record;
mod scripts;
mod slots;
#[cfg(any(test, feature = "test-util"))]
pub mod testkit;
#[cfg(test)]
mod tests;
mod unverified;

use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use redis::{Cmd, Pipeline, Script, ScriptInvocation, ToRedisArgs, Value};
use tokio::{sync::watch, task::AbortHandle};
use zkwhirl_job::JobId;
use zkwhirl_redis::RedisAddressError;

pub use config::RedisLedgerConfig;
pub use health::UnfitError;

use crate::LedgerError;
use frame::Damage;
use link::{Ask, Lane, RedisLink};

/// The ledger on Redis. Clones are one handle of one bridge: each bridge of a process
/// makes its own handle.
#[derive(Clone)]
pub struct RedisLedger {
    inner: Arc<RedisInner>,
}

struct RedisInner {
    config: RedisLedgerConfig,
    /// The prefix of all keys.
    prefix: String,
    link: RedisLink,
    /// The bridge that takes tickets through this handle; empty before it joined.
    owner: Mutex<String>,
    damaged: AtomicU64,
    losses: watch::Sender<u64>,
    watch: OnceLock<AbortHandle>,
}

impl RedisLedger {
    /// Makes a handle, which connects at the first call: Redis need not be reachable
    /// now. [`RedisLedger::check`] checks whether Redis is fit.
    ///
    /// A task watches Redis until the last clone is dropped.
    pub fn new(config: RedisLedgerConfig) -> Result<Self, RedisAddressError> {
        let inner = Arc::new(RedisInner {
            prefix: config.address.prefix(),
            link: RedisLink::new(&config)?,
            config,
            owner: Mutex::default(),
            damaged: AtomicU64::new(0),
            losses: watch::Sender::default(),
            watch: OnceLock::new(),
        });
        let watch = tokio::spawn(health::watch(Arc::downgrade(&inner)));
        inner.watch.get_or_init(|| watch.abort_handle());
        Ok(Self { inner })
    }

    /// The prefix of all keys of this ledger.
    pub fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// Prepares a call of a script, with the arguments that every script has.
    fn call(&self, script: &'static Script, args: impl ToRedisArgs) -> ScriptInvocation<'static> {
        let config = &self.inner.config;
        let mut call = script.prepare_invoke();
        call.key(self.prefix()).arg(config.keep.as_millis() as u64);
        call.arg(config.finished_jobs).arg(config.finished_bytes);
        call.arg(config.events).arg(args);
        call
    }

    async fn ask(&self, lane: Lane, script: &ScriptInvocation<'_>) -> Result<Value, LedgerError> {
        self.inner.link.ask(lane, Ask::Script(script)).await
    }

    /// Runs a script about a job. A job whose keys have another type than a job's is
    /// forgotten.
    async fn ask_about(
        &self,
        job: JobId,
        lane: Lane,
        script: &ScriptInvocation<'_>,
    ) -> Result<Value, LedgerError> {
        match self.ask(lane, script).await {
            Err(LedgerError::Damaged { why, .. }) => Err(self.forget(job, Damage(why)).await?),
            answer => answer,
        }
    }

    async fn command(&self, lane: Lane, command: &Cmd) -> Result<Value, LedgerError> {
        self.inner.link.ask(lane, Ask::Command(command)).await
    }

    /// Runs plain commands, and returns the answer to each.
    async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, LedgerError> {
        let asked = self.inner.link.ask(Lane::Quick, Ask::Commands(commands));
        items(asked.await?)
    }

    async fn number(&self, lane: Lane, script: &ScriptInvocation<'_>) -> Result<i64, LedgerError> {
        number(&self.ask(lane, script).await?)
    }

    /// Runs a script that returns a value, nothing, or the size of a too large value.
    async fn value(
        &self,
        script: &ScriptInvocation<'_>,
        limit: usize,
    ) -> Result<Option<Result<Bytes, Damage>>, LedgerError> {
        Ok(match self.ask(Lane::Bulk, script).await {
            Ok(Value::Nil) => None,
            Ok(Value::BulkString(bytes)) => Some(Ok(bytes.into())),
            Ok(Value::Int(bytes)) => {
                Some(Err(Damage(format!("{bytes} bytes, the limit is {limit}"))))
            }
            Ok(other) => return Err(odd(&other)),
            Err(LedgerError::Damaged { why, .. }) => Some(Err(Damage(why))),
            Err(error) => return Err(error),
        })
    }

    /// Counts and logs a damaged value, and returns its error.
    fn damaged(&self, key: &str, Damage(why): Damage) -> LedgerError {
        self.inner.damaged.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}{key}", self.prefix());
        tracing::warn!(key, "dropped a damaged value of the ledger: {why}");
        LedgerError::Damaged { key, why }
    }
}

fn number(answer: &Value) -> Result<i64, LedgerError> {
    match answer {
        Value::Int(number) => Ok(*number),
        other => Err(odd(other)),
    }
}

fn items(answer: Value) -> Result<Vec<Value>, LedgerError> {
    match answer {
        Value::Array(items) => Ok(items),
        other => Err(odd(&other)),
    }
}

/// The error of an answer that no script of the ledger gives.
fn odd(value: &Value) -> LedgerError {
    let kind = match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
        Value::Array(_) => "a list",
        _ => "something",
    };
    LedgerError::Away(format!("redis gave an unexpected answer: {kind}"))
}

impl Drop for RedisInner {
    fn drop(&mut self) {
        if let Some(watch) = self.watch.get() {
            watch.abort();
        }
    }
}

impl fmt::Debug for RedisLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLedger")
            .field("address", &self.inner.config.address.to_string())
            .field("prefix", &self.prefix())
            .finish_non_exhaustive()
    }
}

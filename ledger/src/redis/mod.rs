//! The ledger on Redis, shared by bridges and workers.
//!
//! * Every change is one script (`lua/`): it happens whole or not at all, and
//!   may be repeated, because a lost answer does not say whether it happened.
//! * Results and attempts carry their length and SHA-256; a request is checked
//!   against the name of its job. What does not match is dropped and said once
//!   as [`LedgerError::Damaged`], with its key; after that it is gone, and is
//!   made again.
//! * What is open has no lifetime; what is finished has one
//!   ([`RedisLedgerConfig::keep`]) and a budget. So a Redis that evicts keys with a
//!   lifetime costs work at worst, and one that evicts any key is refused by
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

/// The ledger on Redis. Clones are the same ledger, and the same bridge: each
/// bridge of a process makes its own.
#[derive(Clone)]
pub struct RedisLedger {
    inner: Arc<RedisInner>,
}

struct RedisInner {
    config: RedisLedgerConfig,
    /// What all keys begin with.
    prefix: String,
    link: RedisLink,
    /// The bridge whose tickets this handle takes; empty before it joined.
    owner: Mutex<String>,
    damaged: AtomicU64,
    losses: watch::Sender<u64>,
    watch: OnceLock<AbortHandle>,
}

impl RedisLedger {
    /// The ledger of `config`. It connects at the first call: Redis need not be
    /// reachable now. [`RedisLedger::check`] tells whether Redis is fit.
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

    /// What all its keys begin with.
    pub fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// A call of a script, with the arguments that every script has.
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

    /// Asks about a job. One that turns out to be kept as something else than
    /// a job is made unknown.
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

    /// Runs plain commands; the answer to each.
    async fn commands(&self, commands: &Pipeline) -> Result<Vec<Value>, LedgerError> {
        let asked = self.inner.link.ask(Lane::Quick, Ask::Commands(commands));
        items(asked.await?)
    }

    async fn number(&self, lane: Lane, script: &ScriptInvocation<'_>) -> Result<i64, LedgerError> {
        number(&self.ask(lane, script).await?)
    }

    /// Asks for a value that is there, is not there, or is too large.
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

    /// The error of a damaged value, counted.
    fn damaged(&self, key: &str, Damage(why): Damage) -> LedgerError {
        self.inner.damaged.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}{key}", self.prefix());
        tracing::warn!(key, "dropped a damaged value: {why}");
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

/// The error of an answer that no script of ours gives.
fn odd(value: &Value) -> LedgerError {
    let kind = match value {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
        Value::Array(_) => "a list",
        _ => "something",
    };
    LedgerError::Away(format!("redis answered {kind}, which no call expects"))
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

//! Whether Redis is fit for a ledger, and whether it still has its data.

use std::{collections::BTreeMap, sync::Weak, time::Duration};

use redis::{Value, pipe};

use super::{
    Inner, RedisLedger,
    keep::nonce,
    link::{Ask, Lane},
    odd,
    record::text,
    scripts::With,
};
use crate::LedgerError;

/// The time between two looks at Redis's settings: an operator may change them.
const SETTINGS_EVERY: Duration = Duration::from_secs(60);
/// The oldest release whose scripts may ask the time before they write, and
/// keep their effects whole: 5.0. Tested is 7.0.
const OLDEST: u32 = 5;

/// What Redis says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisReport {
    /// Its release: `7.0.15`.
    pub version: String,
    /// What it evicts when its memory is full: `noeviction`.
    pub maxmemory_policy: String,
    /// The memory that it may use; 0 for no limit.
    pub maxmemory_bytes: u64,
    /// Whether it keeps an append-only file.
    pub append_only: bool,
    /// What an operator should know; each a sentence.
    pub warnings: Vec<String>,
}

/// Why a Redis is not fit for a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitError {
    /// It is not there.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It throws away open jobs when its memory is full.
    #[error(
        "redis evicts any key when its memory is full (maxmemory-policy {policy}): \
         set noeviction"
    )]
    Evicts {
        /// The policy.
        policy: String,
    },
    /// It is older than 5.0.
    #[error("redis {version} is too old: 5.0 or later is needed")]
    Old {
        /// Its release.
        version: String,
    },
    /// It is the replica of another.
    #[error("redis is a replica: the primary's address is needed")]
    Replica,
}

impl RedisLedger {
    /// Whether Redis is there and fit. Warnings are for the operator's log.
    pub async fn check(&self) -> Result<RedisReport, UnfitError> {
        let mut commands = pipe();
        commands.cmd("INFO");
        let asked = self.inner.link.ask(Lane::Quick, Ask::Commands(&commands));
        let answer = match asked.await {
            // A user without the right to ask: nothing is known.
            Err(LedgerError::Away(why)) if why.contains("NOPERM") => return Ok(unknown()),
            answer => answer?,
        };
        let Value::Array(answer) = answer else {
            return Err(odd(&Value::Nil).into());
        };
        let info = answer.first().and_then(text).unwrap_or_default();
        judge(info)
    }

    /// Looks whether the data are the same as before. True: they are not.
    async fn look(&self, known: &mut Option<String>) -> Result<bool, LedgerError> {
        let call = self.call(|scripts| &scripts.epoch).with(nonce());
        let answer = self.ask(Lane::Quick, &call).await?;
        let Value::Array(answer) = &answer else {
            return Err(odd(&answer));
        };
        let [epoch, Value::Int(_)] = &answer[..] else {
            return Err(odd(&Value::Nil));
        };
        let epoch = text(epoch).unwrap_or_default().to_owned();
        let before = known.replace(epoch);
        Ok(before.is_some() && before != *known)
    }
}

fn unknown() -> RedisReport {
    RedisReport {
        version: "unknown".to_owned(),
        maxmemory_policy: "unknown".to_owned(),
        maxmemory_bytes: 0,
        append_only: false,
        warnings: vec![
            "this user may not ask redis for INFO: its settings are not known".to_owned(),
        ],
    }
}

/// What follows from an `INFO`.
fn judge(info: &str) -> Result<RedisReport, UnfitError> {
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    let info: BTreeMap<_, _> = lines.collect();
    let get = |name: &str| info.get(name).copied().unwrap_or("unknown").to_owned();
    let report = RedisReport {
        version: get("redis_version"),
        maxmemory_policy: get("maxmemory_policy"),
        maxmemory_bytes: get("maxmemory").parse().unwrap_or(0),
        append_only: get("aof_enabled") == "1",
        warnings: Vec::new(),
    };
    let (version, policy) = (report.version.clone(), report.maxmemory_policy.clone());
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if major.is_some_and(|major: u32| major < OLDEST) {
        return Err(UnfitError::Old { version });
    }
    if get("role") == "slave" {
        return Err(UnfitError::Replica);
    }
    let mut warnings = Vec::new();
    let limited = report.maxmemory_bytes > 0;
    if policy.starts_with("allkeys-") && limited {
        return Err(UnfitError::Evicts { policy });
    }
    if policy.starts_with("allkeys-") {
        warnings.push(format!(
            "redis would evict any key if it had a memory limit (maxmemory-policy {policy}): \
             set noeviction"
        ));
    }
    if policy.starts_with("volatile-") && limited {
        warnings.push(format!(
            "redis evicts finished jobs when its memory is full (maxmemory-policy {policy}): \
             they are proved again if they are asked for again"
        ));
    }
    if !report.append_only {
        warnings.push("redis keeps no append-only file: a restart of it repeats work".to_owned());
    }
    Ok(RedisReport { warnings, ..report })
}

/// Looks after the ledger until its last handle is gone.
pub(super) async fn watch(inner: Weak<Inner>) {
    let mut epoch = None;
    let mut said = Vec::new();
    let mut looked_at_settings: Option<tokio::time::Instant> = None;
    while let Some(inner) = inner.upgrade() {
        let redis = RedisLedger { inner };
        match redis.look(&mut epoch).await {
            Ok(true) => {
                redis.inner.losses.send_modify(|losses| *losses += 1);
                tracing::warn!("redis has lost its data: tickets come again, work is repeated");
            }
            Ok(false) => {}
            Err(error) => tracing::debug!("cannot look after the ledger: {error}"),
        }
        if looked_at_settings.is_none_or(|at| at.elapsed() >= SETTINGS_EVERY) {
            let warnings = match redis.check().await {
                Ok(report) => report.warnings,
                Err(UnfitError::Ledger(_)) => said.clone(),
                Err(unfit) => vec![unfit.to_string()],
            };
            if warnings != said {
                warnings
                    .iter()
                    .for_each(|warning| tracing::warn!("{warning}"));
                said = warnings;
            }
            looked_at_settings = Some(tokio::time::Instant::now());
        }
        let every = redis.inner.config.watch_every;
        drop(redis);
        tokio::time::sleep(every).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(info: &str, expect: Result<&[&str], &str>) {
        let all = format!("redis_version:7.0.15\r\nrole:master\r\naof_enabled:1\r\n{info}");
        match (judge(&all), expect) {
            (Ok(report), Ok(warnings)) => {
                assert_eq!(report.warnings.len(), warnings.len(), "{report:?}");
                for (said, part) in report.warnings.iter().zip(warnings) {
                    assert!(said.contains(part), "{said}");
                }
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (judged, _) => panic!("{judged:?}"),
        }
    }

    #[test]
    fn eviction_is_judged() {
        let policy = |policy, max| format!("maxmemory:{max}\r\nmaxmemory_policy:{policy}\r\n");
        check(&policy("noeviction", 0), Ok(&[]));
        check(&policy("noeviction", 1), Ok(&[]));
        check(&policy("volatile-lru", 0), Ok(&[]));
        check(&policy("volatile-lru", 1), Ok(&["finished jobs"]));
        check(&policy("allkeys-lru", 0), Ok(&["would evict"]));
        check(&policy("allkeys-lru", 1), Err("allkeys-lru"));
    }

    #[test]
    fn old_ones_replicas_and_forgetful_ones_are_told() {
        check("redis_version:4.0.9\r\n", Err("redis 4.0.9 is too old"));
        check("role:slave\r\n", Err("replica"));
        check("aof_enabled:0\r\n", Ok(&["append-only"]));
        check("redis_version:10.1.0\r\n", Ok(&[]));
    }
}

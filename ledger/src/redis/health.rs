//! Checks that Redis is fit for a ledger, and that it still has its data.

use std::{collections::BTreeMap, sync::Weak, time::Duration};

use redis::{Value, cmd};

use super::{
    RedisInner, RedisLedger, items, keep::nonce, link::Lane, odd, record::text, scripts::script,
};
use crate::LedgerError;

/// How often Redis's settings are checked: an operator may change them.
const SETTINGS_EVERY: Duration = Duration::from_secs(60);
/// The oldest supported Redis, 5.0: the first whose scripts may read the time before
/// they write, and replicate their effects as one. The tests use 7.0.
const OLDEST: u32 = 5;

/// Why a Redis is not fit for a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitError {
    /// Redis does not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Redis is too old, a replica, or evicts open jobs: the operator must change
    /// it as the text says.
    #[error("{0}")]
    Unfit(String),
}

impl RedisLedger {
    /// Checks Redis's release, role and settings. Returns warnings for the operator's
    /// log, each a sentence; fails if Redis is not fit.
    pub async fn check(&self) -> Result<Vec<String>, UnfitError> {
        match self.command(Lane::Quick, &cmd("INFO")).await {
            Err(LedgerError::Away(why)) if why.contains("NOPERM") => {
                let why = "cannot check redis's settings: this user may not run INFO";
                Ok(vec![why.to_owned()])
            }
            answer => judge(text(&answer?).unwrap_or_default()),
        }
    }

    /// Whether Redis lost its data since the last call.
    async fn lost_data(&self, known: &mut Option<String>) -> Result<bool, LedgerError> {
        let call = self.call(script!("epoch"), nonce());
        let answer = items(self.ask(Lane::Quick, &call).await?)?;
        let [epoch, Value::Int(_)] = &answer[..] else {
            return Err(odd(&Value::Nil));
        };
        let epoch = text(epoch).unwrap_or_default().to_owned();
        let before = known.replace(epoch);
        Ok(before.is_some() && before != *known)
    }
}

fn judge(info: &str) -> Result<Vec<String>, UnfitError> {
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    let info: BTreeMap<_, _> = lines.collect();
    let get = |name: &str| info.get(name).copied().unwrap_or("unknown").to_owned();
    let (version, policy) = (get("redis_version"), get("maxmemory_policy"));
    let major = version.split('.').next().map(str::parse::<u32>);
    if matches!(major, Some(Ok(..OLDEST))) {
        let why = format!("redis {version} is too old: 5.0 or later is needed");
        return Err(UnfitError::Unfit(why));
    }
    if get("role") == "slave" {
        let why = "redis is a replica: configure the primary's address";
        return Err(UnfitError::Unfit(why.to_owned()));
    }
    let mut warnings = Vec::new();
    let limited = get("maxmemory").parse().is_ok_and(|bytes: u64| bytes > 0);
    let kind = policy.split_once('-').map(|(kind, _)| kind);
    match (kind, limited) {
        (Some("allkeys"), true) => {
            return Err(UnfitError::Unfit(format!(
                "redis evicts any key when its memory is full (maxmemory-policy {policy}): \
                 set noeviction"
            )));
        }
        (Some("allkeys"), false) => warnings.push(format!(
            "redis would evict any key if it had a memory limit (maxmemory-policy {policy}): \
             set noeviction"
        )),
        (Some("volatile"), true) => warnings.push(format!(
            "redis evicts finished jobs when its memory is full (maxmemory-policy {policy}): \
             Falafel's repeated requests are then proved again"
        )),
        _ => {}
    }
    if get("aof_enabled") != "1" {
        warnings.push("redis keeps no append-only file: its restart repeats work".to_owned());
    }
    Ok(warnings)
}

/// Checks Redis's data and settings again and again until the last handle is dropped.
pub(super) async fn watch(inner: Weak<RedisInner>) {
    let mut epoch = None;
    let mut said = Vec::new();
    let mut looked_at_settings: Option<tokio::time::Instant> = None;
    while let Some(inner) = inner.upgrade() {
        let redis = RedisLedger { inner };
        match redis.lost_data(&mut epoch).await {
            Ok(true) => {
                redis.inner.losses.send_modify(|losses| *losses += 1);
                tracing::warn!(
                    "redis has lost the ledger's data: Falafel issues its tickets again"
                );
            }
            Ok(false) => {}
            Err(error) => tracing::debug!("cannot check whether redis lost its data: {error}"),
        }
        if looked_at_settings.is_none_or(|at| at.elapsed() >= SETTINGS_EVERY) {
            let warnings = match redis.check().await {
                Ok(warnings) => warnings,
                Err(UnfitError::Ledger(_)) => said.clone(),
                Err(unfit) => vec![unfit.to_string()],
            };
            if warnings != said {
                for warning in &warnings {
                    tracing::warn!("check of redis's settings for the ledger: {warning}");
                }
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
            (Ok(found), Ok(warnings)) => {
                assert_eq!(found.len(), warnings.len(), "{found:?}");
                for (said, part) in found.iter().zip(warnings) {
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

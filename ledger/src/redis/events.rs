//! The ledger's stream of events, for views in other processes.
//!
//! The stream is bounded, and is lost with the ledger: the records are the truth.
//! Readers poll: a call that waited in Redis for the next event would block the
//! other calls on its connection.

use std::collections::BTreeMap;

use redis::{Value, cmd};

use super::{RedisLedger, items, link::Lane, record::text};
use crate::{LedgerError, LedgerEvent};

/// How many events one call returns, at most.
const PAGE: usize = 1_000;

impl RedisLedger {
    /// Returns the events after `cursor` (`None`: from the oldest kept event), in order;
    /// at most `limit` and at most 1,000.
    pub async fn events_after(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Vec<LedgerEvent>, LedgerError> {
        let from = cursor.map_or_else(|| "-".to_owned(), |cursor| format!("({cursor}"));
        let key = format!("{}events", self.prefix());
        let mut range = cmd("XRANGE");
        range.arg((key, from, "+", "COUNT", limit.clamp(1, PAGE)));
        let events = items(self.command(Lane::Quick, &range).await?)?;
        Ok(events.iter().filter_map(parse).collect())
    }
}

pub(super) fn parse(item: &Value) -> Option<LedgerEvent> {
    let Value::Array(item) = item else {
        return None;
    };
    let [cursor, Value::Array(fields)] = &item[..] else {
        return None;
    };
    let cursor = text(cursor)?.to_owned();
    let at_ms = cursor.split('-').next()?.parse().ok()?;
    // A shortened text may end within a character.
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pairs = fields.chunks_exact(2).filter_map(|pair| match pair {
        [Value::BulkString(name), Value::BulkString(value)] => Some((lossy(name), lossy(value))),
        _ => None,
    });
    let mut detail: BTreeMap<_, _> = pairs.collect();
    Some(LedgerEvent {
        cursor,
        at_ms,
        what: detail.remove("what")?,
        job: detail.remove("job").and_then(|job| job.parse().ok()),
        detail,
    })
}

//! The ledger's stream of events, for views in other processes.
//!
//! The stream is bounded, and lost with the ledger: it is for looking, the
//! records are the truth. No call waits in Redis for the next event, because it
//! would hold up the others on its connection: readers poll.

use std::collections::BTreeMap;

use redis::{Value, cmd};

use super::{RedisLedger, items, link::Lane, record::text};
use crate::{LedgerError, LedgerEvent};

/// Events of one page at most.
const PAGE: usize = 1_000;

impl RedisLedger {
    /// What happened after `cursor` (from the oldest that is kept with `None`),
    /// in order; at most `limit` and at most 1,000.
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
    // A text that was cut may end within a character.
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

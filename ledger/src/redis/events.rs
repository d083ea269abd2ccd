//! The ledger's stream of events, for views in other processes.
//!
//! The stream is bounded, and lost with the ledger: it is for looking, the
//! records are the truth. No call waits in Redis for the next event, because it
//! would hold up the others on its connection: readers poll.

use std::collections::BTreeMap;

use redis::{Value, pipe};

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
        let mut commands = pipe();
        let range = commands
            .cmd("XRANGE")
            .arg(format!("{}events", self.prefix()));
        range
            .arg(from)
            .arg("+")
            .arg("COUNT")
            .arg(limit.clamp(1, PAGE));
        let events = items(self.command(Lane::Quick, &commands).await?)?;
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
    let pairs = fields.chunks_exact(2);
    // A text that was cut may end within a character.
    let mut detail: BTreeMap<String, String> = pairs
        .filter_map(|pair| match pair {
            [Value::BulkString(name), Value::BulkString(value)] => {
                let name = String::from_utf8_lossy(name).into_owned();
                Some((name, String::from_utf8_lossy(value).into_owned()))
            }
            _ => None,
        })
        .collect();
    Some(LedgerEvent {
        cursor,
        at_ms,
        what: detail.remove("what")?,
        job: detail.remove("job").and_then(|job| job.parse().ok()),
        detail,
    })
}

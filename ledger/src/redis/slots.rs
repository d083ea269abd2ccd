//! The reports of slots. Each report has a lifetime of its own; a reader removes the
//! names of expired reports from the index.

use redis::{Value, cmd, pipe};
use serde_json::{Map, Value as Json};

use super::{
    RedisLedger,
    frame::cut,
    items,
    link::Lane,
    record::{NAME, text},
};
use crate::{LedgerError, SLOT_TTL, SLOTS, SlotReport};

/// Reads a report, without the fields that this release cannot read: the report of a worker
/// of another release is shown with the common fields. `None`: the body is no JSON object.
pub(super) fn report(body: &[u8]) -> Option<SlotReport> {
    if let Ok(report) = serde_json::from_slice(body) {
        return Some(report);
    }
    let mut fields: Map<String, Json> = serde_json::from_slice(body).ok()?;
    fields.retain(|name, value| {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        serde_json::from_value::<SlotReport>(alone.into()).is_ok()
    });
    serde_json::from_value(fields.into()).ok()
}

impl RedisLedger {
    pub(super) async fn keep_report(&self, slot: &SlotReport) -> Result<(), LedgerError> {
        let prefix = self.prefix();
        let name = cut(&slot.slot, NAME);
        let body = serde_json::to_vec(slot).expect("plain data is JSON");
        let mut commands = pipe();
        let (key, ttl_ms) = (format!("{prefix}w:{name}"), SLOT_TTL.as_millis() as u64);
        commands.cmd("SET").arg((key, body, "PX", ttl_ms));
        commands
            .cmd("ZADD")
            .arg((format!("{prefix}workers"), 0, name));
        self.commands(&commands).await.map(drop)
    }

    pub(super) async fn list_slots(&self) -> Result<Vec<SlotReport>, LedgerError> {
        let prefix = self.prefix();
        let mut index = cmd("ZRANGE");
        index.arg((format!("{prefix}workers"), 0, SLOTS - 1));
        let names = items(self.command(Lane::Quick, &index).await?)?;
        let names: Vec<_> = names.iter().filter_map(text).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let keys = names.iter().map(|name| format!("{prefix}w:{name}"));
        let mut many = cmd("MGET");
        many.arg(keys.collect::<Vec<_>>());
        let bodies = items(self.command(Lane::Quick, &many).await?)?;
        let (mut slots, mut gone) = (Vec::new(), Vec::new());
        for (name, body) in names.iter().zip(&bodies) {
            match body {
                Value::BulkString(body) => slots.extend(report(body)),
                _ => gone.push(*name),
            }
        }
        if !gone.is_empty() {
            let mut sweep = cmd("ZREM");
            sweep.arg((format!("{prefix}workers"), gone));
            self.command(Lane::Quick, &sweep).await?;
        }
        Ok(slots)
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::Topic;

    use super::*;
    use crate::SlotActivity;

    #[test]
    fn a_report_of_another_release_is_read_as_far_as_it_can_be() {
        let later = br#"{"slot":"a/0","topics":["inner","side"],"doing":"cooling",
            "kind":"fee-payer","done":7,"fraction":"half","gpu":{"cores":9}}"#;
        let expected = SlotReport {
            slot: "a/0".into(),
            doing: SlotActivity::Unknown,
            done: 7,
            ..SlotReport::default()
        };
        assert_eq!(report(later), Some(expected));
        let earlier = br#"{"slot":"a/0","topics":["inner"]}"#;
        let expected = SlotReport {
            slot: "a/0".into(),
            topics: vec![Topic::Inner],
            ..SlotReport::default()
        };
        assert_eq!(report(earlier), Some(expected));
        assert_eq!(report(b"7"), None);
    }
}

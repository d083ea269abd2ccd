//! What slots say about themselves. Each report has a lifetime of its own; the
//! index of their names is swept by whoever reads it.

use redis::{Value, pipe};

use super::{
    RedisLedger,
    frame::cut,
    items,
    link::Lane,
    record::{NAME, text},
};
use crate::{LedgerError, SLOT_TTL, SLOTS, SlotReport};

impl RedisLedger {
    pub(super) async fn keep_report(&self, slot: &SlotReport) -> Result<(), LedgerError> {
        let prefix = self.prefix();
        let name = cut(&slot.slot, NAME);
        let body = serde_json::to_vec(slot).expect("plain data is JSON");
        let mut commands = pipe();
        let set = commands.cmd("SET").arg(format!("{prefix}w:{name}"));
        set.arg(body).arg("PX").arg(SLOT_TTL.as_millis() as u64);
        let index = commands.cmd("ZADD").arg(format!("{prefix}workers"));
        index.arg(0).arg(name);
        self.command(Lane::Quick, &commands).await.map(drop)
    }

    pub(super) async fn list_slots(&self) -> Result<Vec<SlotReport>, LedgerError> {
        let prefix = self.prefix();
        let mut commands = pipe();
        let index = commands.cmd("ZRANGE").arg(format!("{prefix}workers"));
        index.arg(0).arg(SLOTS - 1);
        let names = items(self.command(Lane::Quick, &commands).await?)?;
        let names: Vec<_> = names.iter().filter_map(text).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut commands = pipe();
        let many = commands.cmd("MGET");
        for name in &names {
            many.arg(format!("{prefix}w:{name}"));
        }
        let bodies = items(self.command(Lane::Quick, &commands).await?)?;
        let (mut slots, mut gone) = (Vec::new(), Vec::new());
        for (name, body) in names.iter().zip(&bodies) {
            let report = match body {
                Value::BulkString(body) => serde_json::from_slice(body).ok(),
                _ => None,
            };
            match report {
                Some(report) => slots.push(report),
                None => gone.push(*name),
            }
        }
        if !gone.is_empty() {
            let mut commands = pipe();
            let sweep = commands.cmd("ZREM").arg(format!("{prefix}workers"));
            sweep.arg(gone);
            self.command(Lane::Quick, &commands).await?;
        }
        Ok(slots)
    }
}

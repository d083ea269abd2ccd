//! [`Bridges`] on Redis: heartbeats, and the adoption of a dead bridge's tickets.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use redis::Value;

use super::{
    RedisLedger,
    frame::cut,
    link::Lane,
    odd,
    record::{NAME, text},
    scripts::script,
};
use crate::{Bridges, LedgerError, Membership, Ticket};

#[async_trait]
impl Bridges for RedisLedger {
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError> {
        let bridge = cut(bridge, NAME).to_owned();
        let args = ("join", &bridge, ttl.as_millis() as u64, "");
        let call = self.call(script!("bridge"), args);
        let answer = self.ask(Lane::Quick, &call).await?;
        let fence = text(&answer).and_then(|fence| fence.parse().ok());
        let fence = fence.ok_or_else(|| odd(&answer))?;
        self.owner().clone_from(&bridge);
        Ok(Membership { bridge, fence, ttl })
    }

    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError> {
        self.say("beat", member).await
    }

    async fn owned(&self, bridge: &str) -> Result<Vec<Ticket>, LedgerError> {
        let index = format!("to:{}", cut(bridge, NAME));
        self.list_tickets(&index).await
    }

    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError> {
        let call = self.call(script!("adopt"), (&member.bridge, member.fence, limit));
        match self.ask(Lane::Quick, &call).await? {
            Value::Nil => Ok(None),
            Value::Array(page) => self.whole_tickets(&page).await.map(Some),
            other => Err(odd(&other)),
        }
    }

    async fn leave(&self, member: &Membership) -> Result<(), LedgerError> {
        self.say("leave", member).await.map(|_| ())
    }
}

impl RedisLedger {
    /// The name of the bridge that takes tickets through this handle, or empty.
    pub(super) fn owner(&self) -> MutexGuard<'_, String> {
        let owner = self.inner.owner.lock();
        owner.unwrap_or_else(PoisonError::into_inner)
    }

    async fn say(&self, verb: &str, member: &Membership) -> Result<bool, LedgerError> {
        let ttl_ms = member.ttl.as_millis() as u64;
        let args = (verb, &member.bridge, ttl_ms, member.fence);
        let call = self.call(script!("bridge"), args);
        Ok(self.number(Lane::Quick, &call).await? == 1)
    }
}

//! Several bridges on one ledger: heartbeats, and the adoption of the tickets
//! of one that died.
//!
//! Whoever takes a ticket owns it: pings it. Answers may come from any bridge,
//! and two that ping one ticket do no harm; what must not be is a ticket that
//! nobody pings. So a bridge whose heartbeat ended loses its tickets to the
//! first that asks, whether it is dead or only slow, and a slow one learns from
//! its next heartbeat that it has to join again.

use std::{fmt::Debug, sync::PoisonError, time::Duration};

use async_trait::async_trait;
use redis::{Value, pipe};

use super::{
    Redis,
    frame::cut,
    link::{Ask, Lane},
    odd,
    record::{NAME, text},
    scripts::With,
};
use crate::ledger::{LedgerError, Ticket};

/// Bridges that are listed at most.
const LISTED: usize = 64;

/// A bridge's place among the bridges of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The bridge's name, one per process and start: host and a random part.
    pub bridge: String,
    /// Larger than every fence that was given before.
    pub fence: u64,
    /// How long a heartbeat lasts.
    pub ttl: Duration,
}

/// A bridge as the others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeSeen {
    /// Its name.
    pub bridge: String,
    /// When its last heartbeat ends, in milliseconds since the Unix epoch by
    /// the clock of the ledger.
    pub ends_at_ms: u64,
}

/// What a ledger does for several bridges.
#[async_trait]
pub trait Bridges: Send + Sync + Debug {
    /// Begins a bridge's life. Tickets that this handle takes are its own from
    /// now on.
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError>;

    /// A heartbeat; three in `ttl` are right. False: the last one had ended, the
    /// tickets may be another's by now, join again.
    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError>;

    /// Makes at most `limit` tickets one's own whose bridge has no heartbeat;
    /// they must be pinged from now on. Call it again while it gives `limit`.
    /// `None`: this bridge's own heartbeat had ended.
    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError>;

    /// Ends a bridge's life in good order: its tickets can be adopted at once.
    async fn leave(&self, member: &Membership) -> Result<(), LedgerError>;

    /// The bridges that live; at most 64.
    async fn bridges(&self) -> Result<Vec<BridgeSeen>, LedgerError>;
}

#[async_trait]
impl Bridges for Redis {
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError> {
        let bridge = cut(bridge, NAME).to_owned();
        let call = self.call(|scripts| &scripts.bridge).with("join");
        let call = call.with(&bridge).with(ttl.as_millis() as u64).with("");
        let answer = self.ask(Lane::Quick, &call).await?;
        let fence = text(&answer).and_then(|fence| fence.parse().ok());
        let fence = fence.ok_or_else(|| odd(&answer))?;
        let mut owner = self
            .inner
            .owner
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        owner.clone_from(&bridge);
        drop(owner);
        Ok(Membership { bridge, fence, ttl })
    }

    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError> {
        self.say("beat", member).await
    }

    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError> {
        let call = self.call(|scripts| &scripts.adopt).with(&member.bridge);
        let call = call.with(member.fence).with(limit);
        match self.ask(Lane::Quick, &call).await? {
            Value::Nil => Ok(None),
            Value::Array(page) => self.whole_tickets(&page).await.map(Some),
            other => Err(odd(&other)),
        }
    }

    async fn leave(&self, member: &Membership) -> Result<(), LedgerError> {
        self.say("leave", member).await.map(|_| ())
    }

    async fn bridges(&self) -> Result<Vec<BridgeSeen>, LedgerError> {
        let mut commands = pipe();
        let command = commands.cmd("ZRANGE");
        command.arg(format!("{}bridges", self.prefix()));
        command.arg(0).arg(LISTED - 1).arg("WITHSCORES");
        let ask = self.inner.link.ask(Lane::Quick, Ask::Commands(&commands));
        let Value::Array(mut answer) = ask.await? else {
            return Err(odd(&Value::Nil));
        };
        let Some(Value::Array(flat)) = answer.pop() else {
            return Err(odd(&Value::Nil));
        };
        let pairs = flat.chunks_exact(2);
        let seen = pairs.filter_map(|pair| {
            Some(BridgeSeen {
                bridge: text(&pair[0])?.to_owned(),
                ends_at_ms: text(&pair[1])?.parse().ok()?,
            })
        });
        Ok(seen.collect())
    }
}

impl Redis {
    /// The bridge that takes tickets through this handle; empty for none.
    pub(super) fn owner(&self) -> String {
        let owner = self.inner.owner.lock();
        owner.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn say(&self, verb: &str, member: &Membership) -> Result<bool, LedgerError> {
        let call = self.call(|scripts| &scripts.bridge).with(verb);
        let call = call.with(&member.bridge);
        let call = call.with(member.ttl.as_millis() as u64).with(member.fence);
        Ok(self.number(Lane::Quick, &call).await? == 1)
    }
}

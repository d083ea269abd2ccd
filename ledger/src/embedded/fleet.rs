//! Several bridges on the embedded ledger. Heartbeats follow tokio's clock.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use async_trait::async_trait;
use tokio::time::Instant;

use super::EmbeddedLedger;
use crate::{Bridges, LedgerError, Membership, Ticket};

/// The bridges that have joined and not left.
#[derive(Debug, Default)]
pub(super) struct MemberBridges {
    last_fence: u64,
    bridges: HashMap<String, BridgeHeartbeat>,
}

#[derive(Debug)]
struct BridgeHeartbeat {
    fence: u64,
    ends: Instant,
}

impl MemberBridges {
    /// Drops all members, but keeps the last fence: later fences are larger.
    pub(super) fn forgotten(self) -> Self {
        Self {
            last_fence: self.last_fence,
            ..Self::default()
        }
    }

    fn lives(&self, bridge: &str) -> bool {
        let member = self.bridges.get(bridge);
        member.is_some_and(|member| member.ends > Instant::now())
    }

    /// The member's heartbeat, if it has not expired.
    fn find(&mut self, member: &Membership) -> Option<&mut BridgeHeartbeat> {
        let found = self.bridges.get_mut(&member.bridge)?;
        (found.fence == member.fence && found.ends > Instant::now()).then_some(found)
    }
}

#[async_trait]
impl Bridges for EmbeddedLedger {
    async fn join(&self, bridge: &str, ttl: Duration) -> Result<Membership, LedgerError> {
        let mut state = self.state()?;
        let members = &mut state.members;
        members.last_fence += 1;
        let fence = members.last_fence;
        let (bridge, ends) = (bridge.to_owned(), Instant::now() + ttl);
        let beats = BridgeHeartbeat { fence, ends };
        members.bridges.insert(bridge.clone(), beats);
        bridge.clone_into(&mut self.bridge());
        Ok(Membership { bridge, fence, ttl })
    }

    async fn beat(&self, member: &Membership) -> Result<bool, LedgerError> {
        let mut state = self.state()?;
        let Some(found) = state.members.find(member) else {
            return Ok(false);
        };
        found.ends = Instant::now() + member.ttl;
        Ok(true)
    }

    async fn owned(&self, bridge: &str) -> Result<Vec<Ticket>, LedgerError> {
        Ok(self.state()?.tickets_where(|open| open.owner == bridge))
    }

    async fn adopt(
        &self,
        member: &Membership,
        limit: usize,
    ) -> Result<Option<Vec<Ticket>>, LedgerError> {
        let mut state = self.state()?;
        if state.members.find(member).is_none() {
            return Ok(None);
        }
        let owners: BTreeSet<_> = state.tickets.values().map(|open| &open.owner).collect();
        let dead = |owner: &&String| {
            !owner.is_empty() && **owner != member.bridge && !state.members.lives(owner)
        };
        let dead: BTreeSet<_> = owners.into_iter().filter(dead).cloned().collect();
        let mut orphans = state.tickets_where(|open| dead.contains(&open.owner));
        orphans.truncate(limit);
        for ticket in &orphans {
            if let Some(open) = state.tickets.get_mut(&ticket.id) {
                open.owner.clone_from(&member.bridge);
            }
        }
        Ok(Some(orphans))
    }

    async fn leave(&self, member: &Membership) -> Result<(), LedgerError> {
        let mut state = self.state()?;
        if state.members.find(member).is_some() {
            state.members.bridges.remove(&member.bridge);
        }
        Ok(())
    }
}

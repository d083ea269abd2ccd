//! Has Falafel forgotten its tickets?
//!
//! A restarted Falafel knows none of the ids from before, and its ping answers
//! 200 to everything. So after a lost connection one ticket's lease is let
//! lapse on purpose: a Falafel that remembers issues it again, which costs
//! nothing; one that does not never will, and then all tickets from before the
//! loss are closed. A wrong verdict costs work, never a ticket: what is closed
//! and still waited for is issued again, because nobody pings it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::{Notify, watch};

use super::shared::Shared;
use crate::falafel::{Link, Losses};
use zkwhirl_job::clock;
use zkwhirl_ledger::{JobState, Ticket};

/// Ghost pollers that the window allows for.
pub(super) const GHOSTS: u32 = 3;

enum Finding {
    Remembers,
    Forgot,
    /// Nothing to ask about.
    NobodyWaits,
    /// The connection or the ticket went away meanwhile: ask again.
    Unclear,
}

/// Watches one upstream until the bridge stops. `restarted`: the bridge itself
/// was away, so that Falafel may have been as well.
pub(super) async fn watch(shared: Arc<Shared>, link: Arc<Link>, restarted: bool) {
    let mut losses = link.losses();
    let mut known = Losses::default();
    if !restarted && lost(&shared, &mut losses).await.is_none() {
        return;
    }
    loop {
        // Tickets taken later are the new Falafel's, if there is one.
        let before = clock::now_ms();
        let now = *losses.borrow_and_update();
        // The bridge before us left a ghost as well, if it was killed.
        let ghosts = now
            .polls
            .saturating_sub(known.polls)
            .max(u64::from(restarted));
        match shared.probe(&link, &mut losses, before, ghosts).await {
            None => return,
            Some(Finding::Unclear) => continue,
            Some(Finding::Remembers | Finding::NobodyWaits) => {}
            Some(Finding::Forgot) => {
                if shared.forget(&link, before).await.is_none() {
                    return;
                }
            }
        }
        known = now;
        if lost(&shared, &mut losses).await.is_none() {
            return;
        }
    }
}

/// Waits for the next loss; `None`: the bridge stops.
async fn lost(shared: &Shared, losses: &mut watch::Receiver<Losses>) -> Option<()> {
    tokio::select! {
        () = shared.stop.cancelled() => None,
        changed = losses.changed() => changed.ok(),
    }
}

impl Shared {
    /// Lets one ticket lapse and waits for it to come again.
    async fn probe(
        &self,
        link: &Link,
        losses: &mut watch::Receiver<Losses>,
        before: u64,
        ghosts: u64,
    ) -> Option<Finding> {
        tokio::select! {
            () = self.stop.cancelled() => return None,
            () = link.until_reachable() => {}
        }
        let name = &link.upstream.name;
        let Some(ticket) = self.waiting(name, before).await?.into_iter().next() else {
            return Some(Finding::NobodyWaits);
        };
        let came_again = Arc::new(Notify::new());
        // Another ticket that comes again may be the new Falafel's.
        self.probes.lock().insert(ticket.id, came_again.clone());
        self.leases.lapse(ticket.id);
        let timing = &self.config.timing;
        let window = timing.reissue
            + timing.ghost * u32::try_from(ghosts).map_or(GHOSTS, |ghosts| ghosts.min(GHOSTS));
        tracing::info!(upstream = name, ticket = %ticket.id, ?window, "does falafel remember?");
        let finding = tokio::select! {
            () = self.stop.cancelled() => None,
            () = came_again.notified() => Some(Finding::Remembers),
            _ = losses.changed() => Some(Finding::Unclear),
            () = tokio::time::sleep(window) => self.verdict(link, &ticket).await,
        };
        self.probes.lock().remove(&ticket.id);
        if !matches!(finding, Some(Finding::Forgot)) && self.pinged.lock().contains(&ticket.id) {
            self.leases.open(ticket.id, name);
        }
        finding
    }

    /// The ticket did not come again in time.
    async fn verdict(&self, link: &Link, ticket: &Ticket) -> Option<Finding> {
        let ledger = &self.deps.ledger;
        let open = self.insist("list tickets", || ledger.tickets_of(ticket.job));
        let still_open = open.await?.iter().any(|open| open.id == ticket.id);
        if still_open && link.is_reachable() {
            let own = self.own_tickets().await?;
            let ours = own.iter().any(|own| own.id == ticket.id);
            // It may have come again to another bridge.
            return Some(match ours {
                true => Finding::Forgot,
                false => Finding::Remembers,
            });
        }
        // A short pause: this may be asked again at once.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some(Finding::Unclear)
    }

    /// The open tickets of an upstream that this bridge pings, were taken before
    /// a time and are not being answered. Another bridge asks about its own:
    /// what it pings does not lapse here.
    async fn waiting(&self, upstream: &str, before: u64) -> Option<Vec<Ticket>> {
        let mut tickets = self.own_tickets().await?;
        let (answering, pinged) = (self.answering.lock(), self.pinged.lock());
        tickets.retain(|ticket| {
            ticket.upstream == upstream
                && ticket.taken_at_ms <= before
                && pinged.contains(&ticket.id)
                && !answering.contains(&ticket.id)
        });
        Some(tickets)
    }

    /// Closes the tickets that Falafel has forgotten. Jobs that nobody waits
    /// for any more are withdrawn, unless they are in a prover.
    async fn forget(&self, link: &Link, before: u64) -> Option<()> {
        let ledger = &self.deps.ledger;
        let name = &link.upstream.name;
        let tickets = self.waiting(name, before).await?;
        let count = tickets.len();
        let mut jobs = BTreeSet::new();
        for ticket in tickets {
            self.close_lease(ticket.id);
            self.insist("close a ticket", || ledger.close_ticket(ticket.id))
                .await?;
            jobs.insert(ticket.job);
        }
        self.counters.forgotten.add(count as u64);
        tracing::warn!(
            upstream = name,
            count,
            "falafel has forgotten its tickets: closed"
        );
        for id in jobs {
            let left = self
                .insist("list tickets", || ledger.tickets_of(id))
                .await?;
            let job = self.insist("read a job", || ledger.job(id)).await?;
            if let (true, Some(job)) = (left.is_empty(), job) {
                match job.state {
                    JobState::Proved => self.finish(&job).await?,
                    _ => self.withdraw(&job).await?,
                }
            }
        }
        Some(())
    }
}

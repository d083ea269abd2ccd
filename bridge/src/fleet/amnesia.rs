//! Finds out whether Falafel has restarted and forgotten its tickets.
//!
//! A restarted Falafel does not know the ids from before, and answers 200 to every
//! ping. So after a lost connection the bridge lets one ticket's lease lapse on
//! purpose. A Falafel that did not restart issues the ticket again, which costs
//! nothing; a restarted Falafel never does, and the bridge closes all tickets from
//! before the loss. A wrong finding costs work, never a ticket: Falafel issues a closed
//! ticket again if it still waits for it, because no bridge pings the ticket.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use tokio::sync::watch;
use zkwhirl_job::{JobId, clock};
use zkwhirl_ledger::{JobState, Ticket};
use zkwhirl_telemetry::catalogue::bridge::FORGOTTEN;

use super::membership::own_tickets;
use crate::{
    falafel::{Losses, UpstreamLink},
    jobs::endings,
    retry::Stopped,
    state::BridgeState,
};

enum ProbeFinding {
    Remembers,
    Forgot,
    /// No ticket from before the loss is left to probe.
    NoTicket,
    /// The connection or the ticket was lost during the probe: probe again.
    Unclear,
}

/// Watches one upstream for restarts of Falafel.
#[derive(Debug)]
pub(crate) struct Amnesia {
    pub(crate) bridge: Arc<BridgeState>,
    pub(crate) link: Arc<UpstreamLink>,
}

impl Amnesia {
    /// Watches until the bridge stops. `restarted`: the bridge itself has restarted, so
    /// Falafel may have restarted meanwhile.
    pub(crate) async fn run(self, restarted: bool) -> Result<Infallible, Stopped> {
        let mut losses = self.link.losses();
        let mut known = Losses::default();
        if !restarted {
            self.lost(&mut losses).await?;
        }
        loop {
            // A restarted Falafel issued the tickets that are taken later.
            let before = clock::now_ms();
            let now = *losses.borrow_and_update();
            // A killed earlier run of this bridge left a ghost poller as well.
            let ghosts = now
                .polls
                .saturating_sub(known.polls)
                .max(u64::from(restarted));
            match self.probe(&mut losses, before, ghosts).await? {
                ProbeFinding::Unclear => continue,
                ProbeFinding::Remembers | ProbeFinding::NoTicket => {}
                ProbeFinding::Forgot => self.forget(before).await?,
            }
            known = now;
            self.lost(&mut losses).await?;
        }
    }

    /// Waits for the next loss.
    async fn lost(&self, losses: &mut watch::Receiver<Losses>) -> Result<(), Stopped> {
        let lost = self.bridge.retry.unless_stopped(losses.changed());
        // The sender is in the link, which `self` holds.
        lost.await.map(drop)
    }

    /// Lets one ticket lapse and waits until Falafel issues it again.
    async fn probe(
        &self,
        losses: &mut watch::Receiver<Losses>,
        before: u64,
        ghosts: u64,
    ) -> Result<ProbeFinding, Stopped> {
        let retry = &self.bridge.retry;
        retry.unless_stopped(self.link.until_reachable()).await?;
        let Some(ticket) = self.waiting(before).await?.into_iter().next() else {
            return Ok(ProbeFinding::NoTicket);
        };
        // Only this ticket counts: another one may come from the restarted Falafel.
        let issued_again = self.bridge.tickets.probe(ticket.id);
        let window = self.bridge.config.timing.reissue_window(ghosts);
        let upstream = &self.link.upstream.name;
        tracing::info!(upstream, ticket = %ticket.id, ?window, "probe after a lost connection: the bridge stops pinging this ticket, to find out whether Falafel issues it again or has restarted");
        let probe = retry.unless_stopped(async {
            tokio::select! {
                () = issued_again.notified() => Ok(ProbeFinding::Remembers),
                _ = losses.changed() => Ok(ProbeFinding::Unclear),
                () = tokio::time::sleep(window) => self.verdict(&ticket).await,
            }
        });
        let finding = probe.await.flatten();
        let forgot = matches!(finding, Ok(ProbeFinding::Forgot));
        self.bridge.tickets.end_probe(&ticket, !forgot);
        finding
    }

    /// Decides about a probe whose ticket Falafel did not issue again in time.
    async fn verdict(&self, ticket: &Ticket) -> Result<ProbeFinding, Stopped> {
        let open = self.bridge.ledger.tickets_of(ticket.job).await?;
        let still_open = open.iter().any(|open| open.id == ticket.id);
        if still_open && self.link.is_reachable() {
            let own = own_tickets(&self.bridge).await?;
            let ours = own.iter().any(|own| own.id == ticket.id);
            // Falafel may have issued the ticket again to another bridge.
            return Ok(match ours {
                true => ProbeFinding::Forgot,
                false => ProbeFinding::Remembers,
            });
        }
        // A short pause, because the next probe begins at once.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(ProbeFinding::Unclear)
    }

    /// The upstream's open tickets that this bridge pings, that were taken before a time
    /// and are not being answered. Each bridge probes only its own tickets: a ticket
    /// that another bridge pings does not lapse.
    async fn waiting(&self, before: u64) -> Result<Vec<Ticket>, Stopped> {
        let mut tickets = own_tickets(&self.bridge).await?;
        let known = self.bridge.tickets.known();
        tickets.retain(|ticket| {
            ticket.upstream == self.link.upstream.name
                && ticket.taken_at_ms <= before
                && known.pinged.contains(&ticket.id)
                && !known.answering.contains(&ticket.id)
        });
        Ok(tickets)
    }

    /// Closes the tickets that Falafel has forgotten. Jobs for which no ticket
    /// waits any more are withdrawn, unless they are in a prover.
    async fn forget(&self, before: u64) -> Result<(), Stopped> {
        let tickets = self.waiting(before).await?;
        let (count, upstream) = (tickets.len(), &self.link.upstream.name);
        let mut jobs = BTreeSet::new();
        for ticket in tickets {
            self.bridge.tickets.close(ticket.id);
            self.bridge.ledger.close_ticket(ticket.id).await?;
            jobs.insert(ticket.job);
        }
        let journal = &self.bridge.journal;
        journal.add(count as u64, &FORGOTTEN, |stats| &mut stats.forgotten);
        tracing::warn!(
            upstream,
            count,
            "Falafel has restarted: the bridge closes the tickets that Falafel has forgotten"
        );
        for job in jobs {
            self.end_unless_wanted(job).await?;
        }
        Ok(())
    }

    async fn end_unless_wanted(&self, job: JobId) -> Result<(), Stopped> {
        let ledger = &self.bridge.ledger;
        let wanted = !ledger.tickets_of(job).await?.is_empty();
        match ledger.job(job).await?.filter(|_| !wanted) {
            Some(job) if job.state == JobState::Proved => {
                endings::delivered(&self.bridge, job.id).await
            }
            Some(job) => endings::withdraw(&self.bridge, &job).await,
            None => Ok(()),
        }
    }
}

//! This bridge among the bridges of its ledger: its heartbeat, and the tickets
//! that it takes over.
//!
//! Whatever the ledger says or does not say, what is pinged goes on being
//! pinged here: a heartbeat that ended only means that another bridge may ping
//! the same tickets.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::{amnesia::GHOSTS, shared::Shared};
use zkwhirl_ledger::{Bridges, LedgerError, Membership, Ticket};

/// Tickets that are taken over with one call.
const PAGE: usize = 256;
/// How long a bridge that stops waits for the ledger's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a heartbeat knows of those before.
struct Place {
    /// When dead bridges were last looked for.
    looked: Instant,
    /// Before that nobody is taken for dead.
    patient_until: Instant,
    /// An answer may have been lost: tickets may be ours that we do not know.
    behind: bool,
}

/// Beats until the bridge stops.
async fn run(shared: Arc<Shared>) {
    let now = Instant::now();
    let every = shared.config.timing.heartbeat_every;
    let mut ticks = interval_at(now + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut place = Place {
        looked: now,
        patient_until: now,
        behind: false,
    };
    let mut failures = 0u64;
    loop {
        let beaten = tokio::select! {
            () = shared.stop.cancelled() => return,
            beaten = async {
                ticks.tick().await;
                shared.beat(&mut place).await
            } => beaten,
        };
        match beaten {
            Ok(()) => failures = 0,
            Err(error) => {
                place.behind = true;
                failures += 1;
                if failures.is_power_of_two() {
                    tracing::warn!(
                        failures,
                        "no heartbeat yet, tickets are pinged all the same: {error}"
                    );
                }
            }
        }
    }
}

impl Shared {
    /// Joins the bridges of the ledger, and keeps the tickets alive that an
    /// earlier start of this bridge left, and those of dead bridges.
    pub(super) async fn enter(self: &Arc<Self>) -> Option<Vec<Ticket>> {
        let ledger = &self.deps.ledger;
        let Some(fleet) = ledger.fleet() else {
            let open = self.insist("list tickets", || ledger.open_tickets());
            return Some(self.keep_alive(open.await?));
        };
        let (name, ttl) = (&self.config.name, self.config.timing.heartbeat_ttl);
        let member = self.insist("join the bridges", || fleet.join(name, ttl));
        let member = self.become_member(member.await?);
        let own = self.insist("list own tickets", || fleet.owned(&member.bridge));
        let mut tickets = self.keep_alive(own.await?);
        self.tasks.spawn(run(self.clone()));
        let orphans = self.insist("adopt tickets", || self.adopt(fleet));
        tickets.extend(orphans.await?);
        if !tickets.is_empty() {
            tracing::info!(count = tickets.len(), "open tickets from before");
        }
        Some(tickets)
    }

    /// Ends this bridge's life among the others, so that one of them takes its
    /// tickets over at once. If that cannot be said they find out.
    pub(super) async fn leave(&self) {
        let member = self.member.lock().take();
        let (Some(fleet), Some(member)) = (self.deps.ledger.fleet(), member) else {
            return;
        };
        match timeout(GOODBYE, fleet.leave(&member)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("left without a goodbye: {error}"),
            Err(_) => tracing::warn!("left without a goodbye: the ledger does not answer"),
        }
    }

    /// The open tickets that are this bridge's to ping and to care for.
    pub(super) async fn own_tickets(&self) -> Option<Vec<Ticket>> {
        let ledger = &self.deps.ledger;
        let Some(fleet) = ledger.fleet() else {
            return self.insist("list tickets", || ledger.open_tickets()).await;
        };
        let name = self.member().map(|member| member.bridge);
        let name = name.unwrap_or_else(|| self.config.name.clone());
        self.insist("list own tickets", || fleet.owned(&name)).await
    }

    /// Pings tickets from now on; those of upstreams that are not configured
    /// are left out.
    pub(super) fn keep_alive(&self, mut tickets: Vec<Ticket>) -> Vec<Ticket> {
        tickets.retain(|ticket| self.links.get(&ticket.upstream).is_some());
        for ticket in &tickets {
            self.open_lease(ticket.id, &ticket.upstream);
        }
        tickets
    }

    async fn beat(&self, place: &mut Place) -> Result<(), LedgerError> {
        let Some(fleet) = self.deps.ledger.fleet() else {
            return Ok(());
        };
        let ttl = self.config.timing.heartbeat_ttl;
        let lives = match self.member() {
            Some(member) => fleet.beat(&member).await?,
            None => false,
        };
        if !lives {
            let member = fleet.join(&self.config.name, ttl).await?;
            self.become_member(member);
            self.counters.rejoined.one();
            let name = &self.config.name;
            tracing::warn!(
                "the heartbeat had ended, or another bridge is called {name}: joined again"
            );
            // If it was the ledger that was away, the others have no heartbeat
            // either, and are about to.
            place.patient_until = Instant::now() + ttl;
            place.behind = true;
        }
        if place.behind {
            if let Some(member) = self.member() {
                self.keep_alive(fleet.owned(&member.bridge).await?);
            }
            self.compare.notify_one();
            place.behind = false;
        }
        if Instant::now() >= place.patient_until {
            let adopted = self.adopt(fleet).await?;
            self.doubt(&adopted, place.looked.elapsed());
            place.looked = Instant::now();
        }
        Ok(())
    }

    /// Takes over the tickets of bridges without a heartbeat.
    async fn adopt(&self, fleet: &dyn Bridges) -> Result<Vec<Ticket>, LedgerError> {
        let mut adopted = Vec::new();
        while let Some(member) = self.member() {
            let Some(page) = fleet.adopt(&member, PAGE).await? else {
                // The next heartbeat joins again.
                *self.member.lock() = None;
                break;
            };
            let full = page.len() >= PAGE;
            adopted.extend(self.keep_alive(page));
            if !full {
                break;
            }
        }
        if !adopted.is_empty() {
            let count = adopted.len();
            self.counters.adopted.add(count as u64);
            tracing::info!(count, "took over tickets of a bridge without a heartbeat");
            self.compare.notify_one();
        }
        Ok(adopted)
    }

    /// Falafel may have restarted while nobody cared for tickets that were
    /// taken over: then the question whether it remembers is asked once more.
    fn doubt(&self, adopted: &[Ticket], since_look: Duration) {
        let timing = &self.config.timing;
        // Before the last look their bridge lived, or had died in the middle of
        // its own question.
        let question = timing.reissue + timing.ghost * GHOSTS;
        let unattended = since_look + timing.heartbeat_ttl + question;
        let upstreams: BTreeSet<_> = adopted.iter().map(|ticket| &ticket.upstream).collect();
        let links = upstreams
            .into_iter()
            .filter_map(|name| self.links.get(name));
        for link in links.filter(|link| link.lost_within(unattended)) {
            link.doubt();
        }
    }

    fn member(&self) -> Option<Membership> {
        self.member.lock().clone()
    }

    fn become_member(&self, member: Membership) -> Membership {
        *self.member.lock() = Some(member.clone());
        member
    }
}

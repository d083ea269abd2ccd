//! This bridge among the bridges of its ledger: its heartbeat, and the tickets
//! that it takes over.
//!
//! Whatever the ledger says or does not say, what is pinged goes on being
//! pinged here: a heartbeat that ended only means that another bridge may ping
//! the same tickets.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use zkwhirl_ledger::{Bridges, LedgerError, Membership, Ticket};

use crate::{locked::Locked, retry::Stopped, services::Services, tickets::Tickets};

/// Tickets that are taken over with one call.
const PAGE: usize = 256;
/// How long a bridge that stops waits for the ledger's goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// This bridge's membership among the bridges of its ledger.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    services: Services,
    tickets: Arc<Tickets>,
    /// Asks for a comparison of ledger and broker.
    compare: Arc<Notify>,
    /// `None` while the heartbeat has ended, as far as this bridge knows.
    member: Locked<Option<Membership>>,
}

/// What a heartbeat knows of those before.
struct Beats {
    /// When dead bridges were last looked for.
    looked: Instant,
    /// No bridge is taken for dead before.
    patient_until: Instant,
    /// An answer may have been lost: tickets may be ours that we do not know.
    behind: bool,
}

impl Heartbeat {
    pub(crate) fn new(services: Services, tickets: Arc<Tickets>, compare: Arc<Notify>) -> Self {
        Self {
            services,
            tickets,
            compare,
            member: Locked::default(),
        }
    }

    /// Joins the bridges of the ledger, and keeps the tickets alive that an
    /// earlier start of this bridge left. From now on the heart must beat: see
    /// [`Heartbeat::run`]. A ledger of one bridge has no members.
    pub(crate) async fn join(&self) -> Result<Vec<Ticket>, Stopped> {
        if let Some(fleet) = self.services.ledger.once().fleet() {
            let (name, ttl) = (&self.services.config.name, self.ttl());
            let join = || fleet.join(name, ttl);
            let member = self.services.retry.until_done("join the bridges", join);
            self.become_member(member.await?);
        }
        let own = self.own_tickets().await?;
        Ok(self.tickets.keep_alive(own))
    }

    /// Takes over the tickets of dead bridges, and keeps them alive.
    pub(crate) async fn adopt(&self) -> Result<Vec<Ticket>, Stopped> {
        let Some(fleet) = self.services.ledger.once().fleet() else {
            return Ok(Vec::new());
        };
        let adopt = || self.adopt_from(fleet);
        self.services.retry.until_done("adopt tickets", adopt).await
    }

    /// Beats until the bridge stops.
    pub(crate) async fn run(self: Arc<Self>) -> Result<Infallible, Stopped> {
        let now = Instant::now();
        let every = self.services.config.timing.heartbeat_every;
        let mut ticks = interval_at(now + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beats = Beats {
            looked: now,
            patient_until: now,
            behind: false,
        };
        let mut failures = 0u64;
        loop {
            let beat = async {
                ticks.tick().await;
                self.beat(&mut beats).await
            };
            match self.services.retry.unless_stopped(beat).await? {
                Ok(()) => failures = 0,
                Err(error) => {
                    beats.behind = true;
                    failures += 1;
                    if failures.is_power_of_two() {
                        tracing::warn!(
                            failures,
                            "cannot write the heartbeat; tickets are still pinged: {error}"
                        );
                    }
                }
            }
        }
    }

    /// Ends this bridge's life among the others, so that one of them takes its
    /// tickets over at once. If the ledger does not answer they find out when
    /// the heartbeat ends.
    pub(crate) async fn leave(&self) {
        let member = self.member.lock().take();
        let ledger = self.services.ledger.once();
        let (Some(fleet), Some(member)) = (ledger.fleet(), member) else {
            return;
        };
        match timeout(GOODBYE, fleet.leave(&member)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(
                "cannot leave the ledger: other bridges wait until the heartbeat expires: {error}"
            ),
            Err(_) => tracing::warn!(
                "cannot leave the ledger: other bridges wait until the heartbeat expires: no answer"
            ),
        }
    }

    /// The open tickets that this bridge pings and cares for.
    pub(crate) async fn own_tickets(&self) -> Result<Vec<Ticket>, Stopped> {
        let ledger = &self.services.ledger;
        let Some(fleet) = ledger.once().fleet() else {
            return ledger.open_tickets().await;
        };
        let name = self.member().map(|member| member.bridge);
        let name = name.unwrap_or_else(|| self.services.config.name.clone());
        let owned = || fleet.owned(&name);
        self.services
            .retry
            .until_done("list own tickets", owned)
            .await
    }

    /// Whether this bridge has a heartbeat, as far as it knows.
    pub(crate) fn is_member(&self) -> bool {
        self.member.lock().is_some()
    }

    async fn beat(&self, beats: &mut Beats) -> Result<(), LedgerError> {
        let Some(fleet) = self.services.ledger.once().fleet() else {
            return Ok(());
        };
        let lives = match self.member() {
            Some(member) => fleet.beat(&member).await?,
            None => false,
        };
        if !lives {
            let name = &self.services.config.name;
            self.become_member(fleet.join(name, self.ttl()).await?);
            self.services.journal.counters.rejoined.one();
            tracing::warn!(
                "joined again: the heartbeat had expired, or another bridge has the name {name}"
            );
            // If the ledger was away, the others have no heartbeat either, and
            // are about to.
            beats.patient_until = Instant::now() + self.ttl();
            beats.behind = true;
        }
        if beats.behind {
            if let Some(member) = self.member() {
                self.tickets.keep_alive(fleet.owned(&member.bridge).await?);
            }
            self.compare.notify_one();
            beats.behind = false;
        }
        if Instant::now() >= beats.patient_until {
            let adopted = self.adopt_from(fleet).await?;
            self.doubt(&adopted, beats.looked.elapsed());
            beats.looked = Instant::now();
        }
        Ok(())
    }

    async fn adopt_from(&self, fleet: &dyn Bridges) -> Result<Vec<Ticket>, LedgerError> {
        let mut adopted = Vec::new();
        while let Some(member) = self.member() {
            let Some(page) = fleet.adopt(&member, PAGE).await? else {
                // The next heartbeat joins again.
                *self.member.lock() = None;
                break;
            };
            let full = page.len() >= PAGE;
            adopted.extend(self.tickets.keep_alive(page));
            if !full {
                break;
            }
        }
        if !adopted.is_empty() {
            let count = adopted.len();
            self.services.journal.counters.adopted.add(count as u64);
            tracing::info!(
                count,
                "adopted the tickets of a bridge whose heartbeat has expired"
            );
            self.compare.notify_one();
        }
        Ok(adopted)
    }

    /// Falafel may have restarted while no bridge cared for tickets that were
    /// taken over: then it is asked once more whether it remembers.
    fn doubt(&self, adopted: &[Ticket], since_look: Duration) {
        // Before the last look their bridge lived, or had died in the middle of
        // its own question.
        let question = self.services.config.timing.reissue_window(u64::MAX);
        let unattended = since_look + self.ttl() + question;
        let upstreams: BTreeSet<_> = adopted.iter().map(|ticket| &ticket.upstream).collect();
        let links = upstreams.into_iter();
        let links = links.filter_map(|name| self.tickets.links().get(name));
        for link in links.filter(|link| link.lost_within(unattended)) {
            link.doubt();
        }
    }

    fn ttl(&self) -> Duration {
        self.services.config.timing.heartbeat_ttl
    }

    fn member(&self) -> Option<Membership> {
        self.member.lock().clone()
    }

    fn become_member(&self, member: Membership) {
        *self.member.lock() = Some(member);
    }
}

//! Ledger, broker and leases are three memories of one thing. Every ten
//! seconds, at the start, after a loss and after an adoption they are compared,
//! and what fell between them is picked up.
//!
//! Each bridge cares for its own tickets and the jobs that they wait for; what
//! is not about tickets every bridge does, one step at a time by compare-and-set.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use zkwhirl_job::{JobId, TicketId, Topic};
use zkwhirl_telemetry::catalogue::process::RETRIED;

use super::{counting::CRASHES, shared::Shared};
use zkwhirl_ledger::{JobRecord, JobState, LISTING, Note, Ticket, events::What};

/// Compares until the bridge stops; the first time at once.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut ticks = interval(shared.config.timing.reconcile_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut losses = shared.deps.ledger.losses();
    let mut suspects = HashSet::new();
    loop {
        tokio::select! {
            () = shared.stop.cancelled() => return,
            _ = ticks.tick() => {}
            () = shared.compare.notified() => {}
            () = lost(&mut losses) => {
                tracing::warn!("the ledger has lost its data: what it held comes again");
            }
        }
        if shared.reconcile(&mut suspects).await.is_none() {
            return;
        }
    }
}

/// Waits until the ledger has lost its data.
async fn lost(losses: &mut watch::Receiver<u64>) {
    if losses.changed().await.is_err() {
        // It counts no more.
        std::future::pending::<()>().await;
    }
}

/// What the bridge believed before it asked the ledger.
struct Believed {
    pinged: HashSet<TicketId>,
    /// Of those, the ones that the ledger need not know yet.
    taking: HashSet<TicketId>,
    answering: HashSet<TicketId>,
}

impl Shared {
    async fn reconcile(self: &Arc<Self>, suspects: &mut HashSet<TicketId>) -> Option<()> {
        let ledger = &self.deps.ledger;
        let believed = self.believed();
        let own = self.own_tickets().await?;
        let tickets = self
            .insist("list tickets", || ledger.open_tickets())
            .await?;
        self.compare_leases(&believed, &tickets, &own, suspects);
        let waited_for = tickets.iter().map(|ticket| ticket.job).collect();
        let mut by_job: BTreeMap<JobId, Vec<Ticket>> = BTreeMap::new();
        let mut order = Vec::new();
        for ticket in own {
            if self.links.get(&ticket.upstream).is_none() && !self.callers.hold(ticket.id) {
                // Nobody could ping or answer it. Falafel, if it is still there
                // under another name, issues it again.
                let (id, upstream) = (ticket.id.short(), &ticket.upstream);
                tracing::warn!(ticket = %id, upstream, "no such upstream is configured: ticket closed");
                self.let_go(&[ticket]).await?;
            } else if !believed.answering.contains(&ticket.id) {
                let waiting = by_job.entry(ticket.job).or_default();
                if waiting.is_empty() {
                    order.push(ticket.job);
                }
                waiting.push(ticket);
            }
        }
        for id in order {
            match self.insist("read a job", || ledger.job(id)).await? {
                Some(job) => self.carry_on(&job).await?,
                None => self.let_go(&by_job[&id]).await?,
            }
        }
        self.withdraw_unwanted(&waited_for).await?;
        self.find_dead().await?;
        for topic in Topic::ALL {
            self.find_lost(topic).await?;
        }
        Some(())
    }

    fn believed(&self) -> Believed {
        let answering = self.answering.lock().clone();
        // In this order: a ticket is leased after its taking began, and what is
        // not being taken any more is in the ledger.
        let pinged = self.pinged.lock().clone();
        let taking = self.taking.lock().clone();
        Believed {
            pinged,
            taking,
            answering,
        }
    }

    /// Brings the leases in line with the ledger: what it does not know was
    /// answered by another bridge, or was lost and comes again when it is not
    /// pinged; what another bridge owns is that one's to ping, after a while in
    /// which both do; and what is ours is pinged.
    fn compare_leases(
        &self,
        believed: &Believed,
        tickets: &[Ticket],
        own: &[Ticket],
        suspects: &mut HashSet<TicketId>,
    ) {
        let known: HashSet<_> = tickets.iter().map(|ticket| ticket.id).collect();
        let ours: HashSet<_> = own.iter().map(|ticket| ticket.id).collect();
        let mut gone = 0usize;
        let mut others = HashSet::new();
        for ticket in believed.pinged.difference(&ours) {
            if believed.taking.contains(ticket) {
                continue;
            }
            if !known.contains(ticket) {
                self.close_lease(*ticket);
                gone += 1;
            } else if suspects.contains(ticket) {
                self.close_lease(*ticket);
            } else {
                others.insert(*ticket);
            }
        }
        *suspects = others;
        if gone > 0 {
            tracing::info!(
                count = gone,
                "tickets are not in the ledger any more: let go"
            );
        }
        let mut missed = own.to_vec();
        missed.retain(|Ticket { id, .. }| {
            !believed.pinged.contains(id)
                && !believed.answering.contains(id)
                && !self.pinged.lock().contains(id)
        });
        self.keep_alive(missed);
    }

    /// Does what a job's state asks for, when somebody waits for it.
    async fn carry_on(self: &Arc<Self>, job: &JobRecord) -> Option<()> {
        let ledger = &self.deps.ledger;
        let waits = job.state == JobState::Dead || JobState::OUTSTANDING.contains(&job.state);
        if waits
            && job.kind.is_some_and(|kind| self.may_know(kind))
            && self.answer_from_keystore(job).await?
        {
            // It was imported meanwhile.
            return Some(());
        }
        match job.state {
            JobState::Taken => self.readmit(job).await,
            JobState::Proved | JobState::Delivered => self.answer_from_store(job).await?,
            JobState::Withdrawn => {
                let note = Note {
                    attempt: Some(1),
                    ..Note::default()
                };
                let from = [JobState::Withdrawn];
                let moved = self.insist("take a job up again", || {
                    ledger.transition(job.id, &from, JobState::Taken, &note)
                });
                if moved.await? {
                    self.pump(job).await;
                }
            }
            // An operator said so before the bridge restarted.
            JobState::Rejected => {
                let reason = job.reason.as_deref().unwrap_or("rejected by an operator");
                self.refuse_all(job, reason).await?;
            }
            JobState::Dead => {
                let broker = &self.deps.broker;
                let letter = self.insist("read a dead letter", || broker.dead_letter(job.id));
                if letter.await?.is_none() {
                    let reason = job.reason.clone().unwrap_or_default();
                    if let Some(letter) = self.letter(job, &reason).await? {
                        self.insist("bury a job", || broker.bury(&letter)).await?;
                    }
                }
            }
            JobState::Queued | JobState::Claimed | JobState::Proving | JobState::Retrying => {}
        }
        Some(())
    }

    /// Tickets whose job the ledger does not know: not pinged they come again.
    async fn let_go(&self, tickets: &[Ticket]) -> Option<()> {
        let ledger = &self.deps.ledger;
        for ticket in tickets {
            self.close_lease(ticket.id);
            self.insist("close a ticket", || ledger.close_ticket(ticket.id))
                .await?;
        }
        Some(())
    }

    async fn withdraw_unwanted(&self, waited_for: &BTreeSet<JobId>) -> Option<()> {
        let ledger = &self.deps.ledger;
        let jobs = self.insist("list jobs", || ledger.jobs(&JobState::OUTSTANDING, LISTING));
        for job in jobs.await? {
            // What is in a prover may be wanted again soon.
            if !waited_for.contains(&job.id) && job.state != JobState::Proving {
                self.withdraw_if_unwanted(&job).await?;
            }
        }
        Some(())
    }

    async fn withdraw_if_unwanted(&self, job: &JobRecord) -> Option<()> {
        let ledger = &self.deps.ledger;
        // A ticket may have been taken since the list was made; one that comes
        // after this look is picked up by the next comparison.
        let tickets = self.insist("list tickets", || ledger.tickets_of(job.id));
        if tickets.await?.is_empty() {
            self.withdraw(job).await?;
        }
        Some(())
    }

    /// Jobs that the broker itself gave up on, because no worker survived
    /// them: nobody else says so.
    async fn find_dead(&self) -> Option<()> {
        let (broker, ledger) = (&self.deps.broker, &self.deps.ledger);
        let Ok(letters) = broker.dead_letters(LISTING).await else {
            return Some(());
        };
        for letter in letters {
            let from = JobState::OUTSTANDING;
            let note = Note::because(letter.reason.clone());
            let moved = self.insist("note a dead job", || {
                ledger.transition(letter.id, &from, JobState::Dead, &note)
            });
            if moved.await? {
                self.parked(letter.kind, CRASHES);
                let events = &self.deps.events;
                let (id, kind, reason) = (letter.id, letter.kind, letter.reason);
                events.emit(id, kind, letter.rollup_id, What::Dead { reason });
            }
        }
        Some(())
    }

    /// Jobs that should be in the broker and are not are published again.
    async fn find_lost(self: &Arc<Self>, topic: Topic) -> Option<()> {
        let (broker, ledger) = (&self.deps.broker, &self.deps.ledger);
        let jobs = self.insist("list jobs", || ledger.jobs(&JobState::OUTSTANDING, LISTING));
        let mut jobs = jobs.await?;
        jobs.retain(|job| job.kind.is_some_and(|kind| kind.topic() == topic));
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let Ok(missing) = broker.missing(topic, &ids).await else {
            // Away: the next comparison will tell.
            return Some(());
        };
        let missing: HashSet<_> = missing.into_iter().collect();
        for job in jobs.iter().filter(|job| missing.contains(&job.id)) {
            let now = self.insist("read a job", || ledger.job(job.id)).await?;
            if now.is_none_or(|now| now.changed_at_ms != job.changed_at_ms) {
                // It moved meanwhile: another bridge has published it again.
                continue;
            }
            let note = Note::because("the broker had lost it");
            let from = JobState::OUTSTANDING;
            let moved = self.insist("take a job up again", || {
                ledger.transition(job.id, &from, JobState::Taken, &note)
            });
            if moved.await? {
                self.counters.republished.one();
                RETRIED.one([topic.name(), "lost"]);
                self.emit(job, What::Republished);
                self.pump(job).await;
            }
        }
        Some(())
    }
}

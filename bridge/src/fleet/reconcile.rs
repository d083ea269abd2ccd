//! Ledger, broker and leases are three memories of one thing. Every ten
//! seconds, at the start, after a loss and after an adoption they are compared,
//! and what fell between them is picked up.
//!
//! Each bridge cares for its own tickets and the jobs that they wait for; what
//! is not about tickets every bridge does, one step at a time by compare-and-set.

use std::{
    collections::{BTreeMap, HashSet},
    convert::Infallible,
    sync::Arc,
};

use tokio::{
    sync::{Notify, watch},
    time::{MissedTickBehavior, interval},
};
use zkwhirl_job::{JobId, TicketId, Topic};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, LISTING, Note, Ticket};
use zkwhirl_telemetry::catalogue::process::RETRIED;

use super::membership::Heartbeat;
use crate::{
    jobs::Jobs,
    journal::{Dead, Death},
    retry::Stopped,
    tickets::Known,
};

/// Compares ledger, broker and leases.
#[derive(Debug)]
pub(crate) struct Reconcile {
    pub(crate) jobs: Jobs,
    pub(crate) heartbeat: Arc<Heartbeat>,
}

/// Tickets of one job that wait for it.
type Waiting = (JobId, Vec<Ticket>);

impl Reconcile {
    /// Compares until the bridge stops: now, at intervals, and whenever
    /// `compare` is notified.
    pub(crate) async fn run(self, compare: Arc<Notify>) -> Result<Infallible, Stopped> {
        let mut ticks = interval(self.jobs.services.config.timing.reconcile_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut losses = self.jobs.services.ledger.once().losses();
        let mut suspects = HashSet::new();
        loop {
            let next = self.jobs.services.retry.unless_stopped(async {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = compare.notified() => {}
                    () = lost(&mut losses) => {
                        tracing::warn!("the ledger has lost its data: Falafel issues its tickets again");
                    }
                }
            });
            next.await?;
            self.compare(&mut suspects).await?;
        }
    }

    async fn compare(&self, suspects: &mut HashSet<TicketId>) -> Result<(), Stopped> {
        let ledger = &self.jobs.services.ledger;
        // What the bridge believed before it asked the ledger.
        let (known, requests) = (self.jobs.tickets.known(), self.jobs.requests.jobs());
        let own = self.heartbeat.own_tickets().await?;
        let tickets = ledger.open_tickets().await?;
        let unverified: HashSet<_> = ledger.unverified_jobs().await?.into_iter().collect();
        self.compare_leases(&known, &tickets, &own, suspects);
        let waited_for: HashSet<_> = tickets.iter().map(|ticket| ticket.job).collect();
        self.jobs
            .requests
            .forget_unless(&requests, |job| waited_for.contains(job));
        for (id, tickets) in self.waiting(own, &known).await? {
            match ledger.job(id).await? {
                None => self.let_go(&tickets).await?,
                Some(_) if unverified.contains(&id) => self.jobs.unverified.check(id),
                Some(job) => self.carry_on(job).await?,
            }
        }
        self.withdraw_unwanted(&waited_for).await?;
        self.find_dead().await?;
        for topic in Topic::ALL {
            self.find_lost(topic, &unverified).await?;
        }
        Ok(())
    }

    /// Brings the leases in line with the ledger: what it does not know was
    /// answered by another bridge, or was lost and comes again when it is not
    /// pinged; what another bridge owns is that one's to ping, after a while in
    /// which both do; and what is ours is pinged.
    fn compare_leases(
        &self,
        known: &Known,
        tickets: &[Ticket],
        own: &[Ticket],
        suspects: &mut HashSet<TicketId>,
    ) {
        let open: HashSet<_> = tickets.iter().map(|ticket| ticket.id).collect();
        let ours: HashSet<_> = own.iter().map(|ticket| ticket.id).collect();
        let mut gone = 0usize;
        let mut others = HashSet::new();
        for ticket in known.pinged.difference(&ours) {
            if known.taking.contains(ticket) {
                continue;
            }
            if !open.contains(ticket) {
                self.jobs.tickets.close(*ticket);
                gone += 1;
            } else if suspects.contains(ticket) {
                self.jobs.tickets.close(*ticket);
            } else {
                others.insert(*ticket);
            }
        }
        *suspects = others;
        if gone > 0 {
            tracing::info!(
                count = gone,
                "tickets are missing in the ledger: no longer pinged, so that Falafel issues them again"
            );
        }
        let (now, mut missed) = (self.jobs.tickets.known(), own.to_vec());
        missed.retain(|Ticket { id, .. }| {
            !known.pinged.contains(id) && !known.answering.contains(id) && !now.pinged.contains(id)
        });
        self.jobs.tickets.keep_alive(missed);
    }

    /// The jobs that this bridge's tickets wait for, in the order of their
    /// tickets, without those that are being answered.
    async fn waiting(&self, own: Vec<Ticket>, known: &Known) -> Result<Vec<Waiting>, Stopped> {
        let mut waiting: Vec<Waiting> = Vec::new();
        let mut places = BTreeMap::new();
        for ticket in own {
            let upstream = &ticket.upstream;
            let configured = self.jobs.tickets.links().get(upstream).is_some();
            if !configured && !self.jobs.callers.has(ticket.id) {
                // No bridge of this configuration could ping or answer it.
                // Falafel, if it is still there under another name, issues it
                // again.
                let id = ticket.id.short();
                tracing::warn!(ticket = %id, upstream, "no such upstream is configured: ticket closed");
                self.let_go(&[ticket]).await?;
            } else if !known.answering.contains(&ticket.id) {
                let place = *places.entry(ticket.job).or_insert(waiting.len());
                match waiting.get_mut(place) {
                    Some((_, tickets)) => tickets.push(ticket),
                    None => waiting.push((ticket.job, vec![ticket])),
                }
            }
        }
        Ok(waiting)
    }

    async fn carry_on(&self, job: JobRecord) -> Result<(), Stopped> {
        let (id, dispatch) = (job.id, self.jobs.dispatch.clone());
        let work = async move { dispatch.carry_on(&job).await };
        let worked = self.jobs.services.tasks.item("job", work).await;
        let done = self.jobs.endings.park_if_panicked(id, worked);
        done.await.map(drop)
    }

    /// Tickets whose job the ledger does not know: not pinged they come again.
    async fn let_go(&self, tickets: &[Ticket]) -> Result<(), Stopped> {
        for ticket in tickets {
            self.jobs.tickets.close(ticket.id);
            self.jobs.services.ledger.close_ticket(ticket.id).await?;
        }
        Ok(())
    }

    async fn withdraw_unwanted(&self, waited_for: &HashSet<JobId>) -> Result<(), Stopped> {
        let ledger = &self.jobs.services.ledger;
        for job in ledger.jobs(&JobState::OUTSTANDING, LISTING).await? {
            // What is in a prover may be wanted again soon.
            if waited_for.contains(&job.id) || job.state == JobState::Proving {
                continue;
            }
            // A ticket may have been taken since the list was made; one that
            // comes after this look is picked up by the next comparison.
            if ledger.tickets_of(job.id).await?.is_empty() {
                self.jobs.endings.withdraw(&job).await?;
            }
        }
        Ok(())
    }

    /// Jobs that the broker itself gave up on, because no worker survived
    /// them: no other process says so.
    async fn find_dead(&self) -> Result<(), Stopped> {
        let ledger = &self.jobs.services.ledger;
        let Ok(letters) = self.jobs.services.broker.once().dead_letters(LISTING).await else {
            return Ok(());
        };
        for letter in letters {
            let (from, note) = (JobState::OUTSTANDING, Note::because(&*letter.reason));
            if ledger
                .transition(letter.id, &from, JobState::Dead, &note)
                .await?
            {
                let dead = Dead {
                    id: letter.id,
                    kind: letter.kind,
                    rollup_id: letter.rollup_id,
                    reason: &letter.reason,
                };
                self.jobs.services.journal.dead(&dead, Death::Crashes);
            }
        }
        Ok(())
    }

    /// Jobs that should be in the broker and are not are published again. A job
    /// with an unverified reply is out of the broker rightly.
    async fn find_lost(&self, topic: Topic, unverified: &HashSet<JobId>) -> Result<(), Stopped> {
        let ledger = &self.jobs.services.ledger;
        let mut jobs = ledger.jobs(&JobState::OUTSTANDING, LISTING).await?;
        jobs.retain(|job| {
            job.kind.is_some_and(|kind| kind.topic() == topic) && !unverified.contains(&job.id)
        });
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let Ok(missing) = self.jobs.services.broker.once().missing(topic, &ids).await else {
            // Away: the next comparison will tell.
            return Ok(());
        };
        let missing: HashSet<_> = missing.into_iter().collect();
        for job in jobs.iter().filter(|job| missing.contains(&job.id)) {
            let now = ledger.job(job.id).await?;
            let moved = now.is_none_or(|now| now.changed_at_ms != job.changed_at_ms);
            // It moved meanwhile: another bridge has published it again. Or its
            // reply has been kept since the list was made.
            if moved || ledger.unverified(job.id).await?.is_some() {
                continue;
            }
            let (from, note) = (
                JobState::OUTSTANDING,
                Note::because("the broker had lost it"),
            );
            if ledger
                .transition(job.id, &from, JobState::Taken, &note)
                .await?
            {
                self.jobs.services.journal.counters.republished.one();
                RETRIED.one([topic.name(), "lost"]);
                self.jobs
                    .services
                    .journal
                    .emit(job, JobEventKind::Republished);
                self.jobs.dispatch.publish(job).await;
            }
        }
        Ok(())
    }
}

/// Waits until the ledger has lost its data.
async fn lost(losses: &mut watch::Receiver<u64>) {
    if losses.changed().await.is_err() {
        // It counts no more.
        std::future::pending::<()>().await;
    }
}

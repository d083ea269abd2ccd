//! Compares ledger, broker and leases, and repairs the differences: every ten seconds,
//! at the start, after a loss and after an adoption.
//!
//! Each bridge repairs its own tickets and their jobs. Every bridge does the repairs
//! that are not about tickets, one step at a time by compare-and-set.

use std::{
    collections::{BTreeMap, HashSet},
    convert::Infallible,
    sync::Arc,
};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use zkwhirl_job::{JobId, TicketId, Topic};
use zkwhirl_ledger::{JobEventKind, JobRecord, JobState, LISTING, Note, Ticket};
use zkwhirl_telemetry::catalogue::{bridge::REPUBLISHED, process::RETRIED};

use super::membership::own_tickets;
use crate::{
    jobs::{dispatch, endings, unverified},
    journal::death_in,
    retry::Stopped,
    state::BridgeState,
    tickets::TicketBook,
};

/// The tickets that a comparison reads.
struct SeenTickets {
    /// The bridge's own sets, read before the ledger.
    known: TicketBook,
    /// The tickets in the ledger that this bridge owns.
    own: Vec<Ticket>,
    /// All open tickets in the ledger.
    open: Vec<Ticket>,
}

/// A job, and the tickets that wait for it.
type Waiting = (JobId, Vec<Ticket>);

/// Compares ledger, broker and leases until the bridge stops: now, at intervals, and
/// whenever a comparison is requested.
pub(crate) async fn run(bridge: Arc<BridgeState>) -> Result<Infallible, Stopped> {
    let mut ticks = interval(bridge.config.timing.reconcile_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut losses = bridge.ledger.once().losses();
    let mut suspects = HashSet::new();
    loop {
        let next = bridge.retry.unless_stopped(async {
            tokio::select! {
                _ = ticks.tick() => {}
                () = bridge.compare.notified() => {}
                () = lost(&mut losses) => {
                    tracing::warn!("the ledger has lost its data: the bridge drops its tickets, Falafel issues them again");
                }
            }
        });
        next.await?;
        compare(&bridge, &mut suspects).await?;
    }
}

async fn compare(
    bridge: &Arc<BridgeState>,
    suspects: &mut HashSet<TicketId>,
) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    let (known, requests) = (bridge.tickets.known(), bridge.requests.jobs());
    let seen = SeenTickets {
        known,
        own: own_tickets(bridge).await?,
        open: ledger.open_tickets().await?,
    };
    let unverified: HashSet<_> = ledger.unverified_jobs().await?.into_iter().collect();
    compare_leases(bridge, &seen, suspects);
    let waited_for: HashSet<_> = seen.open.iter().map(|ticket| ticket.job).collect();
    let unwanted = requests.difference(&waited_for);
    // Another bridge has delivered these jobs.
    unwanted.for_each(|job| bridge.requests.forget(*job));
    for (id, tickets) in waiting(bridge, seen).await? {
        match ledger.job(id).await? {
            None => let_go(bridge, &tickets).await?,
            Some(_) if unverified.contains(&id) => unverified::check(bridge, id),
            Some(job) => carry_on(bridge, job).await?,
        }
    }
    withdraw_unwanted(bridge, &waited_for).await?;
    find_dead(bridge).await?;
    for topic in Topic::ALL {
        find_lost(bridge, topic, &unverified).await?;
    }
    Ok(())
}

/// Compares the leases with the ledger. A ticket that is not in the ledger was answered
/// by another bridge, or was lost: the bridge stops pinging it. A ticket of another
/// bridge is pinged by both until the next comparison, then by its owner alone. Every
/// own ticket is pinged.
fn compare_leases(bridge: &BridgeState, seen: &SeenTickets, suspects: &mut HashSet<TicketId>) {
    let SeenTickets { known, own, open } = seen;
    let open: HashSet<_> = open.iter().map(|ticket| ticket.id).collect();
    let ours: HashSet<_> = own.iter().map(|ticket| ticket.id).collect();
    let mut gone = 0usize;
    let mut others = HashSet::new();
    for ticket in known.pinged.difference(&ours) {
        if known.taking.contains(ticket) {
            continue;
        }
        if !open.contains(ticket) {
            bridge.tickets.close(*ticket);
            gone += 1;
        } else if suspects.contains(ticket) {
            bridge.tickets.close(*ticket);
        } else {
            others.insert(*ticket);
        }
    }
    *suspects = others;
    if gone > 0 {
        tracing::info!(
            count = gone,
            "the bridge stops pinging tickets that are no longer in the ledger: another bridge answered them, or Falafel issues them again"
        );
    }
    let (now, mut missed) = (bridge.tickets.known(), own.clone());
    missed.retain(|Ticket { id, .. }| {
        !known.pinged.contains(id) && !known.answering.contains(id) && !now.pinged.contains(id)
    });
    bridge.tickets.keep_alive(missed);
}

/// The jobs that this bridge's tickets wait for, in the order of the tickets, without
/// tickets that are being answered.
async fn waiting(bridge: &BridgeState, seen: SeenTickets) -> Result<Vec<Waiting>, Stopped> {
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut places = BTreeMap::new();
    for ticket in seen.own {
        let upstream = &ticket.upstream;
        let configured = bridge.tickets.links.get(upstream).is_some();
        if !configured && !bridge.callers.lock().contains_key(&ticket.id) {
            // No bridge of this configuration can ping or answer the ticket. A
            // Falafel that is configured under another name issues the ticket again.
            let id = ticket.id.short();
            tracing::warn!(ticket = %id, upstream, "the ticket's upstream is not configured: the bridge closes the ticket");
            let_go(bridge, &[ticket]).await?;
        } else if !seen.known.answering.contains(&ticket.id) {
            let place = *places.entry(ticket.job).or_insert(waiting.len());
            match waiting.get_mut(place) {
                Some((_, tickets)) => tickets.push(ticket),
                None => waiting.push((ticket.job, vec![ticket])),
            }
        }
    }
    Ok(waiting)
}

async fn carry_on(bridge: &Arc<BridgeState>, job: JobRecord) -> Result<(), Stopped> {
    let (id, this) = (job.id, bridge.clone());
    let work = async move { dispatch::carry_on(&this, &job).await };
    let worked = bridge.tasks.item("job", work).await;
    let done = endings::park_if_panicked(bridge, id, worked);
    done.await.map(drop)
}

/// Closes tickets whose job the ledger does not know, so that Falafel issues them again.
async fn let_go(bridge: &BridgeState, tickets: &[Ticket]) -> Result<(), Stopped> {
    for ticket in tickets {
        bridge.tickets.close(ticket.id);
        bridge.ledger.close_ticket(ticket.id).await?;
    }
    Ok(())
}

async fn withdraw_unwanted(
    bridge: &BridgeState,
    waited_for: &HashSet<JobId>,
) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    for job in ledger.jobs(&JobState::OUTSTANDING, LISTING).await? {
        // Falafel may soon request again a job that a prover works on.
        if waited_for.contains(&job.id) || job.state == JobState::Proving {
            continue;
        }
        // A ticket may have been taken since the list was made; the next comparison
        // finds a ticket that arrives after this read.
        if ledger.tickets_of(job.id).await?.is_empty() {
            endings::withdraw(bridge, &job).await?;
        }
    }
    Ok(())
}

/// Records the jobs that the broker dead-lettered: no other process reports them.
async fn find_dead(bridge: &BridgeState) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    let Ok(letters) = bridge.broker.once().dead_letters(LISTING).await else {
        return Ok(());
    };
    for letter in letters {
        let (from, note) = (JobState::OUTSTANDING, Note::because(&*letter.reason));
        let moved = ledger.transition(letter.id, &from, JobState::Dead, &note);
        if moved.await?
            && let Some(job) = ledger.job(letter.id).await?
        {
            let death = death_in(&letter);
            bridge.journal.dead(&job, &letter.reason, death);
        }
    }
    Ok(())
}

/// Publishes jobs again that the broker should have and has not. A job with an
/// unverified reply is rightly not in the broker.
async fn find_lost(
    bridge: &Arc<BridgeState>,
    topic: Topic,
    unverified: &HashSet<JobId>,
) -> Result<(), Stopped> {
    let ledger = &bridge.ledger;
    let mut jobs = ledger.jobs(&JobState::OUTSTANDING, LISTING).await?;
    jobs.retain(|job| {
        job.kind.is_some_and(|kind| kind.topic() == topic) && !unverified.contains(&job.id)
    });
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    let Ok(missing) = bridge.broker.once().missing(topic, &ids).await else {
        // The broker is unreachable: the next comparison tries again.
        return Ok(());
    };
    let missing: HashSet<_> = missing.into_iter().collect();
    for job in jobs.iter().filter(|job| missing.contains(&job.id)) {
        let now = ledger.job(job.id).await?;
        let moved = now.is_none_or(|now| now.changed_at_ms != job.changed_at_ms);
        // The job's state changed since: another bridge has published the job again. Or
        // its unverified reply was stored since.
        if moved || ledger.unverified(job.id).await?.is_some() {
            continue;
        }
        let (from, note) = (
            JobState::OUTSTANDING,
            Note::because("the broker had lost the job"),
        );
        let moved = ledger.transition(job.id, &from, JobState::Taken, &note);
        if moved.await? {
            let journal = &bridge.journal;
            journal.one(&REPUBLISHED, |stats| &mut stats.republished);
            RETRIED.one([topic.name(), "lost"]);
            journal.emit(job, JobEventKind::Republished);
            dispatch::publish(bridge, job).await;
        }
    }
    Ok(())
}

/// Waits until the ledger has lost its data.
async fn lost(losses: &mut watch::Receiver<u64>) {
    if losses.changed().await.is_err() {
        // The sender is dropped: no loss can follow.
        std::future::pending::<()>().await;
    }
}

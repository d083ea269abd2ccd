//! Sends answers: one task per ticket repeats its answer until Falafel has taken it.

use std::sync::Arc;

use zkwhirl_ledger::{JobRecord, Ticket};
use zkwhirl_telemetry::catalogue::bridge::NACKS;

use super::endings;
use crate::{
    falafel::{Answer, Rejection},
    gate::Verified,
    retry::Stopped,
    state::BridgeState,
    tickets::LOCAL,
};

/// Sends a verified reply to every open ticket of a job.
pub(super) async fn reply(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    reply: Verified,
) -> Result<(), Stopped> {
    if answer_all(bridge, job, &Answer::Reply(reply)).await? == 0 {
        endings::delivered(bridge, job.id).await?;
    }
    Ok(())
}

/// Sends an operator's rejection to every open ticket of a job; returns the number of
/// tickets.
pub(super) async fn reject(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    rejection: Rejection,
) -> Result<usize, Stopped> {
    answer_all(bridge, job, &Answer::Rejected(rejection)).await
}

async fn answer_all(
    bridge: &Arc<BridgeState>,
    job: &JobRecord,
    answer: &Answer,
) -> Result<usize, Stopped> {
    let tickets = bridge.ledger.tickets_of(job.id).await?;
    let count = tickets.len();
    for ticket in tickets {
        if bridge.tickets.begin_answer(ticket.id) {
            let answering = answer_one(bridge.clone(), job.clone(), ticket, answer.clone());
            bridge.tasks.spawn(answering);
        }
    }
    Ok(count)
}

async fn answer_one(bridge: Arc<BridgeState>, job: JobRecord, ticket: Ticket, answer: Answer) {
    let (this, id, record) = (bridge.clone(), ticket.id, job.id);
    let send = async move { send(&this, &job, &ticket, &answer).await };
    if let Err(panic) = bridge.tasks.item("answer", send).await {
        // The ticket stays in `answering`, so that the next comparison does not run
        // into the same panic. Its lease is kept.
        tracing::error!(job = %record, ticket = %id, "cannot answer the ticket: {panic}; the ticket stays open and pinged, but is answered only after a restart of the bridge");
        return;
    }
    bridge.tickets.known.lock().answering.remove(&id);
}

async fn send(
    bridge: &BridgeState,
    job: &JobRecord,
    ticket: &Ticket,
    answer: &Answer,
) -> Result<(), Stopped> {
    let local = ticket.upstream == LOCAL;
    if local {
        if let Some(caller) = bridge.callers.lock().remove(&ticket.id) {
            // A caller that gave up waiting has lost nothing: the result is stored.
            let _ = caller.send(answer.clone());
        }
    } else if let Some(link) = bridge.tickets.links.get(&ticket.upstream) {
        link.deliver(ticket.id, answer, &bridge.retry).await?;
    } else {
        // The next comparison closes the ticket.
        return Ok(());
    }
    match answer {
        Answer::Reply(_) => bridge.journal.delivered(job, ticket.id),
        Answer::Rejected(_) if local => {}
        Answer::Rejected(_) => bridge.journal.one(&NACKS, |stats| &mut stats.nacks),
    }
    bridge.tickets.close(ticket.id);
    bridge.ledger.close_ticket(ticket.id).await?;
    if bridge.ledger.tickets_of(job.id).await?.is_empty() {
        endings::delivered(bridge, job.id).await?;
    }
    Ok(())
}

//! Makes jobs from Falafel's frames: the ticket is pinged first, then taken into the
//! ledger with its job, then the job is published.

use std::sync::Arc;

use tokio::sync::oneshot;
use zkwhirl_job::{Frame, Request, clock};
use zkwhirl_ledger::{JobRecord, JobState, Taken, Ticket};
use zkwhirl_telemetry::catalogue::bridge::REISSUES;

use super::{
    admission::{self, admit},
    dispatch,
};
use crate::{retry::Stopped, state::BridgeState};

/// Waits for the job that arrived before another.
#[derive(Debug)]
pub(super) struct Predecessor(oneshot::Receiver<()>);

impl Predecessor {
    /// The predecessor of the first job, which waits for no job.
    pub(super) fn none() -> Self {
        Self(oneshot::channel().1)
    }

    /// Makes the predecessor of the next job. The job after that one waits until the
    /// returned sender is dropped.
    pub(super) fn next(&mut self) -> (Self, oneshot::Sender<()>) {
        let (done, after) = oneshot::channel();
        (std::mem::replace(self, Self(after)), done)
    }

    /// Waits until the earlier jobs are taken.
    pub(super) async fn taken(self) {
        // No value is ever sent: the earlier job has ended, with or without success.
        let _ = self.0.await;
    }
}

/// Takes a frame whose ticket is pinged. Steps that must keep the order of arrival wait
/// for the predecessor.
pub(super) async fn take(
    bridge: Arc<BridgeState>,
    upstream: String,
    frame: Frame,
    predecessor: Predecessor,
) {
    let work = take_ticket(bridge.clone(), upstream.clone(), frame.clone(), predecessor);
    // `Err`: the bridge stops, and Falafel issues the ticket again.
    if let Err(panic) = bridge.tasks.item("ticket", work).await {
        let _ = park_ticket(&bridge, upstream, frame, panic.to_string()).await;
    }
}

async fn take_ticket(
    bridge: Arc<BridgeState>,
    upstream: String,
    mut frame: Frame,
    predecessor: Predecessor,
) -> Result<(), Stopped> {
    let mut record = admission::record(&mut frame);
    let admitted = admit(&record, &frame.data, bridge.config.sizes);
    if let Ok(Some(request)) = &admitted {
        record.rollup_id = Request::rollup_id(request);
    }
    if let Err(error) = bridge.ledger.once().upload(&record, &frame.data).await {
        tracing::debug!(job = %record.id.short(), "cannot upload the job's request ahead of its ticket, it is sent with the ticket: {error}");
    }
    predecessor.taken().await;
    let taken = enter_ledger(&bridge, upstream, &frame, &record).await?;
    match admitted {
        Err(why) if taken.job.state == JobState::Taken => {
            dispatch::park(&bridge, &taken.job, why.to_string(), "request");
        }
        _ => dispatch::join(&bridge, &taken.job).await,
    }
    Ok(())
}

/// Makes a dead letter of a ticket's job after handling the job panicked, without
/// parsing the request again.
async fn park_ticket(
    bridge: &Arc<BridgeState>,
    upstream: String,
    mut frame: Frame,
    why: String,
) -> Result<(), Stopped> {
    tracing::error!(ticket = %frame.ticket, "cannot take the ticket, its job becomes a dead letter: {why}");
    let record = admission::record(&mut frame);
    let taken = enter_ledger(bridge, upstream, &frame, &record).await?;
    if taken.job.state == JobState::Taken {
        dispatch::park(bridge, &taken.job, why, "bridge");
    }
    Ok(())
}

/// Takes a ticket into the ledger, with its job.
pub(super) async fn enter_ledger(
    bridge: &BridgeState,
    upstream: String,
    frame: &Frame,
    record: &JobRecord,
) -> Result<Taken, Stopped> {
    let ticket = Ticket {
        id: frame.ticket,
        upstream,
        job: record.id,
        taken_at_ms: clock::now_ms(),
    };
    let taken = bridge.ledger.take(&ticket, record, &frame.data).await;
    bridge.tickets.known.lock().taking.remove(&ticket.id);
    let taken = taken?;
    bridge
        .requests
        .remember(&taken.job, &frame.data, taken.new_job);
    if taken.new_ticket {
        bridge.journal.taken(ticket, &taken);
    } else {
        issued_again(bridge, &ticket);
    }
    Ok(taken)
}

/// Counts an open ticket that Falafel issued again: its lease was nearly lost, lapsed on
/// purpose, or its bridge died. The ticket is pinged already and is no new work, but its
/// bridge may have died before it published the job.
fn issued_again(bridge: &BridgeState, ticket: &Ticket) {
    if bridge.tickets.issued_again(ticket.id) {
        return;
    }
    bridge.journal.one(&REISSUES, |stats| &mut stats.reissues);
    tracing::warn!(
        ticket = %ticket.id,
        upstream = ticket.upstream,
        worst_gap = ?bridge.tickets.leases.stats().worst_gap,
        "Falafel issued an open ticket again, because the lease had expired; the bridge pings the ticket again"
    );
}

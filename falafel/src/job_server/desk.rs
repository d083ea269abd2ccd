//! The state behind the HTTP routes of one job server: the jobs and the queue
//! of pollers.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{Notify, broadcast, oneshot},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Command, Frame, TicketId, identify};

use super::{
    JobAnswer, Rejected, Stats,
    jobs::{Answered, JobList},
};
use crate::{FalafelEvent, locked::locked};

/// How often a waiting head poller looks at the list of jobs.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One life of a job server: from a start of the process to its end.
#[derive(Debug)]
pub(super) struct Desk {
    ack_timeout: Duration,
    jobs: Mutex<JobList>,
    stats: Arc<Mutex<Stats>>,
    events: broadcast::Sender<FalafelEvent>,
    /// Only the holder looks at the list. Tokio's mutex is fair (first come, first
    /// served), and a poller whose client has disconnected keeps its place.
    turn: tokio::sync::Mutex<()>,
    created: Notify,
    /// Cancelled when the server is stopping: the head poller gets an empty body.
    pub(super) stopping: CancellationToken,
    /// Cancelled when the process has ended: connections and pollers end as well.
    pub(super) closed: CancellationToken,
}

impl Desk {
    pub(super) fn new(
        ack_timeout: Duration,
        stats: Arc<Mutex<Stats>>,
        events: broadcast::Sender<FalafelEvent>,
    ) -> Arc<Self> {
        Arc::new(Self {
            ack_timeout,
            jobs: Mutex::default(),
            stats,
            events,
            turn: tokio::sync::Mutex::default(),
            created: Notify::new(),
            stopping: CancellationToken::new(),
            closed: CancellationToken::new(),
        })
    }

    /// Returns the desk of the next process: it has no jobs and keeps the counters.
    pub(super) fn next_life(&self) -> Arc<Self> {
        let stats = Arc::clone(&self.stats);
        Self::new(self.ack_timeout, stats, self.events.clone())
    }

    /// Adds a job immediately; returns its ticket and the future of its answer.
    pub(super) fn create(&self, command: Command, data: Bytes) -> (TicketId, JobAnswer) {
        let ticket = TicketId(rand::random());
        let (answer, answered) = oneshot::channel();
        let kind = identify(command.code(), &data);
        locked(&self.jobs).push(ticket, command, data, answer);
        locked(&self.stats).created += 1;
        self.emit(FalafelEvent::JobCreated { ticket, kind });
        self.created.notify_waiters();
        if self.closed.is_cancelled() {
            locked(&self.jobs).forget();
        }
        let answer = async { answered.await.unwrap_or(Err(Rejected::Restarted)) };
        (ticket, Box::pin(answer))
    }

    /// A long poll: returns a frame, or `None` when the server is stopping. A dropped
    /// future stands for a disconnected client, which the server does not notice.
    pub(super) async fn get_job(self: &Arc<Self>) -> Option<Frame> {
        let (reply, replied) = oneshot::channel();
        tokio::spawn(Arc::clone(self).poll(reply));
        match replied.await {
            Ok(work) => work,
            Err(_) => pending().await,
        }
    }

    async fn poll(self: Arc<Self>, reply: oneshot::Sender<Option<Frame>>) {
        tokio::select! {
            () = self.closed.cancelled() => {}
            () = self.poll_in_turn(reply) => {}
        }
    }

    async fn poll_in_turn(&self, reply: oneshot::Sender<Option<Frame>>) {
        let _turn = self.turn.lock().await;
        if self.stopping.is_cancelled() {
            // The server discards the queue behind the head poller when it
            // stops: these pollers never get an answer.
            return pending().await;
        }
        loop {
            let created = self.created.notified();
            if let Some((ticket, frame)) = self.issue() {
                let ghost = reply.send(Some(frame)).is_err();
                locked(&self.stats).ghost_deliveries += u64::from(ghost);
                self.emit(FalafelEvent::JobIssued { ticket, ghost });
                return;
            }
            tokio::select! {
                () = self.stopping.cancelled() => {
                    let _ = reply.send(None);
                    return;
                }
                () = created => {}
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn issue(&self) -> Option<(TicketId, Frame)> {
        let mut stats = locked(&self.stats);
        locked(&self.jobs).issue(Instant::now(), self.ack_timeout, &mut stats)
    }

    pub(super) fn ping(&self, ticket: TicketId) {
        let mut stats = locked(&self.stats);
        locked(&self.jobs).ping(ticket, Instant::now(), &mut stats);
    }

    pub(super) fn complete(&self, frame: Frame) {
        let ticket = frame.ticket;
        let mut stats = locked(&self.stats);
        match locked(&self.jobs).complete(frame, Instant::now(), &mut stats) {
            Answered::Acknowledged { waited } => {
                self.emit(FalafelEvent::JobAnswered { ticket, waited });
            }
            Answered::Rejected => self.emit(FalafelEvent::JobRejected { ticket }),
            Answered::Unknown => {}
        }
    }

    fn emit(&self, event: FalafelEvent) {
        // Without a subscriber the event is dropped.
        let _ = self.events.send(event);
    }

    /// Rejects all callers; their jobs stay in the list as zombies.
    pub(super) fn interrupt(&self) {
        locked(&self.jobs).interrupt();
    }

    /// Ends this life: rejects the callers, ends the pollers and the connections.
    pub(super) fn close(&self) {
        self.closed.cancel();
        locked(&self.jobs).forget();
    }

    pub(super) fn stats(&self) -> Stats {
        locked(&self.stats).clone()
    }

    /// Number of jobs in the list, zombies included.
    #[cfg(test)]
    pub(super) fn jobs(&self) -> usize {
        locked(&self.jobs).len()
    }
}

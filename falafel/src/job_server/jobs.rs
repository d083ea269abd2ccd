//! The list of jobs: insertion order, leases, and who waits for an answer.
//!
//! The caller passes the clock in.

use std::time::Duration;

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};
use zkwhirl_job::{Command, Frame, TicketId};

use super::{Rejected, Stats};

/// Jobs in the order in which they were created.
///
/// The original keeps one array and looks through it for each poller; the
/// habits that matter follow from that: an expired old job goes out before a
/// younger new one, and a job whose caller is gone stays.
#[derive(Debug, Default)]
pub(super) struct JobList(Vec<ListedJob>);

#[derive(Debug)]
struct ListedJob {
    ticket: TicketId,
    command: Command,
    data: Bytes,
    /// When it was last handed out or pinged; `None` for a new job.
    stamp: Option<Instant>,
    /// `None` for a zombie: its caller was rejected by an interrupt.
    answer: Option<oneshot::Sender<Result<Bytes, Rejected>>>,
}

/// How a job was answered.
pub(super) enum Answered {
    /// With a reply, and whether a caller still waited for it.
    Acknowledged { waited: bool },
    /// With a text.
    Rejected,
    /// The id is not known: already answered, or from before a restart.
    Unknown,
}

impl JobList {
    pub(super) fn push(
        &mut self,
        ticket: TicketId,
        command: Command,
        data: Bytes,
        answer: oneshot::Sender<Result<Bytes, Rejected>>,
    ) {
        self.0.push(ListedJob {
            ticket,
            command,
            data,
            stamp: None,
            answer: Some(answer),
        });
    }

    /// The first job whose lease is over, stamped anew. A new job has none.
    pub(super) fn issue(
        &mut self,
        now: Instant,
        ack_timeout: Duration,
        stats: &mut Stats,
    ) -> Option<(TicketId, Frame)> {
        let job = self.0.iter_mut().find(|job| {
            job.stamp
                .is_none_or(|stamp| now.duration_since(stamp) > ack_timeout)
        })?;
        stats.issued(job.ticket, job.stamp.is_some());
        job.stamp = Some(now);
        let frame = Frame {
            ticket: job.ticket,
            command: job.command.code(),
            data: job.data.clone(),
        };
        Some((job.ticket, frame))
    }

    /// Renews a lease. An unknown id is ignored.
    pub(super) fn ping(&mut self, ticket: TicketId, now: Instant, stats: &mut Stats) {
        if let Some(job) = self.0.iter_mut().find(|job| job.ticket == ticket) {
            let gap = job.stamp.map(|stamp| now.duration_since(stamp));
            job.stamp = Some(now);
            stats.pinged(ticket, gap);
        }
    }

    /// Answers a job and forgets it. Every command but ACK rejects.
    pub(super) fn complete(&mut self, frame: Frame, now: Instant, stats: &mut Stats) -> Answered {
        let place = self.0.iter().position(|job| job.ticket == frame.ticket);
        let Some(job) = place.map(|place| self.0.remove(place)) else {
            stats.ignored += 1;
            return Answered::Unknown;
        };
        let gap = job.stamp.map(|stamp| now.duration_since(stamp));
        stats.gap(job.ticket, gap);
        let ack = frame.command == Command::Ack.code();
        let result = if ack {
            stats.completions += 1;
            Ok(frame.data)
        } else {
            stats.nacks += 1;
            let text = String::from_utf8_lossy(&frame.data).into_owned();
            Err(Rejected::Nack(text))
        };
        let waited = job.answer.is_some_and(|answer| answer.send(result).is_ok());
        if ack {
            Answered::Acknowledged { waited }
        } else {
            Answered::Rejected
        }
    }

    /// Rejects every caller and keeps every job, as the original does.
    pub(super) fn interrupt(&mut self) {
        for job in &mut self.0 {
            if let Some(answer) = job.answer.take() {
                let _ = answer.send(Err(Rejected::Interrupted));
            }
        }
    }

    /// Forgets everything, as a process that ends does.
    pub(super) fn forget(&mut self) {
        for job in self.0.drain(..) {
            if let Some(answer) = job.answer {
                let _ = answer.send(Err(Rejected::Restarted));
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

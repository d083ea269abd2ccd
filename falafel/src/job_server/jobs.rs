//! The list of jobs: insertion order, leases, and the callers that wait.
//!
//! The caller passes the current time to each method.

use std::time::Duration;

use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};
use zkwhirl_job::{Command, Frame, TicketId};

use super::{Rejected, Stats};

/// The jobs in the order of their creation.
///
/// The original keeps one array and searches it for each poller. Therefore an
/// expired old job goes out before a newer unissued job, and a job whose caller
/// is gone stays in the list.
#[derive(Debug, Default)]
pub(super) struct JobList(Vec<ListedJob>);

#[derive(Debug)]
struct ListedJob {
    ticket: TicketId,
    command: Command,
    data: Bytes,
    /// When the job was last issued or pinged; `None` for a new job.
    stamp: Option<Instant>,
    /// The waiting caller; `None` for a zombie, whose caller an interrupt rejected.
    answer: Option<oneshot::Sender<Result<Bytes, Rejected>>>,
}

/// How a job was answered.
pub(super) enum Answered {
    /// By a reply. `waited`: whether a caller still waited for the reply.
    Acknowledged { waited: bool },
    /// By a command other than ACK, with an error text.
    Rejected,
    /// The ticket id is unknown: already answered, or from before a restart.
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

    /// Issues the first job that is new or whose lease is over, and renews its lease.
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

    /// Renews the lease of a job. An unknown ticket id is ignored.
    pub(super) fn ping(&mut self, ticket: TicketId, now: Instant, stats: &mut Stats) {
        if let Some(job) = self.0.iter_mut().find(|job| job.ticket == ticket) {
            let gap = job.stamp.map(|stamp| now.duration_since(stamp));
            job.stamp = Some(now);
            stats.pinged(ticket, gap);
        }
    }

    /// Answers a job and removes it. Every command other than ACK rejects the job.
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

    /// Rejects every caller and keeps every job as a zombie, as the original does.
    pub(super) fn interrupt(&mut self) {
        for job in &mut self.0 {
            if let Some(answer) = job.answer.take() {
                let _ = answer.send(Err(Rejected::Interrupted));
            }
        }
    }

    /// Drops all jobs and rejects their callers, as a process restart would.
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

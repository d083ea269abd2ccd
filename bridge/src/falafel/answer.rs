//! Sends an answer until Falafel has taken it.

use bytes::Bytes;
use zkwhirl_job::{Command, Frame, TicketId};
use zkwhirl_ledger::{JobRecord, JobState};

use super::UpstreamLink;
use crate::{
    gate::Verified,
    retry::{Retry, Stopped},
};

/// The answer to a ticket.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A verified reply: an ACK.
    Reply(Verified),
    /// An operator's rejection: a NACK.
    Rejected(Rejection),
}

/// An operator's rejection of a job, read from the ledger. Only this type makes a NACK.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    reason: String,
}

impl Rejection {
    /// Returns the rejection of a job. `None`: the job's state in the ledger is not
    /// `Rejected`.
    pub(crate) fn of(job: &JobRecord) -> Option<Self> {
        let reason = job.reason.as_deref().unwrap_or("rejected by an operator");
        (job.state == JobState::Rejected).then(|| Self {
            reason: reason.to_owned(),
        })
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }
}

impl Answer {
    fn frame(&self, ticket: TicketId) -> Frame {
        let (command, data) = match self {
            Self::Reply(verified) => (Command::Ack, verified.result().reply.clone()),
            Self::Rejected(rejection) => (Command::Nack, Bytes::from(rejection.reason.clone())),
        };
        Frame {
            ticket,
            command: command.code(),
            data,
        }
    }
}

impl UpstreamLink {
    /// Answers a ticket: repeats the call until the server answers 200.
    pub(crate) async fn deliver(
        &self,
        ticket: TicketId,
        answer: &Answer,
        retry: &Retry,
    ) -> Result<(), Stopped> {
        // The semaphore is never closed.
        let _permit = self.posts.acquire().await;
        let body = answer.frame(ticket).to_bytes();
        let mut backoff = retry.backoff();
        let mut failures = 0u64;
        loop {
            let sent = retry.unless_stopped(self.answers.complete(body.clone()));
            let Err(error) = sent.await? else {
                return Ok(());
            };
            failures += 1;
            if failures.is_power_of_two() {
                let ticket = ticket.short();
                tracing::warn!(%ticket, failures, "cannot deliver the ticket's answer to Falafel, the bridge tries again: {error}");
            }
            retry.pause(backoff.pause()).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rejected_job_makes_a_nack() {
        let frame = Frame {
            ticket: TicketId([0; 32]),
            command: Command::CreateProof.code(),
            data: Bytes::new(),
        };
        for state in JobState::ALL {
            let job = JobRecord {
                state,
                reason: Some("no".into()),
                ..JobRecord::of_frame(&frame)
            };
            let rejected = Rejection::of(&job).map(|rejection| rejection.reason);
            let is_rejected = state == JobState::Rejected;
            assert_eq!(rejected, is_rejected.then(|| "no".into()), "{state}");
        }
    }
}

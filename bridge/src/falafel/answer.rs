//! Sending an answer until Falafel has taken it.

use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use zkwhirl_job::{Command, Frame, TicketId};

use super::Client;
use zkwhirl_job::clock::Backoff;

/// What a ticket is answered with.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A verified reply; never empty.
    Reply(Bytes),
    /// An operator's no. **This is the only place where a NACK is made.**
    Rejected(String),
}

impl Answer {
    fn frame(&self, ticket: TicketId) -> Frame {
        let (command, data) = match self {
            Self::Reply(reply) => (Command::Ack, reply.clone()),
            Self::Rejected(reason) => (Command::Nack, Bytes::from(reason.clone())),
        };
        Frame {
            ticket,
            command: command.code(),
            data,
        }
    }
}

/// Answers a ticket: again and again until the server says 200, with pauses of
/// at most `longest`. False: the token was cancelled first.
pub(crate) async fn deliver(
    client: &Client,
    ticket: TicketId,
    answer: &Answer,
    longest: Duration,
    stop: &CancellationToken,
) -> bool {
    let frame = answer.frame(ticket);
    debug_assert!(!frame.data.is_empty() || frame.command != Command::Ack.code());
    let body = frame.to_bytes();
    let mut backoff = Backoff::new(Duration::from_millis(50), longest);
    let mut failures = 0u64;
    loop {
        let sent = tokio::select! {
            () = stop.cancelled() => return false,
            sent = client.complete(body.clone()) => sent,
        };
        let Err(error) = sent else {
            return true;
        };
        failures += 1;
        if failures.is_power_of_two() {
            let ticket = ticket.short();
            tracing::warn!(%ticket, failures, "cannot deliver yet: {error}");
        }
        tokio::select! {
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(backoff.pause()) => {}
        }
    }
}

//! Tests of each behaviour of the original's job server.

mod leases;
mod pollers;
mod sockets;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::broadcast, time::Instant};
use zkwhirl_job::{Command, Frame, TicketId};

use super::{ACK_TIMEOUT, Rejected, desk::Desk};

/// A desk without sockets, so that the clock can be paused.
fn desk() -> Arc<Desk> {
    Desk::new(ACK_TIMEOUT, Arc::default(), broadcast::channel(64).0)
}

/// Adds a job whose data is `text`; returns its ticket and a task that waits for its answer.
fn create(
    desk: &Desk,
    text: &'static str,
) -> (TicketId, tokio::task::JoinHandle<Result<Bytes, Rejected>>) {
    let (ticket, answer) = desk.create(Command::CreateProof, Bytes::from_static(text.as_bytes()));
    (ticket, tokio::spawn(answer))
}

/// Starts a poller in a task.
fn polling(desk: &Arc<Desk>) -> tokio::task::JoinHandle<Option<Frame>> {
    let desk = Arc::clone(desk);
    tokio::spawn(async move { desk.get_job().await })
}

async fn take(desk: &Arc<Desk>) -> Frame {
    desk.get_job().await.expect("the server is not stopping")
}

fn answer(ticket: TicketId, command: u32, data: &'static str) -> Frame {
    let data = Bytes::from_static(data.as_bytes());
    Frame {
        ticket,
        command,
        data,
    }
}

/// Adds a poller whose client disconnects before its turn.
async fn ghost(desk: &Arc<Desk>) {
    let polling = desk.get_job();
    tokio::select! {
        biased;
        _ = polling => panic!("the poller got work from an empty list"),
        () = tokio::time::sleep(Duration::from_millis(1)) => {}
    }
}

/// Whole milliseconds since `start`.
fn millis(start: Instant) -> u128 {
    start.elapsed().as_millis()
}

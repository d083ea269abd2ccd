//! One job server with the original's habits.
//!
//! Pollers are served one after the other; a poller that went away still
//! swallows a job; a lease lasts five seconds after the last ping; an
//! interrupt leaves zombies; a restart forgets every id.

mod desk;
mod http;
mod jobs;
mod listen;
mod stats;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use desk::Desk;
use listen::Acceptor;
use tokio::{
    net::TcpListener,
    sync::broadcast,
    task::JoinHandle,
    time::{Instant, sleep},
};
use zkwhirl_job::{Command, TicketId};

pub use stats::{Stats, TicketStats};

use crate::{FalafelEvent, locked::locked};

/// The original's lease: a job that was not pinged for longer goes out again.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer to a job, which a caller awaits. The job is in the list whether or
/// not the future is polled.
pub type JobAnswer = Pin<Box<dyn Future<Output = Result<Bytes, Rejected>> + Send>>;

/// Why a job has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// A worker rejected the job; the text is the worker's.
    #[error("rejected by a worker: {0}")]
    Nack(String),
    /// The pipeline was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// The process that asked has ended.
    #[error("forgotten by a restart")]
    Restarted,
}

/// A job server on one port.
#[derive(Debug)]
pub struct JobServer {
    address: SocketAddr,
    life: Mutex<ServerLife>,
}

#[derive(Debug)]
struct ServerLife {
    desk: Arc<Desk>,
    serving: JoinHandle<()>,
}

impl JobServer {
    /// Listens on `address`; port 0 lets the system choose.
    pub async fn bind(
        address: SocketAddr,
        ack_timeout: Duration,
        events: broadcast::Sender<FalafelEvent>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let desk = Desk::new(ack_timeout, Arc::default(), events);
        let life = Mutex::new(ServerLife::begin(desk, listener));
        Ok(Self { address, life })
    }

    /// The server's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds a job at once; the future is its answer.
    pub fn create(&self, command: Command, data: Bytes) -> (TicketId, JobAnswer) {
        self.desk().create(command, data)
    }

    /// Rejects all callers. The jobs stay in the list: older than anything
    /// new, they are handed out first, and their results are ignored.
    pub fn interrupt(&self) {
        self.desk().interrupt();
    }

    /// Ends the process: connections drop, ids are forgotten, callers are
    /// rejected. After `downtime` the port is open again.
    pub async fn restart(&self, downtime: Duration) -> io::Result<()> {
        self.end();
        sleep(downtime).await;
        let listener = self.listen_again().await?;
        let desk = self.desk().next_life();
        *locked(&self.life) = ServerLife::begin(desk, listener);
        Ok(())
    }

    /// Stops as the original does on SIGTERM: the head poller gets an empty
    /// body, the others hang until, `grace` later, their sockets close.
    pub async fn stop(&self, grace: Duration) {
        self.desk().stopping.cancel();
        sleep(grace).await;
        self.end();
    }

    /// Counters since the start, across restarts.
    pub fn stats(&self) -> Stats {
        self.desk().stats()
    }

    fn desk(&self) -> Arc<Desk> {
        Arc::clone(&locked(&self.life).desk)
    }

    fn end(&self) {
        let life = locked(&self.life);
        life.serving.abort();
        life.desk.close();
    }

    /// The aborted listener may need a moment to let go of the port.
    async fn listen_again(&self) -> io::Result<TcpListener> {
        let give_up = Instant::now() + Duration::from_secs(5);
        loop {
            match TcpListener::bind(self.address).await {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && Instant::now() < give_up => {
                    sleep(Duration::from_millis(10)).await;
                }
                bound => return bound,
            }
        }
    }
}

impl Drop for JobServer {
    fn drop(&mut self) {
        self.end();
    }
}

impl ServerLife {
    fn begin(desk: Arc<Desk>, listener: TcpListener) -> Self {
        let door = Acceptor {
            listener,
            closed: desk.closed.clone(),
        };
        let routes = http::routes(Arc::clone(&desk));
        let serving = tokio::spawn(async move {
            // The loop of axum ends only with its task.
            let _ = axum::serve(door, routes).await;
        });
        Self { desk, serving }
    }
}

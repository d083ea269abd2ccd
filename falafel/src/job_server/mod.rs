//! One job server that behaves as the original does.
//!
//! Pollers are served one after the other; a ghost (a poller whose client has
//! disconnected) still consumes a job; a lease ends five seconds after the last ping; an
//! interrupt leaves zombies (jobs without a caller); a restart forgets every ticket id.

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

/// The original's lease: a job that was not pinged for longer is issued again.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(5);

/// The answer to a job. The job is in the list whether or not this future is
/// polled.
pub type JobAnswer = Pin<Box<dyn Future<Output = Result<Bytes, Rejected>> + Send>>;

/// Why a job has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// A worker rejected the job; the field holds the worker's text.
    #[error("rejected by a worker: {0}")]
    Nack(String),
    /// The pipeline was interrupted.
    #[error("interrupted")]
    Interrupted,
    /// The process that created the job has ended.
    #[error("lost by a restart of Falafel")]
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
    /// Binds `address`; port 0 lets the system choose.
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

    /// Adds a job immediately; returns its ticket and the future of its answer.
    pub fn create(&self, command: Command, data: Bytes) -> (TicketId, JobAnswer) {
        self.desk().create(command, data)
    }

    /// Rejects all callers. Their jobs stay at the front of the list as zombies:
    /// they are issued before newer jobs, and their results are ignored.
    pub fn interrupt(&self) {
        self.desk().interrupt();
    }

    /// Ends the process: connections close, ticket ids are forgotten, callers
    /// are rejected. The port is open again after `downtime`.
    pub async fn restart(&self, downtime: Duration) -> io::Result<()> {
        self.end();
        sleep(downtime).await;
        let listener = self.listen_again().await?;
        let desk = self.desk().next_life();
        *locked(&self.life) = ServerLife::begin(desk, listener);
        Ok(())
    }

    /// Stops as the original does on SIGTERM: the head poller gets an empty body;
    /// the other pollers get no answer, and their connections close `grace` later.
    pub async fn stop(&self, grace: Duration) {
        self.desk().stopping.cancel();
        sleep(grace).await;
        self.end();
    }

    /// The counters since the start, across restarts.
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

    /// Binds the port again; the aborted listener may need a moment to release it.
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
            // axum's serve loop ends only when its task is aborted.
            let _ = axum::serve(door, routes).await;
        });
        Self { desk, serving }
    }
}

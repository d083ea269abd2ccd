//! The job servers of one Falafel: one server, or an inner and an outer one.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use tokio::sync::broadcast;
use zkwhirl_job::{Command, Kind, TicketId, Topic, identify};

use crate::{
    FalafelEvent,
    job_server::{JobAnswer, JobServer, Stats},
};

/// The addresses of the job servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// The original's mode `split`: tx rollups and claims at `inner`; all other
    /// jobs, and data that is not a request, at `outer`.
    Split {
        /// The address of inner jobs; the original's port is 8082.
        inner: SocketAddr,
        /// The address of outer jobs; the original's port is 8083.
        outer: SocketAddr,
    },
    /// The original's default mode: one server with every kind of job.
    Normal(SocketAddr),
}

impl Listen {
    /// Split mode on free ports of the loopback interface.
    pub fn anywhere() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::Split {
            inner: free,
            outer: free,
        }
    }
}

/// The job servers of one Falafel; the first is the inner one.
#[derive(Debug)]
pub struct JobServers(Vec<JobServer>);

impl JobServers {
    /// Binds the addresses of `listen`.
    pub async fn bind(
        listen: Listen,
        ack_timeout: Duration,
        events: broadcast::Sender<FalafelEvent>,
    ) -> io::Result<Self> {
        let addresses = match listen {
            Listen::Split { inner, outer } => vec![inner, outer],
            Listen::Normal(address) => vec![address],
        };
        let servers = addresses
            .into_iter()
            .map(|address| JobServer::bind(address, ack_timeout, events.clone()));
        Ok(Self(try_join_all(servers).await?))
    }

    /// The server of inner jobs; in normal mode of all jobs.
    pub fn inner(&self) -> &JobServer {
        &self.0[0]
    }

    /// The server of outer jobs; `None` in normal mode.
    pub fn outer(&self) -> Option<&JobServer> {
        self.0.get(1)
    }

    /// Creates a proof job immediately; returns its ticket and the future of its answer.
    pub fn create_proof(&self, data: Bytes) -> (TicketId, JobAnswer) {
        let kind = identify(Command::CreateProof.code(), &data);
        let inner = kind.is_some_and(|kind| kind.topic() == Topic::Inner);
        let server = self.outer().filter(|_| !inner);
        let server = server.unwrap_or(self.inner());
        server.create(Command::CreateProof, data)
    }

    /// Creates a job of any kind. The two verification key jobs ignore `data`.
    pub fn create(&self, kind: Kind, data: Bytes) -> (TicketId, JobAnswer) {
        let server = self.outer().unwrap_or(self.inner());
        match kind.command() {
            Command::CreateProof => self.create_proof(data),
            command => server.create(command, Bytes::new()),
        }
    }

    /// Rejects all callers; their jobs stay as zombies.
    pub fn interrupt(&self) {
        self.0.iter().for_each(JobServer::interrupt);
    }

    /// Ends the process and starts another after `downtime`.
    pub async fn restart(&self, downtime: Duration) -> io::Result<()> {
        let restarts = self.0.iter().map(|server| server.restart(downtime));
        join_all(restarts).await.into_iter().collect()
    }

    /// Stops: head pollers get an empty body; all connections close `grace` later.
    pub async fn stop(&self, grace: Duration) {
        join_all(self.0.iter().map(|server| server.stop(grace))).await;
    }

    /// The counters of all servers together.
    pub fn stats(&self) -> Stats {
        let stats = self.0.iter().map(JobServer::stats);
        stats.fold(Stats::default(), Stats::merged)
    }
}

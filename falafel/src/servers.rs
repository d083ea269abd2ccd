//! The job servers of one Falafel: one, or an inner and an outer one.

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
    /// The original's mode `split`: tx rollups and claims at `inner`,
    /// everything else, unknown data too, at `outer`.
    Split {
        /// The original's port 8082.
        inner: SocketAddr,
        /// The original's port 8083.
        outer: SocketAddr,
    },
    /// The original's default mode: one server with every kind of job.
    Normal(SocketAddr),
}

impl Listen {
    /// Split, on free ports of the loopback interface.
    pub fn anywhere() -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::Split {
            inner: free,
            outer: free,
        }
    }
}

/// The job servers of one Falafel: the inner one first.
#[derive(Debug)]
pub struct JobServers(Vec<JobServer>);

impl JobServers {
    /// Listens at the addresses of `listen`.
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

    /// The server of inner jobs, in normal mode of all jobs.
    pub fn inner(&self) -> &JobServer {
        &self.0[0]
    }

    /// The server of outer jobs in split mode.
    pub fn outer(&self) -> Option<&JobServer> {
        self.0.get(1)
    }

    /// Asks for a proof at once; the future is the answer.
    pub fn create_proof(&self, data: Bytes) -> (TicketId, JobAnswer) {
        let kind = identify(Command::CreateProof.code(), &data);
        let inner = kind.is_some_and(|kind| kind.topic() == Topic::Inner);
        let server = self.outer().filter(|_| !inner);
        let server = server.unwrap_or(self.inner());
        server.create(Command::CreateProof, data)
    }

    /// Creates a job of any kind; the two verification key jobs ignore `data`.
    pub fn create(&self, kind: Kind, data: Bytes) -> (TicketId, JobAnswer) {
        let server = self.outer().unwrap_or(self.inner());
        match kind.command() {
            Command::CreateProof => self.create_proof(data),
            command => server.create(command, Bytes::new()),
        }
    }

    /// Rejects all callers and leaves their jobs as zombies.
    pub fn interrupt(&self) {
        self.0.iter().for_each(JobServer::interrupt);
    }

    /// Ends the process and begins another after `downtime`.
    pub async fn restart(&self, downtime: Duration) -> io::Result<()> {
        let restarts = self.0.iter().map(|server| server.restart(downtime));
        join_all(restarts).await.into_iter().collect()
    }

    /// Stops: head pollers get an empty body, `grace` later all connections close.
    pub async fn stop(&self, grace: Duration) {
        join_all(self.0.iter().map(|server| server.stop(grace))).await;
    }

    /// Counters of both servers together.
    pub fn stats(&self) -> Stats {
        let stats = self.0.iter().map(JobServer::stats);
        stats.fold(Stats::default(), Stats::merged)
    }
}

//! The job servers of one Falafel: one, or an inner and an outer one.

use std::{io, net::SocketAddr, time::Duration};

use bytes::Bytes;
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

/// The job servers of one Falafel.
#[derive(Debug)]
pub struct JobServers {
    inner: JobServer,
    outer: Option<JobServer>,
}

impl JobServers {
    /// Listens at the addresses of `listen`.
    pub async fn bind(
        listen: Listen,
        ack_timeout: Duration,
        events: broadcast::Sender<FalafelEvent>,
    ) -> io::Result<Self> {
        let (inner, outer) = match listen {
            Listen::Split { inner, outer } => (inner, Some(outer)),
            Listen::Normal(address) => (address, None),
        };
        let inner = JobServer::bind(inner, ack_timeout, events.clone()).await?;
        let outer = match outer {
            Some(outer) => Some(JobServer::bind(outer, ack_timeout, events).await?),
            None => None,
        };
        Ok(Self { inner, outer })
    }

    /// The server of inner jobs, in normal mode of all jobs.
    pub fn inner(&self) -> &JobServer {
        &self.inner
    }

    /// The server of outer jobs in split mode.
    pub fn outer(&self) -> Option<&JobServer> {
        self.outer.as_ref()
    }

    /// Asks for a proof at once; the future is the answer.
    pub fn create_proof(&self, data: Bytes) -> (TicketId, JobAnswer) {
        let kind = identify(Command::CreateProof.code(), &data);
        let inner = kind.is_some_and(|kind| kind.topic() == Topic::Inner);
        self.server(inner).create(Command::CreateProof, data)
    }

    /// Asks for the join-split verification key.
    pub fn get_join_split_vk(&self) -> (TicketId, JobAnswer) {
        self.server(false)
            .create(Command::GetJoinSplitVk, Bytes::new())
    }

    /// Asks for the account verification key.
    pub fn get_account_vk(&self) -> (TicketId, JobAnswer) {
        self.server(false)
            .create(Command::GetAccountVk, Bytes::new())
    }

    /// Creates a job of any kind; the two verification key jobs ignore `data`.
    pub(crate) fn create(&self, kind: Kind, data: Bytes) -> (TicketId, JobAnswer) {
        match kind.command() {
            Command::GetJoinSplitVk => self.get_join_split_vk(),
            Command::GetAccountVk => self.get_account_vk(),
            _ => self.create_proof(data),
        }
    }

    /// Rejects all callers and leaves their jobs as zombies.
    pub fn interrupt(&self) {
        self.all().for_each(JobServer::interrupt);
    }

    /// Ends the process and begins another after `downtime`.
    pub async fn restart(&self, downtime: Duration) -> io::Result<()> {
        let outer = async {
            match &self.outer {
                Some(outer) => outer.restart(downtime).await,
                None => Ok(()),
            }
        };
        let (inner, outer) = tokio::join!(self.inner.restart(downtime), outer);
        inner.and(outer)
    }

    /// Stops: head pollers get an empty body, `grace` later all connections close.
    pub async fn stop(&self, grace: Duration) {
        let outer = async {
            if let Some(outer) = &self.outer {
                outer.stop(grace).await;
            }
        };
        tokio::join!(self.inner.stop(grace), outer);
    }

    /// Counters of both servers together.
    pub fn stats(&self) -> Stats {
        self.all()
            .map(JobServer::stats)
            .fold(Stats::default(), Stats::merged)
    }

    fn server(&self, inner: bool) -> &JobServer {
        self.outer
            .as_ref()
            .filter(|_| !inner)
            .unwrap_or(&self.inner)
    }

    fn all(&self) -> impl Iterator<Item = &JobServer> {
        std::iter::once(&self.inner).chain(&self.outer)
    }
}

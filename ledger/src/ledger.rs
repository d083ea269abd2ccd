use std::{fmt::Debug, time::Duration};

use crate::{
    Bridges, JobRecord, JobState, LedgerEvent, Note, SlotReport, StoredResult, Taken, Ticket,
    UnverifiedReply,
};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use zkwhirl_job::{AttemptRecord, JobId, TicketId};

/// Tickets that may be open at once. Falafel's largest burst is 896 claims.
pub const OPEN_TICKETS: usize = 16_384;
/// Jobs that one listing returns at most.
pub const LISTING: usize = 16_384;
/// Unverified replies that a ledger keeps; the oldest go first. Falafel's
/// largest burst is 896 claims.
pub const UNVERIFIED: usize = 1_024;
/// How long an unverified reply is kept: well beyond the time after which its
/// job is proved again.
pub(crate) const UNVERIFIED_TTL: Duration = Duration::from_secs(3_600);

/// Why the ledger did not do what it was asked, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not now: the connection is gone or the call timed out. Try again; every call
    /// may be repeated.
    #[error("the ledger is away: {0}")]
    Away(String),
    /// A limit is reached: try again when jobs have finished.
    #[error("the ledger holds {limit} {what}, its limit")]
    Full {
        /// What the limit counts.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A stored value is not what was written. The ledger dropped it, so the next
    /// call finds none.
    #[error("{key} is damaged and was dropped: {why}")]
    Damaged {
        /// Its key.
        key: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Tickets, jobs, requests, results and attempts, shared by several [`Bridges`].
#[async_trait]
pub trait Ledger: Bridges {
    /// Brings a request to where [`Ledger::take`] will want it: what need not
    /// wait until the jobs before it are taken. It may be left out and may fail;
    /// then `take` does it.
    async fn upload(&self, _job: &JobRecord, _request: &Bytes) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Takes a ticket in one step: it is open from now on, its job is known,
    /// and the job's request is kept.
    ///
    /// A known job stays what it is, except that a withdrawn or rejected one
    /// starts again as taken. `job` is used when the job is new.
    async fn take(
        &self,
        ticket: &Ticket,
        job: &JobRecord,
        request: &Bytes,
    ) -> Result<Taken, LedgerError>;

    /// All open tickets, oldest first; at most [`OPEN_TICKETS`].
    async fn open_tickets(&self) -> Result<Vec<Ticket>, LedgerError>;

    /// The open tickets of one job, oldest first.
    async fn tickets_of(&self, job: JobId) -> Result<Vec<Ticket>, LedgerError>;

    /// Closes a ticket, which was answered or is no longer waited for. False:
    /// it was not open.
    async fn close_ticket(&self, ticket: TicketId) -> Result<bool, LedgerError>;

    /// What is known about a job.
    async fn job(&self, job: JobId) -> Result<Option<JobRecord>, LedgerError>;

    /// At most `limit` jobs in one of `states`, in the order of their taking.
    async fn jobs(&self, states: &[JobState], limit: usize) -> Result<Vec<JobRecord>, LedgerError>;

    /// Moves a job to `to` if it is in one of `from` now. False: it is in
    /// another state, unknown, or may not move so.
    async fn transition(
        &self,
        job: JobId,
        from: &[JobState],
        to: JobState,
        note: &Note,
    ) -> Result<bool, LedgerError>;

    /// The request of a job: exactly the bytes that the job is named after,
    /// however they are kept. `None`: there is none, and without it the job is
    /// not known any more either.
    async fn request(&self, job: JobId) -> Result<Option<Bytes>, LedgerError>;

    /// Keeps a result; the first one stays. False: there was one.
    async fn store_result(&self, job: JobId, result: &StoredResult) -> Result<bool, LedgerError>;

    /// The result of a job. A result whose bytes do not match their digest is
    /// dropped and counts as none.
    async fn result(&self, job: JobId) -> Result<Option<StoredResult>, LedgerError>;

    /// Drops a result that turned out to be wrong.
    async fn drop_result(&self, job: JobId) -> Result<(), LedgerError>;

    /// Keeps a reply that could not be verified yet, apart from the results. A
    /// second reply to the job replaces the first, whose time stays. At most
    /// [`UNVERIFIED`] are kept, each for one hour.
    async fn store_unverified(&self, job: JobId, result: &StoredResult) -> Result<(), LedgerError>;

    /// The unverified reply of a job. One whose bytes do not match their digest
    /// any more is dropped and counts as none.
    async fn unverified(&self, job: JobId) -> Result<Option<UnverifiedReply>, LedgerError>;

    /// The jobs that have an unverified reply, oldest first.
    async fn unverified_jobs(&self) -> Result<Vec<JobId>, LedgerError>;

    /// Drops the unverified reply of a job.
    async fn drop_unverified(&self, job: JobId) -> Result<(), LedgerError>;

    /// Adds to a job's failed attempts; the oldest go when there are more than
    /// [`zkwhirl_job::limits::ATTEMPT_RECORDS`].
    async fn add_attempt(&self, job: JobId, attempt: &AttemptRecord) -> Result<(), LedgerError>;

    /// A job's failed attempts, oldest first.
    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, LedgerError>;

    /// Keeps the report of a worker's slot for 10 s.
    async fn report(&self, slot: &SlotReport) -> Result<(), LedgerError>;

    /// The reports of the last 10 s, by the slots' names; at most
    /// [`SLOTS`](crate::SLOTS).
    async fn slots(&self) -> Result<Vec<SlotReport>, LedgerError>;

    /// The events after `cursor`, or from the oldest with `None`; in order, at most
    /// `limit`. `None`: this ledger keeps no events, since only this process changes
    /// it: [`crate::Events`] has them all.
    async fn happened(
        &self,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<Option<Vec<LedgerEvent>>, LedgerError> {
        Ok(None)
    }

    /// How often the ledger noticed that it lost all data. A bridge must then stop
    /// pinging the tickets that are not in the ledger any more, so that Falafel
    /// issues them again.
    fn losses(&self) -> watch::Receiver<u64>;
}

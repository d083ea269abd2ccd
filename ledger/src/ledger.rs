use std::{fmt::Debug, time::Duration};

use crate::{
    Bridges, JobRecord, JobState, LedgerEvent, Note, SlotReport, StoredResult, Taken, Ticket,
    UnverifiedReply,
};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;
use zkwhirl_job::{AttemptRecord, JobId, TicketId};

/// How many tickets may be open at once. Falafel's largest burst is 896 claims.
pub const OPEN_TICKETS: usize = 16_384;
/// How many jobs one listing returns, at most.
pub const LISTING: usize = 16_384;
/// How many unverified replies a ledger keeps, at most; the oldest are dropped first.
/// Falafel's largest burst is 896 claims.
pub const UNVERIFIED: usize = 1_024;
/// How long an unverified reply is kept: well beyond the time after which its
/// job is proved again.
pub(crate) const UNVERIFIED_TTL: Duration = Duration::from_secs(3_600);

/// Why a call to the ledger failed, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The ledger cannot do it now: no connection, or no answer in time. Try again;
    /// every call may be repeated.
    #[error("the ledger is unavailable: {0}")]
    Away(String),
    /// A limit is reached: try again when jobs have finished.
    #[error("the ledger holds {limit} {what}, its limit")]
    Full {
        /// What the limit counts.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A stored value is not what was written. The ledger dropped the value, so the
    /// next call finds none.
    #[error("{key} is damaged and was dropped: {why}")]
    Damaged {
        /// The value's key.
        key: String,
        /// What is wrong with the value.
        why: String,
    },
}

/// The store of tickets, jobs, requests, results and attempts, which several
/// [`Bridges`] share.
#[async_trait]
pub trait Ledger: Bridges {
    /// Sends a request to the ledger ahead of [`Ledger::take`], while the jobs before
    /// it are still being taken. The call is optional and may fail: `take` then sends
    /// the request.
    async fn upload(&self, _job: &JobRecord, _request: &Bytes) -> Result<(), LedgerError> {
        Ok(())
    }

    /// Takes a ticket in one step: opens the ticket, and stores the record and the
    /// request of its job.
    ///
    /// A stored record of the job stays unchanged, except that a withdrawn or rejected
    /// job starts again as taken. `job` is used if the job is new.
    async fn take(
        &self,
        ticket: &Ticket,
        job: &JobRecord,
        request: &Bytes,
    ) -> Result<Taken, LedgerError>;

    /// Returns all open tickets, oldest first; at most [`OPEN_TICKETS`].
    async fn open_tickets(&self) -> Result<Vec<Ticket>, LedgerError>;

    /// Returns the open tickets of one job, oldest first.
    async fn tickets_of(&self, job: JobId) -> Result<Vec<Ticket>, LedgerError>;

    /// Closes a ticket that was answered or that Falafel no longer waits for. False:
    /// the ticket was not open.
    async fn close_ticket(&self, ticket: TicketId) -> Result<bool, LedgerError>;

    /// Returns the record of a job, if the ledger has one.
    async fn job(&self, job: JobId) -> Result<Option<JobRecord>, LedgerError>;

    /// Returns at most `limit` jobs in one of `states`, in the order of their taking.
    async fn jobs(&self, states: &[JobState], limit: usize) -> Result<Vec<JobRecord>, LedgerError>;

    /// Moves a job to the state `to` if its state is one of `from`. False: the job has
    /// another state or is unknown, or the states allow no such move.
    async fn transition(
        &self,
        job: JobId,
        from: &[JobState],
        to: JobState,
        note: &Note,
    ) -> Result<bool, LedgerError>;

    /// Returns the request of a job, byte for byte as it was taken. `None`: the ledger has
    /// no request, and drops the record of the job, which cannot be proved without one.
    async fn request(&self, job: JobId) -> Result<Option<Bytes>, LedgerError>;

    /// Stores a result if the job has none. False: the job has an earlier result.
    async fn store_result(&self, job: JobId, result: &StoredResult) -> Result<bool, LedgerError>;

    /// Returns the result of a job. A result whose bytes do not match their digest is
    /// dropped and not returned.
    async fn result(&self, job: JobId) -> Result<Option<StoredResult>, LedgerError>;

    /// Drops the result of a job, after it turned out to be wrong.
    async fn drop_result(&self, job: JobId) -> Result<(), LedgerError>;

    /// Stores a reply that cannot be verified yet, apart from the results. A second
    /// reply to the job replaces the first, but keeps the first one's time. At most
    /// [`UNVERIFIED`] replies are kept, each for one hour.
    async fn store_unverified(&self, job: JobId, result: &StoredResult) -> Result<(), LedgerError>;

    /// Returns the unverified reply of a job. A reply whose bytes do not match their
    /// digest is dropped and not returned.
    async fn unverified(&self, job: JobId) -> Result<Option<UnverifiedReply>, LedgerError>;

    /// Returns the jobs that have an unverified reply, oldest first.
    async fn unverified_jobs(&self) -> Result<Vec<JobId>, LedgerError>;

    /// Drops the unverified reply of a job.
    async fn drop_unverified(&self, job: JobId) -> Result<(), LedgerError>;

    /// Adds a failed attempt to a job; the newest
    /// [`zkwhirl_job::limits::ATTEMPT_RECORDS`] are kept.
    async fn add_attempt(&self, job: JobId, attempt: &AttemptRecord) -> Result<(), LedgerError>;

    /// Returns a job's failed attempts, oldest first.
    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, LedgerError>;

    /// Stores the report of a worker's slot for 10 s.
    async fn report(&self, slot: &SlotReport) -> Result<(), LedgerError>;

    /// Returns the reports of the last 10 s, ordered by the slots' names; at most
    /// [`SLOTS`](crate::SLOTS).
    async fn slots(&self) -> Result<Vec<SlotReport>, LedgerError>;

    /// Returns the events after `cursor` (`None`: from the oldest), in order, at most
    /// `limit`. `None`: this ledger stores no events, because only this process changes
    /// it and [`crate::Events`] has all of them.
    async fn happened(
        &self,
        _cursor: Option<&str>,
        _limit: usize,
    ) -> Result<Option<Vec<LedgerEvent>>, LedgerError> {
        Ok(None)
    }

    /// Counts how often the ledger lost all data. After a loss a bridge must stop to ping
    /// the tickets that are no longer in the ledger, so that Falafel issues them again.
    fn losses(&self) -> watch::Receiver<u64>;
}

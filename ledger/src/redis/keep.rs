//! [`Ledger`] on Redis.

use async_trait::async_trait;
use bytes::Bytes;
use rand::Rng;
use redis::{Cmd, Value, cmd};
use tokio::sync::watch;
use zkwhirl_job::{AttemptRecord, JobId, TicketId, limits};

use super::{
    RedisLedger,
    frame::{self, Damage},
    link::Lane,
    number, odd,
    record::{self, NAME},
    scripts::script,
};
use crate::{
    JobRecord, JobState, Ledger, LedgerError, LedgerEvent, Note, SlotReport, StoredResult, Taken,
    Ticket, UnverifiedReply,
};

/// A damaged result: its sealed bytes are not what was written.
pub(super) struct DamagedResult {
    /// The value's first bytes, which differ from a result that is written meanwhile.
    begin: Bytes,
    pub(super) damage: Damage,
}

/// The largest value in bytes that takes the quick connection.
const SMALL: usize = 32 << 10;
/// The lifetime of a result whose job is unknown, because the ledger lost its data
/// while the job was proved. Falafel asks for the job again within seconds; an hour
/// also covers an outage. No other limit bounds these results.
const STRAY_MS: u64 = 3600 * 1000;

/// A random text by which a script recognizes a repeated call.
pub(super) fn nonce() -> String {
    format!("{:016x}", rand::thread_rng().r#gen::<u64>())
}

fn lane(bytes: usize) -> Lane {
    match bytes <= SMALL {
        true => Lane::Quick,
        false => Lane::Bulk,
    }
}

fn fits(what: &'static str, bytes: usize, limit: usize) -> Result<(), LedgerError> {
    if bytes <= limit {
        return Ok(());
    }
    Err(LedgerError::Full { what, limit })
}

fn fits_reply(result: &StoredResult) -> Result<(), LedgerError> {
    let bytes = result.reply.len();
    fits("bytes of one reply", bytes, limits::REPLY_BYTES)
}

#[async_trait]
impl Ledger for RedisLedger {
    /// Stores a large request under a key of its own, from which `take` moves it.
    async fn upload(&self, job: &JobRecord, request: &Bytes) -> Result<(), LedgerError> {
        if !(SMALL + 1..=limits::REQUEST_BYTES).contains(&request.len()) {
            return Ok(());
        }
        let sealed = frame::seal_request(job.command, request)?;
        let key = format!("{}u:{}", self.prefix(), job.id);
        let mut set = cmd("SET");
        set.arg((key, &sealed[..], "PX", STRAY_MS));
        self.command(Lane::Bulk, &set).await.map(drop)
    }

    async fn take(
        &self,
        ticket: &Ticket,
        job: &JobRecord,
        request: &Bytes,
    ) -> Result<Taken, LedgerError> {
        fits("bytes of one request", request.len(), limits::REQUEST_BYTES)?;
        let mut answer = None;
        if request.len() > SMALL {
            answer = self.take_with(ticket, job, b"").await?;
        }
        let answer = match answer {
            Some(answer) => answer,
            // The request is small, was not uploaded, or its upload has expired.
            None => {
                let sealed = frame::seal_request(job.command, request)?;
                let answer = self.take_with(ticket, job, &sealed).await?;
                answer.ok_or_else(|| odd(&Value::Nil))?
            }
        };
        let (new_ticket, new_job, fields) = match &answer[..] {
            [Value::Int(ticket), Value::Int(new), Value::Array(fields)] => {
                (*ticket == 1, *new == 1, fields)
            }
            [_full] => {
                let (what, limit) = ("open tickets", self.inner.config.open_tickets);
                return Err(LedgerError::Full { what, limit });
            }
            _ => return Err(odd(&Value::Nil)),
        };
        match record::record(job.id, fields) {
            Ok(job) => Ok(Taken {
                new_ticket,
                new_job,
                job,
            }),
            Err(why) => Err(self.forget(job.id, why).await?),
        }
    }

    async fn open_tickets(&self) -> Result<Vec<Ticket>, LedgerError> {
        self.list_tickets("tickets").await
    }

    async fn tickets_of(&self, job: JobId) -> Result<Vec<Ticket>, LedgerError> {
        self.list_tickets(&format!("tj:{job}")).await
    }

    async fn close_ticket(&self, ticket: TicketId) -> Result<bool, LedgerError> {
        self.drop_ticket(&ticket.to_string()).await
    }

    async fn job(&self, job: JobId) -> Result<Option<JobRecord>, LedgerError> {
        let found = match self.records(&[job]).await {
            Err(LedgerError::Damaged { why, .. }) => Some(Err(Damage(why))),
            found => found?.pop().map(|(_, record)| record),
        };
        match found.transpose() {
            Err(why) => Err(self.forget(job, why).await?),
            Ok(record) => Ok(record),
        }
    }

    async fn jobs(&self, states: &[JobState], limit: usize) -> Result<Vec<JobRecord>, LedgerError> {
        self.list_jobs(states, limit).await
    }

    async fn transition(
        &self,
        job: JobId,
        from: &[JobState],
        to: JobState,
        note: &Note,
    ) -> Result<bool, LedgerError> {
        let legal = from.iter().filter(|from| from.may_become(to));
        let allowed: Vec<_> = legal.map(|state| state.name()).collect();
        if allowed.is_empty() {
            return Ok(false);
        }
        let allowed = format!(",{},", allowed.join(","));
        let args = (
            job.to_string(),
            to.name(),
            allowed,
            nonce(),
            record::noted(note),
        );
        let call = self.call(script!("transition"), args);
        let answer = self.ask_about(job, Lane::Quick, &call).await?;
        Ok(number(&answer)? == 1)
    }

    async fn request(&self, job: JobId) -> Result<Option<Bytes>, LedgerError> {
        let sealed = match self.read_request(job).await? {
            Some(sealed) => Some(Ok(sealed)),
            // Absent or too large: the script returns which, and forgets the job.
            None => {
                let call = self.call(script!("request"), (job.to_string(), frame::REQUEST));
                self.value(&call, frame::REQUEST).await?
            }
        };
        let opened = sealed.map(|sealed| frame::open_request(sealed?, job));
        match opened.transpose() {
            Ok(request) => Ok(request),
            // A job without its request cannot be proved. Once it is unknown, the
            // bridge drops its tickets, and Falafel issues them again with the bytes.
            Err(why) => Err(self.forget_for(&format!("q:{job}"), job, why).await?),
        }
    }

    async fn store_result(&self, job: JobId, result: &StoredResult) -> Result<bool, LedgerError> {
        fits_reply(result)?;
        let value = frame::seal_result(result);
        let call = self.call(script!("store"), (job.to_string(), &value[..], STRAY_MS));
        let lane = lane(value.len());
        if self.number(lane, &call).await? == 1 {
            return Ok(true);
        }
        // The job has a result; reading it drops a damaged result.
        if self.result(job).await?.is_some() {
            return Ok(false);
        }
        Ok(self.number(lane, &call).await? == 1)
    }

    async fn result(&self, job: JobId) -> Result<Option<StoredResult>, LedgerError> {
        let key = format!("r:{job}");
        match self.sealed_result(&key).await? {
            None => Ok(None),
            Some(Ok(result)) => Ok(Some(result)),
            // A damaged result is dropped and not returned.
            Some(Err(DamagedResult { begin, damage })) => {
                self.drop_if(job, &begin).await?;
                self.damaged(&key, damage);
                Ok(None)
            }
        }
    }

    async fn drop_result(&self, job: JobId) -> Result<(), LedgerError> {
        self.drop_if(job, b"").await
    }

    async fn store_unverified(&self, job: JobId, result: &StoredResult) -> Result<(), LedgerError> {
        fits_reply(result)?;
        self.keep_unverified(job, result).await
    }

    async fn unverified(&self, job: JobId) -> Result<Option<UnverifiedReply>, LedgerError> {
        self.read_unverified(job).await
    }

    async fn unverified_jobs(&self) -> Result<Vec<JobId>, LedgerError> {
        self.list_unverified().await
    }

    async fn drop_unverified(&self, job: JobId) -> Result<(), LedgerError> {
        self.drop_unverified_reply(job).await
    }

    async fn add_attempt(&self, job: JobId, attempt: &AttemptRecord) -> Result<(), LedgerError> {
        let (job_id, value) = (job.to_string(), frame::seal_attempt(attempt));
        let args = (job_id, &value[..], limits::ATTEMPT_RECORDS, nonce());
        let call = self.call(script!("attempt"), args);
        let answer = self.ask_about(job, Lane::Quick, &call).await?;
        number(&answer).map(|_| ())
    }

    async fn attempts(&self, job: JobId) -> Result<Vec<AttemptRecord>, LedgerError> {
        self.list_attempts(job).await
    }

    async fn report(&self, slot: &SlotReport) -> Result<(), LedgerError> {
        self.keep_report(slot).await
    }

    async fn slots(&self) -> Result<Vec<SlotReport>, LedgerError> {
        self.list_slots().await
    }

    async fn happened(
        &self,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Option<Vec<LedgerEvent>>, LedgerError> {
        self.events_after(cursor, limit).await.map(Some)
    }

    fn losses(&self) -> watch::Receiver<u64> {
        self.inner.losses.subscribe()
    }
}

impl RedisLedger {
    /// Takes a ticket; an empty request was uploaded. `None`: the upload has expired.
    async fn take_with(
        &self,
        ticket: &Ticket,
        job: &JobRecord,
        sealed: &[u8],
    ) -> Result<Option<Vec<Value>>, LedgerError> {
        let args = (
            ticket.id.to_string(),
            frame::cut(&ticket.upstream, NAME),
            job.id.to_string(),
            ticket.taken_at_ms,
            nonce(),
            self.owner().clone(),
            self.inner.config.open_tickets,
            sealed,
            record::fields(job),
        );
        let call = self.call(script!("take"), args);
        match self.ask_about(job.id, lane(sealed.len()), &call).await? {
            Value::Array(answer) if matches!(answer[..], [_, Value::Int(0)]) => Ok(None),
            Value::Array(answer) => Ok(Some(answer)),
            other => Err(odd(&other)),
        }
    }

    /// Reads the sealed result under a key, or what is wrong with it. `None`: there is
    /// no result.
    pub(super) async fn sealed_result(
        &self,
        key: &str,
    ) -> Result<Option<Result<StoredResult, DamagedResult>>, LedgerError> {
        let call = self.call(script!("read"), (key, frame::RESULT));
        let Some(sealed) = self.value(&call, frame::RESULT).await? else {
            return Ok(None);
        };
        let begin = match &sealed {
            Ok(sealed) => sealed.slice(..sealed.len().min(frame::HEADER)),
            Err(_) => Bytes::new(),
        };
        let opened = match sealed.and_then(frame::open_result) {
            Ok(result) if result.is_intact() => Ok(result),
            Ok(_) => Err(Damage::of("the reply does not match its digest")),
            Err(damage) => Err(damage),
        };
        let damaged = |damage| DamagedResult { begin, damage };
        Ok(Some(opened.map_err(damaged)))
    }

    /// Reads a sealed request without a script, which would hash the bytes. `None`: the
    /// request is absent or too large.
    async fn read_request(&self, job: JobId) -> Result<Option<Bytes>, LedgerError> {
        let key = format!("{}q:{job}", self.prefix());
        let mut get = cmd("GETRANGE");
        // One byte above the limit shows that the value is too large.
        get.arg((key, 0, frame::REQUEST));
        match self.one(Lane::Bulk, &get).await? {
            Some(Value::BulkString(bytes)) if (1..=frame::REQUEST).contains(&bytes.len()) => {
                Ok(Some(bytes.into()))
            }
            _ => Ok(None),
        }
    }

    /// Runs one plain command. `None`: the key is of another type.
    pub(super) async fn one(
        &self,
        lane: Lane,
        command: &Cmd,
    ) -> Result<Option<Value>, LedgerError> {
        match self.command(lane, command).await {
            Err(LedgerError::Damaged { .. }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Deletes a damaged job's record, and returns the error for the caller.
    pub(super) async fn forget(&self, job: JobId, why: Damage) -> Result<LedgerError, LedgerError> {
        self.forget_for(&format!("j:{job}"), job, why).await
    }

    async fn forget_for(
        &self,
        key: &str,
        job: JobId,
        why: Damage,
    ) -> Result<LedgerError, LedgerError> {
        let call = self.call(script!("forget"), job.to_string());
        self.number(Lane::Quick, &call).await?;
        Ok(self.damaged(key, why))
    }

    pub(super) async fn drop_ticket(&self, ticket: &str) -> Result<bool, LedgerError> {
        let call = self.call(script!("close"), ticket);
        Ok(self.number(Lane::Quick, &call).await? == 1)
    }

    async fn drop_if(&self, job: JobId, begin: &[u8]) -> Result<(), LedgerError> {
        let call = self.call(script!("drop"), (job.to_string(), begin));
        self.number(Lane::Quick, &call).await.map(|_| ())
    }
}

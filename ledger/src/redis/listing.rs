//! Lists of tickets, jobs and attempts, in pages: a long script would block other
//! callers.

use redis::{Value, cmd, pipe};
use zkwhirl_job::{AttemptRecord, JobId, limits};

use super::{
    RedisLedger,
    frame::{self, Damage},
    items,
    link::Lane,
    odd,
    record::{self, text},
    scripts::script,
};
use crate::{JobRecord, JobState, LISTING, LedgerError, OPEN_TICKETS, Ticket};

/// How many tickets one page has: about a millisecond of Redis's time.
const TICKETS: usize = 512;
const RECORDS: usize = 256;

impl RedisLedger {
    /// Lists the tickets of an index, oldest first. Damaged tickets are dropped: no
    /// bridge pings them, so Falafel issues them again.
    pub(super) async fn list_tickets(&self, index: &str) -> Result<Vec<Ticket>, LedgerError> {
        let mut tickets = Vec::new();
        let mut after = "-1".to_owned();
        loop {
            let args = (index, &after, TICKETS, record::BYTES);
            let call = self.call(script!("tickets"), args);
            let page = items(self.ask(Lane::Quick, &call).await?)?;
            let full = page.len() == TICKETS;
            let last = page.last().and_then(|item| match item {
                Value::Array(fields) => fields.last().and_then(text),
                _ => None,
            });
            let last = last.unwrap_or_default().to_owned();
            tickets.extend(self.whole_tickets(&page).await?);
            if !full || tickets.len() >= OPEN_TICKETS || last == after || last.is_empty() {
                tickets.truncate(OPEN_TICKETS);
                return Ok(tickets);
            }
            after = last;
        }
    }

    /// Reads the tickets of a page, and drops the damaged ones.
    pub(super) async fn whole_tickets(&self, page: &[Value]) -> Result<Vec<Ticket>, LedgerError> {
        let mut tickets = Vec::with_capacity(page.len());
        for item in page {
            match record::ticket(item) {
                Ok(ticket) => tickets.push(ticket),
                Err(record::DamagedTicket(id)) => {
                    self.drop_ticket(&id).await?;
                    self.damaged(&format!("t:{id}"), Damage::of("the ticket lacks a field"));
                }
            }
        }
        Ok(tickets)
    }

    /// Lists the jobs in one of `states`, in the order of their taking.
    pub(super) async fn list_jobs(
        &self,
        states: &[JobState],
        limit: usize,
    ) -> Result<Vec<JobRecord>, LedgerError> {
        let limit = limit.min(LISTING);
        if states.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let mut commands = pipe();
        for state in states {
            let index = format!("{}s:{state}", self.prefix());
            let range = (index, 0, limit - 1, "WITHSCORES");
            commands.cmd("ZRANGE").arg(range);
        }
        let indices = self.commands(&commands).await?;
        let mut order: Vec<_> = indices.iter().flat_map(sequenced).collect();
        order.sort_unstable();
        order.dedup();
        order.truncate(limit);
        let mut jobs = Vec::with_capacity(order.len());
        let ids: Vec<_> = order.into_iter().map(|(_, job)| job).collect();
        for page in ids.chunks(RECORDS) {
            for (job, found) in self.records(page).await? {
                match found {
                    // The job's state may have changed since the index was read.
                    Ok(record) if states.contains(&record.state) => jobs.push(record),
                    Ok(_) => {}
                    Err(why) => {
                        self.forget(job, why).await?;
                    }
                }
            }
        }
        Ok(jobs)
    }

    /// Reads the records of those of `jobs` that are known, or what is wrong with each
    /// record.
    pub(super) async fn records(
        &self,
        jobs: &[JobId],
    ) -> Result<Vec<(JobId, Result<JobRecord, Damage>)>, LedgerError> {
        let ids: Vec<_> = jobs.iter().map(JobId::to_string).collect();
        let call = self.call(script!("records"), (record::BYTES, ids));
        let found = items(self.ask(Lane::Quick, &call).await?)?;
        let records = jobs.iter().zip(found).filter_map(|(job, found)| {
            let record = match found {
                Value::Array(fields) => record::record(*job, &fields),
                Value::Int(-1) => Err(Damage::of("the record is no hash")),
                Value::Int(bytes) => Err(Damage(format!(
                    "{bytes} bytes, the limit is {}",
                    record::BYTES
                ))),
                _ => return None,
            };
            Some((*job, record))
        });
        Ok(records.collect())
    }

    /// Lists a job's attempts. If one is damaged all are dropped: a history with gaps
    /// misleads.
    pub(super) async fn list_attempts(
        &self,
        job: JobId,
    ) -> Result<Vec<AttemptRecord>, LedgerError> {
        let args = (job.to_string(), frame::ATTEMPTS, limits::ATTEMPT_RECORDS);
        let call = self.call(script!("attempts"), args);
        let opened = |item| match item {
            Value::BulkString(sealed) => frame::open_attempt(sealed.into()),
            _ => Err(Damage::of("an item is no text")),
        };
        let attempts = match self.ask(Lane::Quick, &call).await {
            Ok(Value::Array(items)) => items.into_iter().map(opened).collect(),
            Ok(Value::Int(size)) => Err(Damage(format!(
                "{size} items or bytes, more than the limit"
            ))),
            Ok(other) => return Err(odd(&other)),
            Err(LedgerError::Damaged { why, .. }) => Err(Damage(why)),
            Err(error) => return Err(error),
        };
        let why = match attempts {
            Ok(attempts) => return Ok(attempts),
            Err(why) => why,
        };
        let key = format!("a:{job}");
        let mut del = cmd("DEL");
        del.arg(format!("{}{key}", self.prefix()));
        self.command(Lane::Quick, &del).await?;
        Err(self.damaged(&key, why))
    }
}

/// Reads the jobs of an index with their sequence numbers.
fn sequenced(index: &Value) -> Vec<(u64, JobId)> {
    let Value::Array(flat) = index else {
        return Vec::new();
    };
    let pairs = flat.chunks_exact(2);
    let jobs = pairs.filter_map(|pair| {
        let job = text(&pair[0])?.parse().ok()?;
        Some((text(&pair[1])?.parse().ok()?, job))
    });
    jobs.collect()
}

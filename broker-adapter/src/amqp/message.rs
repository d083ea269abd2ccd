//! Bodies and headers: what goes out, and what is made of what comes in.

use bytes::Bytes;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use zkwhirl_job::{
    JobId,
    envelope::{BODY_BYTES, JobEnvelope, ResultEnvelope},
};
use zkwhirl_telemetry::trace::{HEADER, is_context};

use super::{
    config::Limits,
    dead,
    names::{DEAD, DEAD_QUEUE, JOBS, RESULTS, RESULTS_QUEUE, RETRY},
    names::{job_key, jobs_queue, retry_key, rung_queue},
    publisher::Outgoing,
};
use crate::{BrokerError, DeadLetter, Rung};

/// Counted by quorum queues: deliveries that ended without an ack.
pub(super) const DELIVERY_COUNT: &str = "x-delivery-count";
/// How often the job was handed back for the sake of another worker.
pub(super) const LEFT_TO_OTHERS: &str = "zkwhirl-left-to-others";
/// The attempt that the next claim will be, for people with a broker's console.
const ATTEMPT: &str = "zkwhirl-attempt";

/// `type` of the messages.
pub(super) const JOB: &str = "job";
pub(super) const RESULT: &str = "result";
pub(super) const LETTER: &str = "dead-letter";

const PERSISTENT: u8 = 2;

/// Makes messages; knows the queues' limits.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    limits: Limits,
}

impl Mail {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// A job for its topic, at once or after a rung's delay.
    pub(super) fn job(
        &self,
        job: &JobEnvelope,
        after: Option<Rung>,
    ) -> Result<Outgoing, BrokerError> {
        match after {
            None => self.outgoing(job, JOBS, job_key(job.kind), jobs_queue(job.topic())),
            Some(rung) => self.retry(job, rung),
        }
    }

    /// A job that comes back after a rung's delay.
    pub(super) fn retry(&self, job: &JobEnvelope, rung: Rung) -> Result<Outgoing, BrokerError> {
        let queue = rung_queue(job.topic(), rung);
        self.outgoing(job, RETRY, retry_key(job.kind, Some(rung)), queue)
    }

    /// A job that comes back behind the others; workers may only write to the
    /// retry exchange, which leads on to the jobs.
    pub(super) fn hand_back(&self, job: &JobEnvelope) -> Result<Outgoing, BrokerError> {
        let queue = jobs_queue(job.topic());
        self.outgoing(job, RETRY, retry_key(job.kind, None), queue)
    }

    fn outgoing(
        &self,
        job: &JobEnvelope,
        exchange: &'static str,
        key: String,
        queue: &'static str,
    ) -> Result<Outgoing, BrokerError> {
        let body = job.to_bytes();
        fits(&body, job.id)?;
        let mut headers = header(ATTEMPT, job.attempt);
        insert_trace(&mut headers, job.trace.as_deref());
        let properties = properties(JOB, job.id).with_headers(headers);
        Ok(Outgoing {
            exchange,
            key,
            properties,
            body,
            queue,
            limit: self.limits.queue_limit,
            mandatory: true,
        })
    }

    pub(super) fn result(&self, result: &ResultEnvelope) -> Result<Outgoing, BrokerError> {
        let body = result.to_bytes();
        fits(&body, result.id)?;
        let correlation = format!("{}.{}", result.id, result.attempt);
        let mut headers = FieldTable::default();
        insert_trace(&mut headers, result.trace.as_deref());
        Ok(Outgoing {
            exchange: RESULTS,
            key: result.kind.name().into(),
            properties: properties(RESULT, result.id)
                .with_correlation_id(correlation.into())
                .with_headers(headers),
            body,
            queue: RESULTS_QUEUE,
            limit: self.limits.queue_limit,
            mandatory: true,
        })
    }

    pub(super) fn letter(&self, letter: &DeadLetter) -> Result<Outgoing, BrokerError> {
        let body = dead::encode(letter);
        if body.len() > dead::LETTER_BYTES {
            return Err(BrokerError::Refused(format!(
                "the letter of job {} has {} bytes, the limit is {}",
                letter.id.short(),
                body.len(),
                dead::LETTER_BYTES
            )));
        }
        Ok(Outgoing {
            exchange: DEAD,
            key: letter.kind.map_or("unknown", |kind| kind.name()).into(),
            properties: properties(LETTER, letter.id),
            body,
            queue: DEAD_QUEUE,
            limit: self.limits.dead_limit,
            mandatory: true,
        })
    }
}

/// Says how often the job was left to others. The header lives as long as the
/// attempt does: a retry is a new message without it.
pub(super) fn left_to_others(mut message: Outgoing, times: u32) -> Outgoing {
    let mut headers = header(LEFT_TO_OTHERS, times);
    insert_trace(&mut headers, trace(&message.properties).as_deref());
    message.properties = message.properties.with_headers(headers);
    message
}

fn properties(kind: &str, id: JobId) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/msgpack".into())
        .with_type(kind.into())
        .with_message_id(id.to_string().into())
}

fn header(name: &str, value: u32) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert(name.into(), AMQPValue::LongLongInt(i64::from(value)));
    table
}

fn insert_trace(headers: &mut FieldTable, trace: Option<&str>) {
    if let Some(trace) = trace {
        headers.insert(HEADER.into(), AMQPValue::LongString(trace.into()));
    }
}

/// The trace that a message belongs to.
pub(super) fn trace(properties: &BasicProperties) -> Option<String> {
    let table = properties.headers().as_ref()?.inner();
    let AMQPValue::LongString(text) = table.get(HEADER)? else {
        return None;
    };
    let text = std::str::from_utf8(text.as_bytes()).ok()?;
    is_context(text).then(|| text.to_owned())
}

fn fits(body: &Bytes, id: JobId) -> Result<(), BrokerError> {
    if body.len() <= BODY_BYTES {
        return Ok(());
    }
    Err(BrokerError::Refused(format!(
        "job {} has {} bytes, the limit is {BODY_BYTES}",
        id.short(),
        body.len()
    )))
}

/// A header that is a count; 0 when there is none.
pub(super) fn count(properties: &BasicProperties, name: &str) -> u32 {
    let table = properties.headers().as_ref().map(FieldTable::inner);
    let value = table.and_then(|table| table.get(name));
    let number = match value {
        Some(AMQPValue::LongLongInt(n)) => *n,
        Some(AMQPValue::LongInt(n)) => i64::from(*n),
        Some(AMQPValue::LongUInt(n)) => i64::from(*n),
        Some(AMQPValue::ShortInt(n)) => i64::from(*n),
        Some(AMQPValue::ShortUInt(n)) => i64::from(*n),
        Some(AMQPValue::ShortShortInt(n)) => i64::from(*n),
        Some(AMQPValue::ShortShortUInt(n)) => i64::from(*n),
        _ => 0,
    };
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::{
        Kind,
        envelope::{Outcome, Payload},
    };

    use super::*;
    use zkwhirl_testkit::{claim_job, result_of};

    #[test]
    fn what_is_too_long_is_refused_before_it_is_sent() {
        let mail = Mail::new(Limits::default());
        let mut job = claim_job(1);
        job.payload = Payload::Inline(vec![0; BODY_BYTES].into());
        let refused = mail.job(&job, None).unwrap_err();
        assert!(matches!(refused, BrokerError::Refused(_)), "{refused}");
        let mut result = result_of(&claim_job(1), b"");
        result.outcome = Outcome::Proved(vec![0; BODY_BYTES].into());
        assert!(mail.result(&result).is_err());
    }

    #[test]
    fn a_trace_travels_with_whatever_becomes_of_a_job() {
        let mail = Mail::new(Limits::default());
        let mut job = claim_job(1);
        assert_eq!(trace(&mail.job(&job, None).unwrap().properties), None);
        let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        job.trace = Some(context.to_owned());
        let later = mail.job(&job, Some(Rung::Long)).unwrap();
        let back = left_to_others(mail.hand_back(&job).unwrap(), 2);
        let mut result = result_of(&job, b"");
        result.trace = job.trace.clone();
        for message in [later, back, mail.result(&result).unwrap()] {
            assert_eq!(trace(&message.properties).as_deref(), Some(context));
        }
        job.trace = Some("no context".to_owned());
        assert_eq!(trace(&mail.job(&job, None).unwrap().properties), None);
    }

    #[test]
    fn a_job_goes_where_its_kind_and_its_delay_say() {
        let mail = Mail::new(Limits::default());
        let job = claim_job(1);
        assert_eq!(job.kind, Kind::Claim);
        let to = |message: Outgoing| (message.exchange, message.key);
        let key = |key: &str| key.to_owned();
        let now = mail.job(&job, None).unwrap();
        assert_eq!(to(now), (JOBS, key("inner.claim")));
        let later = mail.job(&job, Some(Rung::Long)).unwrap();
        assert_eq!(to(later), (RETRY, key("10m.inner.claim")));
        let back = left_to_others(mail.hand_back(&job).unwrap(), 2);
        assert_eq!(count(&back.properties, LEFT_TO_OTHERS), 2);
        assert_eq!(count(&back.properties, DELIVERY_COUNT), 0);
        assert_eq!(to(back), (RETRY, key("now.inner.claim")));
    }
}

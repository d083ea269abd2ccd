//! The messages that go out.

use bytes::Bytes;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use zkwhirl_job::{
    JobId, Topic,
    envelope::{BODY_BYTES, JobEnvelope, ResultEnvelope},
};

use super::{
    config::Limits,
    headers::{
        ATTEMPT, JOB, LETTER, PASSED_ON, RESULT, UNREAD_SINCE, header, insert_trace, properties,
        trace,
    },
    letter::{self, LETTER_BYTES},
    names::{DEAD, DEAD_QUEUE, JOBS, RESULTS, RESULTS_QUEUE, RETRY},
    names::{job_key, jobs_queue, retry_key, rung_queue, unread_key, unread_queue},
    publisher::OutgoingMessage,
};
use crate::{BrokerError, DeadLetter, Rung};

/// Makes messages; knows the queues' limits.
#[derive(Debug, Clone)]
pub(super) struct MessageFactory {
    limits: Limits,
}

impl MessageFactory {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits }
    }

    /// A job for its topic, at once or after a rung's delay.
    pub(super) fn job(
        &self,
        job: &JobEnvelope,
        after: Option<Rung>,
    ) -> Result<OutgoingMessage, BrokerError> {
        match after {
            None => self.outgoing(job, JOBS, job_key(job.kind), jobs_queue(job.topic())),
            Some(rung) => self.retry(job, rung),
        }
    }

    /// A job that comes back after a rung's delay.
    pub(super) fn retry(
        &self,
        job: &JobEnvelope,
        rung: Rung,
    ) -> Result<OutgoingMessage, BrokerError> {
        let queue = rung_queue(job.topic(), rung);
        self.outgoing(job, RETRY, retry_key(job.kind, Some(rung)), queue)
    }

    /// A job that comes back behind the others; workers may only write to the
    /// retry exchange, which leads on to the jobs.
    pub(super) fn hand_back(&self, job: &JobEnvelope) -> Result<OutgoingMessage, BrokerError> {
        let queue = jobs_queue(job.topic());
        self.outgoing(job, RETRY, retry_key(job.kind, None), queue)
    }

    fn outgoing(
        &self,
        job: &JobEnvelope,
        exchange: &'static str,
        key: String,
        queue: &'static str,
    ) -> Result<OutgoingMessage, BrokerError> {
        let body = job.to_bytes();
        fits(&body, job.id)?;
        let mut headers = header(ATTEMPT, job.attempt);
        insert_trace(&mut headers, job.trace.as_deref());
        let properties = properties(JOB, job.id).with_headers(headers);
        Ok(OutgoingMessage {
            exchange,
            key,
            properties,
            body,
            queue,
            limit: self.limits.queue_limit,
            mandatory: true,
        })
    }

    pub(super) fn result(&self, result: &ResultEnvelope) -> Result<OutgoingMessage, BrokerError> {
        let body = result.to_bytes();
        fits(&body, result.id)?;
        let correlation = format!("{}.{}", result.id, result.attempt);
        let mut headers = FieldTable::default();
        insert_trace(&mut headers, result.trace.as_deref());
        Ok(OutgoingMessage {
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

    /// A message that this release cannot read, back to the longest rung of its
    /// topic or, without a topic, of the results. Body and headers stay as they
    /// are, but for the time since when it is unread.
    pub(super) fn unread(&self, message: UnreadMessage, since_ms: u64) -> OutgoingMessage {
        let UnreadMessage {
            topic,
            key,
            body,
            properties,
        } = message;
        let mut headers = properties.headers().clone().unwrap_or_default();
        let since = AMQPValue::LongLongInt(i64::try_from(since_ms).unwrap_or(i64::MAX));
        headers.insert(UNREAD_SINCE.into(), since);
        OutgoingMessage {
            exchange: RETRY,
            key: unread_key(topic, &key),
            properties: properties.with_headers(headers),
            body,
            queue: unread_queue(topic),
            limit: self.limits.queue_limit,
            mandatory: true,
        }
    }

    pub(super) fn letter(&self, letter: &DeadLetter) -> Result<OutgoingMessage, BrokerError> {
        let body = letter::encode(letter);
        if body.len() > LETTER_BYTES {
            return Err(BrokerError::Refused(format!(
                "the letter of job {} has {} bytes, the limit is {LETTER_BYTES}",
                letter.id.short(),
                body.len()
            )));
        }
        Ok(OutgoingMessage {
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

/// Notes how often the job was passed on to other workers. The header lives as
/// long as the attempt does: a retry is a new message without it.
pub(super) fn passed_on(mut message: OutgoingMessage, times: u32) -> OutgoingMessage {
    let mut headers = header(PASSED_ON, times);
    insert_trace(&mut headers, trace(&message.properties).as_deref());
    message.properties = message.properties.with_headers(headers);
    message
}

/// A message as the broker delivered it.
#[derive(Debug, Clone)]
pub(super) struct UnreadMessage {
    /// The topic of its queue; `None` for the queue of results.
    pub(super) topic: Option<Topic>,
    /// Its routing key.
    pub(super) key: String,
    pub(super) body: Bytes,
    pub(super) properties: BasicProperties,
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

#[cfg(test)]
mod tests {
    use zkwhirl_job::{
        Kind,
        envelope::{Outcome, Payload},
    };

    use super::*;
    use crate::amqp::headers::{DELIVERY_COUNT, count, number};
    use zkwhirl_testkit::{claim_job, result_of};

    #[test]
    fn what_is_too_long_is_refused_before_it_is_sent() {
        let factory = MessageFactory::new(Limits::default());
        let mut job = claim_job(1);
        job.payload = Payload::Inline(vec![0; BODY_BYTES].into());
        let refused = factory.job(&job, None).unwrap_err();
        assert!(matches!(refused, BrokerError::Refused(_)), "{refused}");
        let mut result = result_of(&claim_job(1), b"");
        result.outcome = Outcome::Proved(vec![0; BODY_BYTES].into());
        assert!(factory.result(&result).is_err());
    }

    #[test]
    fn a_trace_travels_with_whatever_becomes_of_a_job() {
        let factory = MessageFactory::new(Limits::default());
        let mut job = claim_job(1);
        assert_eq!(trace(&factory.job(&job, None).unwrap().properties), None);
        let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        job.trace = Some(context.to_owned());
        let later = factory.job(&job, Some(Rung::Long)).unwrap();
        let back = passed_on(factory.hand_back(&job).unwrap(), 2);
        let mut result = result_of(&job, b"");
        result.trace = job.trace.clone();
        for message in [later, back, factory.result(&result).unwrap()] {
            assert_eq!(trace(&message.properties).as_deref(), Some(context));
        }
        job.trace = Some("no context".to_owned());
        assert_eq!(trace(&factory.job(&job, None).unwrap().properties), None);
    }

    #[test]
    fn a_job_goes_where_its_kind_and_its_delay_say() {
        let factory = MessageFactory::new(Limits::default());
        let job = claim_job(1);
        assert_eq!(job.kind, Kind::Claim);
        let to = |message: OutgoingMessage| (message.exchange, message.key);
        let key = |key: &str| key.to_owned();
        let now = factory.job(&job, None).unwrap();
        assert_eq!(to(now), (JOBS, key("inner.claim")));
        let later = factory.job(&job, Some(Rung::Long)).unwrap();
        assert_eq!(to(later), (RETRY, key("10m.inner.claim")));
        let back = passed_on(factory.hand_back(&job).unwrap(), 2);
        assert_eq!(count(&back.properties, PASSED_ON), 2);
        assert_eq!(count(&back.properties, DELIVERY_COUNT), 0);
        assert_eq!(to(back), (RETRY, key("now.inner.claim")));
    }

    #[test]
    fn an_unread_message_keeps_body_headers_and_kind() {
        let factory = MessageFactory::new(Limits::default());
        let mut headers = header("theirs", 7);
        headers.insert(UNREAD_SINCE.into(), AMQPValue::LongInt(1));
        let theirs = properties("sketch", claim_job(1).id).with_headers(headers);
        let unread = |topic, key: &str| UnreadMessage {
            topic,
            key: key.to_owned(),
            body: Bytes::from_static(b"\xff???"),
            properties: theirs.clone(),
        };
        for (topic, key, expected) in [
            (Some(Topic::Inner), "inner.fee-payer", "10m.inner.fee-payer"),
            (
                Some(Topic::Inner),
                "now.inner.fee-payer",
                "10m.inner.fee-payer",
            ),
            (Some(Topic::Outer), "10m.outer.vk", "10m.outer.vk"),
            (None, "claim", "10m.results.claim"),
            (None, "10m.results.claim", "10m.results.claim"),
            (None, "", "10m.results.unknown"),
        ] {
            let back = factory.unread(unread(topic, key), 5);
            assert_eq!((back.exchange, &*back.key), (RETRY, expected));
            assert_eq!(back.body, &b"\xff???"[..]);
            assert_eq!(count(&back.properties, "theirs"), 7);
            assert_eq!(number(&back.properties, UNREAD_SINCE), Some(5));
            assert_eq!(back.properties.kind(), theirs.kind());
            assert_eq!(back.properties.message_id(), theirs.message_id());
        }
    }
}

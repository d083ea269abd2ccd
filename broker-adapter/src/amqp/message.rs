//! Makes the messages that this process publishes.

use bytes::Bytes;
use lapin::{
    BasicProperties,
    message::Delivery as LapinDelivery,
    types::{AMQPValue, FieldTable},
};
use zkwhirl_job::{
    JobId, Topic,
    envelope::{BODY_BYTES, JobEnvelope, ResultEnvelope},
};

use super::{
    headers::{
        ATTEMPT, JOB, LETTER, PASSED_ON, RESULT, UNREAD_SINCE, header, insert_trace, properties,
        trace,
    },
    letter::{self, LETTER_BYTES},
    names::{DEAD, DEAD_QUEUE, JOBS, RESULTS, RESULTS_QUEUE, RETRY},
    names::{job_key, jobs_queue, retry_key, rung_queue, unread_key, unread_queue},
};
use crate::{BrokerError, DeadLetter, Rung};

/// A message to publish. Publishing a message that no queue takes is an error,
/// except on the exchange of control messages, where no process may be listening.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage {
    pub(super) exchange: &'static str,
    pub(super) key: String,
    /// The queue that the message ends in, for the error if that queue is full.
    pub(super) queue: &'static str,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

impl OutgoingMessage {
    /// Makes the message of a job for its topic, at once or after a rung's delay.
    pub(super) fn job(job: &JobEnvelope, after: Option<Rung>) -> Result<Self, BrokerError> {
        match after {
            None => Self::outgoing(job, JOBS, job_key(job.kind), jobs_queue(job.topic())),
            Some(rung) => Self::retry(job, rung),
        }
    }

    pub(super) fn retry(job: &JobEnvelope, rung: Rung) -> Result<Self, BrokerError> {
        let queue = rung_queue(job.topic(), rung);
        Self::outgoing(job, RETRY, retry_key(job.kind, Some(rung)), queue)
    }

    /// Makes the message that requeues a job behind the others. Workers may not write
    /// to the jobs exchange, so it goes to the retry exchange, which leads on to jobs.
    pub(super) fn hand_back(job: &JobEnvelope) -> Result<Self, BrokerError> {
        let queue = jobs_queue(job.topic());
        Self::outgoing(job, RETRY, retry_key(job.kind, None), queue)
    }

    fn outgoing(
        job: &JobEnvelope,
        exchange: &'static str,
        key: String,
        queue: &'static str,
    ) -> Result<Self, BrokerError> {
        let mut headers = header(ATTEMPT, job.attempt);
        insert_trace(&mut headers, job.trace.as_deref());
        Ok(Self {
            exchange,
            key,
            queue,
            properties: properties(JOB, job.id).with_headers(headers),
            body: fits("job", job.id, job.to_bytes(), BODY_BYTES)?,
        })
    }

    pub(super) fn result(result: &ResultEnvelope) -> Result<Self, BrokerError> {
        let correlation = format!("{}.{}", result.id, result.attempt);
        let mut headers = FieldTable::default();
        insert_trace(&mut headers, result.trace.as_deref());
        Ok(Self {
            exchange: RESULTS,
            key: result.kind.name().into(),
            queue: RESULTS_QUEUE,
            properties: properties(RESULT, result.id)
                .with_correlation_id(correlation.into())
                .with_headers(headers),
            body: fits(
                "the result of job",
                result.id,
                result.to_bytes(),
                BODY_BYTES,
            )?,
        })
    }

    /// Makes the message that returns an unreadable message to the longest rung of
    /// its topic or, without a topic, of the results. Body and headers stay the same,
    /// except for the header with the time since when the message is unread.
    pub(super) fn unread(message: UnreadMessage, since_ms: u64) -> Self {
        let UnreadMessage {
            topic,
            key,
            body,
            properties,
        } = message;
        let mut headers = properties.headers().clone().unwrap_or_default();
        let since = AMQPValue::LongLongInt(i64::try_from(since_ms).unwrap_or(i64::MAX));
        headers.insert(UNREAD_SINCE.into(), since);
        Self {
            exchange: RETRY,
            key: unread_key(topic, &key),
            queue: unread_queue(topic),
            properties: properties.with_headers(headers),
            body,
        }
    }

    pub(super) fn letter(letter: &DeadLetter) -> Result<Self, BrokerError> {
        let body = letter::encode(letter);
        Ok(Self {
            exchange: DEAD,
            key: letter.kind.map_or("unknown", |kind| kind.name()).into(),
            queue: DEAD_QUEUE,
            properties: properties(LETTER, letter.id),
            body: fits("the letter of job", letter.id, body, LETTER_BYTES)?,
        })
    }

    /// Sets the header that counts how often the job was passed on to other workers.
    /// The count is per attempt: a retry is a new message without the header.
    pub(super) fn passed_on(mut self, times: u32) -> Self {
        let mut headers = header(PASSED_ON, times);
        insert_trace(&mut headers, trace(&self.properties).as_deref());
        self.properties = self.properties.with_headers(headers);
        self
    }
}

/// A delivered message that this process cannot read.
#[derive(Debug, Clone)]
pub(super) struct UnreadMessage {
    /// The topic of the message's queue; `None` for the queue of results.
    pub(super) topic: Option<Topic>,
    /// The message's routing key.
    pub(super) key: String,
    pub(super) body: Bytes,
    pub(super) properties: BasicProperties,
}

impl UnreadMessage {
    /// Takes over a delivered message; `topic` reads the topic from the routing key.
    pub(super) fn of(message: LapinDelivery, topic: impl FnOnce(&str) -> Option<Topic>) -> Self {
        let key = message.routing_key.to_string();
        Self {
            topic: topic(&key),
            key,
            body: message.data.into(),
            properties: message.properties,
        }
    }
}

fn fits(what: &str, id: JobId, body: Bytes, limit: usize) -> Result<Bytes, BrokerError> {
    let (id, bytes) = (id.short(), body.len());
    if bytes <= limit {
        return Ok(body);
    }
    let why = format!("{what} {id} has {bytes} bytes, the limit is {limit}");
    Err(BrokerError::Refused(why))
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
        let mut job = claim_job(1);
        job.payload = Payload::Inline(vec![0; BODY_BYTES].into());
        let refused = OutgoingMessage::job(&job, None).unwrap_err();
        assert!(matches!(refused, BrokerError::Refused(_)), "{refused}");
        let mut result = result_of(&claim_job(1), b"");
        result.outcome = Outcome::Proved(vec![0; BODY_BYTES].into());
        assert!(OutgoingMessage::result(&result).is_err());
    }

    #[test]
    fn a_trace_travels_with_whatever_becomes_of_a_job() {
        let mut job = claim_job(1);
        let sent = OutgoingMessage::job(&job, None).unwrap();
        assert_eq!(trace(&sent.properties), None);
        let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        job.trace = Some(context.to_owned());
        let later = OutgoingMessage::job(&job, Some(Rung::Long)).unwrap();
        let back = OutgoingMessage::hand_back(&job).unwrap().passed_on(2);
        let mut result = result_of(&job, b"");
        result.trace = job.trace.clone();
        for message in [later, back, OutgoingMessage::result(&result).unwrap()] {
            assert_eq!(trace(&message.properties).as_deref(), Some(context));
        }
        job.trace = Some("no context".to_owned());
        let sent = OutgoingMessage::job(&job, None).unwrap();
        assert_eq!(trace(&sent.properties), None);
    }

    #[test]
    fn a_job_goes_where_its_kind_and_its_delay_say() {
        let job = claim_job(1);
        assert_eq!(job.kind, Kind::Claim);
        let to = |message: OutgoingMessage| (message.exchange, message.key);
        let key = |key: &str| key.to_owned();
        let now = OutgoingMessage::job(&job, None).unwrap();
        assert_eq!(to(now), (JOBS, key("inner.claim")));
        let later = OutgoingMessage::job(&job, Some(Rung::Long)).unwrap();
        assert_eq!(to(later), (RETRY, key("10m.inner.claim")));
        let back = OutgoingMessage::hand_back(&job).unwrap().passed_on(2);
        assert_eq!(count(&back.properties, PASSED_ON), 2);
        assert_eq!(count(&back.properties, DELIVERY_COUNT), 0);
        assert_eq!(to(back), (RETRY, key("now.inner.claim")));
    }

    #[test]
    fn an_unread_message_keeps_body_headers_and_kind() {
        let mut headers = header("theirs", 7);
        headers.insert(UNREAD_SINCE.into(), AMQPValue::LongInt(1));
        let theirs = properties("sketch", claim_job(1).id).with_headers(headers);
        let unread = |topic, key: &str| UnreadMessage {
            topic,
            key: key.to_owned(),
            body: Bytes::from_static(b"\xff???"),
            properties: theirs.clone(),
        };
        let [inner, outer] = [Topic::Inner, Topic::Outer].map(Some);
        for (topic, key, expected) in [
            (inner, "inner.fee-payer", "10m.inner.fee-payer"),
            (inner, "now.inner.fee-payer", "10m.inner.fee-payer"),
            (outer, "10m.outer.vk", "10m.outer.vk"),
            (None, "claim", "10m.results.claim"),
            (None, "10m.results.claim", "10m.results.claim"),
            (None, "", "10m.results.unknown"),
        ] {
            let back = OutgoingMessage::unread(unread(topic, key), 5);
            assert_eq!((back.exchange, &*back.key), (RETRY, expected));
            assert_eq!(back.body, &b"\xff???"[..]);
            assert_eq!(count(&back.properties, "theirs"), 7);
            assert_eq!(number(&back.properties, UNREAD_SINCE), Some(5));
            assert_eq!(back.properties.kind(), theirs.kind());
            assert_eq!(back.properties.message_id(), theirs.message_id());
        }
    }
}

//! Dead letters: what is in their queue, and how it is looked through.
//!
//! Three things end there: our own letters; jobs that the broker gave up on at
//! the delivery limit, as they were; and bodies that nobody could read. All are
//! shown as letters.
//!
//! A queue cannot be looked into, so a look takes every message and gives it
//! back. Two processes that look at the same time may each see a part; within
//! one process looks wait for each other.

use std::collections::HashMap;

use bytes::Bytes;
use lapin::{
    BasicProperties, Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions},
    types::{AMQPValue, FieldTable},
};
use serde::Deserialize;
use tokio::sync::Mutex;
use zkwhirl_job::{
    JobId,
    envelope::{BODY_BYTES, JobEnvelope, Payload, VERSION},
    limits,
};

use super::{
    Shared,
    error::call,
    message::{LETTER, RESULT},
    names::DEAD_QUEUE,
};
use crate::{BrokerError, DeadLetter};
use zkwhirl_job::clock;

/// The longest letter: a job's longest body and its reason.
pub(super) const LETTER_BYTES: usize = BODY_BYTES + (64 << 10);
/// Letters that one look goes through.
const SCAN: usize = 4_096;
/// Bytes that one look holds.
const SCAN_BYTES: usize = 256 << 20;
/// The deepest nesting that is read.
const DEPTH: usize = 16;

/// The body of a letter: a version byte, then MessagePack.
pub(super) fn encode(letter: &DeadLetter) -> Bytes {
    let mut out = vec![VERSION];
    rmp_serde::encode::write_named(&mut out, letter)
        .expect("writing plain data to memory cannot fail");
    out.into()
}

fn decode(body: &[u8]) -> Option<DeadLetter> {
    let (version, rest) = body.split_first()?;
    if *version != VERSION || body.len() > LETTER_BYTES {
        return None;
    }
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(rest);
    deserializer.set_max_depth(DEPTH);
    DeadLetter::deserialize(&mut deserializer).ok()
}

/// The letter of a body that nobody can read; `why` follows `job 1c9f… parked: `.
pub(super) fn unreadable(body: &[u8], properties: &BasicProperties, why: &str) -> DeadLetter {
    let named = properties.message_id().as_ref();
    let named = named.and_then(|id| id.as_str().parse().ok());
    // Without a name the body is one.
    let id = named.unwrap_or_else(|| JobId::of_code(u32::MAX, body));
    let kept = &body[..body.len().min(limits::REQUEST_BYTES)];
    DeadLetter {
        id,
        kind: None,
        rollup_id: None,
        reason: DeadLetter::sentence(id, why),
        history: Vec::new(),
        taken_at_ms: 0,
        died_at_ms: clock::now_ms(),
        payload: Payload::Inline(Bytes::copy_from_slice(kept)),
    }
}

/// A message of the queue as a letter.
fn letter(body: &[u8], properties: &BasicProperties, delivery_limit: u32) -> DeadLetter {
    let kind = properties.kind().as_ref().map(|kind| kind.as_str());
    if kind == Some(LETTER)
        && let Some(letter) = decode(body)
    {
        return letter;
    }
    let (reason, at_ms) = death(properties);
    let why = match reason.as_deref() {
        Some("delivery_limit") => format!(
            "delivered {} times without a verdict (delivery limit {delivery_limit}); \
             it may crash workers",
            delivery_limit + 1
        ),
        Some(reason) => format!("the broker gave it up ({reason})"),
        None => "found among the dead letters as no letter".into(),
    };
    let mut letter = match JobEnvelope::parse(body) {
        Ok(job) if kind != Some(RESULT) => DeadLetter::of(&job, &why, at_ms.unwrap_or(0)),
        _ => unreadable(body, properties, &why),
    };
    if let Some(at_ms) = at_ms {
        letter.died_at_ms = at_ms;
    }
    letter
}

/// The broker's own word on a message's last death: reason, and when in
/// milliseconds since the Unix epoch.
fn death(properties: &BasicProperties) -> (Option<String>, Option<u64>) {
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    let deaths = match headers.and_then(|headers| headers.get("x-death")) {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice(),
        _ => &[],
    };
    let Some(AMQPValue::FieldTable(last)) = deaths.first() else {
        return (None, None);
    };
    let reason = match last.inner().get("reason") {
        Some(AMQPValue::LongString(reason)) => Some(reason.to_string()),
        _ => None,
    };
    let at_ms = match last.inner().get("time") {
        Some(AMQPValue::Timestamp(seconds)) => Some(seconds * 1_000),
        _ => None,
    };
    (reason, at_ms)
}

/// The looks at the queue, one after the other.
#[derive(Debug, Default)]
pub(super) struct Letters {
    one_at_a_time: Mutex<()>,
}

/// What a look found.
pub(super) struct Found {
    /// Every job's newest letter, in the order of the queue.
    pub(super) letters: Vec<DeadLetter>,
    /// Whether that is all there are.
    pub(super) all: bool,
}

impl Letters {
    /// Goes through the letters. Those of `remove`, and those that a newer one
    /// of the same job has replaced, are taken out; true in the second place
    /// when `remove` was there.
    pub(super) async fn look(
        &self,
        shared: &Shared,
        remove: Option<JobId>,
    ) -> Result<(Found, bool), BrokerError> {
        let _turn = self.one_at_a_time.lock().await;
        let channel = shared.consuming.channel().await?;
        let looked = Look {
            shared,
            channel: &channel,
        };
        let found = looked.through(remove).await;
        // Gives back whatever was taken and not removed.
        let limit = shared.config.call_timeout;
        let closing = call("closing", limit, channel.close(200, "OK".into()));
        let closed = closing.await;
        let found = found?;
        closed.map(|()| found)
    }
}

struct Look<'a> {
    shared: &'a Shared,
    channel: &'a Channel,
}

impl Look<'_> {
    async fn through(&self, remove: Option<JobId>) -> Result<(Found, bool), BrokerError> {
        let mut letters: Vec<Option<DeadLetter>> = Vec::new();
        // Where in `letters` a job's newest letter is, with its message.
        let mut newest: HashMap<JobId, (usize, BasicGetMessage)> = HashMap::new();
        let (mut bytes, mut removed, mut seen) = (0, false, 0);
        while seen < SCAN && bytes < SCAN_BYTES {
            let Some(mut message) = self.get().await? else {
                break;
            };
            seen += 1;
            let body = std::mem::take(&mut message.delivery.data);
            bytes += body.len();
            let limit = self.shared.config.limits.delivery_limit;
            let letter = letter(&body, &message.delivery.properties, limit);
            if remove == Some(letter.id) {
                self.take_out(&message).await?;
                removed = true;
                continue;
            }
            let place = (letters.len(), message);
            if let Some((older, message)) = newest.insert(letter.id, place) {
                letters[older] = None;
                self.take_out(&message).await?;
            }
            letters.push(Some(letter));
        }
        let found = Found {
            letters: letters.into_iter().flatten().collect(),
            all: seen < SCAN && bytes < SCAN_BYTES,
        };
        Ok((found, removed))
    }

    async fn get(&self) -> Result<Option<BasicGetMessage>, BrokerError> {
        let limit = self.shared.config.call_timeout;
        let get = self
            .channel
            .basic_get(DEAD_QUEUE.into(), BasicGetOptions::default());
        call("reading the dead letters", limit, get).await
    }

    async fn take_out(&self, message: &BasicGetMessage) -> Result<(), BrokerError> {
        let limit = self.shared.config.call_timeout;
        let ack = message.delivery.acker.ack(BasicAckOptions::default());
        call("removing a dead letter", limit, ack).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use zkwhirl_job::Failure;

    use super::*;
    use zkwhirl_testkit::{claim_job, failed_by};

    #[test]
    fn a_letter_survives_its_journey() {
        let job = failed_by(claim_job(1), "a", Failure::prover("died"));
        let sent = DeadLetter::of(&job, "for the test", 7);
        assert_eq!(decode(&encode(&sent)), Some(sent));
        assert_eq!(decode(b""), None);
        assert_eq!(decode(&[9, 9]), None);
    }

    #[test]
    fn what_the_broker_gave_up_on_is_shown_as_a_letter() {
        let death = FieldTable::default();
        let mut entry = death.clone();
        entry.insert(
            "reason".into(),
            AMQPValue::LongString("delivery_limit".into()),
        );
        entry.insert("time".into(), AMQPValue::Timestamp(12));
        let mut headers = FieldTable::default();
        let deaths = vec![AMQPValue::FieldTable(entry)].into();
        headers.insert("x-death".into(), AMQPValue::FieldArray(deaths));
        let properties = BasicProperties::default().with_headers(headers);
        let job = claim_job(1);
        let shown = letter(&job.to_bytes(), &properties, 5);
        assert_eq!((shown.id, shown.kind), (job.id, Some(job.kind)));
        assert_eq!(shown.died_at_ms, 12_000);
        let expected = "delivered 6 times without a verdict (delivery limit 5)";
        assert!(shown.reason.contains(expected), "{}", shown.reason);
    }

    #[test]
    fn what_nobody_can_read_is_kept_under_its_name_or_its_hash() {
        let named = BasicProperties::default().with_message_id(claim_job(1).id.to_string().into());
        assert_eq!(unreadable(b"junk", &named, "no").id, claim_job(1).id);
        let nameless = unreadable(b"junk", &BasicProperties::default(), "no");
        assert_eq!(nameless.id, JobId::of_code(u32::MAX, b"junk"));
        assert_eq!(nameless.kind, None);
    }
}

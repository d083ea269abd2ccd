//! Reads the messages of the queue of dead letters as [`DeadLetter`]s.
//!
//! Three kinds of messages end there: zkWhirl's own letters; jobs that the broker
//! dead-lettered at the delivery limit, unchanged; and damaged bodies. Each is
//! read as a letter.

use bytes::Bytes;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use zkwhirl_job::envelope::{BODY_BYTES, BodyError, JobEnvelope, body};

use super::headers::{LETTER, RESULT};
use crate::{DeadClass, DeadLetter};

/// The longest letter in bytes: a job's longest body and its reason.
pub(super) const LETTER_BYTES: usize = BODY_BYTES + (64 << 10);

pub(super) fn encode(letter: &DeadLetter) -> Bytes {
    body::encode(letter)
}

fn decode(bytes: &[u8]) -> Result<DeadLetter, BodyError> {
    body::decode(bytes, "dead letter", LETTER_BYTES)
}

/// Makes the letter of a message that cannot be read; `why` follows
/// `job 1c9f… parked: `.
pub(super) fn of_unread(
    bytes: &[u8],
    properties: &BasicProperties,
    class: DeadClass,
    why: &str,
) -> DeadLetter {
    let named = properties.message_id().as_ref();
    let named = named.and_then(|id| id.as_str().parse().ok());
    DeadLetter::unread(named, class, bytes, why)
}

pub(super) fn of_message(
    bytes: &[u8],
    properties: &BasicProperties,
    delivery_limit: u32,
) -> DeadLetter {
    let kind = properties.kind().as_ref().map(|kind| kind.as_str());
    if kind == Some(LETTER)
        && let Ok(letter) = decode(bytes)
    {
        return letter;
    }
    let (reason, at_ms) = death(properties);
    let (class, why) = match reason.as_deref() {
        Some("delivery_limit") => (
            DeadClass::Crashes,
            DeadLetter::crashes(delivery_limit + 1, delivery_limit),
        ),
        Some(reason) => {
            let why = format!("the broker dead-lettered the job ({reason})");
            (DeadClass::Failed, why)
        }
        None => {
            let why = "the message in the queue of dead letters is no letter";
            (DeadClass::Damaged, why.to_owned())
        }
    };
    let mut letter = match JobEnvelope::parse(bytes) {
        Ok(job) if kind != Some(RESULT) => DeadLetter {
            class,
            ..DeadLetter::of(&job, &why, at_ms.unwrap_or(0))
        },
        _ => of_unread(bytes, properties, class, &why),
    };
    if let Some(at_ms) = at_ms {
        letter.died_at_ms = at_ms;
    }
    letter
}

/// Reads the newest entry of a message's `x-death` header: the reason, and the time
/// in milliseconds since the Unix epoch.
fn death(properties: &BasicProperties) -> (Option<String>, Option<u64>) {
    let headers = properties.headers().as_ref().map(FieldTable::inner);
    let deaths = headers.and_then(|headers| headers.get("x-death"));
    let Some(AMQPValue::FieldArray(deaths)) = deaths else {
        return (None, None);
    };
    let Some(AMQPValue::FieldTable(last)) = deaths.as_slice().first() else {
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

#[cfg(test)]
mod tests {
    use zkwhirl_job::{JobId, Kind, envelope::Payload};

    use super::*;
    use zkwhirl_testkit::{claim_job, wire};

    #[test]
    fn letters_of_0_1_0_are_read_and_written_as_they_were() {
        let id = wire::claim_id();
        let claim = DeadLetter {
            id,
            class: DeadClass::Failed,
            kind: Some(Kind::Claim),
            rollup_id: Some(7),
            reason: DeadLetter::parked(id, "for the test"),
            history: wire::history(),
            taken_at_ms: 1_700_000_000_123,
            died_at_ms: 1_700_000_100_456,
            payload: Payload::Inline(Bytes::from_static(b"request of claim")),
        };
        let unknown = DeadLetter {
            kind: None,
            rollup_id: None,
            history: Vec::new(),
            payload: Payload::Stored { bytes: 1_086_344 },
            ..claim.clone()
        };
        for (name, letter) in [("claim", claim.clone()), ("unknown", unknown)] {
            let bytes = wire::golden(&format!("dead-letter.{name}.bin"));
            assert_eq!(decode(&bytes).as_ref(), Ok(&letter));
            assert_eq!(encode(&letter), bytes, "{name}");
        }
        // A class that 0.1.0 did not have travels too.
        let class = DeadClass::Version;
        let sent = DeadLetter { class, ..claim };
        assert_eq!(decode(&encode(&sent)), Ok(sent));
        assert!(decode(b"").is_err());
        assert!(decode(&[9, 9]).is_err());
    }

    #[test]
    fn what_the_broker_gave_up_on_is_shown_as_a_letter() {
        let mut entry = FieldTable::default();
        let reason = AMQPValue::LongString("delivery_limit".into());
        entry.insert("reason".into(), reason);
        entry.insert("time".into(), AMQPValue::Timestamp(12));
        let mut headers = FieldTable::default();
        let deaths = vec![AMQPValue::FieldTable(entry)].into();
        headers.insert("x-death".into(), AMQPValue::FieldArray(deaths));
        let properties = BasicProperties::default().with_headers(headers);
        let job = claim_job(1);
        let shown = of_message(&job.to_bytes(), &properties, 5);
        assert_eq!((shown.id, shown.kind), (job.id, Some(job.kind)));
        assert_eq!(shown.class, DeadClass::Crashes);
        assert_eq!(shown.died_at_ms, 12_000);
        let expected = "delivered 6 times without a settlement (delivery limit 5)";
        assert!(shown.reason.contains(expected), "{}", shown.reason);
    }

    #[test]
    fn a_body_that_cannot_be_read_is_kept_under_its_id_or_its_hash() {
        let named = BasicProperties::default().with_message_id(claim_job(1).id.to_string().into());
        let unread = |properties| of_unread(b"junk", properties, DeadClass::Damaged, "no");
        assert_eq!(unread(&named).id, claim_job(1).id);
        let nameless = unread(&BasicProperties::default());
        assert_eq!(nameless.id, JobId::of_code(u32::MAX, b"junk"));
        assert_eq!(nameless.kind, None);
    }
}

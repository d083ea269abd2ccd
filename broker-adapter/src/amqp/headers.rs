//! The headers and properties of messages.

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use zkwhirl_job::JobId;
use zkwhirl_telemetry::trace::{HEADER, is_context};

/// Set by quorum queues: how many deliveries of the message ended without an ack.
pub(super) const DELIVERY_COUNT: &str = "x-delivery-count";
/// How often the job was requeued so that another worker takes it.
pub(super) const PASSED_ON: &str = "zkwhirl-left-to-others";
/// When a process first found that it cannot read the message, in milliseconds
/// since the Unix epoch: see [`crate::unread`].
pub(super) const UNREAD_SINCE: &str = "zkwhirl-unread-since";
/// The number of the job's next attempt, for people who read RabbitMQ's console.
pub(super) const ATTEMPT: &str = "zkwhirl-attempt";

/// The `type` property of a job's message.
pub(super) const JOB: &str = "job";
pub(super) const RESULT: &str = "result";
pub(super) const LETTER: &str = "dead-letter";

const PERSISTENT: u8 = 2;

/// The properties of a message of type `kind` about the job `id`.
pub(super) fn properties(kind: &str, id: JobId) -> BasicProperties {
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/msgpack".into())
        .with_type(kind.into())
        .with_message_id(id.to_string().into())
}

pub(super) fn header(name: &str, value: u32) -> FieldTable {
    let mut table = FieldTable::default();
    table.insert(name.into(), AMQPValue::LongLongInt(i64::from(value)));
    table
}

pub(super) fn insert_trace(headers: &mut FieldTable, trace: Option<&str>) {
    if let Some(trace) = trace {
        headers.insert(HEADER.into(), AMQPValue::LongString(trace.into()));
    }
}

pub(super) fn trace(properties: &BasicProperties) -> Option<String> {
    let AMQPValue::LongString(text) = value(properties, HEADER)? else {
        return None;
    };
    let text = std::str::from_utf8(text.as_bytes()).ok()?;
    is_context(text).then(|| text.to_owned())
}

/// Reads a header that is a count; 0 if the header is absent.
pub(super) fn count(properties: &BasicProperties, name: &str) -> u32 {
    let number = number(properties, name).unwrap_or(0);
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads an integer header of any width; a negative number becomes zero.
pub(super) fn number(properties: &BasicProperties, name: &str) -> Option<u64> {
    let number = match value(properties, name)? {
        AMQPValue::LongLongInt(n) => *n,
        AMQPValue::LongInt(n) => i64::from(*n),
        AMQPValue::LongUInt(n) => i64::from(*n),
        AMQPValue::ShortInt(n) => i64::from(*n),
        AMQPValue::ShortUInt(n) => i64::from(*n),
        AMQPValue::ShortShortInt(n) => i64::from(*n),
        AMQPValue::ShortShortUInt(n) => i64::from(*n),
        _ => return None,
    };
    Some(u64::try_from(number).unwrap_or(0))
}

fn value<'a>(properties: &'a BasicProperties, name: &str) -> Option<&'a AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

//! Values of release 0.1.0 are read, and what is written today is what 0.1.0
//! reads.

use std::collections::BTreeMap;

use bytes::Bytes;
use redis::Value;
use zkwhirl_job::{Kind, TicketId, Topic};
use zkwhirl_testkit::wire;

use super::{events, frame, record, slots};
use crate::{JobRecord, JobState, SlotActivity, SlotReport, StoredResult, Ticket};

type Fields = BTreeMap<String, String>;

fn json<T: serde::de::DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&wire::golden(name)).unwrap()
}

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

/// Makes the list in which Redis returns the fields of a hash or of an event.
fn flat(fields: &Fields) -> Vec<Value> {
    let pairs = fields.iter().flat_map(|(name, value)| [name, value]);
    pairs.map(|word| text(word)).collect()
}

fn claim() -> JobRecord {
    JobRecord {
        id: wire::claim_id(),
        command: 4,
        kind: Some(Kind::Claim),
        rollup_id: Some(7),
        request_bytes: b"request of claim".len(),
        taken_at_ms: 1_700_000_000_123,
        changed_at_ms: 1_700_000_000_456,
        state: JobState::Taken,
        attempt: 2,
        worker: Some("worker-1/0".into()),
        reason: Some("prover: reason 1".into()),
    }
}

#[test]
fn a_record_of_0_1_0_is_read_and_written_as_it_was() {
    let mut fields: Fields = json("ledger.job.json");
    assert_eq!(record::record(claim().id, &flat(&fields)), Ok(claim()));
    for (name, value) in record::fields(&claim()) {
        assert_eq!(fields.get(name), Some(&value), "{name}");
    }
    // A later release adds a field and a kind.
    fields.insert("urgency".into(), "high".into());
    fields.insert("kind".into(), "fee-payer".into());
    let read = record::record(claim().id, &flat(&fields));
    let kind = None;
    assert_eq!(read, Ok(JobRecord { kind, ..claim() }));
}

#[test]
fn a_ticket_of_0_1_0_is_read() {
    let fields: Fields = json("ledger.ticket.json");
    let id = TicketId([0x5a; 32]);
    let listed = ["job", "upstream", "at", "seq"].map(|name| text(&fields[name]));
    let listed = [vec![text(&id.to_string())], listed.to_vec()].concat();
    let expected = Ticket {
        id,
        upstream: "inner".into(),
        job: claim().id,
        taken_at_ms: 1_700_000_000_789,
    };
    assert_eq!(record::ticket(&Value::Array(listed)), Ok(expected));
    assert_eq!(fields["owner"], "bridge-1");
}

#[test]
fn requests_results_and_attempts_of_0_1_0_are_read_and_written_as_they_were() {
    let sealed = wire::golden("ledger.request.bin");
    let request = frame::open_request(sealed.clone(), claim().id);
    assert_eq!(request.unwrap(), "request of claim");
    assert_eq!(frame::seal_request(4, b"request of claim").unwrap(), sealed);

    let sealed = wire::golden("ledger.result.bin");
    let reply = Bytes::from_static(b"reply of claim");
    let result = StoredResult::new(reply, 5, "worker-5/1", 4_500);
    assert_eq!(frame::seal_result(&result), sealed);
    assert_eq!(frame::open_result(sealed), Ok(result));

    let sealed = wire::golden("ledger.attempt.bin");
    let attempt = wire::history().remove(1);
    assert_eq!(frame::seal_attempt(&attempt), sealed);
    assert_eq!(frame::open_attempt(sealed), Ok(attempt));
}

#[test]
fn a_slot_report_of_0_1_0_is_read_and_written_as_it_was() {
    let bytes = wire::golden("slot-report.json");
    let report = SlotReport {
        slot: "worker-1/0".into(),
        topics: vec![Topic::Outer, Topic::Inner],
        prover: "native".into(),
        version: "0.1.0".into(),
        doing: SlotActivity::Proving,
        quiet: true,
        draining: true,
        since_ms: 1_700_000_000_123,
        at_ms: 1_700_000_000_456,
        job: Some(claim().id),
        kind: Some(Kind::Claim),
        attempt: 2,
        phase: "prove".into(),
        fraction: 0.5,
        done: 17,
        failures: 1,
        resident_bytes: 5_368_709_120,
        memory_limit_bytes: 8_589_934_592,
        keys: vec!["claim".into()],
    };
    assert_eq!(slots::report(&bytes), Some(report.clone()));
    assert_eq!(serde_json::to_vec(&report).unwrap(), bytes);
}

#[test]
fn the_events_of_0_1_0_are_read() {
    let golden: Vec<(String, Fields)> = json("events.json");
    let mut names = Vec::new();
    for (cursor, mut fields) in golden {
        let item = vec![text(&cursor), Value::Array(flat(&fields))];
        let event = events::parse(&Value::Array(item)).unwrap();
        assert_eq!(event.at_ms.to_string(), cursor.split('-').next().unwrap());
        assert_eq!(event.cursor, cursor);
        let job = fields.remove("job").map(|_| claim().id);
        assert_eq!(event.job, job);
        assert_eq!(fields.remove("what").as_ref(), Some(&event.what));
        assert_eq!(event.detail, fields, "whatever else it says");
        names.push(event.what);
    }
    let expected = "epoch joined-fleet taken joined queued claimed proving retrying queued dead \
                    withdrawn taken joined rejected taken joined result proved delivered";
    assert_eq!(names.join(" "), expected);
}

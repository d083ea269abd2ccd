//! The broker envelope: written bodies are read, and other bytes are refused.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use zkwhirl_job::{
    AttemptRecord, Command, Failure, FailureClass, JobId, Kind, Sizes,
    envelope::{BODY_BYTES, BodyError, JobEnvelope, Outcome, Payload, ResultEnvelope, VERSION},
};
use zkwhirl_testkit::wire::history;

use crate::golden;

/// A job whose fields all have a value, so that a lost field shows.
fn job() -> JobEnvelope {
    JobEnvelope {
        history: vec![history().remove(1)],
        ..golden::inline(Kind::Claim)
    }
}

fn result() -> ResultEnvelope {
    golden::result(Outcome::Proved(Bytes::from_static(b"proof")))
}

fn refusal(body: &[u8]) -> String {
    JobEnvelope::parse(body).unwrap_err().to_string()
}

#[test]
fn the_command_follows_from_the_kind() {
    for kind in Kind::ALL {
        let command = JobEnvelope { kind, ..job() }.command();
        let vk = matches!(kind, Kind::JoinSplitVk | Kind::AccountVk);
        assert_eq!(command != Command::CreateProof, vk, "{kind}");
    }
}

#[test]
fn an_envelope_cut_at_any_byte_is_refused() {
    let body = job().to_bytes();
    assert_eq!(refusal(&[]), "the message body is empty");
    for end in 1..body.len() {
        let error = JobEnvelope::parse(&body[..end]).unwrap_err();
        assert!(matches!(error, BodyError::Damaged(_)), "{end}");
    }
}

#[test]
fn a_flipped_bit_never_panics_and_never_reads_as_the_same() {
    for body in [job().to_bytes(), result().to_bytes()] {
        for bit in 0..8 * body.len() {
            let mut flipped = body.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = JobEnvelope::parse(&flipped) {
                assert_ne!(read, job(), "bit {bit}");
            }
            if let Ok(read) = ResultEnvelope::parse(&flipped) {
                assert_ne!(read, result(), "bit {bit}");
            }
        }
    }
}

#[test]
fn trailing_bytes_and_oversize_are_named() {
    let body = job().to_bytes();
    let bin = [0xc6, 0xff, 0xff, 0xff, 0xff];
    for trailing in [&[0][..], &[0xc1], &bin, &[0x91; 64]] {
        let long = [&body[..], trailing].concat();
        let why = "the message body is no job: more bytes follow it";
        assert_eq!(refusal(&long), why);
    }
    let oversized = vec![VERSION; BODY_BYTES + 1];
    let why = "the message body has 3145737 bytes, the limit is 3145736";
    assert_eq!(refusal(&oversized), why);
    assert!(refusal(&result().to_bytes()).starts_with("the message body is no job: "));
}

#[test]
fn deep_nesting_ends_at_a_limit() {
    // A field of a later release, nested without end: arrays of one, maps of
    // one, in a place where unknown fields are skipped.
    for nest in [&[0x91][..], &[0x81, 0xa0]] {
        let mut body = [&[VERSION, 0x81, 0xa5], &b"later"[..]].concat();
        body.extend(nest.repeat(BODY_BYTES / nest.len() / 2));
        let why = "the message body is no job: depth limit exceeded";
        assert_eq!(refusal(&body), why);
    }
}

prop_compose! {
    fn any_failure()(class in 0..4usize, reason in ".{0,200}") -> Failure {
        Failure::new(FailureClass::ALL[class], reason)
    }
}

prop_compose! {
    fn any_record()(
        attempt: u32,
        worker in ".{0,40}",
        failure in any_failure(),
        millis in 0..u64::MAX / 2000,
        exit in proptest::option::of(".{0,20}"),
        stderr_tail in ".{0,200}",
        peak_rss_bytes: Option<u64>,
    ) -> AttemptRecord {
        let duration = Duration::from_millis(millis);
        AttemptRecord { attempt, worker, failure, duration, exit, stderr_tail, peak_rss_bytes }
    }
}

fn any_payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2000).prop_map(|b| Payload::Inline(b.into())),
        any::<u64>().prop_map(|bytes| Payload::Stored { bytes }),
    ]
}

prop_compose! {
    fn any_job()(
        id: [u8; 32],
        kind in 0..6usize,
        rollup_id: Option<u32>,
        sizes in proptest::option::of((1..=64u32, 1..=64u32)),
        attempt: u32,
        taken_at_ms: u64,
        payload in any_payload(),
        history in proptest::collection::vec(any_record(), 0..4),
    ) -> JobEnvelope {
        let (id, kind) = (JobId(id), Kind::ALL[kind]);
        let sizes = sizes.map(|(txs, inners)| Sizes::new(txs, inners).unwrap());
        JobEnvelope { id, kind, rollup_id, sizes, attempt, taken_at_ms, payload, history, trace: None }
    }
}

proptest! {
    #[test]
    fn any_job_round_trips(job in any_job()) {
        prop_assert_eq!(JobEnvelope::parse(&job.to_bytes()), Ok(job));
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let body = [&[VERSION][..], &body].concat();
        let _ = JobEnvelope::parse(&body);
        let _ = ResultEnvelope::parse(&body);
    }
}

//! Bodies of release 0.1.0 are read, what is written today is what 0.1.0 reads,
//! and what a later release may write is read or told apart from damage.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use zkwhirl_job::{
    Failure, FailureClass, JobId, Kind, Sizes,
    envelope::{BodyError, JobEnvelope, Outcome, Payload, ResultEnvelope, VERSION},
};
use zkwhirl_testkit::wire::{golden, history};

/// The ids as they stand in the golden bytes: an id is not computed here.
fn id(kind: Kind) -> JobId {
    let digits = match kind {
        Kind::Claim => "cae95705c548d48251589a4cf4845031c04dcf7c90eea87844c56f99590984a3",
        Kind::TxRollup => "5aa0d57c30317982a9c7ed05b8c4f377660ba2821c471ebc7abe376e25ef2653",
        Kind::RootRollup => "ef49d6e34ef0ed9e39b661cae8977ae309b5ff9877c21c4366bb4a20a6cffbab",
        Kind::RootVerifier => "9e43d22310eec8f30b8cf4ae12cbb64b7e6079e4bbf53355558afff36d1401cb",
        Kind::JoinSplitVk => "a7334acb6a148c2b037d484380aa2de5ecb24c078247100504fbd1a50a0f5b0b",
        Kind::AccountVk => "00fd80bd733bf4da08880239d063d2e74aed54c8bdb8393cd509fd68d4ee63be",
    };
    digits.parse().unwrap()
}

pub(crate) fn inline(kind: Kind) -> JobEnvelope {
    JobEnvelope {
        id: id(kind),
        kind,
        rollup_id: Some(7),
        sizes: Some(Sizes::new(28, 32).unwrap()),
        attempt: 5,
        taken_at_ms: 1_700_000_000_123,
        payload: Payload::Inline(format!("request of {kind}").into_bytes().into()),
        history: history(),
        trace: None,
    }
}

pub(crate) fn result(outcome: Outcome) -> ResultEnvelope {
    ResultEnvelope {
        id: id(Kind::Claim),
        kind: Kind::Claim,
        attempt: 5,
        worker: "worker-5/1".into(),
        prove_ms: 4_500,
        outcome,
        trace: None,
    }
}

#[test]
fn jobs_of_0_1_0_are_read_and_written_as_they_were() {
    for kind in Kind::ALL {
        let stored = JobEnvelope {
            rollup_id: None,
            sizes: None,
            attempt: 1,
            payload: Payload::Stored { bytes: 1_086_344 },
            history: Vec::new(),
            ..inline(kind)
        };
        for (place, job) in [("inline", inline(kind)), ("stored", stored)] {
            let bytes = golden(&format!("job.{kind}.{place}.bin"));
            assert_eq!(JobEnvelope::parse(&bytes), Ok(job.clone()));
            assert_eq!(job.to_bytes(), bytes, "{kind} {place}");
        }
    }
}

#[test]
fn results_of_0_1_0_are_read_and_written_as_they_were() {
    let proved = result(Outcome::Proved(Bytes::from_static(b"reply of claim")));
    let mut all = vec![("proved".to_owned(), proved)];
    all.extend(history().into_iter().map(|record| {
        let name = format!("dead-{}", record.failure.class);
        (name, result(Outcome::Dead(record.failure)))
    }));
    for (name, result) in all {
        let bytes = golden(&format!("result.{name}.bin"));
        assert_eq!(ResultEnvelope::parse(&bytes), Ok(result.clone()));
        assert_eq!(result.to_bytes(), bytes, "{name}");
    }
}

/// A body that another release might write: today's fields, changed.
fn changed(value: &impl Serialize, version: u8, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut fields = serde_json::to_value(value).unwrap();
    change(&mut fields);
    let mut body = vec![version];
    body.extend(rmp_serde::to_vec_named(&fields).unwrap());
    body
}

/// A job without bytes, for which JSON has no type.
fn job() -> JobEnvelope {
    JobEnvelope {
        payload: Payload::Stored { bytes: 5 },
        ..inline(Kind::Claim)
    }
}

#[test]
fn a_field_that_a_later_release_adds_is_ignored() {
    for version in [VERSION, VERSION + 1] {
        let later = changed(&job(), version, |job| {
            job["urgency"] = json!({ "level": 3, "since": [1, 2] });
            job["history"][0]["gpu"] = json!("none");
            job["payload"]["Stored"]["digest"] = json!("ab");
        });
        assert_eq!(JobEnvelope::parse(&later), Ok(job()));
        let dead = result(Outcome::Dead(Failure::invalid("no")));
        let later = changed(&dead, version, |result| result["host"] = json!("a"));
        assert_eq!(ResultEnvelope::parse(&later), Ok(dead));
    }
}

#[test]
fn an_optional_field_that_an_earlier_release_lacks_has_its_default() {
    let earlier = changed(&job(), VERSION, |job| {
        let fields = job.as_object_mut().unwrap();
        fields.remove("sizes");
        fields.remove("rollup_id");
    });
    let expected = JobEnvelope {
        sizes: None,
        rollup_id: None,
        ..job()
    };
    assert_eq!(JobEnvelope::parse(&earlier), Ok(expected));
}

#[test]
fn a_class_that_a_later_release_adds_blames_neither_request_nor_prover() {
    let later = changed(&job(), VERSION, |job| {
        job["history"][0]["failure"]["class"] = json!("quota");
    });
    let read = JobEnvelope::parse(&later).unwrap();
    assert_eq!(read.history[0].failure.class, FailureClass::Infrastructure);
    assert_eq!(read.history[1..], job().history[1..]);
}

#[test]
fn what_only_another_release_can_read_is_told_apart_from_damage() {
    let kind = |version| changed(&job(), version, |job| job["kind"] = json!("fee-payer"));
    let payload = |version| {
        let elsewhere = json!({ "Elsewhere": { "url": "x" } });
        changed(&job(), version, |job| job["payload"] = elsewhere)
    };
    for (body, says) in [
        (kind(VERSION), "its kind \"fee-payer\" is not one of"),
        (kind(VERSION + 1), "its kind \"fee-payer\" is not one of"),
        (payload(VERSION + 1), "a job of version 2: "),
        (vec![VERSION + 2], "version 3, this release reads 1 to 2"),
        (vec![0, 0xc0], "version 0, this release reads 1 to 2"),
    ] {
        let error = JobEnvelope::parse(&body).unwrap_err();
        assert!(error.is_other_release(), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let cut = kind(VERSION + 1);
    for body in [&payload(VERSION)[..], &cut[..cut.len() - 1], &[VERSION + 1]] {
        let error = JobEnvelope::parse(body).unwrap_err();
        assert!(matches!(error, BodyError::Damaged(_)), "{error}");
    }
}

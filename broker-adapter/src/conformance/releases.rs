//! Messages of another release.

use bytes::Bytes;
use zkwhirl_job::{
    Topic,
    clock::now_ms,
    envelope::{JobEnvelope, Payload, VERSION},
};
use zkwhirl_testkit::claim_job;

use super::{Fixture, claim, done};
use crate::{DeadClass, UNREAD_LIMIT};

/// A body as a later release may write it: `job` of a version or a kind that this
/// release does not know.
fn of_another_release(job: &JobEnvelope) -> [Bytes; 2] {
    let mut version = job.to_bytes().to_vec();
    version[0] = VERSION + 2;
    let mut kind = job.to_bytes().to_vec();
    let at = kind.windows(5).position(|text| text == b"claim");
    kind[at.expect("the kind of a claim")] = b'f';
    [version.into(), kind.into()]
}

/// A message of another release waits on the longest rung and is no dead letter; the
/// jobs behind it are delivered.
pub async fn what_another_release_wrote_is_handed_back(f: Fixture) {
    for body in of_another_release(&claim_job(1)) {
        (f.put)(body, None).await;
    }
    f.publish(&claim_job(2)).await;
    let mut worker = f.join("a").await;
    done(&mut worker, &claim_job(2)).await;
    assert!(f.finds_nothing(&mut worker).await);
    let rungs = || async { f.depth(Topic::Inner).await.rungs };
    f.soon([0, 0, 2], rungs).await;
    assert_eq!(f.broker.dead_letters(10).await.expect("there"), []);
}

/// A message that no process has read for a day is a dead letter with its whole body;
/// a damaged body is a dead letter at once. Neither stops a worker.
pub async fn what_no_release_reads_is_buried_in_the_end(f: Fixture) {
    let day = UNREAD_LIMIT.as_millis() as u64;
    let [version, kind] = of_another_release(&claim_job(1));
    (f.put)(version.clone(), Some(now_ms() - day)).await;
    (f.put)(kind, Some(now_ms() - day / 2)).await;
    // A time in the future counts as now, so that the message still expires.
    let ahead = [&version[..], b"."].concat();
    (f.put)(ahead.into(), Some(now_ms() + day)).await;
    (f.put)(Bytes::from_static(&[VERSION, 0xc1]), None).await;
    f.publish(&claim_job(2)).await;
    let mut worker = f.join("a").await;
    assert_eq!(claim(&mut worker).await.job, claim_job(2));
    let letters = f.broker.dead_letters(10).await.expect("there");
    let classes: Vec<_> = letters.iter().map(|letter| letter.class).collect();
    assert_eq!(classes, [DeadClass::Version, DeadClass::Damaged]);
    assert_eq!(letters[0].payload, Payload::Inline(version));
    let rungs = || async { f.depth(Topic::Inner).await.rungs };
    f.soon([0, 0, 2], rungs).await;
}

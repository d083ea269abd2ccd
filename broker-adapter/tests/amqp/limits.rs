//! Bodies that are no jobs, full or deleted queues, control messages.

use std::{thread, time::Duration};

use tokio::time::timeout;
use zkwhirl_broker_adapter::{
    Broker, BrokerError, DeadLetter, Settlement,
    amqp::{Limits, provision::provision},
};
use zkwhirl_job::{
    Topic,
    envelope::{BODY_BYTES, Payload, VERSION},
};
use zkwhirl_testkit::{claim_job, eventually, result_of, within};

use crate::{
    support::{Vhost, claim, claimed, join, letters},
    wire::Wire,
};

/// A body with a length that promises four gigabytes.
const BOMB: &[u8] = b"\x01\xdf\xff\xff\xff\xff\xc6\xff\xff\xff\xff";

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_jobs_are_buried_and_the_worker_lives() {
    let (vhost, broker) = Vhost::with_broker().await;
    let wire = Wire::to(&vhost).await;
    let good = claim_job(1).to_bytes();
    let mut flipped = good.to_vec();
    flipped[3] ^= 0x40;
    let nested = [vec![VERSION], vec![0x91; 200]].concat();
    let oversized = vec![VERSION; BODY_BYTES + 1];
    let too_long = format!("has {} bytes, the limit is {BODY_BYTES}", BODY_BYTES + 1);
    let bad: [(&[u8], &str); 6] = [
        (b"", "the message body is empty"),
        (&good[..good.len() - 1], "is no job"),
        (&flipped, "is no job"),
        (BOMB, "is no job"),
        (&nested, "is no job"),
        (&oversized, &too_long),
    ];
    for (body, _) in bad {
        wire.put("zkwhirl.jobs", "inner.claim", body).await;
    }
    broker.publish(&claim_job(1), None).await.unwrap();
    let mut worker = join(&broker).await;
    assert_eq!(claimed(&mut worker).await, claim_job(1));
    let letters = letters(&broker).await;
    assert_eq!(letters.len(), bad.len());
    for ((_, reason), letter) in bad.iter().zip(&letters) {
        let said = &letter.reason;
        assert!(said.contains(reason), "{said} / {reason}");
        assert_eq!(letter.kind, None);
        let replayed = broker.replay(letter.id).await.unwrap();
        assert!(!replayed, "nothing to replay");
    }
    assert!(broker.remove_dead(letters[3].id).await.unwrap());
    // A scan holds the letters unacknowledged, then RabbitMQ requeues them.
    let left = || async { crate::support::letters(&broker).await.len() == bad.len() - 1 };
    eventually("the other letters are back", left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_read_does_not_stop_the_results() {
    let (vhost, broker) = Vhost::with_broker().await;
    let wire = Wire::to(&vhost).await;
    wire.put("zkwhirl.results", "", &[VERSION, 0xc1]).await;
    let result = result_of(&claim_job(1), b"reply");
    broker.publish_result(&result).await.unwrap();
    let mut results = broker.results().await.unwrap();
    let next = within("a result", results.next()).await.unwrap();
    assert_eq!(next.result.id, claim_job(1).id);
    let buried = || async { letters(&broker).await.len() == 1 };
    eventually("the junk is buried", buried).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_corrupt_bodies_do_not_stop_a_worker() {
    let (vhost, broker) = Vhost::with_broker().await;
    let wire = Wire::to(&vhost).await;
    let good = claim_job(1).to_bytes();
    for n in 0..100 {
        let mut body = good.to_vec();
        // Every tenth byte of the version and the map's frame breaks it.
        body[n % 2] ^= 1 << (n % 8);
        wire.put("zkwhirl.jobs", "inner.claim", &body).await;
    }
    broker.publish(&claim_job(2), None).await.unwrap();
    let mut worker = join(&broker).await;
    while claimed(&mut worker).await != claim_job(2) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_and_the_channel_lives() {
    let (_vhost, broker) = Vhost::with_broker().await;
    let mut job = claim_job(1);
    job.payload = Payload::Inline(vec![7; BODY_BYTES].into());
    let refused = broker.publish(&job, None).await.unwrap_err();
    assert!(matches!(refused, BrokerError::Refused(_)), "{refused}");
    job.payload = Payload::Inline(vec![7; BODY_BYTES - 1_000].into());
    broker.publish(&job, None).await.unwrap();
    let mut worker = join(&broker).await;
    assert_eq!(claimed(&mut worker).await, job);
    let letter = DeadLetter::of(&job, "for the test", 7);
    broker.bury(&letter).await.unwrap();
    assert_eq!(letters(&broker).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_vanishes_under_its_consumer_is_said_and_survived() {
    let (vhost, broker) = Vhost::with_broker().await;
    let mut worker = join(&broker).await;
    let waiting = tokio::spawn(async move {
        let ended = worker.claim().await.map(|_| ());
        (ended, worker)
    });
    let waits = || async { broker.depth(Topic::Inner).await.unwrap().consumers == 1 };
    eventually("the worker waits", waits).await;
    vhost.delete("queues", "zkwhirl.jobs.inner.v1").await;
    let (ended, mut worker) = within("the claim ends", waiting).await.unwrap();
    assert!(matches!(ended, Err(BrokerError::Away(_))), "{ended:?}");
    provision(&vhost.config, &[]).await.unwrap();
    broker.publish(&claim_job(1), None).await.unwrap();
    assert_eq!(claimed(&mut worker).await, claim_job(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_comes_after_its_claim_was_given_up_is_handed_back_uncounted() {
    let (_vhost, broker) = Vhost::with_broker().await;
    let mut early = join(&broker).await;
    let given_up = timeout(Duration::from_millis(300), early.claim()).await;
    assert!(given_up.is_err());
    broker.publish(&claim_job(1), None).await.unwrap();
    let sent = || async { broker.depth(Topic::Inner).await.unwrap().ready == 0 };
    eventually("the job was sent to the consumer", sent).await;
    drop(early);
    let mut late = broker.subscribe(&[Topic::Inner], "b").await.unwrap();
    let delivery = claim(&mut late).await;
    assert_eq!(delivery.job, claim_job(1));
    assert_eq!((delivery.delivery_count, delivery.redelivered), (0, false));
}

/// Runs on one thread with the test, so that a busy prover blocks the whole runtime.
#[tokio::test]
async fn a_prover_that_blocks_its_runtime_keeps_its_lease() {
    let mut vhost = Vhost::new().await;
    vhost.config.heartbeat = Duration::from_secs(4);
    let broker = vhost.connect().await;
    broker.publish(&claim_job(1), None).await.unwrap();
    let mut worker = join(&broker).await;
    let mut delivery = worker.claim().await.unwrap();
    // Without a thread of its own the connection would be lost after two heartbeats.
    thread::park_timeout(Duration::from_secs(12));
    assert!(delivery.settle(&Settlement::Ack).await.unwrap());
    assert_eq!(broker.status().connections, 2, "none was lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_so() {
    let mut vhost = Vhost::empty().await;
    vhost.config.limits = Limits {
        queue_limit: 4,
        ..Limits::default()
    };
    provision(&vhost.config, &[]).await.unwrap();
    let broker = vhost.connect().await;
    // Quorum queues accept a few messages more than their limit.
    let mut published = 0;
    let refused = loop {
        match broker.publish(&claim_job(published), None).await {
            Ok(()) => published += 1,
            Err(error) => break error.to_string(),
        }
        assert!(published < 100, "nothing was refused");
    };
    let expected = "the queue zkwhirl.jobs.inner.v1 holds 4 messages, its limit";
    assert_eq!(refused, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_through_the_broker_is_counted() {
    let (_vhost, broker) = Vhost::with_broker().await;
    let traffic = || async { broker.traffic().await.unwrap().unwrap() };
    let mut large = claim_job(1);
    large.payload = Payload::Inline(vec![7; 300_000].into());
    broker.publish(&large, None).await.unwrap();
    let begun = || async { traffic().await.received > 1_000 };
    eventually("the connections are counted", begun).await;
    let (before, bytes) = (traffic().await, large.to_bytes().len() as u64);
    for _ in 0..20 {
        broker.publish(&large, None).await.unwrap();
    }
    let received = || async { traffic().await.received >= before.received + 20 * bytes };
    eventually("they are counted", received).await;
    let mut worker = join(&broker).await;
    for _ in 0..21 {
        claimed(&mut worker).await;
    }
    let sent = || async { traffic().await.sent >= before.sent + 21 * bytes };
    eventually("they are counted", sent).await;
}

//! Bodies that are no jobs, queues that are full or vanish, control messages.

use std::{thread, time::Duration};

use tokio::time::timeout;
use zkwhirl_broker_adapter::{
    Broker, BrokerError, DeadLetter, JobConsumer, Settlement,
    amqp::{AmqpBroker, Control, Limits, provision::provision},
};
use zkwhirl_job::{
    Topic,
    envelope::{BODY_BYTES, JobEnvelope, Payload, VERSION},
};
use zkwhirl_testkit::{claim_job, eventually, result_of, within};

use crate::{
    support::{Vhost, claim},
    wire::Wire,
};

/// Claims and acks.
pub(crate) async fn claimed(worker: &mut Box<dyn JobConsumer>) -> JobEnvelope {
    let mut delivery = claim(worker).await;
    assert!(
        delivery
            .settle(&Settlement::Ack)
            .await
            .expect("the broker is there")
    );
    delivery.job.clone()
}

pub(crate) async fn letters(broker: &AmqpBroker) -> Vec<DeadLetter> {
    broker.dead_letters(100).await.expect("the broker is there")
}

/// A body with a length that promises four gigabytes.
fn bomb() -> Vec<u8> {
    vec![
        VERSION, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xc6, 0xff, 0xff, 0xff, 0xff,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_jobs_are_buried_and_the_worker_lives() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
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
        (&bomb(), "is no job"),
        (&nested, "is no job"),
        (&oversized, &too_long),
    ];
    for (body, _) in bad {
        wire.put("zkwhirl.jobs", "inner.claim", body).await;
    }
    broker.publish(&claim_job(1), None).await.unwrap();
    let mut worker = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    assert_eq!(claimed(&mut worker).await, claim_job(1));
    let letters = letters(&broker).await;
    assert_eq!(letters.len(), bad.len());
    for ((_, reason), letter) in bad.iter().zip(&letters) {
        assert!(
            letter.reason.contains(reason),
            "{} / {reason}",
            letter.reason
        );
        assert_eq!(letter.kind, None);
        assert!(
            !broker.replay(letter.id).await.unwrap(),
            "nothing to replay"
        );
    }
    assert!(broker.remove_dead(letters[3].id).await.unwrap());
    // A look takes the letters for a moment; RabbitMQ counts them again when it
    // has taken them back.
    let left = bad.len() - 1;
    eventually("the other letters are back", || async {
        broker.dead_count().await.unwrap() == left
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_cannot_be_read_does_not_stop_the_results() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    Wire::to(&vhost)
        .await
        .put("zkwhirl.results", "", &[VERSION, 0xc1])
        .await;
    broker
        .publish_result(&result_of(&claim_job(1), b"reply"))
        .await
        .unwrap();
    let mut results = broker.results().await.unwrap();
    let next = within("a result", results.next()).await.unwrap();
    assert_eq!(next.result.id, claim_job(1).id);
    eventually("the junk is buried", || async {
        letters(&broker).await.len() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_corrupt_bodies_do_not_stop_a_worker() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    let wire = Wire::to(&vhost).await;
    let good = claim_job(1).to_bytes();
    for n in 0..100 {
        let mut body = good.to_vec();
        // Every tenth byte of the version and the map's frame breaks it.
        body[n % 2] ^= 1 << (n % 8);
        wire.put("zkwhirl.jobs", "inner.claim", &body).await;
    }
    broker.publish(&claim_job(2), None).await.unwrap();
    let mut worker = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    while claimed(&mut worker).await != claim_job(2) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_and_the_channel_lives() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    let mut job = claim_job(1);
    job.payload = Payload::Inline(vec![7; BODY_BYTES].into());
    let refused = broker.publish(&job, None).await.unwrap_err();
    assert!(matches!(refused, BrokerError::Refused(_)), "{refused}");
    job.payload = Payload::Inline(vec![7; BODY_BYTES - 1_000].into());
    broker.publish(&job, None).await.unwrap();
    let mut worker = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    assert_eq!(claimed(&mut worker).await, job);
    broker
        .bury(&DeadLetter::of(&job, "for the test", 7))
        .await
        .unwrap();
    assert_eq!(letters(&broker).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_vanishes_under_its_consumer_is_said_and_survived() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    let mut worker = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    let waiting = tokio::spawn(async move {
        let ended = worker.claim().await.map(|_| ());
        (ended, worker)
    });
    let consumers = || async { broker.depth(Topic::Inner).await.unwrap().consumers };
    eventually("the worker waits", || async { consumers().await == 1 }).await;
    vhost.delete("queues", "zkwhirl.jobs.inner.v1").await;
    let (ended, mut worker) = within("the claim ends", waiting).await.unwrap();
    assert!(matches!(ended, Err(BrokerError::Away(_))), "{ended:?}");
    provision(&vhost.config, &[]).await.unwrap();
    broker.publish(&claim_job(1), None).await.unwrap();
    assert_eq!(claimed(&mut worker).await, claim_job(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_comes_after_its_claim_was_given_up_is_handed_back_uncounted() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    let mut early = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    let given_up = timeout(Duration::from_millis(300), early.claim()).await;
    assert!(given_up.is_err());
    broker.publish(&claim_job(1), None).await.unwrap();
    let ready = || async { broker.depth(Topic::Inner).await.unwrap().ready };
    eventually("the job was sent to the consumer", || async {
        ready().await == 0
    })
    .await;
    drop(early);
    let mut late = broker.subscribe(&[Topic::Inner], "b").await.unwrap();
    let delivery = claim(&mut late).await;
    assert_eq!(delivery.job, claim_job(1));
    assert_eq!((delivery.delivery_count, delivery.redelivered), (0, false));
}

/// On one thread with the test: whatever proves there stops everything else.
#[tokio::test]
async fn a_prover_that_blocks_its_runtime_keeps_its_lease() {
    let mut vhost = Vhost::new().await;
    vhost.config.heartbeat = Duration::from_secs(4);
    let broker = vhost.connect().await;
    broker.publish(&claim_job(1), None).await.unwrap();
    let mut worker = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    let mut delivery = worker.claim().await.unwrap();
    // Without the connection's own thread it would be lost after two heartbeats.
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
    // Quorum queues let a few more in than the limit says.
    let mut refused = None;
    for n in 0..100 {
        if let Err(error) = broker.publish(&claim_job(n), None).await {
            refused = Some(error.to_string());
            break;
        }
    }
    let expected = "the queue zkwhirl.jobs.inner.v1 holds 4 messages, its limit";
    assert_eq!(refused.as_deref(), Some(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn control_messages_reach_all_listeners_and_none_is_no_error() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    let message = Control::Quiet {
        worker: "worker-1".into(),
        quiet: true,
    };
    broker.send_control(&message).await.unwrap();
    let other = vhost.connect().await;
    let (mut a, mut b) = (broker.control_messages(), other.control_messages());
    a.joined().await.unwrap();
    b.joined().await.unwrap();
    other.send_control(&message).await.unwrap();
    assert_eq!(within("a control message", a.next()).await, message);
    assert_eq!(within("a control message", b.next()).await, message);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_through_the_broker_is_counted() {
    let vhost = Vhost::new().await;
    let broker = vhost.connect().await;
    let traffic = || async { broker.traffic().await.unwrap().unwrap() };
    let mut large = claim_job(1);
    large.payload = Payload::Inline(vec![7; 300_000].into());
    broker.publish(&large, None).await.unwrap();
    eventually("the connections are counted", || async {
        traffic().await.received > 1_000
    })
    .await;
    let (before, bytes) = (traffic().await, large.to_bytes().len() as u64);
    for _ in 0..20 {
        broker.publish(&large, None).await.unwrap();
    }
    eventually("they are counted", || async {
        traffic().await.received >= before.received + 20 * bytes
    })
    .await;
    let mut worker = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    for _ in 0..21 {
        claimed(&mut worker).await;
    }
    eventually("they are counted", || async {
        traffic().await.sent >= before.sent + 21 * bytes
    })
    .await;
}

//! The conformance suite, and random operations against a model.

mod model;

use std::{sync::Arc, time::Duration};

use zkwhirl_job::{Failure, Topic};

use super::*;
use crate::{Settlement, conformance::Fixture};
use zkwhirl_testkit::{claim_job, failed_by};

async fn make() -> Fixture {
    let config = EmbeddedBrokerConfig::default();
    let broker = EmbeddedBroker::new(config.clone());
    Fixture {
        delays: config.delays,
        broker: Arc::new(broker.clone()),
        put: Box::new(move |body, since_ms| {
            broker.publish_body(Topic::Inner, body, since_ms);
            Box::pin(async {})
        }),
        settle: Duration::from_millis(50),
        lag: Duration::ZERO,
        guard: None,
    }
}

mod conformance {
    crate::broker_conformance!(super::make, tokio::test(start_paused = true));
}

/// A queue with the workers `a` and `b`, and with a job that `a` failed.
async fn failed_once(failure: Failure) -> (JobEnvelope, [Box<dyn JobConsumer>; 2]) {
    let broker = EmbeddedBroker::default();
    let a = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    let b = broker.subscribe(&[Topic::Inner], "b").await.unwrap();
    let job = failed_by(claim_job(1), "a", failure);
    broker.publish(&job, None).await.unwrap();
    (job, [a, b])
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_not_kept_forever_for_a_busy_worker() {
    let (job, [mut a, _busy]) = failed_once(Failure::prover("died")).await;
    let start = tokio::time::Instant::now();
    assert_eq!(a.claim().await.unwrap().job, job);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_second_opinion_waits_for_the_other_worker_while_it_lives() {
    let (job, [mut a, busy]) = failed_once(Failure::invalid("no")).await;
    let hour = Duration::from_secs(3600);
    assert!(tokio::time::timeout(hour, a.claim()).await.is_err());
    drop(busy);
    assert_eq!(a.claim().await.unwrap().job, job);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_and_keeps_what_it_has() {
    let broker = EmbeddedBroker::new(EmbeddedBrokerConfig {
        queue_limit: 2,
        ..EmbeddedBrokerConfig::default()
    });
    for (n, after) in [(1, None), (2, Some(Rung::Long))] {
        broker.publish(&claim_job(n), after).await.unwrap();
    }
    let refused = broker.publish(&claim_job(3), None).await.unwrap_err();
    let why = "the queue inner holds 2 messages, its limit";
    assert_eq!(refused.to_string(), why);
    assert_eq!(broker.depth(Topic::Inner).await.unwrap().unfinished(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_delivery_goes_to_another_and_its_settlement_is_void() {
    let broker = EmbeddedBroker::default();
    broker.publish(&claim_job(1), None).await.unwrap();
    let mut a = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    let mut late = a.claim().await.unwrap();
    assert!(broker.revoke(claim_job(1).id));
    let mut b = broker.subscribe(&[Topic::Inner], "b").await.unwrap();
    assert_eq!(b.claim().await.unwrap().delivery_count, 1);
    assert!(!late.settle(&Settlement::Ack).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_says_so_to_those_who_wait() {
    let broker = EmbeddedBroker::default();
    let mut a = broker.subscribe(&[Topic::Inner], "a").await.unwrap();
    let waiting = tokio::spawn(async move { a.claim().await.map(|_| ()) });
    tokio::task::yield_now().await;
    broker.set_away(true);
    assert!(matches!(waiting.await.unwrap(), Err(BrokerError::Away(_))));
    let refused = broker.publish(&claim_job(1), None).await;
    assert!(matches!(refused, Err(BrokerError::Away(_))));
    let refused = broker.send_control(&Control::Restart).await;
    assert!(matches!(refused, Err(BrokerError::Away(_))));
    broker.set_away(false);
    broker.publish(&claim_job(1), None).await.unwrap();
}

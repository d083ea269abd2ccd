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
    crate::broker_conformance!(super::make, start_paused = true);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_not_kept_forever_for_a_busy_worker() {
    let broker = EmbeddedBroker::default();
    let topics = [Topic::Inner];
    let mut a = broker.subscribe(&topics, "a").await.unwrap();
    let _busy = broker.subscribe(&topics, "b").await.unwrap();
    let job = failed_by(claim_job(1), "a", Failure::prover("died"));
    broker.publish(&job, None).await.unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(a.claim().await.unwrap().job, job);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_second_opinion_waits_for_the_other_worker_while_it_lives() {
    let broker = EmbeddedBroker::default();
    let topics = [Topic::Inner];
    let mut a = broker.subscribe(&topics, "a").await.unwrap();
    let busy = broker.subscribe(&topics, "b").await.unwrap();
    let job = failed_by(claim_job(1), "a", Failure::invalid("no"));
    broker.publish(&job, None).await.unwrap();
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
    broker.publish(&claim_job(1), None).await.unwrap();
    broker
        .publish(&claim_job(2), Some(Rung::Long))
        .await
        .unwrap();
    let refused = broker.publish(&claim_job(3), None).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the queue inner holds 2 messages, its limit"
    );
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
    broker.set_away(false);
    broker.publish(&claim_job(1), None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn control_messages_reach_all_listeners_and_wait_for_none() {
    let broker = EmbeddedBroker::default();
    let message = Control::Cancel {
        job: claim_job(1).id,
    };
    broker.send_control(&message).await.unwrap();
    let mut listening = [broker.control_messages(), broker.clone().control_messages()];
    broker.send_control(&message).await.unwrap();
    for listener in &mut listening {
        assert_eq!(listener.next().await, message);
    }
    broker.set_away(true);
    assert!(matches!(
        broker.send_control(&message).await,
        Err(BrokerError::Away(_))
    ));
}

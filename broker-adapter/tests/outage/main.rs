//! Nodes that are killed. The checker of all: what was confirmed and is not
//! there in the end was lost, and nothing may be.
//!
//! A test binary of its own, and one test after the other: each has brokers of
//! its own, up to three on a machine of two cores.

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../amqp/support.rs"]
mod support;

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinSet,
    time::timeout,
};
use zkwhirl_broker_adapter::{
    Broker, BrokerError, JobConsumer, Settlement,
    amqp::{AmqpBroker, AmqpConfig, provision::provision},
};
use zkwhirl_job::{JobId, Topic};
use zkwhirl_testkit::claim_job;

use support::{Services, Vhost};

const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until no other test runs.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// The services, without stopping the test's own runtime meanwhile.
async fn act(services: &Arc<Services>, what: &'static str, part: &'static str) {
    let services = services.clone();
    let acting = tokio::task::spawn_blocking(move || services.act(what, part));
    acting.await.expect("no panic");
}

async fn started(nodes: usize) -> Arc<Services> {
    let starting = tokio::task::spawn_blocking(move || Arc::new(Services::up(nodes, None)));
    starting.await.expect("no panic")
}

/// A vhost with the topology on brokers that end with the test.
async fn on(services: &Services) -> Vhost {
    let vhost = Vhost::empty_on(&services.hosts, &services.management[0]).goes_with_its_broker();
    // Three nodes that have just started may take longer than a call may; saying
    // it again changes nothing.
    let provisioning = async {
        while let Err(error) = provision(&vhost.config, &[]).await {
            assert!(matches!(error, BrokerError::Away(_)), "{error}");
        }
    };
    timeout(PATIENCE, provisioning)
        .await
        .expect("the broker can be provisioned");
    vhost
}

/// Connected to one of the nodes and to no other.
async fn connected(vhost: &Vhost, node: usize) -> AmqpBroker {
    let broker = AmqpBroker::start(AmqpConfig {
        hosts: vec![vhost.config.hosts[node].clone()],
        ..vhost.config.clone()
    });
    let broker = broker.expect("a thread can be started");
    let connecting = async {
        while broker.status().publishing.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, connecting)
        .await
        .expect("the node is there");
    broker
}

/// Publishes until the broker says that it has it.
async fn publish(broker: &AmqpBroker, n: u32) {
    let publishing = async {
        while let Err(error) = broker.publish(&claim_job(n), None).await {
            assert!(!matches!(error, BrokerError::Refused(_)), "{error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, publishing)
        .await
        .expect("the broker comes back");
}

async fn joined(broker: &AmqpBroker, worker: &str) -> Box<dyn JobConsumer> {
    let joined = broker.subscribe(&[Topic::Inner], worker).await;
    joined.expect("a worker can join")
}

/// Claims, however often the broker is away.
async fn claim(worker: &mut Box<dyn JobConsumer>) -> zkwhirl_broker_adapter::Delivery {
    let claiming = async {
        loop {
            match worker.claim().await {
                Ok(delivery) => return delivery,
                Err(BrokerError::Away(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    timeout(PATIENCE, claiming)
        .await
        .expect("the broker comes back")
}

/// Acks everything that is there until all of `expected` was seen.
async fn drain(broker: &AmqpBroker, expected: &HashSet<JobId>) {
    let mut worker = joined(broker, "drain").await;
    let mut missing = expected.clone();
    while !missing.is_empty() {
        let mut delivery = claim(&mut worker).await;
        missing.remove(&delivery.job.id);
        let _ = delivery.settle(&Settlement::Ack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_broker_loses_nothing_and_a_lease_from_before_is_lost() {
    let _turn = turn().await;
    let services = started(1).await;
    let vhost = on(&services).await;
    let broker = vhost.connect().await;
    for n in 0..20 {
        publish(&broker, n).await;
    }
    let mut worker = joined(&broker, "a").await;
    let mut held = claim(&mut worker).await;
    assert_eq!(held.job, claim_job(0));
    let made = broker.status().connections;

    act(&services, "kill", "rabbitmq").await;
    let error = broker
        .publish(&claim_job(20), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("the broker is away: "), "{error}");
    assert!(
        !held.settle(&Settlement::Ack).await.unwrap(),
        "the lease is lost"
    );
    let publishing = tokio::spawn({
        let broker = broker.clone();
        async move { publish(&broker, 20).await }
    });
    act(&services, "start", "rabbitmq").await;
    publishing.await.expect("no panic");

    drop(held);
    let again = claim(&mut worker).await;
    assert_eq!(again.job, claim_job(0));
    assert!(again.redelivered);
    assert!(broker.status().connections > made);
    drop((again, worker));
    let all = (0..=20).map(|n| claim_job(n).id).collect();
    drain(&broker, &all).await;
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_survive_the_loss_of_one_and_heal_from_the_loss_of_two() {
    let _turn = turn().await;
    let services = started(3).await;
    let vhost = on(&services).await;
    let broker = vhost.connect().await;
    let mut confirmed = HashSet::new();
    for n in 0..10 {
        publish(&broker, n).await;
        confirmed.insert(claim_job(n).id);
    }
    // The first node declared the queues: it leads them. Whoever opens a
    // channel on another node meanwhile meets queues without a leader.
    let killing = {
        let services = services.clone();
        tokio::spawn(async move { act(&services, "kill", "rabbitmq1").await })
    };
    let mut early = JoinSet::new();
    for n in 40.. {
        let other = connected(&vhost, 1).await;
        early.spawn(async move { publish(&other, n).await });
        confirmed.insert(claim_job(n).id);
        if killing.is_finished() {
            break;
        }
    }
    while let Some(published) = early.join_next().await {
        published.expect("no panic");
    }
    for n in 10..20 {
        publish(&broker, n).await;
        confirmed.insert(claim_job(n).id);
    }
    // One of three is no majority: nothing is confirmed any more.
    act(&services, "kill", "rabbitmq2").await;
    for n in 20..23 {
        let job = claim_job(n);
        let stands = timeout(Duration::from_secs(3), broker.publish(&job, None)).await;
        assert!(!matches!(stands, Ok(Ok(()))), "confirmed by a minority");
    }
    act(&services, "start", "rabbitmq2").await;
    publish(&broker, 30).await;
    confirmed.insert(claim_job(30).id);
    act(&services, "start", "rabbitmq1").await;
    drain(&broker, &confirmed).await;
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_low_on_memory_takes_no_messages_but_acks() {
    let _turn = turn().await;
    let services = started(1).await;
    let mut vhost = on(&services).await;
    vhost.config.confirm_timeout = Duration::from_secs(2);
    let broker = vhost.connect().await;
    publish(&broker, 1).await;
    let mut worker = joined(&broker, "a").await;
    let mut held = claim(&mut worker).await;
    let watermark = |fraction: &'static str| {
        let services = services.clone();
        let setting = move || services.ctl(&["set_vm_memory_high_watermark", fraction]);
        tokio::task::spawn_blocking(setting)
    };
    watermark("0.00001").await.expect("no panic");
    // The first message is what the broker stops reading at.
    let error = broker
        .publish(&claim_job(2), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("low on memory or disk"), "{error}");
    assert!(broker.status().blocked);
    let acked = timeout(Duration::from_secs(1), held.settle(&Settlement::Ack)).await;
    assert_eq!(acked.expect("at once"), Ok(true));
    watermark("0.4").await.expect("no panic");
    publish(&broker, 3).await;
    drain(&broker, &HashSet::from([claim_job(3).id])).await;
}

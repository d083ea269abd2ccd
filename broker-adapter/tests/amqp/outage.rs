//! Nodes that are killed. Each test checks that every confirmed message is still there
//! in the end.
//!
//! The tests run one after the other: each has brokers of its own, up to three on a
//! machine with two cores.

use std::{collections::HashSet, time::Duration};

use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinSet,
    time::{sleep, timeout},
};
use zkwhirl_broker_adapter::{
    Broker, BrokerError, Delivery, JobConsumer, Settlement,
    amqp::{AmqpBroker, AmqpConfig},
};
use zkwhirl_job::JobId;
use zkwhirl_testkit::{Services, claim_job, eventually, until_some, within};

use crate::support::{Vhost, join};

/// Waits until no other test of this file runs.
async fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

async fn started(nodes: &str) -> Services {
    Services::with(["--rabbitmq", "--cluster", nodes]).await
}

/// A vhost with the topology on brokers that end with the test.
async fn on(services: &Services) -> Vhost {
    let vhost = Vhost::empty_on(&services.amqp, &services.management[0]).goes_with_its_broker();
    vhost.provision().await;
    vhost
}

/// A broker that connects to one of the nodes only.
async fn connected(vhost: &Vhost, node: usize) -> AmqpBroker {
    let broker = AmqpBroker::start(AmqpConfig {
        hosts: vec![vhost.config.hosts[node].clone()],
        ..vhost.config.clone()
    });
    let broker = broker.expect("a thread can be started");
    let is_there = async || broker.status().publishing.is_some();
    eventually("the node is there", is_there).await;
    broker
}

/// Publishes until the broker confirms the job.
async fn publish(broker: &AmqpBroker, n: u32) {
    let publishing = async {
        while let Err(error) = broker.publish(&claim_job(n), None).await {
            assert!(!matches!(error, BrokerError::Refused(_)), "{error}");
            sleep(Duration::from_millis(50)).await;
        }
    };
    within("the broker comes back", publishing).await;
}

/// Claims a job, and tries again while the broker is unavailable.
async fn claim(worker: &mut Box<dyn JobConsumer>) -> Delivery {
    until_some("the broker comes back", async || {
        match worker.claim().await {
            Err(BrokerError::Away(_)) => None,
            claimed => Some(claimed.expect("a job")),
        }
    })
    .await
}

/// Acks jobs until all of `expected` were delivered.
async fn drain(broker: &AmqpBroker, expected: &HashSet<JobId>) {
    let mut worker = join(broker).await;
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
    let services = started("1").await;
    let vhost = on(&services).await;
    let broker = vhost.connect().await;
    for n in 0..20 {
        publish(&broker, n).await;
    }
    let mut worker = join(&broker).await;
    let mut held = claim(&mut worker).await;
    assert_eq!(held.job, claim_job(0));
    let made = broker.status().connections;

    services.act("kill", "rabbitmq").await;
    let error = broker.publish(&claim_job(20), None).await.unwrap_err();
    assert!(matches!(error, BrokerError::Away(_)), "{error}");
    let settled = held.settle(&Settlement::Ack).await;
    assert!(!settled.unwrap(), "the lease is lost");
    let publishing = tokio::spawn({
        let broker = broker.clone();
        async move { publish(&broker, 20).await }
    });
    services.act("start", "rabbitmq").await;
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
    let services = started("3").await;
    let vhost = on(&services).await;
    let broker = vhost.connect().await;
    let mut confirmed = HashSet::new();
    for n in 0..10 {
        publish(&broker, n).await;
        confirmed.insert(claim_job(n).id);
    }
    // The first node declared the queues and leads them. A channel that is opened on
    // another node meanwhile meets queues without a leader.
    let killing = {
        let services = services.clone();
        tokio::spawn(async move { services.act("kill", "rabbitmq1").await })
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
    // One of three nodes is no majority: no message is confirmed any more.
    services.act("kill", "rabbitmq2").await;
    for n in 20..23 {
        let job = claim_job(n);
        let stands = timeout(Duration::from_secs(3), broker.publish(&job, None)).await;
        assert!(!matches!(stands, Ok(Ok(()))), "confirmed by a minority");
    }
    services.act("start", "rabbitmq2").await;
    publish(&broker, 30).await;
    confirmed.insert(claim_job(30).id);
    services.act("start", "rabbitmq1").await;
    drain(&broker, &confirmed).await;
    broker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_low_on_memory_takes_no_messages_but_acks() {
    let _turn = turn().await;
    let services = started("1").await;
    let mut vhost = on(&services).await;
    vhost.config.confirm_timeout = Duration::from_secs(2);
    let broker = vhost.connect().await;
    publish(&broker, 1).await;
    let mut worker = join(&broker).await;
    let mut held = claim(&mut worker).await;
    let watermark = async |fraction: &str| {
        let setting = ["set_vm_memory_high_watermark", fraction];
        services.ctl(&setting).await;
    };
    watermark("0.00001").await;
    // The broker stops reading at the first message.
    let words = "low on memory or disk";
    eventually(words, async || {
        let refused = broker.publish(&claim_job(2), None).await;
        refused.is_err_and(|error| error.to_string().contains(words))
    })
    .await;
    assert!(broker.status().blocked);
    let acked = within("an ack", held.settle(&Settlement::Ack)).await;
    assert_eq!(acked, Ok(true));
    assert!(broker.status().blocked, "it was acked meanwhile");
    watermark("0.4").await;
    publish(&broker, 3).await;
    drain(&broker, &HashSet::from([claim_job(3).id])).await;
}

//! The RabbitMQ back-end on a real broker: the conformance suite, what only this
//! back-end can do wrong, and the loss of nodes.

mod limits;
mod outage;
mod provisioning;
mod support;
mod tls;
mod wire;

use std::{sync::Arc, time::Duration};

use support::{DELAYS, Vhost};
use zkwhirl_broker_adapter::conformance::Fixture;

async fn make() -> Fixture {
    let vhost = Vhost::new().await;
    Fixture {
        broker: Arc::new(vhost.connect().await),
        delays: DELAYS,
        settle: Duration::from_millis(300),
        lag: zkwhirl_testkit::PATIENCE,
        guard: Some(Box::new(vhost)),
    }
}

mod conformance {
    zkwhirl_broker_adapter::broker_conformance!(crate::make, flavor = "multi_thread");
}

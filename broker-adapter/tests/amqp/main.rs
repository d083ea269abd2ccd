//! The RabbitMQ back-end on a real broker: the conformance suite, and what only
//! this back-end can do wrong.

mod limits;
mod provisioning;
#[expect(dead_code, reason = "the tests of outages use the rest")]
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
        lag: Duration::from_secs(30),
        guard: Some(Box::new(vhost)),
    }
}

mod conformance {
    zkwhirl_broker_adapter::broker_conformance!(crate::make, flavor = "multi_thread");
}

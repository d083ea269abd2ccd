//! The RabbitMQ back-end on a real broker: the conformance suite, tests of this
//! back-end's own behaviour, and the loss of nodes.

mod limits;
mod outage;
mod provisioning;
mod releases;
mod support;
mod tls;
mod wire;

use std::{sync::Arc, time::Duration};

use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use support::{DELAYS, Vhost};
use wire::Wire;
use zkwhirl_broker_adapter::conformance::Fixture;

async fn make() -> Fixture {
    let vhost = Vhost::new().await;
    let wire = Arc::new(Wire::to(&vhost).await);
    Fixture {
        put: Box::new(move |body, since_ms| {
            let wire = wire.clone();
            Box::pin(async move {
                let mut headers = FieldTable::default();
                if let Some(since_ms) = since_ms {
                    let since = AMQPValue::LongLongInt(since_ms as i64);
                    headers.insert("zkwhirl-unread-since".into(), since);
                }
                let properties = BasicProperties::default().with_headers(headers);
                let key = "inner.claim";
                wire.put_with("zkwhirl.jobs", key, &body, properties).await;
            })
        }),
        broker: Arc::new(vhost.connect().await),
        delays: DELAYS,
        settle: Duration::from_millis(300),
        lag: zkwhirl_testkit::PATIENCE,
        guard: Some(Box::new(vhost)),
    }
}

mod conformance {
    zkwhirl_broker_adapter::broker_conformance!(crate::make, tokio::test(flavor = "multi_thread"));
}

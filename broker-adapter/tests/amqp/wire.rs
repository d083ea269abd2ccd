//! A client that sends raw bodies, unlike the back-end, and makes no topology.

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    message::Delivery as LapinDelivery,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions},
};

use crate::support::Vhost;

/// A client that publishes bytes unchanged.
#[derive(Debug)]
pub(crate) struct Wire {
    _connection: Connection,
    channel: Channel,
}

impl Wire {
    pub(crate) async fn to(vhost: &Vhost) -> Self {
        let url = &vhost.url;
        let connecting = Connection::connect(url, ConnectionProperties::default());
        let connection = connecting.await.expect("the broker answers");
        let channel = connection.create_channel().await.expect("a channel");
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        confirms.await.expect("confirms");
        Self {
            _connection: connection,
            channel,
        }
    }

    /// Publishes a body and waits for the confirm.
    pub(crate) async fn put(&self, exchange: &str, key: &str, body: &[u8]) {
        let properties = BasicProperties::default();
        self.put_with(exchange, key, body, properties).await;
    }

    /// Publishes a body with these properties and waits for the confirm.
    pub(crate) async fn put_with(
        &self,
        exchange: &str,
        key: &str,
        body: &[u8],
        properties: BasicProperties,
    ) {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = properties.with_delivery_mode(2);
        let sent =
            self.channel
                .basic_publish(exchange.into(), key.into(), options, body, properties);
        let confirmed = sent.await.expect("sent").await.expect("confirmed");
        assert_eq!(confirmed, Confirmation::Ack(None));
    }

    /// Takes a message from a queue, if the queue has one.
    pub(crate) async fn take(&self, queue: &str) -> Option<LapinDelivery> {
        let options = BasicGetOptions { no_ack: true };
        let got = self.channel.basic_get(queue.into(), options).await;
        got.expect("the queue is there").map(|got| got.delivery)
    }
}

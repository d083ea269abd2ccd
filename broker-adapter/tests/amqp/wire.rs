//! A client that does what ours would not: raw bodies, no topology.

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};

use crate::support::Vhost;

/// Publishes bytes as they are.
#[derive(Debug)]
pub(crate) struct Wire {
    _connection: Connection,
    channel: Channel,
}

impl Wire {
    pub(crate) async fn to(vhost: &Vhost) -> Self {
        let url = &vhost.url;
        let connecting = Connection::connect(url, ConnectionProperties::default());
        let connection = connecting.await.expect("the broker is there");
        let channel = connection.create_channel().await.expect("a channel");
        let confirms = channel.confirm_select(ConfirmSelectOptions::default());
        confirms.await.expect("confirms");
        Self {
            _connection: connection,
            channel,
        }
    }

    /// Publishes and waits for the confirm.
    pub(crate) async fn put(&self, exchange: &str, key: &str, body: &[u8]) {
        let options = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let properties = BasicProperties::default().with_delivery_mode(2);
        let sent =
            self.channel
                .basic_publish(exchange.into(), key.into(), options, body, properties);
        let confirmed = sent.await.expect("sent").await.expect("confirmed");
        assert_eq!(confirmed, Confirmation::Ack(None));
    }
}

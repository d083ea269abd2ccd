//! How many bytes go through the broker.

use super::AmqpClient;
use crate::BrokerError;

/// Bytes on the wire of all connections to a vhost since it was made, closed
/// connections included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// What the broker was sent.
    pub received: u64,
    /// What it sent.
    pub sent: u64,
}

/// By the broker's statistics; `None` without the management API.
pub(super) async fn traffic(client: &AmqpClient) -> Result<Option<Traffic>, BrokerError> {
    let Some(api) = &client.api else {
        return Ok(None);
    };
    let vhost = api.get(&["vhosts", client.config.vhost()]).await?;
    let Some(vhost) = vhost else {
        return Ok(None);
    };
    // Absent until something was counted.
    let octets = |name: &str| vhost[name].as_u64().unwrap_or(0);
    Ok(Some(Traffic {
        received: octets("recv_oct"),
        sent: octets("send_oct"),
    }))
}

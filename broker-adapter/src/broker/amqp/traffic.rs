//! How many bytes go through the broker.

use super::Shared;
use crate::broker::BrokerError;

/// Bytes on the wire of all open connections to a vhost, each since it was
/// opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// What the broker was sent.
    pub received: u64,
    /// What it sent.
    pub sent: u64,
}

/// By the broker's statistics; `None` without the management API.
pub(super) async fn traffic(shared: &Shared) -> Result<Option<Traffic>, BrokerError> {
    let Some(api) = shared.counts.api() else {
        return Ok(None);
    };
    // A vhost has sums as well, which are up to 5 s older than these.
    let path = ["vhosts", shared.config.vhost(), "connections"];
    let Some(connections) = api.get(&path).await? else {
        return Ok(None);
    };
    let sum = |name: &str| {
        let all = connections.as_array().into_iter().flatten();
        // Absent until something was counted.
        all.filter_map(|connection| connection[name].as_u64()).sum()
    };
    Ok(Some(Traffic {
        received: sum("recv_oct"),
        sent: sum("send_oct"),
    }))
}

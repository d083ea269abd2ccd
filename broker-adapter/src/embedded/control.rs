//! Delivers control messages to every listener in the process.

use async_trait::async_trait;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{Control, ControlConsumer};

/// How many messages a listener may lag behind before it misses the oldest.
pub(super) const BACKLOG: usize = 1_024;

#[derive(Debug)]
pub(super) struct EmbeddedControlConsumer(pub(super) broadcast::Receiver<Control>);

#[async_trait]
impl ControlConsumer for EmbeddedControlConsumer {
    async fn next(&mut self) -> Control {
        loop {
            match self.0.recv().await {
                Ok(message) => return message,
                Err(RecvError::Lagged(missed)) => {
                    tracing::debug!(missed, "a slow listener missed {missed} control messages");
                }
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

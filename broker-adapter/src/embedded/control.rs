//! Words to all who listen.

use async_trait::async_trait;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{Control, ControlConsumer};

/// Words that a listener may lag behind.
pub(super) const BACKLOG: usize = 1_024;

#[derive(Debug)]
pub(super) struct Listener {
    words: broadcast::Receiver<Control>,
}

impl Listener {
    pub(super) fn new(words: broadcast::Receiver<Control>) -> Self {
        Self { words }
    }
}

#[async_trait]
impl ControlConsumer for Listener {
    async fn next(&mut self) -> Control {
        loop {
            match self.words.recv().await {
                Ok(word) => return word,
                Err(RecvError::Lagged(missed)) => {
                    tracing::debug!(missed, "control messages were missed");
                }
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

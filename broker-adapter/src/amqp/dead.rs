//! Scans of the queue of dead letters.
//!
//! AMQP cannot look into a queue, so a scan takes every message and gives it
//! back. Two processes that scan at the same time may each see a part; within
//! one process scans wait for each other.

use std::collections::HashMap;

use lapin::{
    Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions},
};
use tokio::sync::Mutex;
use zkwhirl_job::JobId;

use super::{AmqpClient, error::call, letter::of_message, names::DEAD_QUEUE};
use crate::{BrokerError, DeadLetter};

/// Letters that one scan takes.
const SCAN: usize = 4_096;
/// Bytes that one scan holds.
const SCAN_BYTES: usize = 256 << 20;

/// Scans the queue, one scan after the other.
#[derive(Debug, Default)]
pub(super) struct DeadLetterScanner {
    one_at_a_time: Mutex<()>,
}

/// What a scan found.
pub(super) struct ScannedLetters {
    /// Every job's newest letter, in the order of the queue.
    pub(super) letters: Vec<DeadLetter>,
    /// True when the scan reached the end of the queue.
    pub(super) all: bool,
}

impl DeadLetterScanner {
    /// Reads the letters. Removes those of the job `remove`, and those that a
    /// newer letter of the same job has replaced; true in the second place when
    /// there was a letter of `remove`.
    pub(super) async fn scan(
        &self,
        client: &AmqpClient,
        remove: Option<JobId>,
    ) -> Result<(ScannedLetters, bool), BrokerError> {
        let _guard = self.one_at_a_time.lock().await;
        let channel = client.consuming.channel().await?;
        let scan = Scan {
            client,
            channel: &channel,
        };
        let found = scan.run(remove).await;
        // Gives back whatever was taken and not removed.
        let limit = client.config.call_timeout;
        let closing = call("closing", limit, channel.close(200, "OK".into()));
        let closed = closing.await;
        let found = found?;
        closed.map(|()| found)
    }
}

struct Scan<'a> {
    client: &'a AmqpClient,
    channel: &'a Channel,
}

impl Scan<'_> {
    async fn run(&self, remove: Option<JobId>) -> Result<(ScannedLetters, bool), BrokerError> {
        let mut letters: Vec<Option<DeadLetter>> = Vec::new();
        // Where in `letters` a job's newest letter is, with its message.
        let mut newest: HashMap<JobId, (usize, BasicGetMessage)> = HashMap::new();
        let (mut bytes, mut removed, mut seen) = (0, false, 0);
        while seen < SCAN && bytes < SCAN_BYTES {
            let Some(mut message) = self.get().await? else {
                break;
            };
            seen += 1;
            let body = std::mem::take(&mut message.delivery.data);
            bytes += body.len();
            let limit = self.client.config.limits.delivery_limit;
            let letter = of_message(&body, &message.delivery.properties, limit);
            if remove == Some(letter.id) {
                self.take_out(&message).await?;
                removed = true;
                continue;
            }
            let entry = (letters.len(), message);
            if let Some((older, message)) = newest.insert(letter.id, entry) {
                letters[older] = None;
                self.take_out(&message).await?;
            }
            letters.push(Some(letter));
        }
        let found = ScannedLetters {
            letters: letters.into_iter().flatten().collect(),
            all: seen < SCAN && bytes < SCAN_BYTES,
        };
        Ok((found, removed))
    }

    async fn get(&self) -> Result<Option<BasicGetMessage>, BrokerError> {
        let limit = self.client.config.call_timeout;
        let get = self
            .channel
            .basic_get(DEAD_QUEUE.into(), BasicGetOptions::default());
        call("reading the dead letters", limit, get).await
    }

    async fn take_out(&self, message: &BasicGetMessage) -> Result<(), BrokerError> {
        let limit = self.client.config.call_timeout;
        let ack = message.delivery.acker.ack(BasicAckOptions::default());
        call("removing a dead letter", limit, ack).await.map(|_| ())
    }
}

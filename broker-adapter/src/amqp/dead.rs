//! Scans of the queue of dead letters.
//!
//! AMQP cannot list a queue's messages, so a scan gets every message and requeues
//! it. Two processes that scan at the same time may each see a part; within one
//! process scans wait for each other.

use std::collections::HashMap;

use lapin::{
    Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions},
};
use zkwhirl_job::JobId;

use super::{AmqpClient, config::AmqpConfig, letter::of_message, names::DEAD_QUEUE};
use crate::{BrokerError, DeadLetter};

const SCAN: usize = 4_096;
/// How many bytes of letters end a scan.
const SCAN_BYTES: usize = 256 << 20;

pub(super) struct ScannedLetters {
    /// The newest letter of every job, in the order of the queue.
    pub(super) letters: Vec<DeadLetter>,
    /// Whether the scan reached the end of the queue.
    pub(super) all: bool,
    /// Whether a letter of the job `remove` was found and removed.
    pub(super) removed: bool,
}

impl AmqpClient {
    /// Reads the letters. Removes the letters of the job `remove`, and those that a
    /// newer letter of the same job has replaced.
    pub(super) async fn scan(&self, remove: Option<JobId>) -> Result<ScannedLetters, BrokerError> {
        let _guard = self.one_scan.lock().await;
        let channel = self.consuming.channel().await?;
        let found = scan(&self.config, &channel, remove).await;
        // The close requeues every letter that was not removed.
        let closing = channel.close(200, "OK".into());
        let closed = self.config.call("closing a channel", closing).await;
        let found = found?;
        closed.map(|()| found)
    }
}

async fn scan(
    config: &AmqpConfig,
    channel: &Channel,
    remove: Option<JobId>,
) -> Result<ScannedLetters, BrokerError> {
    let take_out = async |message: BasicGetMessage| {
        let ack = message.delivery.acker.ack(BasicAckOptions::default());
        config.call("removing a dead letter", ack).await
    };
    let mut letters: Vec<Option<DeadLetter>> = Vec::new();
    // The index in `letters` of each job's newest letter, with the letter's message.
    let mut newest: HashMap<JobId, (usize, BasicGetMessage)> = HashMap::new();
    let (mut bytes, mut removed, mut seen) = (0, false, 0);
    while seen < SCAN && bytes < SCAN_BYTES {
        let get = channel.basic_get(DEAD_QUEUE.into(), BasicGetOptions::default());
        let Some(mut message) = config.call("reading the dead letters", get).await? else {
            break;
        };
        seen += 1;
        let body = std::mem::take(&mut message.delivery.data);
        bytes += body.len();
        let limit = config.limits.delivery_limit;
        let letter = of_message(&body, &message.delivery.properties, limit);
        if remove == Some(letter.id) {
            take_out(message).await?;
            removed = true;
            continue;
        }
        let entry = (letters.len(), message);
        if let Some((older, message)) = newest.insert(letter.id, entry) {
            letters[older] = None;
            take_out(message).await?;
        }
        letters.push(Some(letter));
    }
    Ok(ScannedLetters {
        letters: letters.into_iter().flatten().collect(),
        all: seen < SCAN && bytes < SCAN_BYTES,
        removed,
    })
}

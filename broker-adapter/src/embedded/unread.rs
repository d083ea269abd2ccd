//! Messages that this release cannot read: the embedded broker keeps them as a
//! worker of a fleet would, and looks again each time that their rung ends.
//!
//! One process is of one release, so none comes to be here by itself; bodies
//! that were recorded elsewhere can be published.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use zkwhirl_job::{JobId, Topic, clock::now_ms, envelope::JobEnvelope};

use crate::{DeadClass, DeadLetter, unread::Unread};

/// A body that could not be read when it was last looked at.
#[derive(Debug)]
pub(super) struct UnreadBody {
    topic: Topic,
    body: Bytes,
    since_ms: Option<u64>,
    due: Instant,
}

/// What became of a body.
pub(super) enum Looked {
    Job(JobEnvelope),
    Waits(UnreadBody),
    Dead(DeadLetter),
}

/// The bodies that wait.
#[derive(Debug, Default)]
pub(super) struct UnreadBodies(Vec<UnreadBody>);

impl UnreadBodies {
    pub(super) fn wait(&mut self, body: UnreadBody) {
        self.0.push(body);
    }

    /// Takes those of a topic whose rung has ended.
    pub(super) fn take_due(&mut self, topic: Topic) -> Vec<UnreadBody> {
        let now = Instant::now();
        let due = |waits: &mut UnreadBody| waits.topic == topic && waits.due <= now;
        self.0.extract_if(.., due).collect()
    }

    pub(super) fn next_due(&self, topic: Topic) -> Option<Instant> {
        self.of(topic).map(|waits| waits.due).min()
    }

    pub(super) fn count(&self, topic: Topic) -> usize {
        self.of(topic).count()
    }

    fn of(&self, topic: Topic) -> impl Iterator<Item = &UnreadBody> {
        self.0.iter().filter(move |waits| waits.topic == topic)
    }
}

impl UnreadBody {
    /// A body that was first found unreadable at `since_ms`, if it ever was.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn new(topic: Topic, body: Bytes, since_ms: Option<u64>) -> Self {
        Self {
            topic,
            body,
            since_ms,
            due: Instant::now(),
        }
    }

    /// Reads the body, or decides what becomes of it.
    pub(super) fn look(self, delay: Duration, limit: Duration) -> Looked {
        let why = match JobEnvelope::parse(&self.body) {
            Ok(job) => return Looked::Job(job),
            Err(why) => why,
        };
        let (class, why) = match Unread::decide(self.since_ms, now_ms(), limit) {
            _ if !why.is_other_release() => (DeadClass::Damaged, why.to_string()),
            Unread::HandBack { since_ms } => {
                return Looked::Waits(Self {
                    since_ms: Some(since_ms),
                    due: Instant::now() + delay,
                    ..self
                });
            }
            Unread::Expired => (DeadClass::Version, Unread::expired(limit, &why)),
        };
        let id = JobId::of_code(u32::MAX, &self.body);
        Looked::Dead(DeadLetter::unread(id, class, &self.body, &why))
    }
}

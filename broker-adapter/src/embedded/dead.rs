//! The dead letters.

use std::collections::BTreeMap;

use zkwhirl_job::JobId;

use crate::{BrokerError, DeadLetter};

/// Letters by the order of their coming, one for each job.
#[derive(Debug)]
pub(super) struct DeadLetters {
    limit: usize,
    letters: BTreeMap<u64, DeadLetter>,
    next: u64,
}

impl DeadLetters {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            letters: BTreeMap::new(),
            next: 0,
        }
    }

    /// Adds a letter while there is room.
    pub(super) fn bury(&mut self, letter: DeadLetter) -> Result<(), BrokerError> {
        let limit = self.limit;
        if self.letters.len() >= limit && self.find(letter.id).is_none() {
            return Err(BrokerError::Full {
                queue: "dead",
                limit,
            });
        }
        self.put(letter);
        Ok(())
    }

    /// Adds a letter past the limit too: dropping the job would lose it.
    pub(super) fn put(&mut self, letter: DeadLetter) {
        self.remove(letter.id);
        self.next += 1;
        self.letters.insert(self.next, letter);
    }

    pub(super) fn list(&self, limit: usize) -> Vec<DeadLetter> {
        self.letters.values().take(limit).cloned().collect()
    }

    pub(super) fn find(&self, job: JobId) -> Option<&DeadLetter> {
        self.letters.values().find(|dead| dead.id == job)
    }

    pub(super) fn remove(&mut self, job: JobId) -> bool {
        let before = self.letters.len();
        self.letters.retain(|_, dead| dead.id != job);
        self.letters.len() < before
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = JobId> {
        self.letters.values().map(|letter| letter.id)
    }

    pub(super) fn clear(&mut self) {
        self.letters.clear();
    }
}

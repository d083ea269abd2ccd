//! The dead letters of the embedded broker.

use std::collections::BTreeMap;

use zkwhirl_job::JobId;

use crate::{BrokerError, DeadLetter};

/// The letters in the order of their arrival, one for each job.
#[derive(Debug, Default)]
pub(super) struct DeadLetters {
    letters: BTreeMap<u64, DeadLetter>,
    next: u64,
}

impl DeadLetters {
    /// Adds a letter, or fails if `limit` letters of other jobs are stored.
    pub(super) fn bury(&mut self, letter: &DeadLetter, limit: usize) -> Result<(), BrokerError> {
        if self.letters.len() >= limit && self.find(letter.id).is_none() {
            return Err(BrokerError::Full {
                queue: "dead",
                limit,
            });
        }
        self.put(letter.clone());
        Ok(())
    }

    /// Adds a letter, even beyond the limit: otherwise the job would be lost.
    pub(super) fn put(&mut self, letter: DeadLetter) {
        self.remove(letter.id);
        self.next += 1;
        self.letters.insert(self.next, letter);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &DeadLetter> {
        self.letters.values()
    }

    pub(super) fn find(&self, job: JobId) -> Option<&DeadLetter> {
        self.iter().find(|dead| dead.id == job)
    }

    pub(super) fn remove(&mut self, job: JobId) -> bool {
        let before = self.letters.len();
        self.letters.retain(|_, dead| dead.id != job);
        self.letters.len() < before
    }
}

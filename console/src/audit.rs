//! The log of operators' actions, under the log target `audit`; the last entries
//! are also kept in memory, for the page.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use super::views::AuditEntry;

/// The number of entries in memory, at most.
const KEPT: usize = 256;

/// The log of operators' actions.
#[derive(Debug, Default)]
pub(super) struct AuditLog {
    entries: Mutex<VecDeque<AuditEntry>>,
}

impl AuditLog {
    pub(super) fn write(&self, entry: AuditEntry) {
        let AuditEntry {
            who,
            what,
            on,
            text,
            done,
            ..
        } = &entry;
        tracing::info!(target: "audit", who, what, on, text, done, "operator {who}: {what} {on}");
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The last entries, newest first.
    pub(super) fn entries(&self) -> Vec<AuditEntry> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().rev().cloned().collect()
    }
}
